"""The loopback sockets, made by us with the right options on each system.

`trio.open_tcp_listeners` and `http.server` neither refuse a shared port on Windows nor treat the two loopback addresses
as one.
"""

from __future__ import annotations

import errno
import socket
import sys

from ...sansio.login.events import BindFailed, BindProblem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_BACKLOG: Final = 128
_PAIR_ATTEMPTS: Final = 10
"""How often a free IPv4 port is chosen anew because its IPv6 twin is taken."""
_NO_IPV6: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_NO_ROOM: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_WINDOWS_FORBIDDEN: Final = 10013


def open_listeners(port: int, redirect_host: str) -> list[socket.socket] | BindFailed:
    """Listen on loopback, and nowhere else.

    Args:
        port: 0 for any free one.
        redirect_host: ``localhost`` also listens on ``[::1]``, same port: browsers try it first, and a stranger there
            would receive the code.

    Returns:
        The listening, non-blocking sockets, all on one port; or why there are none.
    """
    failure: OSError | None = None
    for _ in range(_PAIR_ATTEMPTS if port == 0 else 1):
        try:
            return _open(port, with_ipv6=redirect_host == "localhost")
        except OSError as error:
            failure = error
            if error.errno != errno.EADDRINUSE:
                break
    assert failure is not None
    return BindFailed(kind=_kind(failure), message=failure.strerror or type(failure).__name__)


def is_out_of_room(error: OSError) -> bool:
    """Whether accepting failed for want of descriptors or memory. Otherwise a client has gone again."""
    return error.errno in _NO_ROOM


def port_of(listeners: list[socket.socket]) -> int:
    """The port that they share."""
    port: int = listeners[0].getsockname()[1]
    return port


def _open(port: int, *, with_ipv6: bool) -> list[socket.socket]:
    listeners = [_listen(socket.AF_INET, "127.0.0.1", port)]
    if with_ipv6 and socket.has_ipv6:
        try:
            listeners.append(_listen(socket.AF_INET6, "::1", port_of(listeners)))
        except OSError as error:
            # A machine without IPv6 has no stranger on it either.
            if error.errno not in _NO_IPV6:
                listeners[0].close()
                raise
    return listeners


def _listen(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # Without it another program could bind the same port and take the code.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # Bind in spite of connections in TIME_WAIT. Never SO_REUSEPORT, which would share the port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        if listener.getsockname()[0] != address:
            raise OSError(errno.EADDRNOTAVAIL, "the system bound another address than loopback")
        listener.listen(_BACKLOG)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _kind(error: OSError) -> BindProblem:
    if error.errno == errno.EADDRINUSE:
        return BindProblem.IN_USE
    if getattr(error, "winerror", None) == _WINDOWS_FORBIDDEN:
        # A reserved range; also an exclusive holder, which cannot be told apart. The fallback port helps in both cases.
        return BindProblem.FORBIDDEN
    return BindProblem.OTHER
