"""Token requests with httpx, and its exceptions as events.

The words of an event are ours: httpx's exceptions hold the request, code and verifier included, so that none leaves
here.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import httpx

from ..sansio.events import TokenRequestFailed, TokenResponseReceived, TransportProblem
from ..sansio.oauth import MAX_TOKEN_RESPONSE
from .errors import TrustError
from .trust import tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..sansio.actions import Form, SendTokenRequest

_HEADERS: Final = {
    "Content-Type": "application/x-www-form-urlencoded",
    "Accept": "application/json",
    # 64 KiB of gzip can inflate to 64 MiB: none is asked for, and what comes is read raw.
    "Accept-Encoding": "identity",
}
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def client_settings(url: str) -> dict[str, Any]:
    """The arguments with which both drivers make their httpx client for an endpoint.

    Raises:
        TrustError: The configured certificate bundle cannot be used.
    """
    parts = urlsplit(url)
    return {
        "headers": _HEADERS,
        # Redirects would hand code and verifier to a stranger.
        "follow_redirects": False,
        # Proxies come from the environment, but never for this machine.
        "trust_env": parts.hostname not in _LOOPBACK,
        "verify": tls_context() if parts.scheme == "https" else False,
    }


def encode_form(form: Form) -> bytes:
    """``application/x-www-form-urlencoded``."""
    return urlencode(form).encode("ascii")


def failure_event(exchange_id: int, error: Exception) -> TokenRequestFailed:
    """What an exception of httpx means. Nothing of its text is used."""
    kind, words = next(
        (meaning for kinds, meaning in _MEANINGS if isinstance(error, kinds)),
        (TransportProblem.REQUEST, "the request could not be made"),
    )
    cause = _certificate_problem(error) or _system_words(error)
    return TokenRequestFailed(exchange_id=exchange_id, kind=kind, message=f"{words}{cause}")


def timeout_event(exchange_id: int) -> TokenRequestFailed:
    """The time for the whole exchange is up, whatever came of it so far."""
    return TokenRequestFailed(
        exchange_id=exchange_id, kind=TransportProblem.TIMEOUT, message="no complete answer in time"
    )


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
    ((httpx.HTTPError, OSError), (TransportProblem.REQUEST, "the connection broke")),
)


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
    return next(
        (f": {cause.strerror}" for cause in _causes(error) if isinstance(cause, OSError) and cause.strerror), ""
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class _Aborted(Exception):  # noqa: N818 - a signal, not an error
    """Nobody waits for the answer any more."""


class BlockingTokenClient:
    """Sends token requests in threads; each can be aborted from another thread."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()

    def prepare(self) -> None:
        """Do what takes time (the TLS context above all) before it is needed. Fails silently: `send` will tell."""
        with contextlib.suppress(Exception):
            self._get_client()

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()

    def send(self, request: SendTokenRequest, abort: Abort) -> TokenResponseReceived | TokenRequestFailed:
        """Send a request and read the answer, raw and up to 1 MiB.

        Args:
            request: Whose ``timeout`` bounds each step; the time for the whole is the caller's to watch.
            abort: Ends it from another thread.
        """
        error: Exception
        try:
            with self._get_client().stream(
                "POST",
                request.url,
                content=encode_form(request.form),
                timeout=request.timeout,
                extensions={"trace": abort.watch},
            ) as response:
                return TokenResponseReceived(
                    exchange_id=request.exchange_id,
                    status=response.status_code,
                    headers=tuple(response.headers.raw),
                    body=_read(response),
                    received_at=time.time(),
                )
        except Exception as caught:  # noqa: BLE001 - a bad proxy setting alone raises four kinds
            error = caught
        event = failure_event(request.exchange_id, error)
        # The traceback holds frames with the form in them.
        error.__traceback__ = None
        return event

    def _get_client(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                self._client = httpx.Client(**client_settings(self._url))
            return self._client


class Abort:
    """Ends a blocking request from another thread: its socket is shut down, which wakes the reader."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._aborted = False
        self._socket: socket.socket | None = None

    def watch(self, event: str, info: Mapping[str, object]) -> None:
        """Trace hook of httpx: learn the socket as soon as there is one, and send nothing on it after an abort."""
        if not event.endswith("connect_tcp.complete"):
            return
        stream: Any = info["return_value"]
        with self._lock:
            if self._aborted:
                raise _Aborted
            # A duplicate: TLS takes the descriptor out of the original object.
            self._socket = stream.get_extra_info("socket").dup()

    def abort(self) -> None:
        """Wake the request's thread."""
        with self._lock:
            self._aborted = True
            if self._socket is not None:
                with contextlib.suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the duplicate back."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()


def _read(response: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MAX_TOKEN_RESPONSE:
            # One byte too many tells the machine; the rest is not read.
            break
    return bytes(body[: MAX_TOKEN_RESPONSE + 1])
