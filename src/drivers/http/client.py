"""Token requests with httpx, and its exceptions as events.

The words of an event are ours: httpx's exceptions hold the request, code and verifier included, so that none leaves
here.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import httpx

from ...sansio.base.http import Encoding, TransportProblem
from ...sansio.login.events import TokenRequestFailed, TokenResponseReceived
from ...sansio.oauth.token_responses import MAX_TOKEN_RESPONSE
from ..errors import TrustError
from ..logging import silenced
from .tls import tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...sansio.base.http import Form
    from ...sansio.login.actions import SendTokenRequest

_HEADERS: Final = {
    "Accept": "application/json",
    # 64 KiB of gzip can inflate to 64 MiB: none is asked for, and what comes is read raw.
    "Accept-Encoding": "identity",
}
_LATEST: Final = 4
"""Connections of which a duplicate is kept: more than are open at once, at the endpoints of one provider."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def client_settings(url: str) -> dict[str, Any]:
    """The arguments with which both drivers make their httpx client for an endpoint.

    Raises:
        TrustError: The configured certificate bundle cannot be used.
    """
    speaks_tls, is_here = client_kind(url)
    return {
        "headers": _HEADERS,
        # Redirects would hand code and verifier to a stranger.
        "follow_redirects": False,
        # Proxies come from the environment, but never for this machine.
        "trust_env": not is_here,
        "verify": tls_context() if speaks_tls else False,
    }


def client_kind(url: str) -> tuple[bool, bool]:
    """What the settings depend on: whether the endpoint speaks TLS, and whether it is on this machine.

    A client for one kind is not for another: made for plain HTTP, it would trust any certificate.
    """
    parts = urlsplit(url)
    return parts.scheme == "https", parts.hostname in _LOOPBACK


@functools.cache
def rehearse() -> None:
    """Take one request through httpx, to nobody: with the first one, modules are loaded and patterns compiled."""
    # (Connecting to a name loads it.)
    import encodings.idna  # noqa: F401, PLC0415

    # (This loads httpcore.)
    httpx.HTTPTransport(verify=False, trust_env=False).close()
    nobody = httpx.MockTransport(lambda _: httpx.Response(httpx.codes.OK))
    with silenced(), httpx.Client(transport=nobody, headers=_HEADERS, trust_env=False) as client:
        client.post("http://localhost/", content=b"")


def encode(form: Form, encoding: Encoding) -> tuple[bytes, dict[str, str]]:
    """The body of a request, and the header that says what it is."""
    if encoding is Encoding.JSON:
        return json.dumps(dict(form)).encode("ascii"), {"Content-Type": "application/json"}
    return urlencode(form).encode("ascii"), {"Content-Type": "application/x-www-form-urlencoded"}


def response_event(exchange_id: int, response: httpx.Response, body: bytes) -> TokenResponseReceived:
    """An answer whose body was read raw, and at most one byte further than it may be long."""
    return TokenResponseReceived(
        exchange_id=exchange_id,
        status=response.status_code,
        headers=tuple(response.headers.raw),
        body=body[: MAX_TOKEN_RESPONSE + 1],
        received_at=time.time(),
    )


def failure_event(exchange_id: int, error: Exception) -> TokenRequestFailed:
    """What an exception of httpx means. Nothing of its text is used."""
    kind, words = next(
        (meaning for kinds, meaning in _MEANINGS if isinstance(error, kinds)),
        (TransportProblem.REQUEST, "the request could not be made"),
    )
    if _was_connected(error):
        kind, words = _BROKEN
    cause = _certificate_problem(error) or _system_words(error)
    return TokenRequestFailed(exchange_id=exchange_id, kind=kind, message=f"{words}{cause}")


def timeout_event(exchange_id: int) -> TokenRequestFailed:
    """The time for the whole exchange is up, whatever came of it so far."""
    return TokenRequestFailed(
        exchange_id=exchange_id, kind=TransportProblem.TIMEOUT, message="no complete answer in time"
    )


_BROKEN: Final = (TransportProblem.REQUEST, "the connection broke")
_MEANINGS: Final[tuple[tuple[tuple[type[Exception], ...], tuple[TransportProblem, str]], ...]] = (
    ((httpx.ConnectTimeout,), (TransportProblem.TIMEOUT, "no connection in time")),
    ((httpx.TimeoutException,), (TransportProblem.TIMEOUT, "no answer in time")),
    ((httpx.ProxyError,), (TransportProblem.CONNECT, "the proxy refused the connection")),
    ((httpx.ConnectError,), (TransportProblem.CONNECT, "no connection")),
    ((TrustError,), (TransportProblem.CONNECT, "the certificate bundle cannot be used")),
    (
        (httpx.UnsupportedProtocol, httpx.InvalidURL, ImportError, ValueError),
        (TransportProblem.CONNECT, "the proxy settings of this machine cannot be used"),
    ),
    ((httpx.RemoteProtocolError,), (TransportProblem.REQUEST, "what came back is not HTTP, or it is incomplete")),
    ((httpx.HTTPError, OSError), _BROKEN),
)


