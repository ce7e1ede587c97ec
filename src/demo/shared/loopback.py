"""Serves an application on loopback, in a thread. Needs the extra ``loginmachine[demo]``."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

try:
    from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler
except ModuleNotFoundError as missing:
    raise ImportError(
        f"the demo needs {missing.name}, which is not installed: pip install 'loginmachine[demo]'", name=missing.name
    ) from missing

if TYPE_CHECKING:
    from collections.abc import Callable
    from wsgiref.types import WSGIApplication


class LoopbackServer:
    """Serves an application on a free port of 127.0.0.1, in a thread of its own.

    Args:
        application_at: Is called with the port, and returns the application.
    """

    def __init__(self, application_at: Callable[[int], WSGIApplication]) -> None:
        # With a socket of its own, werkzeug would exit if the port is in use, and look up the host name.
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port: int = listener.getsockname()[1]
            self._server = _Server("127.0.0.1", port, application_at(port), _Handler, fd=listener.fileno())
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="loginmachine-demo-provider"
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the port and all connections, and wait for their threads."""
        self._server.shutdown()
        self._server.close_connections()
        self._thread.join()


class _Handler(WSGIRequestHandler):
    """Handles a connection without logging, because a request line contains state and code challenge."""

    timeout = 10.0

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's name
        pass


class _Server(ThreadedWSGIServer):
    """The server of `werkzeug.serving.make_server`, but without threads that stay after its end."""

    daemon_threads = False  # so that server_close() joins them

    def __init__(self, host: str, port: int, app: WSGIApplication, handler: type[_Handler], *, fd: int) -> None:
        super().__init__(host, port, app, handler, fd=fd)
        self._connections: set[socket.socket] = set()

    def process_request(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket) -> None:  # type: ignore[override]
        super().shutdown_request(request)
        self._connections.discard(request)

    def close_connections(self) -> None:
        """Close open connections, such as idle ones of a browser. Called after the listener is closed."""
        for connection in tuple(self._connections):
            with contextlib.suppress(OSError):  # its thread has closed it meanwhile
                connection.shutdown(socket.SHUT_RDWR)
