"""The callback server with threads: one thread accepts connections, and one more serves each connection."""

from __future__ import annotations

import contextlib
import itertools
import queue
import selectors
import socket
import threading
import time

from ...sansio.login import events
from ..callback.listeners import ACCEPT_RETRY_DELAY, is_out_of_resources, port_of
from ..errors import NO_THREAD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...sansio.callback.responses import Response
    from ..callback.http11 import CallbackConnection, Request


def start_server(
    listeners: list[socket.socket], post: Callable[[events.Event], None], asks_for_sender: Callable[[bytes], bool]
) -> CallbackServer | None:
    """Start the callback server.

    Args:
        listeners: As for `CallbackServer`. They are closed if it cannot start.
        post: As for `CallbackServer`.
        asks_for_sender: As for `CallbackServer`.

    Returns:
        The server. None if the system has no descriptor or no thread left for it; then `BindFailed` is posted.
    """
    try:
        return CallbackServer(listeners, post, asks_for_sender)
    except (OSError, RuntimeError) as error:
        for listener in listeners:
            listener.close()
        message = error.strerror if isinstance(error, OSError) and error.strerror else NO_THREAD
        post(events.BindFailed(kind=events.BindProblem.OTHER, message=message))
        return None


class CallbackServer:
    """Posts `Bound`, then accepts connections until it is closed, and posts each request as an event.

    Args:
        listeners: Listening sockets, non-blocking. They are closed with the server.
        post: Takes an event, from any thread.
        asks_for_sender: `LoginMachine.asks_for_sender`.

    Raises:
        OSError: The system has no descriptor left.
        RuntimeError: The system has no thread left.
    """

    def __init__(
        self,
        listeners: list[socket.socket],
        post: Callable[[events.Event], None],
        asks_for_sender: Callable[[bytes], bool],
    ) -> None:
        self._listeners = listeners
        self.post = post
        self._asks_for_sender = asks_for_sender
        self._is_loaded = False
        self._closing = threading.Event()
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._connections: dict[int, _Connection] = {}
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._accept_all, name="loginmachine-accept")
        try:
            self._thread.start()
        except RuntimeError:
            self._wake.close()
            self._woken.close()
            raise

    def respond(self, request_id: int, answer: Response) -> None:
        """Send an answer on the connection of its request."""
        with self._lock:
            connection = self._connections.get(request_id)
        if connection is not None:
            connection.reply(answer)

    def close(self) -> None:
        """Stop accepting, drop connections without a request, send the last answers, and wait for every thread."""
        self._closing.set()
        self._wake.close()
        self._thread.join()
        for listener in self._listeners:
            listener.close()
        with self._lock:
            connections = list(self._connections.values())
        for connection in connections:
            connection.close()
        for connection in connections:
            connection.join()

    def _accept_all(self) -> None:
        # Not epoll or kqueue, which need a descriptor of their own. (Windows has only `select`.)
        with getattr(selectors, "PollSelector", selectors.SelectSelector)() as selector, self._woken:
            for waited_for in (self._woken, *self._listeners):
                selector.register(waited_for, selectors.EVENT_READ)
            # Here, because no request may be posted before it.
            self.post(events.Bound(port=port_of(self._listeners)))
            while not self._closing.is_set():
                if not self._accept_waiting(selector):
                    # A lock needs no descriptor.
                    self._closing.wait(ACCEPT_RETRY_DELAY)

    def _accept_waiting(self, selector: selectors.BaseSelector) -> bool:
        """Wait for connections, and accept them. Return False if the system has no resources for that now."""
        try:
            ready = [key.fileobj for key, _ in selector.select()]
            return all(self._accept(listener) for listener in self._listeners if listener in ready)
        except Exception:  # noqa: BLE001 - no error may end the loop while the login waits for a callback
            return False

    def _accept(self, listener: socket.socket) -> bool:
        """Accept one connection. Return False if the system has no resources for it now."""
        if not self._is_loaded:
            # Without a descriptor, this raises an exception. Later, a module that is missing would cost the code.
            from ..shared.preloading import load_for_callback  # noqa: PLC0415 - the URL is shown first
            from . import http_client  # noqa: F401, PLC0415 - as above

            load_for_callback()
            self._is_loaded = True
        from ..callback.http11 import enforce_limit  # noqa: PLC0415 - as above

        try:
            client, address = listener.accept()
        except OSError as error:
            return not is_out_of_resources(error)
        connection = _Connection(client, address, next(self._ids), self)
        with self._lock:
            try:
                if not enforce_limit(self._connections.values()):
                    client.close()
                    return True
                connection.start()
            except Exception:  # noqa: BLE001 - no thread or no memory is left
                client.close()
                return False
            self._connections[connection.request_id] = connection
        return True

    def is_from_other_user(self, target: bytes, client: socket.socket, address: tuple[Any, ...]) -> bool:
        """Return whether another user has sent a request, if that matters for its target. For connections."""
        if not self._asks_for_sender(target):
            return False
        from ..callback.peers import is_of_other_user  # noqa: PLC0415 - loaded with the first connection

        return is_of_other_user(client, address)

    def forget(self, request_id: int) -> None:
        """Forget a connection that has ended. For connections."""
        with self._lock:
            self._connections.pop(request_id, None)


