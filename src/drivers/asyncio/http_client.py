"""The HTTP client of the asyncio driver: cancelled like any other task, and with one time limit for a whole request."""

from __future__ import annotations

import contextlib
import importlib
from typing import TYPE_CHECKING, Any, Final

import httpx

from ...sansio.oauth.responses import MAX_TOKEN_RESPONSE
from ..http.client import client_kind, client_settings, encode_request, timed_out, to_failure, to_response
from ..logging import silenced
from .tasks import CancelScope, move_on_after, uninterrupted
from .threads import in_thread_or_here

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from ...sansio.base.http import HttpRequest, HttpRequestFailed, HttpResponse

_CLOSE_TIMEOUT: Final = 1.0
"""Seconds for an orderly close of a connection, TLS included."""
_MAX_STREAMS: Final = 4
"""Connections that are remembered. A client never has more open to the endpoints of one provider."""
_BACKEND: Final = ("anyio._backends._asyncio", "httpcore._backends.anyio")
"""What httpcore and anyio load for the first connection, at the moment when the code is to be exchanged."""


def load_backend() -> None:
    """Load what a connection needs. Without this it would be loaded by the first one.

    Raises:
        OSError, ImportError: The system has no descriptor left.
    """
    for name in _BACKEND:
        importlib.import_module(name)


async def send(request: HttpRequest) -> HttpResponse | HttpRequestFailed:
    """Send one request, read the response, and close the connection, all within the request's ``timeout``.

    Args:
        request: The request.
    """
    client = HttpClient()
    try:
        return await client.send(request)
    finally:
        await client.aclose()


class HttpClient:
    """Sends the HTTP requests of one login, one at a time. It keeps a connection if the endpoint does."""

    def __init__(self) -> None:
        self._idle: _HttpxClient | None = None
        """A client with an answered request. A client with a failed request is never used again."""

    async def send(self, request: HttpRequest) -> HttpResponse | HttpRequestFailed:
        """Send a request and read the response, all within the request's ``timeout``.

        Returns:
            The response with its raw body, read up to one byte above 1 MiB; or why there is none.
        """
        error: Exception
        client: _HttpxClient | None = None
        try:
            with silenced():
                async with move_on_after(request.timeout):
                    try:
                        client = await self._take_idle(request.url) or await self._make_client(request.url)
                        answer = await client.send(request)
                    except Exception as caught:  # noqa: BLE001 - a bad proxy setting alone raises four kinds
                        error = caught
                    else:
                        self._idle, client = client, None
                        return answer
                    failure = to_failure(error, request.url)
                    # The frames of the traceback hold the form.
                    error.__traceback__ = None
                    return failure
                return timed_out(request.url)
        finally:
            if client is not None:
                await uninterrupted(client.abandon())

    async def _take_idle(self, url: str) -> _HttpxClient | None:
        kind = client_kind(url)
        client, self._idle = self._idle, None
        if client is None or client.kind == kind:
            return client
        await uninterrupted(client.abandon())
        return None

    async def _make_client(self, url: str) -> _HttpxClient:
        # In a thread, because a TLS context takes 50 ms of computing.
        return await in_thread_or_here(_HttpxClient, url)

    async def aclose(self) -> None:
        """Close the connection, if one is open."""
        client, self._idle = self._idle, None
        if client is not None:
            await uninterrupted(client.aclose())


class _HttpxClient:
    """A client of httpx, and its connections. httpcore does not close one if its TLS handshake is cancelled."""

    def __init__(self, url: str) -> None:
        self.kind = client_kind(url)
        self._client = httpx.AsyncClient(**client_settings(url))
        self._streams: list[Any] = []

    async def send(self, request: HttpRequest) -> HttpResponse:
        encoded = encode_request(request)
        message = self._client.build_request(
            encoded.method,
            request.url,
            content=encoded.content,
            headers=encoded.headers,
            timeout=request.timeout,
            extensions={"trace": self._watch},
        )
        message.stream = _Body(encoded.content)
        async with contextlib.aclosing(await self._client.send(message, stream=True)) as response:
            return to_response(response, await _read(response))

    async def aclose(self) -> None:
        try:
            async with move_on_after(_CLOSE_TIMEOUT):
                await self._client.aclose()
        finally:
            await self.abandon()

    async def abandon(self) -> None:
        """Close the connections without an orderly end of TLS. This waits for nothing."""
        for stream in self._streams:
            with contextlib.suppress(Exception):
                await stream.aclose()

    async def _watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Trace hook of httpx: note each new connection."""
        if event.endswith("connect_tcp.complete"):
            # A login with a device code may open one connection for each poll. The oldest are closed by now.
            self._streams = [*self._streams[1 - _MAX_STREAMS :], info["return_value"]]


class _Body(httpx.AsyncByteStream):
    """A request body. The one of httpx is a generator, which a cancellation leaves to the garbage collector."""

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
    # Leaving the loop early would leave generators behind that httpx has not closed.
    async with CancelScope() as enough:
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MAX_TOKEN_RESPONSE:
                # One byte too many is enough to refuse the response. The rest is not read.
                enough.cancel()
    return bytes(body)
