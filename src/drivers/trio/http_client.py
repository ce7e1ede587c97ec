"""Token requests with trio: cancelled from outside like anything else, and bounded as a whole."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

import httpx
import trio

from ...sansio.oauth.token_responses import MAX_TOKEN_RESPONSE
from ..http.client import client_kind, client_settings, encode, failure_event, response_event, timeout_event
from ..logging import silenced

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from ...sansio.login.actions import SendTokenRequest
    from ...sansio.login.events import TokenRequestFailed, TokenResponseReceived

_FAREWELL: Final = 1.0
"""Seconds for telling the endpoint that its connection is closed."""


async def send(request: SendTokenRequest, limiter: trio.CapacityLimiter) -> TokenResponseReceived | TokenRequestFailed:
    """Send one request, as `TokenClient.send` does, and close its connection."""
    client = TokenClient(limiter)
    try:
        return await client.send(request)
    finally:
        await client.aclose()


class TokenClient:
    """Sends the token requests of one login, one at a time, over one connection if the endpoint keeps it open.

    Args:
        limiter: For the threads in which clients are made.
    """

    def __init__(self, limiter: trio.CapacityLimiter) -> None:
        self._limiter = limiter
        self._idle: _Client | None = None
        """One whose last request was answered: no other is used twice."""

    async def send(self, request: SendTokenRequest) -> TokenResponseReceived | TokenRequestFailed:
        """Send a request and read the answer, raw and up to 1 MiB, all within its ``timeout``."""
        error: Exception
        client = self._take_idle(request.url)
        try:
            with silenced(), trio.move_on_after(request.timeout):
                try:
                    client = client or await self._make_client(request.url)
                    event = await client.send(request)
                except Exception as caught:  # noqa: BLE001 - a bad proxy setting alone raises four kinds
                    error = caught
                else:
                    self._idle, client = client, None
                    return event
                failure = failure_event(request.exchange_id, error)
                # The traceback holds frames with the form in them.
                error.__traceback__ = None
                return failure
            return timeout_event(request.exchange_id)
        finally:
            if client is not None:
                client.abandon()

    def _take_idle(self, url: str) -> _Client | None:
        client, self._idle = self._idle, None
        if client is None or client.kind == client_kind(url):
            return client
        client.abandon()
        return None

    async def _make_client(self, url: str) -> _Client:
        # In a thread: making a TLS context takes 50 ms of computing.
        return await trio.to_thread.run_sync(_Client, url, limiter=self._limiter)

    async def aclose(self) -> None:
        """Close the connection, if one is open."""
        client, self._idle = self._idle, None
        if client is not None:
            with trio.move_on_after(_FAREWELL):
                await client.aclose()


class _Client:
    """A client of httpx, and its sockets: httpcore loses the one whose TLS handshake is cancelled."""

    def __init__(self, url: str) -> None:
        self.kind = client_kind(url)
        self._client = httpx.AsyncClient(**client_settings(url))
        self._sockets: list[trio.socket.SocketType] = []

    async def send(self, request: SendTokenRequest) -> TokenResponseReceived:
        body, headers = encode(request.form, request.encoding)
        post = self._client.build_request(
            "POST",
            request.url,
            content=body,
            headers=headers,
            timeout=request.timeout,
            extensions={"trace": self._watch},
        )
        post.stream = _Body(body)
        async with contextlib.aclosing(await self._client.send(post, stream=True)) as response:
            return response_event(request.exchange_id, response, await _read(response))

    async def aclose(self) -> None:
        try:
            await self._client.aclose()
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Close the sockets, without a word to the other side."""
        for used in self._sockets:
            used.close()

    async def _watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Trace hook of httpx: learn each socket as soon as there is one."""
        if event.endswith("connect_tcp.complete"):
            # (A login with a device code may need a new one for each poll.)
            self._sockets = [used for used in self._sockets if used.fileno() != -1]
            self._sockets.append(info["return_value"].get_extra_info("socket"))


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
