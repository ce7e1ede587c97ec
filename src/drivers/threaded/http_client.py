"""The HTTP client of the threaded driver: blocking, and another thread can abort it."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, Final

import httpx

from ...sansio.oauth.responses import MAX_TOKEN_RESPONSE
from ..http.client import client_kind, client_settings, encode_request, timed_out, to_failure, to_response, warm_up
from ..logging import silenced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...sansio.base.http import HttpRequest, HttpRequestFailed, HttpResponse
    from ..http.proxies import Proxy

_MAX_SOCKETS: Final = 4
"""Sockets of which a duplicate is kept. A client never has more connections open to the endpoints of one provider."""


def send(request: HttpRequest) -> HttpResponse | HttpRequestFailed:
    """Send one request, read the response, and close the connection, all within the request's ``timeout``."""
    client = HttpClient()
    is_late = threading.Event()

    def give_up() -> None:
        is_late.set()
        client.abort()

    timer = threading.Timer(request.timeout, give_up)
    timer.daemon = True
    try:
        # Without a thread for the timer, the time-outs of the single steps still apply.
        with contextlib.suppress(RuntimeError):
            timer.start()
        answer = client.send(request)
    finally:
        timer.cancel()
        client.close()
    return timed_out(request.url) if is_late.is_set() else answer


class HttpClient:
    """Sends the HTTP requests of one login, one at a time. Another thread can abort it."""

    def __init__(self) -> None:
        self._clients: dict[tuple[bool, Proxy | None], httpx.Client] = {}
        """One client of httpx for each `client_kind`."""
        self._making = threading.Lock()
        """Held while a client is made, which may take 50 ms. The other lock is only held for a moment."""
        self._lock = threading.Lock()
        self._aborted = False
        self._url = ""
        """The URL of the last request."""
        self._sockets: list[socket.socket] = []
        """Duplicates of the sockets in use. Shutting one down wakes a thread that reads from the original."""

    def prepare(self, url: str) -> None:
        """Make the client for an endpoint, and its TLS context, ahead of time. `send` reports any problem again.

        Args:
            url: The endpoint's URL.
        """
        with contextlib.suppress(Exception):
            self._get_client(url)
            warm_up()

    def abort(self) -> None:
        """End the current request now, and send no other. Called from another thread."""
        with self._lock:
            self._aborted = True
            for duplicate in self._sockets:
                with contextlib.suppress(OSError):
                    duplicate.shutdown(socket.SHUT_RDWR)

    def timed_out(self) -> HttpRequestFailed:
        """Return the failure of the current request, when its time is up. Called from another thread."""
        return timed_out(self._url)

    def close(self) -> None:
        """Close the connections."""
        # A copy, because an abandoned thread may still add a client.
        for client in list(self._clients.values()):
            client.close()
        with self._lock:
            for duplicate in self._sockets:
                duplicate.close()
            self._sockets.clear()

    def send(self, request: HttpRequest) -> HttpResponse | HttpRequestFailed:
        """Send a request and read the response.

        Args:
            request: The request. Its ``timeout`` applies to each step: connecting, sending, and each read. The caller
                must watch the time for the whole exchange, and call `abort`.

        Returns:
            The response with its raw body, read up to one byte above 1 MiB; or why there is none.
        """
        error: Exception
        self._url = request.url
        encoded = encode_request(request)
        try:
            with (
                silenced(),
                self._get_client(request.url).stream(
                    encoded.method,
                    request.url,
                    content=encoded.content,
                    headers=encoded.headers,
                    timeout=request.timeout,
                    extensions={"trace": self._watch},
                ) as response,
            ):
                return to_response(response, _read(response))
        except Exception as caught:  # noqa: BLE001 - a bad proxy setting alone raises four kinds
            error = caught
        failure = to_failure(error, request.url)
        # The frames of the traceback hold the form.
        error.__traceback__ = None
        return failure

    def _get_client(self, url: str) -> httpx.Client:
        kind = client_kind(url)
        with self._making:
            if kind not in self._clients:
                self._clients[kind] = httpx.Client(**client_settings(url))
            return self._clients[kind]

    def _watch(self, event: str, info: Mapping[str, object]) -> None:
        """Trace hook of httpx: note each new socket, and send nothing after an abort."""
        is_new = event.endswith("connect_tcp.complete")
        if not is_new and not event.endswith("send_request_headers.started"):
            return
        with self._lock:
            stream: Any = info["return_value"] if is_new else None
            if self._aborted:
                if stream is not None:
                    # httpcore does not know of it yet, and would not close it.
                    stream.close()
                raise _Aborted
            if stream is not None:
                # A duplicate, because TLS takes the descriptor out of the original object.
                self._sockets.append(stream.get_extra_info("socket").dup())
                # A login with a device code may open one connection for each poll. The oldest are closed by now.
                while len(self._sockets) > _MAX_SOCKETS:
                    self._sockets.pop(0).close()


class _Aborted(Exception):  # noqa: N818 - a signal, not an error
    """The client was aborted."""


def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MAX_TOKEN_RESPONSE:
            # One byte too many is enough to refuse the response. The rest is not read.
            break
    return bytes(body)
