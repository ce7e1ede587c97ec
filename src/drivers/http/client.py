"""What both HTTP clients share: the settings of httpx, and the meaning of its exceptions.

Messages are the driver's own text. The exceptions of httpx hold the request, which holds the code and the verifier, so
that no exception leaves the clients.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import socket
import ssl
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import httpx

from ...sansio.base.http import Encoding, HttpRequestFailed, HttpResponse, TransportProblem
from ...sansio.oauth.token_responses import MAX_TOKEN_RESPONSE
from ..errors import TrustError
from ..logging import silenced
from .tls import tls_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...sansio.base.http import Form

TIMED_OUT: Final = HttpRequestFailed(kind=TransportProblem.TIMEOUT, message="no complete answer in time")
"""The time for the whole exchange is over, whatever part of the response has arrived."""

_HEADERS: Final = {
    "Accept": "application/json",
    # 64 KiB of gzip can inflate to 64 MiB. The client asks for no compression and reads the body raw.
    "Accept-Encoding": "identity",
}
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})


def client_settings(url: str) -> dict[str, Any]:
    """Return the keyword arguments for the httpx client of an endpoint.

    Args:
        url: The endpoint's URL.

    Raises:
        TrustError: The configured certificate bundle cannot be used.
    """
    uses_tls, is_local = client_kind(url)
    return {
        "headers": _HEADERS,
        # A redirect would send the code and the verifier to another server.
        "follow_redirects": False,
        # Proxies come from the environment, but never for this machine.
        "trust_env": not is_local,
        "verify": tls_context() if uses_tls else False,
    }


def client_kind(url: str) -> tuple[bool, bool]:
    """Return what the settings depend on: whether the endpoint uses TLS, and whether it is on this machine.

    A client must only be used for its own kind: one made for plain HTTP does not verify certificates.
    """
    parts = urlsplit(url)
    return parts.scheme == "https", parts.hostname in _LOOPBACK


@functools.cache
def warm_up() -> None:
    """Send one request through httpx without a network, which loads modules and compiles patterns ahead of time."""
    # Connecting to a host name loads this.
    import encodings.idna  # noqa: F401, PLC0415

    # This loads httpcore.
    httpx.HTTPTransport(verify=False, trust_env=False).close()
    transport = httpx.MockTransport(lambda _: httpx.Response(httpx.codes.OK))
    with silenced(), httpx.Client(transport=transport, headers=_HEADERS, trust_env=False) as client:
        client.post("http://localhost/", content=b"")


def encode_form(form: Form, encoding: Encoding) -> tuple[bytes, dict[str, str]]:
    """Return the body of a request, and the header with its content type."""
    if encoding is Encoding.JSON:
        return json.dumps(dict(form)).encode("ascii"), {"Content-Type": "application/json"}
    return urlencode(form).encode("ascii"), {"Content-Type": "application/x-www-form-urlencoded"}


def to_response(response: httpx.Response, body: bytes) -> HttpResponse:
    """Convert a response of httpx.

    Args:
        response: The response.
        body: Its raw body, read up to at least one byte above the limit of 1 MiB.
    """
    return HttpResponse(
        status=response.status_code,
        headers=tuple(response.headers.raw),
        body=body[: MAX_TOKEN_RESPONSE + 1],
        received_at=time.time(),
    )


def to_failure(error: Exception) -> HttpRequestFailed:
    """Convert an exception of httpx. The result holds none of its text."""
    kind, words = next(
        (meaning for kinds, meaning in _MEANINGS if isinstance(error, kinds)),
        (TransportProblem.REQUEST, "the request could not be made"),
    )
    if _was_connected(error):
        kind, words = _CONNECTION_BROKE
    cause = _tls_or_name_problem(error) or _system_message(error)
    return HttpRequestFailed(kind=kind, message=f"{words}{cause}")


_CONNECTION_BROKE: Final = (TransportProblem.REQUEST, "the connection broke")
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
    ((httpx.RemoteProtocolError,), (TransportProblem.REQUEST, "the answer is not HTTP, or it is incomplete")),
    ((httpx.HTTPError, OSError), _CONNECTION_BROKE),
)


def _was_connected(error: Exception) -> bool:
    """Return whether a reset came after the connection was made.

    Without TLS it always did: whether it is noticed while connecting is a matter of timing.
    """
    if not isinstance(error, httpx.ConnectError) or not any(
        isinstance(e, ConnectionResetError) for e in _causes(error)
    ):
        return False
    with contextlib.suppress(RuntimeError):
        return error.request.url.scheme == "http"
    return False


def _tls_or_name_problem(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f": the certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return ": the TLS handshake failed"
        if isinstance(cause, socket.gaierror):
            return ": the name of the endpoint is not known"
    return ""


def _system_message(error: BaseException) -> str:
    # Not the text of the exception: trio puts the address into it.
    return next(
        (f": {os.strerror(cause.errno)}" for cause in _causes(error) if isinstance(cause, OSError) and cause.errno), ""
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            # Trio makes one attempt for each address, and groups their exceptions.
            for member in error.exceptions:
                yield from _causes(member)
        error = error.__cause__ or error.__context__
