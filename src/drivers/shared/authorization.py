"""What the sessions of the drivers share to authenticate the requests of httpx: where a token may go, and how.

A token is sent over https, or to this machine. An authentication object of httpx does not know its client, so it cannot
look up whether the client has a proxy. It gives the request a trace hook, which httpcore calls before it connects and
before it sends. Over https a proxy only passes on what is encrypted.
"""

from __future__ import annotations

import ipaddress
import sys
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

import httpx

from ...sansio.base.secret import Secret
from ..errors import InsecureRequest, RefreshFailed
from .bodies import RequestBody
from .hosts import check_host

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping

    from .hosts import Host

    Info = Mapping[str, Any]

UNAUTHORIZED: Final = 401


class TokenAuth(httpx.Auth):
    """Base of the sessions' authentication for httpx. A body is sent as it comes, and is not kept in memory."""

    requires_request_body = False


def check_target(url: httpx.URL) -> None:
    """Check that a token may be sent to a URL.

    Raises:
        InsecureRequest: The URL is neither ``https`` nor on this machine.
    """
    if url.scheme != "https" and not _is_loopback(url):
        raise InsecureRequest(
            "a token is sent over https only, or to this machine: the request was not sent; use an https address"
        )


def _is_loopback(url: httpx.URL) -> bool:
    """Return whether a URL is plain http to this machine. A name but ``localhost`` may be resolved to any address."""
    try:
        return url.scheme == "http" and (url.host == "localhost" or ipaddress.ip_address(url.host).is_loopback)
    except ValueError:
        return False


def refuse_proxies(request: httpx.Request) -> None:
    """Make a request of a blocking client fail before it passes a proxy, if it is plain http.

    Args:
        request: The request. If a proxy applies to it, httpx raises `InsecureRequest` instead of sending it.
    """
    watch = _ProxyWatch.for_request(request)
    if watch is None:
        return
    next_hook: Callable[[str, Info], object] | None = request.extensions.get("trace")

    def hook(event: str, info: Info) -> None:
        watch.check(event, info)
        if next_hook is not None:
            next_hook(event, info)

    request.extensions = {**request.extensions, "trace": hook}


def refuse_proxies_async(request: httpx.Request) -> None:
    """Do the same as `refuse_proxies`, for a request of an asynchronous client."""
    watch = _ProxyWatch.for_request(request)
    if watch is None:
        return
    next_hook: Callable[[str, Info], Awaitable[object]] | None = request.extensions.get("trace")

    async def hook(event: str, info: Info) -> None:
        watch.check(event, info)
        if next_hook is not None:
            await next_hook(event, info)

    request.extensions = {**request.extensions, "trace": hook}


class _ProxyWatch:
    """Looks at the events of httpcore for one request, and for the redirects and repetitions that follow it."""

    def __init__(self, url: httpx.URL) -> None:
        self._url = url
        self._origin = (b"http", url.raw_host, url.port or 80)
        self._answered = False

    @classmethod
    def for_request(cls, request: httpx.Request) -> _ProxyWatch | None:
        """Return a watch; None if the request is encrypted."""
        return None if request.url.scheme == "https" else cls(request.url)

    def check(self, event: str, info: Info) -> None:
        """Check an event.

        Raises:
            InsecureRequest: The token would pass a proxy.
        """
        if event.endswith("receive_response_headers.complete"):
            self._answered = True
        elif event.endswith("connect_tcp.started"):
            # A connection after the first response may be for a redirect to another origin, without the token.
            reached = (b"http", info["host"].encode("ascii"), info["port"])
            if not self._answered and reached != self._origin:
                raise self._refusal()
        elif event.endswith("send_request_headers.started"):
            request = info["request"]
            has_token = any(name.lower() == b"authorization" for name, _ in request.headers)
            if has_token and not self._is_safe(request.url):
                raise self._refusal()

    def _is_safe(self, url: Any) -> bool:  # noqa: ANN401 - httpcore is loaded by httpx only when it is needed
        """Return whether httpcore sends a request to its origin, not to a proxy."""
        default = {b"http": 80, b"https": 443}.get(url.scheme)
        reached = (url.scheme, url.host, url.port or default)
        _, host, port = self._origin
        if port == 80 and reached == (b"https", host, 443):
            # httpx keeps the token if a redirect goes from http to https, on the same host and the usual ports.
            return True
        return reached == self._origin and not _is_in_socks_pool()

    def _refusal(self) -> InsecureRequest:
        host = f"[{self._url.host}]" if ":" in self._url.host else self._url.host
        return InsecureRequest(
            "the request was not sent: the httpx client would send it to a proxy, and a token for this machine must "
            f"not pass one; add {self._url.host} to NO_PROXY, or make the client with trust_env=False or "
            f'mounts={{"all://{host}": None}}'
        )


