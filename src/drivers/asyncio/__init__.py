"""The driver for programs with asyncio. The packages of the drivers have the same names.

`open_login` signs a person in, and gives a `Login`. A `Session` gives access tokens. `sign_out` signs the person out.
`WebLogins` signs people in at a web host. `loginmachine` has them too, as `asyncio_open_login`, `AsyncioLogin`,
`AsyncioSession`, `asyncio_sign_out` and `AsyncioWebLogins`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .login import AsyncioLogin as Login
    from .login import asyncio_open_login as open_login
    from .session import AsyncioSession as Session
    from .signing_out import asyncio_sign_out as sign_out
    from .web_logins import AsyncioWebLogins as WebLogins

__all__ = ["Login", "Session", "WebLogins", "open_login", "sign_out"]

_PLACES = {
    "Login": ("login", "AsyncioLogin"),
    "Session": ("session", "AsyncioSession"),
    "WebLogins": ("web_logins", "AsyncioWebLogins"),
    "open_login": ("login", "asyncio_open_login"),
    "sign_out": ("signing_out", "asyncio_sign_out"),
}
"""The module of each name, and its name there."""


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    from ...sansio.base.public import load  # noqa: PLC0415 - the first name needs it, not the package

    home, own = _PLACES.get(name, ("", name))
    return load(__name__, {home: (own,)} if home else {}, own)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted(__all__)
