"""Access tokens for trio programs: always valid, and concurrent callers share one refresh."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import trio

from ...sansio.base.secret import Secret
from ...sansio.refresh.events import AccessTokenWanted
from ...sansio.refresh.outcome import RefreshMemory, RefreshSuccess
from ..errors import RefreshFailed
from ..shared.authorization import TokenAuth, authorize, check_target, is_rejected, refuse_proxies_async
from ..shared.bodies import RequestBody
from ..shared.session import BaseSession, StoreAccess, refresh_error
from .refresh import Refresh
from .runs import check_runs_in_trio

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    import httpx

    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider
    from ...sansio.refresh.outcome import RefreshOutcome
    from ...sansio.sign_out.outcome import SignOutResult
    from ..stores.protocols import SessionStore


class TrioSession(BaseSession):
    """Gives access tokens from a store, and refreshes them when they are due. Any number of tasks may use it.

        session = TrioSession(FileStore(home))
        async with httpx.AsyncClient(auth=session.auth) as client:
            await client.get("https://api.example/...")

    Each call reads the store: a new sign-in, a sign-out, or a refresh by another process takes effect at once. A
    refresh runs in a task of its own. It continues if the tasks that wait for it are cancelled, because the provider
    may have replaced the refresh token already. Trio's run waits for it at its end.

    Args:
        store: Where the credentials are. Used in worker threads.
        provider: The provider that issued them. By default the one that the credentials record; those of an older
            ``auth.json`` are from ChatGPT.
        environment_key: An API key to use when nothing is stored.
        on_warning: Called with one line of text when refreshed tokens could not be stored, or when the sign-in has
            ended and its last access token is used until it expires. By default the text is logged.

    Raises:
        EndpointError: The environment names an endpoint that cannot be used.
    """

    def __init__(
        self,
        store: SessionStore,
        provider: Provider | None = None,
        *,
        environment_key: str | None = None,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(store, provider, environment_key, on_warning)
        self._current: Refresh | None = None
        self._limiter = trio.CapacityLimiter(math.inf)
        """Of its own, so that the session's threads and those of the program do not wait for each other."""
        self.auth = TrioSessionAuth(self)
        """For ``httpx.AsyncClient(auth=...)``."""

    def after_fork(self) -> None:
        """Forget the current refresh in the child of a fork. It runs in a task that only the parent has."""
        self._current = None
        self._limiter = trio.CapacityLimiter(math.inf)

    async def access_token(self) -> str:
        """Return what to send to the API now: a valid access token, or the API key if there is one instead.

        Raises:
            SignInRequired: Only a new sign-in helps.
            RefreshFailed: There is no token for another reason, and a later call may succeed.
        """
        return (await self._obtain(AccessTokenWanted())).token.reveal()

    async def credentials(self) -> Credentials:
        """Return the credentials that `access_token` takes its token from.

        Raises:
            SignInRequired: As for `access_token`.
            RefreshFailed: As for `access_token`.
        """
        return (await self._obtain(AccessTokenWanted())).credentials

    async def refresh(self, *, force: bool = False) -> RefreshSuccess:
        """Refresh the tokens if they are due.

        Args:
            force: Refresh them even if they are not due. An API key is never refreshed.

        Returns:
            The credentials, and what was done.

        Raises:
            SignInRequired: As for `access_token`.
            RefreshFailed: As for `access_token`.
        """
        return await self._obtain(AccessTokenWanted(forced=force))

    async def renew(self, rejected: str) -> str:
        """Return another token than one that an API rejected with status 401.

        Args:
            rejected: The rejected token.

        Returns:
            A new token. An API key is returned again, because it cannot be refreshed.

        Raises:
            SignInRequired: As for `access_token`.
            RefreshFailed: As for `access_token`.
        """
        return (await self._obtain(AccessTokenWanted(rejected=Secret(rejected)))).token.reveal()

    async def sign_out(self) -> SignOutResult:
        """Sign the person out as `trio_sign_out` does. A refresh that is under way ends first (5 seconds at most).

        Afterwards this session raises `SignInRequired` in every thread and task, until the next sign-in. If it has an
        `environment_key`, it gives that.

        Returns:
            What was removed, and whether the issuer confirmed that the tokens are revoked.

        Raises:
            StoreError: The credentials cannot be removed. Nothing is revoked then.
            ProviderMismatch: They are from another provider than this session's. Nothing is removed or revoked then.
            RuntimeError: Trio does not run. Nothing is removed.
        """
        from .sign_out import sign_out_session  # noqa: PLC0415 - most programs do not need it

        result = await sign_out_session(self._store, self._provider, self._overrides, self._memory)
        self._memory = RefreshMemory()
        return result

    async def _obtain(self, wanted: AccessTokenWanted) -> RefreshSuccess:
        check_runs_in_trio("TrioSession", "Session")
        outcome = None
        while outcome is None:
            outcome = await self._attempt(wanted)
        if isinstance(outcome, RefreshSuccess):
            return outcome
        raise refresh_error(outcome)

    async def _attempt(self, wanted: AccessTokenWanted) -> RefreshOutcome | None:
        """Look at the store. If a refresh is due, run it, or wait for the current one.

        Returns:
            The outcome. None if it is not for this caller, who must try again.
        """
        memory = self._memory
        machine = self._new_machine(memory)
        refresh = Refresh(machine, StoreAccess(self._store), wanted, self._on_warning, self._limiter)
        if await refresh.check_store():
            self._show_warnings(refresh)
            return machine.outcome
        if self._memory is not memory:
            # Another refresh has ended meanwhile.
            return None
        current = self._share(refresh)
        caller = object()
        try:
            current.callers.add(caller)
            await current.done.wait()
        finally:
            current.callers.discard(caller)
        return current.result_for(wanted, is_leader=current is refresh)

    @trio.lowlevel.enable_ki_protection
    def _share(self, refresh: Refresh) -> Refresh:
        """Return the current refresh. If there is none, start this one: an interrupt comes before or after that."""
        if self._current is None:
            trio.lowlevel.spawn_system_task(self._run, refresh, name="loginmachine-refresh")
            self._current = refresh
        return self._current

    async def _run(self, refresh: Refresh) -> None:
        try:
            # Shielded: the provider's response must be stored even if the run is ending.
            with trio.CancelScope(shield=True):
                await refresh.run()
        except BaseException as crash:  # noqa: BLE001 - the callers must not wait for ever, and the run must not crash
            refresh.crash = crash
        finally:
            if refresh.memory_before is self._memory:
                # Otherwise the person has signed out meanwhile.
                self._memory = refresh.machine.memory
            self._current = None
            refresh.done.set()


class TrioSessionAuth(TokenAuth):
    """Puts a session's token into every request of an `httpx.AsyncClient`, and tries again with another after a 401.

    A streamed body is not read into memory. A request whose body cannot be read again, from a generator for example,
    is sent once: the program gets the 401, and its next request has the new token. A redirect to another origin carries
    no token, because httpx removes it. Plain http is allowed to this machine only, and not through a proxy.
    """

    def __init__(self, session: TrioSession) -> None:
        self._session = session

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token, and again with another if the token was rejected.

        Raises:
            SignInRequired: As for `TrioSession.access_token`.
            RefreshFailed: As for `TrioSession.access_token`.
            RuntimeError: The client does not run in trio.
            InsecureRequest: The request is neither ``https`` nor for this machine, or it is plain http and the client
                has a proxy for it. It was not sent.
        """
        check_runs_in_trio("TrioSession.auth", "Session.auth with httpx.Client")
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
        """Refuse, because a blocking client does not run in trio.

        Raises:
            TypeError: Always.
        """
        raise TypeError("this session is for httpx.AsyncClient with trio: use a Session for httpx.Client")
        yield request
