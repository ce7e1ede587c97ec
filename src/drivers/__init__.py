"""Drivers, which do the I/O of a login, and tools for authors of other drivers (docs/writing-a-driver.md).

`open_listeners` and `port_of` make the sockets of the callback port; `cancel_previous` asks an older login to free it.
`CallbackConnection` reads the bytes of a connection as a `Request`, and writes a `Response`; `HEAD_TIMEOUT`,
`SEND_TIMEOUT` and `CLOSE_TIMEOUT` are the seconds that a client has. `is_of_other_user` finds out whether a program of
another user has sent a request. `client_settings` and `encode_request` prepare a
request for httpx; `to_response` and `to_failure` convert its response or exception, and `token_event` makes an event of
either. `error_for` is the exception for an outcome. `seal_login` makes bytes of a
login, and `open_sealed` a login of them, in another process.

A store calls `check_replaceable` before it replaces credentials, and may be a `RefusalStore` (docs/stores.md).

A program that signs a person in uses `loginmachine.start_login` or `loginmachine.open_login` instead.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..sansio.callback.responses import Response
    from .callback.http11 import CLOSE_TIMEOUT, HEAD_TIMEOUT, SEND_TIMEOUT, CallbackConnection, Request
    from .callback.listeners import open_listeners, port_of
    from .callback.peers import is_of_other_user
    from .callback.previous_login import cancel_previous
    from .errors import error_for
    from .http.client import client_settings, encode_request, to_failure, to_response
    from .shared.token_events import token_event
    from .stores.protocols import RefusalStore, check_replaceable
    from .suspended.sealing import OpenedLogin, open_sealed, seal_login

__all__ = [
    "CLOSE_TIMEOUT",
    "HEAD_TIMEOUT",
    "SEND_TIMEOUT",
    "CallbackConnection",
    "OpenedLogin",
    "RefusalStore",
    "Request",
    "Response",
    "cancel_previous",
    "check_replaceable",
    "client_settings",
    "encode_request",
    "error_for",
    "is_of_other_user",
    "open_listeners",
    "open_sealed",
    "port_of",
    "seal_login",
    "to_failure",
    "to_response",
    "token_event",
]

_HOMES = {
    "callback.http11": ("CLOSE_TIMEOUT", "HEAD_TIMEOUT", "SEND_TIMEOUT", "Response", "CallbackConnection", "Request"),
    "callback.listeners": ("open_listeners", "port_of"),
    "callback.peers": ("is_of_other_user",),
    "callback.previous_login": ("cancel_previous",),
    "errors": ("error_for",),
    "http.client": ("client_settings", "encode_request", "to_failure", "to_response"),
    "shared.token_events": ("token_event",),
    "suspended.sealing": ("OpenedLogin", "open_sealed", "seal_login"),
    "stores.protocols": ("RefusalStore", "check_replaceable"),
}


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    from ..sansio.base.public import load  # noqa: PLC0415 - the first name needs it, not the package

    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted(__all__)
