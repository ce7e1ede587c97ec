"""The callback server with trio: one task accepts on each listening socket, and one more serves each connection."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import trio

from ...sansio.login.events import ClientGone, HttpsAttempted, RequestReceived, ResponseSent
from ..callback.http11 import (
    CLOSE_TIMEOUT,
    HEAD_TIMEOUT,
    MAX_DRAINED,
    MAX_HEAD,
    SEND_TIMEOUT,
    CallbackConnection,
    Request,
    enforce_limit,
)
from ..callback.listeners import ACCEPT_RETRY_DELAY, is_out_of_resources
from ..callback.peers import can_tell, is_of_other_user

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from typing import Any

    from ...sansio.callback.responses import Response
    from ...sansio.login.events import Event


def _load() -> None:
    # Without a descriptor, this raises an exception. Later, a module that is missing would cost the code.
    from ..shared.preloading import load_for_callback  # noqa: PLC0415 - the URL is shown first
    from . import http_client  # noqa: F401, PLC0415 - as above

    load_for_callback()


class CallbackServer:
    """Accepts connections until it is closed, and posts each request as an event.

    Args:
        listeners: Listening sockets, non-blocking. They are closed with the server.
        post: Takes an event.
        asks_for_sender: `LoginMachine.asks_for_sender`.
    """

    def __init__(
        self, listeners: list[socket.socket], post: Callable[[Event], None], asks_for_sender: Callable[[bytes], bool]
    ) -> None:
        self._listeners = [trio.socket.from_stdlib_socket(listener) for listener in listeners]
        self.post = post
        self._asks_for_sender = asks_for_sender
        self._is_loaded = False
        self._lookups = trio.CapacityLimiter(1)
        self._ids = itertools.count(1)
        self._connections: dict[int, _Connection] = {}
        self._accepting = trio.CancelScope()
        self._is_closed = False

    def respond(self, request_id: int, answer: Response) -> None:
        """Send an answer on the connection of its request."""
        connection = self._connections.get(request_id)
        if connection is not None:
            connection.reply(answer)

    def close(self) -> None:
        """Stop accepting, drop connections without a request, and send the last answers. `serve` then returns."""
        self._is_closed = True
        self._accepting.cancel()
        for listener in self._listeners:
            listener.close()
        for connection in self._connections.values():
            connection.close()

    async def serve(self) -> None:
        """Accept until `close`, then wait for every connection to end."""
        async with trio.open_nursery() as connections:
            with self._accepting:
                async with trio.open_nursery() as nursery:
                    for listener in self._listeners:
                        nursery.start_soon(self._accept_all, listener, connections)

    async def _accept_all(self, listener: trio.socket.SocketType, connections: trio.Nursery) -> None:
        while True:
            try:
                if not self._is_loaded:
                    await trio.lowlevel.wait_readable(listener)
                    _load()
                    self._is_loaded = True
                client, address = await listener.accept()
            except Exception as error:  # noqa: BLE001 - no error may end the loop while the login waits for a callback
                if not isinstance(error, OSError) or is_out_of_resources(error):
                    await trio.sleep(ACCEPT_RETRY_DELAY)
                continue
            if self._is_closed:
                # It was accepted in the moment of the end, and would wait for an answer for ever.
                client.close()
                return
            if not enforce_limit(self._connections.values()):
                client.close()
                continue
            connection = _Connection(client, address, next(self._ids), self)
            self._connections[connection.request_id] = connection
            connections.start_soon(self._serve_one, connection)

    async def is_from_other_user(self, target: bytes, client: trio.socket.SocketType, address: tuple[Any, ...]) -> bool:
        """Return whether another user has sent a request, if that matters for its target. For connections."""
        if not can_tell() or not self._asks_for_sender(target):
            return False
        try:
            # In a thread, because it takes some milliseconds, and more on a machine with many connections.
            return await trio.to_thread.run_sync(is_of_other_user, client, address, limiter=self._lookups)
        except RuntimeError:
            # No thread is left.
            return is_of_other_user(client, address)

    async def _serve_one(self, connection: _Connection) -> None:
        try:
            await connection.run()
        finally:
            del self._connections[connection.request_id]


class _Connection:
    """One connection: it reads one request head, sends one answer, and ends."""

    def __init__(
        self, client: trio.socket.SocketType, address: tuple[Any, ...], request_id: int, server: CallbackServer
    ) -> None:
        self.request_id = request_id
        self.awaits_answer = False
        """A whole request has arrived, and its answer has not been sent."""
        self.closing = False
        self._client = client
        self._address = address
        self._server = server
        self._answer: Response | None = None
        self._answered = trio.Event()
        self._reading = trio.CancelScope()
        self._draining = trio.CancelScope()

    def reply(self, answer: Response) -> None:
        """Send the answer."""
        if not self._answered.is_set():
            self._answer = answer
            self._answered.set()

    def close(self) -> None:
        """End the connection, or let it end by itself if its answer is being sent or was sent."""
        self.closing = True
        self._reading.cancel()
        self._answered.set()

    def drop(self) -> None:
        """End the connection, because there are too many."""
        self.closing = True
        self._reading.cancel()
        self._draining.cancel()

    async def run(self) -> None:
        """Serve one request."""
        try:
            await self._serve()
        except OSError:
            # The client broke the connection. The login goes on.
            pass
        finally:
            self._client.close()

    async def _serve(self) -> None:
        http = CallbackConnection()
        request = await self._read_head(http)
        if isinstance(request, Request):
            self.awaits_answer = True
            is_foreign = await self._server.is_from_other_user(request.target, self._client, self._address)
            self._server.post(
                RequestReceived(
                    request_id=self.request_id,
                    method=request.method,
                    target=request.target,
                    headers=request.headers,
                    from_other_user=is_foreign,
                )
            )
            await self._answered.wait()
            if self._answer is None:
                return
            was_sent = await self._send(http.answer(self._answer))
            self._server.post((ResponseSent if was_sent else ClientGone)(request_id=self.request_id))
        elif request is not None:
            if http.is_tls:
                self._server.post(HttpsAttempted())
            await self._send(http.answer(request))
        else:
            return
        await self._drain()

    async def _read_head(self, http: CallbackConnection) -> Request | Response | None:
        """Return the request, or the answer that refuses it. None if the client left or took too long."""
        with self._reading, trio.move_on_after(HEAD_TIMEOUT):
            while data := await self._client.recv(MAX_HEAD):
                received = http.receive(data)
                if received is not None:
                    return received
        return None

    async def _send(self, data: bytes) -> bool:
        """Send all of the data. Return False if the client is known to have left."""
        sent = 0
        try:
            with trio.move_on_after(SEND_TIMEOUT):
                while sent < len(data):
                    sent += await self._client.send(data[sent:])
            # On loopback, the reset from a client that left has arrived by now.
            has_error = self._client.getsockopt(trio.socket.SOL_SOCKET, trio.socket.SO_ERROR)
        except OSError:
            return False
        return sent == len(data) and not has_error

    async def _drain(self) -> None:
        """Half-close, then read and discard. Closing with unread bytes would send a reset, and the answer be lost."""
        self.awaits_answer = False
        self._client.shutdown(trio.socket.SHUT_WR)
        drained = 0
        with self._draining, trio.move_on_after(CLOSE_TIMEOUT):
            while drained < MAX_DRAINED and (data := await self._client.recv(MAX_DRAINED)):
                drained += len(data)
