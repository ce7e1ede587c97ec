"""The listening sockets on loopback, with the right options for each system.

`trio.open_tcp_listeners` and `http.server` allow a shared port on Windows, and do not bind one port on both loopback
addresses.
"""

from __future__ import annotations

import errno
import socket
import sys

from ...sansio.login.events import BindFailed, BindProblem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

ACCEPT_RETRY_DELAY: Final = 0.1
"""Seconds to wait before accepting again, when the system has no descriptor left for another connection."""
_BACKLOG: Final = 128
_PAIR_ATTEMPTS: Final = 10
"""How many free IPv4 ports are tried, if the same port is taken on IPv6."""
_NO_IPV6: Final = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
_NO_RESOURCES: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
_WINDOWS_FORBIDDEN: Final = 10013


def open_listeners(
    port: int, redirect_host: str, listen_address: str | None = None
) -> list[socket.socket] | BindFailed:
    """Listen on loopback, and nowhere else, unless another address is wanted.

    Args:
        port: 0 for any free port.
        redirect_host: For ``[::1]``, listen there only. For ``localhost``, listen on ``[::1]`` too, on the same port.
            Browsers try that address first, and another program there would receive the code.
        listen_address: Listen at this address of the machine instead, and only there. None for loopback.

    Returns:
        The listening, non-blocking sockets, all on one port; or why there are none.
    """
    failure: OSError | None = None
    for _ in range(_PAIR_ATTEMPTS if port == 0 else 1):
        try:
            if listen_address is not None:
                return [_listen(_family_of(listen_address), listen_address, port)]
            if redirect_host == "[::1]":
                return [_listen(socket.AF_INET6, "::1", port)]
            return _open(port, with_ipv6=redirect_host == "localhost")
        except OSError as error:
            failure = error
            if error.errno != errno.EADDRINUSE:
                break
    assert failure is not None
    return BindFailed(kind=_kind(failure), message=failure.strerror or type(failure).__name__)


def is_out_of_resources(error: OSError) -> bool:
    """Return whether accepting failed for want of descriptors or memory. Otherwise the client has left."""
    return error.errno in _NO_RESOURCES


def port_of(listeners: list[socket.socket]) -> int:
    """Return the port that the sockets share."""
    port: int = listeners[0].getsockname()[1]
    return port


def _family_of(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _open(port: int, *, with_ipv6: bool) -> list[socket.socket]:
    listeners = [_listen(socket.AF_INET, "127.0.0.1", port)]
    if with_ipv6 and socket.has_ipv6:
        try:
            listeners.append(_listen(socket.AF_INET6, "::1", port_of(listeners)))
        except OSError as error:
            # On a machine without IPv6, no other program can listen there either.
            if error.errno not in _NO_IPV6:
                listeners[0].close()
                raise
    return listeners


def _listen(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if sys.platform == "win32":
            # Without this, another program could bind the same port and receive the code.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            # Binds although old connections are in TIME_WAIT. Not SO_REUSEPORT, which would share the port.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        if listener.getsockname()[0] != address:
            raise OSError(errno.EADDRNOTAVAIL, "the system bound another address")
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
        # The port is in a reserved range, or another program holds it exclusively. The fallback port helps in both
        # cases.
        return BindProblem.FORBIDDEN
    return BindProblem.OTHER
