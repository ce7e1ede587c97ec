"""Authentication for httpx with the tokens of a `Session`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ...sansio.base.secret import Secret
from ..errors import RefreshFailed
from ..shared.authorization import TokenAuth, authorize, check_target, is_rejected, refuse_proxies
from ..shared.bodies import RequestBody
from ..shared.hosts import running_host

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    import httpx


class TokenSource(Protocol):
    """What `Session` has, and a program's own object may have."""

    def access_token(self) -> str:
        """Return a valid access token."""

    def renew(self, rejected: str) -> str:
        """Return another token than one that an API rejected."""


class SessionAuth(TokenAuth):
    """Puts a session's token into every request of an `httpx.Client`, and tries again with another after a 401.

    A streamed body is not read into memory. A request whose body cannot be read again, from a generator for example,
    is sent once: the program gets the 401, and its next request has the new token. A redirect to another origin carries
    no token, because httpx removes it. Plain http is allowed to this machine only, and not through a proxy.
    """

    def __init__(self, session: TokenSource) -> None:
        self._session = session

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token, and again with another if the token was rejected.

        Raises:
            SignInRequired: As for `Session.access_token`.
            RefreshFailed: As for `Session.access_token`.
            InsecureRequest: The request is neither ``https`` nor for this machine, or it is plain http and the client
                has a proxy for it. It was not sent.
        """
        check_target(request.url)
        refuse_proxies(request)
        body = RequestBody(request)
        token = Secret(self._session.access_token())
        authorize(request, token)
        response = yield request
        if not is_rejected(response, token):
            return
        can_repeat = body.rewind()
        try:
            another = Secret(self._session.renew(token.reveal()))
        except RefreshFailed:
            if can_repeat:
                raise
            return
        if can_repeat and another != token:
            authorize(request, another)
            yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Refuse, because the session would block the event loop.

        Raises:
            TypeError: Always. It names the session for the event loop that runs here.
        """
        host = running_host()
        raise TypeError(f"Session.auth is for httpx.Client: for httpx.AsyncClient with {host.word} use {host.session}")
        yield request