class _Connection:
    """One connection with its thread: it reads one request head, sends one answer, and ends."""

    def __init__(
        self,
        client: socket.socket,
        address: tuple[Any, ...],
        request_id: int,
        server: CallbackServer,
    ) -> None:
        self.request_id = request_id
        self.awaits_answer = False
        """A whole request has arrived, and its answer has not been sent."""
        self.closing = False
        self._is_answered = False
        self._client = client
        self._address = address
        self._server = server
        self._replies: queue.SimpleQueue[Response | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="loginmachine-connection")

    def start(self) -> None:
        """Start to read."""
        self._thread.start()

    def reply(self, answer: Response) -> None:
        """Send the answer. Never blocks."""
        self._replies.put(answer)

    def close(self) -> None:
        """End the connection, or let it end by itself if its answer is being sent or was sent. Never blocks."""
        self.closing = True
        self._replies.put(None)
        if not self.awaits_answer and not self._is_answered:
            self._shut_down()

    def drop(self) -> None:
        """End the connection, because there are too many. Never blocks."""
        self.closing = True
        self._shut_down()

    def _shut_down(self) -> None:
        with contextlib.suppress(OSError):
            self._client.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        """Wait for the thread."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._serve()
        except OSError:
            # The client broke the connection, or was too slow. The login goes on.
            pass
        finally:
            self._client.close()
            self._server.forget(self.request_id)

    def _serve(self) -> None:
        from ..callback.http11 import CallbackConnection, Request  # noqa: PLC0415

        http = CallbackConnection()
        request = self._read_head(http)
        if isinstance(request, Request):
            self.awaits_answer = True
            self._server.post(
                events.RequestReceived(
                    request_id=self.request_id,
                    method=request.method,
                    target=request.target,
                    headers=request.headers,
                    from_other_user=self._server.is_from_other_user(request.target, self._client, self._address),
                )
            )
            answer = self._replies.get()
            if answer is None:
                return
            was_sent = self._send(http.answer(answer))
            self._server.post((events.ResponseSent if was_sent else events.ClientGone)(request_id=self.request_id))
        elif request is not None:
            if http.is_tls:
                self._server.post(events.HttpsAttempted())
            self._send(http.answer(request))
        self._drain()

    def _read_head(self, http: CallbackConnection) -> Request | Response | None:
        """Return the request, or the answer that refuses it. None if the client left or took too long."""
        from ..callback.http11 import HEAD_TIMEOUT, MAX_HEAD  # noqa: PLC0415

        deadline = time.monotonic() + HEAD_TIMEOUT
        while (remaining := deadline - time.monotonic()) > 0:
            self._client.settimeout(remaining)
            data = self._client.recv(MAX_HEAD)
            if not data:
                return None
            received = http.receive(data)
            if received is not None:
                return received
        return None

    def _send(self, data: bytes) -> bool:
        """Send all of the data. Return False if the client is known to have left."""
        from ..callback.http11 import SEND_TIMEOUT  # noqa: PLC0415

        try:
            self._client.settimeout(SEND_TIMEOUT)
            self._client.sendall(data)
            # On loopback, the reset from a client that left has arrived by now.
            return self._client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        except OSError:
            return False

    def _drain(self) -> None:
        """Half-close, then read and discard. Closing with unread bytes would send a reset, and the answer be lost."""
        from ..callback.http11 import CLOSE_TIMEOUT, MAX_DRAINED  # noqa: PLC0415

        self.awaits_answer, self._is_answered = False, True
        self._client.shutdown(socket.SHUT_WR)
        deadline = time.monotonic() + CLOSE_TIMEOUT
        drained = 0
        while drained < MAX_DRAINED and (remaining := deadline - time.monotonic()) > 0:
            self._client.settimeout(remaining)
            data = self._client.recv(MAX_DRAINED)
            if not data:
                return
            drained += len(data)
