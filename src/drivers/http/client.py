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
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlencode

import httpx

from ...sansio.base.http import Encoding, HttpRequestFailed, HttpResponse, TransportProblem
from ...sansio.oauth.responses import MAX_TOKEN_RESPONSE
from ..errors import ProxyError, TrustError
from ..logging import silenced
from .proxies import proxy_for
from .tls import tls_context, trust_advice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...sansio.base.http import HttpRequest
    from .proxies import Proxy

_HEADERS: Final = {
    "Accept": "application/json",
    # 64 KiB of gzip can inflate to 64 MiB. The client asks for no compression and reads the body raw.
    "Accept-Encoding": "identity",
}


def client_settings(url: str) -> dict[str, Any]:
    """Return the keyword arguments for the httpx client of an endpoint.

    Args:
        url: The endpoint's URL.

    Raises:
        TrustError: The configured certificate bundle cannot be used.
        ProxyError: The proxy that applies to the endpoint cannot be used.
    """
    uses_tls, proxy = client_kind(url)
    context = tls_context() if uses_tls else False
    return {
        "headers": _HEADERS,
        # A redirect would send the code and the verifier to another server.
        "follow_redirects": False,
        # httpx would read the variables of all proxies, and fail if it cannot use one that does not apply.
        "trust_env": False,
        "proxy": None if proxy is None else _httpx_proxy(proxy),
        "verify": context,
    }


def _httpx_proxy(proxy: Proxy) -> httpx.Proxy:
    auth = None if proxy.user is None else (proxy.user, proxy.password)
    # A proxy with a certificate of its own is trusted like an endpoint.
    context = tls_context() if proxy.url.startswith("https:") else None
    return httpx.Proxy(proxy.url, auth=auth, ssl_context=context)


def client_kind(url: str) -> tuple[bool, Proxy | None]:
    """Return what the settings depend on: whether the endpoint uses TLS, and the proxy that applies to it.

    A client must only be used for its own kind: one made for plain HTTP does not verify certificates.

    Raises:
        ProxyError: The proxy that applies to the endpoint cannot be used.
    """
    return url.lower().startswith("https:"), proxy_for(url)


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


class EncodedRequest(NamedTuple):
    """A request as it is sent."""

    method: str
    content: bytes
    headers: dict[str, str]


def encode_request(request: HttpRequest) -> EncodedRequest:
    """Return the method, the body and the header fields of a request."""
    headers = {} if request.authorization is None else {"Authorization": request.authorization.reveal()}
    if request.method == "GET":
        return EncodedRequest(request.method, b"", headers)
    if request.encoding is Encoding.JSON:
        content = json.dumps(dict(request.form)).encode("ascii")
        return EncodedRequest(request.method, content, {"Content-Type": "application/json", **headers})
    content = urlencode(request.form, doseq=True).encode("ascii")
    return EncodedRequest(request.method, content, {"Content-Type": "application/x-www-form-urlencoded", **headers})


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


def to_failure(error: Exception, url: str = "") -> HttpRequestFailed:
    """Convert an exception of httpx. The result holds none of its text.

    Args:
        error: The exception.
        url: The URL of the request, to name the proxy that applies to it.
    """
    if isinstance(error, (ProxyError, TrustError)):
        # These texts are our own, and have no secret.
        return HttpRequestFailed(kind=TransportProblem.CONNECT, message=str(error))
    proxy = _applicable_proxy(url)
    kind, words = next(
        (meaning for kinds, meaning in _MEANINGS if isinstance(error, kinds)),
        (TransportProblem.REQUEST, "the request could not be made"),
    )
    if _was_connected(error):
        kind, words = _CONNECTION_BROKE
    if isinstance(error, httpx.ProxyError):
        return HttpRequestFailed(kind=kind, message=f"{proxy or 'the proxy'} refused the connection{_status(error)}")
    cause = _tls_or_name_problem(error, proxy) or _system_message(error)
    return HttpRequestFailed(kind=kind, message=f"{_through(words, proxy)}{cause}")


def timed_out(url: str) -> HttpRequestFailed:
    """Return the failure of a request that is not complete in time, whatever part of the response has arrived.

    Args:
        url: The URL of the request.
    """
    words = _through("no complete answer in time", _applicable_proxy(url))
    return HttpRequestFailed(kind=TransportProblem.TIMEOUT, message=words)


def _applicable_proxy(url: str) -> Proxy | None:
    with contextlib.suppress(ProxyError):
        return proxy_for(url)
    return None


def _through(words: str, proxy: Proxy | None) -> str:
    return words if proxy is None else f"{words} through {proxy}"


_CONNECTION_BROKE: Final = (TransportProblem.REQUEST, "the connection broke")
_MEANINGS: Final[tuple[tuple[tuple[type[Exception], ...], tuple[TransportProblem, str]], ...]] = (
    ((httpx.ConnectTimeout,), (TransportProblem.TIMEOUT, "no connection in time")),
    ((httpx.TimeoutException,), (TransportProblem.TIMEOUT, "no answer in time")),
    ((httpx.ConnectError, httpx.ProxyError), (TransportProblem.CONNECT, "no connection")),
    (
        (httpx.UnsupportedProtocol, httpx.InvalidURL, ImportError, ValueError),
        (TransportProblem.CONNECT, "the proxy settings of this machine cannot be used"),
    ),
    ((httpx.RemoteProtocolError,), (TransportProblem.REQUEST, "the answer is not HTTP, or it is incomplete")),
    ((httpx.HTTPError, OSError), _CONNECTION_BROKE),
)


def _status(error: httpx.ProxyError) -> str:
    """Return the status of a proxy's refusal. The words behind it are the proxy's own, and are not shown."""
    status = str(error)[:3]
    return f" with status {status}" if status.isascii() and status.isdigit() else ""


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


def _tls_or_name_problem(error: BaseException, proxy: Proxy | None) -> str:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f": the certificate is not trusted ({cause.verify_message}); {trust_advice()}"
        if isinstance(cause, ssl.SSLError):
            return ": the TLS handshake failed"
        if isinstance(cause, socket.gaierror):
            return f": the name of the {'endpoint' if proxy is None else 'proxy'} is not known"
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