def _was_connected(error: Exception) -> bool:
    """A reset, without TLS, comes behind a connection: whether it is noticed while connecting is a matter of luck."""
    if not isinstance(error, httpx.ConnectError) or not any(
        isinstance(e, ConnectionResetError) for e in _causes(error)
    ):
        return False
    with contextlib.suppress(RuntimeError):
        return error.request.url.scheme == "http"
    return False


def _certificate_problem(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f": the certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return ": TLS could not be agreed on"
        if isinstance(cause, socket.gaierror):
            return ": the name of the endpoint is not known"
    return ""


def _system_words(error: BaseException) -> str:
    # (Trio's own words hold the address.)
    return next(
        (f": {os.strerror(cause.errno)}" for cause in _causes(error) if isinstance(cause, OSError) and cause.errno), ""
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            # What trio makes of one attempt for each address.
            for member in error.exceptions:
                yield from _causes(member)
        error = error.__cause__ or error.__context__


class _Aborted(Exception):  # noqa: N818 - a signal, not an error
    """Nobody waits for the answer any more."""


class BlockingTokenClient:
    """Sends the token requests of one login, one at a time, and can be aborted from another thread."""

    def __init__(self) -> None:
        self._clients: dict[tuple[bool, bool], httpx.Client] = {}
        """By what `client_kind` says of their endpoints."""
        self._making = threading.Lock()
        """Held for as long as a TLS context takes; the other never for longer than a moment."""
        self._lock = threading.Lock()
        self._aborted = False
        self._sockets: list[socket.socket] = []
        """Duplicates of those in use, to wake a blocked reader with."""

    def prepare(self, url: str) -> None:
        """Do what takes time (the TLS context above all) before it is needed. Fails silently: `send` will tell.

        Args:
            url: An endpoint that will be asked.
        """
        with contextlib.suppress(Exception):
            self._get_client(url)
            rehearse()

    def abort(self) -> None:
        """End a request that is under way, now, and send none any more. For another thread."""
        with self._lock:
            self._aborted = True
            for duplicate in self._sockets:
                with contextlib.suppress(OSError):
                    duplicate.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connections."""
        # (A copy: a thread that was abandoned may still add one.)
        for client in list(self._clients.values()):
            client.close()
        with self._lock:
            for duplicate in self._sockets:
                duplicate.close()
            self._sockets.clear()

    def send(self, request: SendTokenRequest) -> TokenResponseReceived | TokenRequestFailed:
        """Send a request and read the answer, raw and up to 1 MiB.

        Args:
            request: Whose ``timeout`` bounds each step; the time for the whole is the caller's to watch, who aborts.
        """
        error: Exception
        body, headers = encode(request.form, request.encoding)
        try:
            with (
                silenced(),
                self._get_client(request.url).stream(
                    "POST",
                    request.url,
                    content=body,
                    headers=headers,
                    timeout=request.timeout,
                    extensions={"trace": self._watch},
                ) as response,
            ):
                return response_event(request.exchange_id, response, _read(response))
        except Exception as caught:  # noqa: BLE001 - a bad proxy setting alone raises four kinds
            error = caught
        event = failure_event(request.exchange_id, error)
        # The traceback holds frames with the form in them.
        error.__traceback__ = None
        return event

    def _get_client(self, url: str) -> httpx.Client:
        kind = client_kind(url)
        with self._making:
            if kind not in self._clients:
                self._clients[kind] = httpx.Client(**client_settings(url))
            return self._clients[kind]

    def _watch(self, event: str, info: Mapping[str, object]) -> None:
        """Trace hook of httpx: learn each socket as soon as there is one, and send nothing after an abort."""
        is_new = event.endswith("connect_tcp.complete")
        if not is_new and not event.endswith("send_request_headers.started"):
            return
        with self._lock:
            stream: Any = info["return_value"] if is_new else None
            if self._aborted:
                if stream is not None:
                    # Nobody else knows of it yet.
                    stream.close()
                raise _Aborted
            if stream is not None:
                # A duplicate: TLS takes the descriptor out of the original object.
                self._sockets.append(stream.get_extra_info("socket").dup())
                # Of the connections that the pool has given up; a login with a device code makes one for each poll.
                while len(self._sockets) > _LATEST:
                    self._sockets.pop(0).close()


def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MAX_TOKEN_RESPONSE:
            # One byte too many tells the machine; the rest is not read.
            break
    return bytes(body)
