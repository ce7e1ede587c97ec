"""The callback server with asyncio: one task accepts on each listening socket, and one more serves each connection."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from typing import TYPE_CHECKING

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
from .sockets import accept, wait_readable
from .tasks import CancelScope, hide, move_on_after
from .threads import in_thread_or_here

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ...sansio.callback.responses import Response
    from ...sansio.login.events import Event


def _load() -> None:
    # Without a descriptor, this raises an exception. Later, a module that is missing would cost the code.
    from ..shared.preloading import load_for_callback  # noqa: PLC0415 - the URL is shown first
    from . import http_client  # noqa: PLC0415 - as above

    load_for_callback()
    http_client.load_backend()


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
        self._listeners = listeners
        self.post = post
        self._asks_for_sender = asks_for_sender
        self._is_loaded = False
        self._lookups = asyncio.Lock()
        self._ids = itertools.count(1)
        self._connections: dict[int, _Connection] = {}
        self._accepting = CancelScope()
        self._is_serving = False
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
        if not self._is_serving:
            self._close_listeners()
        for connection in self._connections.values():
            connection.close()

    def _close_listeners(self) -> None:
        for listener in self._listeners:
            listener.close()

    async def serve(self) -> None:
        """Accept until `close`, then wait for every connection to end."""
        self._is_serving = True
        async with asyncio.TaskGroup() as connections:
            try:
                async with self._accepting, asyncio.TaskGroup() as tasks:
                    for listener in self._listeners:
                        hide(tasks.create_task(self._accept_all(listener, connections)))
            finally:
                # Not before: a socket that the event loop watches must not be closed.
                self._close_listeners()

    async def _accept_all(self, listener: socket.socket, connections: asyncio.TaskGroup) -> None:
        while True:
            try:
                if not self._is_loaded:
                    await wait_readable(listener)
                    _load()
                    self._is_loaded = True
                client, address = await accept(listener)
            except Exception as error:  # noqa: BLE001 - no error may end the loop while the login waits for a callback
                if not isinstance(error, OSError) or is_out_of_resources(error):
                    await asyncio.sleep(ACCEPT_RETRY_DELAY)
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
            task = connections.create_task(connection.run())
            hide(task)
            # Not in the task: one that is cancelled before it begins does nothing.
            task.add_done_callback(connection.end)

    async def is_from_other_user(self, target: bytes, client: socket.socket, address: tuple[Any, ...]) -> bool:
        """Return whether another user has sent a request, if that matters for its target. For connections."""
        if not can_tell() or not self._asks_for_sender(target):
            return False
        async with self._lookups:
            # In a thread, because it takes some milliseconds, and more on a machine with many connections.
            return await in_thread_or_here(is_of_other_user, client, address)

    def forget(self, request_id: int) -> None:
        """Forget a connection that has ended. For connections."""
        del self._connections[request_id]


class _Connection:
    """One connection: it reads one request head, sends one answer, and ends."""

    def __init__(
        self, client: socket.socket, address: tuple[Any, ...], request_id: int, server: CallbackServer
    ) -> None:
        self.request_id = request_id
        self.awaits_answer = False
        """A whole request has arrived, and its answer has not been sent."""
        self.closing = False
        self._client = client
        self._address = address
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._answer: Response | None = None
        self._answered = asyncio.Event()
        self._reading = CancelScope()
        self._draining = CancelScope()

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
        # If the client breaks the connection, the login goes on.
        with contextlib.suppress(OSError):
            await self._serve()

    def end(self, _: object) -> None:
        """Close the connection, when its task is done."""
        self._client.close()
        self._server.forget(self.request_id)

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
        async with self._reading, move_on_after(HEAD_TIMEOUT):
            while data := await self._loop.sock_recv(self._client, MAX_HEAD):
                received = http.receive(data)
                if received is not None:
                    return received
        return None

    async def _send(self, data: bytes) -> bool:
        """Send all of the data. Return False if the client is known to have left."""
        is_sent = False
        try:
            async with move_on_after(SEND_TIMEOUT):
                await self._loop.sock_sendall(self._client, data)
                is_sent = True
            # On loopback, the reset from a client that left has arrived by now.
            has_error = self._client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except OSError:
            return False
        return is_sent and not has_error

    async def _drain(self) -> None:
        """Half-close, then read and discard. Closing with unread bytes would send a reset, and the answer be lost."""
        self.awaits_answer = False
        self._client.shutdown(socket.SHUT_WR)
        drained = 0
        async with self._draining, move_on_after(CLOSE_TIMEOUT):
            while drained < MAX_DRAINED and (data := await self._loop.sock_recv(self._client, MAX_DRAINED)):
                drained += len(data)
