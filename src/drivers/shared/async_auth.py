"""Authentication for `httpx.AsyncClient`, for the sessions of both asynchronous drivers."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Protocol

from ...sansio.base.secret import Secret
from ..errors import RefreshFailed
from .authorization import TokenAuth, authorize, check_target, is_rejected, refuse_proxies_async
from .bodies import RequestBody
from .hosts import check_host

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    import httpx

    from .hosts import Host


class TokenSource(Protocol):
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

    def __init__(self, session: TokenSource) -> None:
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
