"""The driver for programs with trio. The packages of the drivers have the same names.

`open_login` signs a person in, and gives a `Login`. A `Session` gives access tokens. `sign_out` signs the person out.
`WebLogins` signs people in at a web host.
`loginmachine` has them too, as `open_login`, `TrioLogin`, `TrioSession`, `trio_sign_out` and `TrioWebLogins`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .login import TrioLogin as Login
    from .login import open_login
    from .session import TrioSession as Session
    from .signing_out import trio_sign_out as sign_out
    from .web_logins import TrioWebLogins as WebLogins

__all__ = ["Login", "Session", "WebLogins", "open_login", "sign_out"]

_PLACES = {
    "Login": ("login", "TrioLogin"),
    "Session": ("session", "TrioSession"),
    "WebLogins": ("web_logins", "TrioWebLogins"),
    "open_login": ("login", "open_login"),
    "sign_out": ("signing_out", "trio_sign_out"),
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