def _is_in_socks_pool() -> bool:
    """Return whether a SOCKS pool of httpcore is sending. Its requests look like those without a proxy."""
    import httpcore  # noqa: PLC0415 - slow to load; httpx has loaded it by now

    frame = sys._getframe()  # noqa: SLF001 - no event tells it when a connection is used again
    while frame.f_back is not None:
        frame = frame.f_back
        if isinstance(frame.f_locals.get("self"), (httpcore.SOCKSProxy, httpcore.AsyncSOCKSProxy)):
            return True
    return False


def authorize(request: httpx.Request, token: Secret) -> None:
    """Put a token into a request (RFC 6750 section 2.1)."""
    request.headers["Authorization"] = f"Bearer {token.reveal()}"


def is_rejected(response: httpx.Response, token: Secret) -> bool:
    """Return whether an API rejected a token. A 401 for a request without the token, after a redirect, does not."""
    sent = response.request.headers.get("Authorization")
    return response.status_code == UNAUTHORIZED and sent == f"Bearer {token.reveal()}"


class AsyncTokenSource(Protocol):
    """What `TrioSession` and `AsyncioSession` have, and a program's own object may have."""

    async def access_token(self) -> str:
        """Return a valid access token."""

    async def renew(self, rejected: str) -> str:
        """Return another token than one that an API rejected."""


class AsyncTokenAuth(TokenAuth):
    """Puts a session's token into every request of an `httpx.AsyncClient`, and tries again with another after a 401.

    A streamed body is not read into memory. A request whose body cannot be read again, from a generator for example,
    is sent once: the program gets the 401, and its next request has the new token. A redirect to another origin carries
    no token, because httpx removes it. Plain http is allowed to this machine only, and not through a proxy.
    """

    _host: ClassVar[Host]
    """What the session is for. Set by the subclass."""

    def __init__(self, session: AsyncTokenSource) -> None:
        self._session = session

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token, and again with another if the token was rejected.

        Raises:
            SignInRequired: As for the session's `access_token`.
            RefreshFailed: As for the session's `access_token`.
            RuntimeError: The client does not run in the event loop that the session is for.
            InsecureRequest: The request is neither ``https`` nor for this machine, or it is plain http and the client
                has a proxy for it. It was not sent.
        """
        check_host(self._host, "session")
        check_target(request.url)
        refuse_proxies_async(request)
        body = RequestBody(request)
        token = Secret(await self._session.access_token())
        authorize(request, token)
        response = yield request
        if not is_rejected(response, token):
            return
        can_repeat = body.rewind()
        try:
            another = Secret(await self._session.renew(token.reveal()))
        except RefreshFailed:
            if can_repeat:
                raise
            return
        if can_repeat and another != token:
            authorize(request, another)
            yield request

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Refuse, because a blocking client does not run in an event loop.

        Raises:
            TypeError: Always.
        """
        raise TypeError(f"{self._host.session}.auth is for httpx.AsyncClient: for httpx.Client use a Session")
        yield request
