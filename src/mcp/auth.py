"""The authentication of requests to a protected resource: a sign-in when the resource asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import httpx2

from ..drivers.errors import LoginFailed
from ..drivers.shared.authorization import check_target, refuse_proxies_async
from ..sansio.server.challenge import BearerChallenge, bearer_challenge
from ..sansio.server.resource import check_resource, contains
from .account import ResourceAccount
from .turns import Turns
from .wanted import INSUFFICIENT_SCOPE, options_for
from .within import keep_within

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from ..drivers.accounts.account_store import AccountStore
    from ..sansio.base.secret import Secret
    from ..sansio.login.progress import LoginPhase
    from ..sansio.model.options import LoginOptions

_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403


class ResourceAuth(httpx2.Auth):
    """Puts the tokens of a protected resource into the requests of an `httpx2.AsyncClient`, and signs in for them.

        options = LoginOptions(provider=Provider.for_resource("https://api.example.com/mcp"))
        async with httpx2.AsyncClient(auth=ResourceAuth(options, store=AccountStore("my_program"))) as client:
            async with streamable_http_client("https://api.example.com/mcp", http_client=client) as streams:
                ...

    The first request goes out with the stored token, or without one. If the resource answers with 401, the token is
    refreshed, and if that does not help, the person signs in. If it answers with 403 and ``insufficient_scope`` (RFC
    6750 section 3.1), the person signs in once more for the scopes that it names, and keeps those that were granted
    before. Then the request is sent again. A request that fails after that is not repeated.

    Requests that need a sign-in at the same time share it, and fail together if it fails. A request to another URL than
    those within the resource gets no token. It works with asyncio and with trio, also in several event loops, one after
    the other or each in a thread of its own.

    Args:
        options: The options of the sign-in. The provider is one of `Provider.for_resource`.
        store: Where the accounts and the registered clients are.
        on_login: Called with the login when the person can sign in, to show its ``auth_url``, or to keep the login and
            cancel it. By default the person's browser is opened and nothing else happens.
        on_progress: Called with each phase of a sign-in, as for `asyncio_open_login`.

    Raises:
        ValueError: The provider is not one of `Provider.for_resource`.
    """

    requires_request_body = False

    def __init__(
        self,
        options: LoginOptions,
        *,
        store: AccountStore,
        on_login: Callable[[Any], object] | None = None,
        on_progress: Callable[[LoginPhase], None] | None = None,
    ) -> None:
        resource = options.provider.protected_resource
        if resource is None:
            raise ValueError("the provider is not that of a resource: make it with Provider.for_resource")
        check_resource(resource)
        self._options = options
        self._resource = resource
        self._account = ResourceAccount(options.provider, store, on_login, on_progress)
        self._signing_in = Turns()
        self._failure: LoginFailed | None = None
        """Why the last sign-in that failed has failed."""

    async def async_auth_flow(self, request: httpx2.Request) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """Send the request with the stored token; after a refusal, once more with another one.

        Raises:
            LoginFailed: The person did not sign in. The same exception is raised for the requests that waited for it.
            RefreshFailed: The token cannot be refreshed at the moment.
            StoreError: The store cannot be read.
            InsecureRequest: The request is neither ``https`` nor for this machine, or it is plain http and the client
                has a proxy for it. It was not sent. Or a redirect leads out of the resource. It was not followed.
        """
        if not contains(self._resource, str(request.url)):
            yield request
            return
        url: Any = request.url
        plain: Any = request
        check_target(url)
        refuse_proxies_async(plain)
        keep_within(request, self._resource)
        can_repeat = isinstance(request.stream, httpx2.ByteStream)
        token = await self._account.token()
        response = yield _authorized(request, token)
        if self._is_answer(response) and response.status_code == _UNAUTHORIZED and token is not None:
            renewed = await self._account.renewed(token)
            if renewed is not None and renewed != token:
                if not can_repeat:
                    return
                token = renewed
                response = yield _authorized(request, token)
        # The second time is for a resource that wants more scopes than it has named at first.
        for _ in range(2):
            status = response.status_code
            options = await self._options_for(_challenge_of(response) if self._is_answer(response) else None)
            if options is None:
                return
            token = await self._sign_in(options, token)
            if not can_repeat:
                return
            response = yield _authorized(request, token)
            if response.status_code == status:
                return

    def sync_auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Refuse, because a blocking client does not run in an event loop.

        Raises:
            TypeError: Always.
        """
        raise TypeError("ResourceAuth is for httpx2.AsyncClient")
        yield request

    def _is_answer(self, response: httpx2.Response) -> bool:
        """Return whether the resource has answered. After a redirect, it may be another server."""
        return contains(self._resource, str(response.request.url))

    async def _options_for(self, challenge: BearerChallenge | None) -> LoginOptions | None:
        """Return the options of the sign-in that a response asks for; None if a sign-in would change nothing."""
        if challenge is None:
            return None
        return options_for(self._options, challenge, await self._account.granted())

    async def _sign_in(self, options: LoginOptions, refused: Secret | None) -> Secret:
        """Return the token of a new sign-in, or of one that another request has asked for meanwhile."""
        earlier = self._failure
        async with self._signing_in:
            if self._failure is not None and self._failure is not earlier:
                raise self._failure
            current = await self._account.token()
            if current is not None and current != refused:
                return current
            try:
                return await self._account.sign_in(options)
            except LoginFailed as error:
                self._failure = error
                raise


def _authorized(request: httpx2.Request, token: Secret | None) -> httpx2.Request:
    """Put a token into a request (RFC 6750 section 2.1)."""
    if token is not None:
        request.headers["Authorization"] = f"Bearer {token.reveal()}"
    return request


def _challenge_of(response: httpx2.Response) -> BearerChallenge | None:
    """Return what the resource wants; None if a sign-in would not help."""
    fields = response.headers.get_list("www-authenticate")
    if response.status_code == _UNAUTHORIZED:
        return bearer_challenge(fields) or BearerChallenge()
    if response.status_code == _FORBIDDEN:
        challenge = bearer_challenge(fields)
        return challenge if challenge is not None and challenge.error == INSUFFICIENT_SCOPE else None
    return None
