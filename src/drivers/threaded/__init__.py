"""The driver for programs with threads. The packages of the drivers have the same names.

`open_login` signs a person in, and gives a `Login`. A `Session` gives access tokens. `sign_out` signs the person out.
`WebLogins` signs people in at a web host.
`loginmachine` has them too, as `start_login`, `ThreadedLogin`, `Session`, `sign_out` and `WebLogins`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .login import ThreadedLogin as Login
    from .login import start_login as open_login
    from .session import Session
    from .signing_out import sign_out
    from .web_logins import WebLogins

__all__ = ["Login", "Session", "WebLogins", "open_login", "sign_out"]

_PLACES = {
    "Login": ("login", "ThreadedLogin"),
    "Session": ("session", "Session"),
    "WebLogins": ("web_logins", "WebLogins"),
    "open_login": ("login", "start_login"),
    "sign_out": ("signing_out", "sign_out"),
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
