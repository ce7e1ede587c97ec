"""Token requests with trio: cancelled from outside like anything else, and bounded as a whole."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Self

import httpx
import trio

from ..sansio.oauth import MAX_TOKEN_RESPONSE
from .logs import silenced
from .token_client import client_settings, encode, failure_event, response_event, timeout_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from ..sansio.actions import SendTokenRequest
    from ..sansio.events import TokenRequestFailed, TokenResponseReceived


async def send(request: SendTokenRequest, limiter: trio.CapacityLimiter) -> TokenResponseReceived | TokenRequestFailed:
    """Send a request and read the answer, raw and up to 1 MiB, all within its ``timeout``."""
    error: Exception
    with silenced(), _Sockets() as sockets, trio.move_on_after(request.timeout):
        try:
            # In a thread: making a TLS context takes 50 ms of computing.
            settings = await trio.to_thread.run_sync(client_settings, request.url, limiter=limiter)
            async with (
                httpx.AsyncClient(**settings, timeout=request.timeout) as client,
                contextlib.aclosing(await _post(client, request, sockets)) as response,
            ):
                return response_event(request.exchange_id, response, await _read(response))
        except Exception as caught:  # noqa: BLE001 - a bad proxy setting alone raises four kinds
            error = caught
        event = failure_event(request.exchange_id, error)
        # The traceback holds frames with the form in them.
        error.__traceback__ = None
        return event
    return timeout_event(request.exchange_id)


async def _post(client: httpx.AsyncClient, request: SendTokenRequest, sockets: _Sockets) -> httpx.Response:
    body, headers = encode(request.form, request.encoding)
    extensions = {"trace": sockets.watch}
    post = client.build_request("POST", request.url, content=body, headers=headers, extensions=extensions)
    post.stream = _Body(body)
    return await client.send(post, stream=True)


class _Sockets:
    """The sockets of one request, closed at its end: httpcore loses the one whose TLS handshake is cancelled."""

    def __init__(self) -> None:
        self._sockets: list[trio.socket.SocketType] = []

    async def watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Trace hook of httpx: learn each socket as soon as there is one."""
        if event.endswith("connect_tcp.complete"):
            self._sockets.append(info["return_value"].get_extra_info("socket"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for used in self._sockets:
            used.close()


class _Body(httpx.AsyncByteStream):
    """A request body: the one of httpx is a generator, which a cancellation leaves for the garbage collector."""

    def __init__(self, data: bytes) -> None:
        self._parts = [data]

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if not self._parts:
            raise StopAsyncIteration
        return self._parts.pop()


async def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    # (Leaving the loop would leave generators behind that httpx has not closed.)
    with trio.CancelScope() as enough:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_TOKEN_RESPONSE:
                # One byte too many tells the machine; the rest is not read.
                enough.cancel()
    return bytes(body)
