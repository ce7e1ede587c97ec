"""A TCP server on loopback. A script of the test sends the bytes of each connection."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from typing import TYPE_CHECKING, Self

from .support import PATIENCE

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b"


class Peer:
    """One connection, as the script sees it."""

    def __init__(self, connection: socket.socket, server: ScriptedServer) -> None:
        self.connection = connection
        self.server = server

    def read_head(self) -> bytes:
        """Return the bytes up to the empty line, or to the end."""
        received = bytearray()
        while b"\r\n\r\n" not in received and (data := self.connection.recv(1)):
            received += data
        return bytes(received)

    def read_request(self) -> tuple[bytes, bytes]:
        """Return the head and the body, by its Content-Length; two empty strings if the client has left."""
        head = self.read_head()
        length = re.search(rb"(?i)content-length: *(\d+)", head)
        body = bytearray()
        while length is not None and len(body) < int(length[1]) and (data := self.connection.recv(65536)):
            body += data
        if head:
            self.server.requests.append((head, bytes(body)))
        return head, bytes(body)

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def wait_for_end(self) -> None:
        """Send nothing until the client leaves or the test ends."""
        self.server.reached.set()
        with contextlib.suppress(OSError):
            while self.connection.recv(65536):
                pass


class ScriptedServer:
    """Runs ``script`` for each connection, in a thread of its own.

    Args:
        script: Called with the connection, which is closed when it returns. If the client leaves, it ends quietly.
        tls: Wraps each connection.
        port: 0 for any.
    """

    def __init__(self, script: Callable[[Peer], None], *, tls: ssl.SSLContext | None = None, port: int = 0) -> None:
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", port))
        self._threads: list[threading.Thread] = []
        self._connections: list[socket.socket] = []
        self.port: int = self._listener.getsockname()[1]
        self.accepted = 0
        self.requests: list[tuple[bytes, bytes]] = []
        self.reached = threading.Event()
        """Set when a script calls `Peer.wait_for_end`."""

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._start(self._accept_all)
        return self

    def __exit__(self, *_: object) -> None:
        # Shutting a listener down wakes its accept on Linux; elsewhere a last connection does.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)

    def _start(self, work: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=work, args=args, name="scripted")
        self._threads.append(thread)
        thread.start()

    def _accept_all(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                connection.settimeout(PATIENCE)
                self.accepted += 1
                self._connections.append(connection)
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self._tls is None:
                self._script(Peer(connection, self))
                return
            with self._tls.wrap_socket(connection, server_side=True) as wrapped:
                self._connections.append(wrapped)
                self._script(Peer(wrapped, self))


def sends(*parts: bytes) -> Callable[[Peer], None]:
    """Read a request, and send these bytes."""

    def script(peer: Peer) -> None:
        peer.read_request()
        for part in parts:
            peer.send(part)

    return script


def drips(peer: Peer, start: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n") -> None:
    """Send a reply without an end, each byte long before a read would time out."""
    peer.read_request()
    peer.send(start)
    while not peer.server.reached.wait(0.02):
        peer.send(b"x")
