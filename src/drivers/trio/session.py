"""Access tokens for trio programs: always valid, and concurrent callers share one refresh."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

import trio

from ...sansio.base.secret import Secret
from ...sansio.login import actions
from ...sansio.refresh import actions as refresh_actions
from ...sansio.refresh.events import AccessTokenWanted
from ...sansio.refresh.outcome import RefreshSuccess
from ..shared.session import (
    BaseRefresh,
    BaseSession,
    StoreAccess,
    TokenAuth,
    authorize,
    check_target,
    is_rejected,
    refresh_error,
)
from ..shared.token_events import token_event
from .http_client import send

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import TypeVar, TypeVarTuple

    import httpx

    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider
    from ...sansio.refresh import RefreshMachine
    from ...sansio.refresh.events import RefreshEvent
    from ...sansio.refresh.outcome import RefreshOutcome
    from ..stores.protocols import SessionStore

    Result = TypeVar("Result")
    Arguments = TypeVarTuple("Arguments")


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
        provider: The provider that issued them, ChatGPT by default.
        environment_key: An API key to use when nothing is stored.
        on_warning: Called with one line of text when refreshed tokens could not be stored. By default the text is
            logged.
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
        self._current: _Refresh | None = None
        self._limiter = trio.CapacityLimiter(math.inf)
        """Of its own, so that the session's threads and those of the program do not wait for each other."""
        self.auth = TrioSessionAuth(self)
        """For ``httpx.AsyncClient(auth=...)``."""

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

    async def _obtain(self, wanted: AccessTokenWanted) -> RefreshSuccess:
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
        refresh = _Refresh(machine, StoreAccess(self._store), wanted, self._on_warning, self._limiter)
        if await refresh.check_store():
            return machine.outcome
        if self._memory is not memory:
            # Another refresh has ended meanwhile.
            return None
        is_leader = self._current is None
        current = self._current = self._current or refresh
        current.waiting += 1
        try:
            if is_leader:
                trio.lowlevel.spawn_system_task(self._run, current, name="loginmachine-refresh")
            await current.done.wait()
        finally:
            current.waiting -= 1
        return current.result_for(wanted, is_leader=is_leader)

    async def _run(self, refresh: _Refresh) -> None:
        try:
            # Shielded: the provider's response must be stored even if the run is ending.
            with trio.CancelScope(shield=True):
                await refresh.run()
        except BaseException as crash:  # noqa: BLE001 - the callers must not wait for ever, and the run must not crash
            refresh.crash = crash
        finally:
            self._memory = refresh.machine.memory
            self._current = None
            refresh.done.set()


class _Refresh(BaseRefresh):
    def __init__(
        self,
        machine: RefreshMachine,
        access: StoreAccess,
        wanted: AccessTokenWanted,
        on_warning: Callable[[str], None],
        limiter: trio.CapacityLimiter,
    ) -> None:
        super().__init__(machine, access, wanted, on_warning)
        self.done = trio.Event()
        self._limiter = limiter

    async def check_store(self) -> bool:
        """Load the credentials. Return True if no refresh is needed."""
        self.machine.handle(self.wanted)
        self._actions = self.machine.handle(await self._in_thread(self._access.load))
        return self.machine.outcome is not None

    async def run(self) -> None:
        """Perform the remaining actions."""
        try:
            while self._actions:
                action = self._actions.pop(0)
                if self._can_stop_before(action):
                    return
                event = await self._perform(action)
                if event is not None:
                    self._actions += self.machine.handle(event)
        finally:
            await self._in_thread(self._access.release_lock)

    async def _perform(self, action: refresh_actions.RefreshAction) -> RefreshEvent | None:
        match action:
            case refresh_actions.LoadCredentials():
                return await self._in_thread(self._access.load)
            case refresh_actions.TakeLock(timeout=timeout):
                return await self._in_thread(self._access.take_lock, timeout)
            case actions.SendTokenRequest():
                return token_event(action.exchange_id, await send(action, self._limiter))
            case actions.SaveCredentials(credentials=credentials):
                return await self._in_thread(self._access.save, credentials)
            case refresh_actions.ReleaseLock():
                await self._in_thread(self._access.release_lock)
            case refresh_actions.Warn(message=message):
                self._warn(message)
            case refresh_actions.Deliver():
                # The last action. The callers wake when the lock is released.
                pass
            case _:
                assert_never(action)
        return None

    async def _in_thread(self, work: Callable[[*Arguments], Result], *args: *Arguments) -> Result:
        return await trio.to_thread.run_sync(work, *args, limiter=self._limiter)


class TrioSessionAuth(TokenAuth):
    """Puts a session's token into every request of an `httpx.AsyncClient`, and tries again with another after a 401.

    The body of a request is read into memory, so that it can be sent again. A redirect to another origin carries no
    token, because httpx removes it. Plain http is allowed to this machine only.
    """

    def __init__(self, session: TrioSession) -> None:
        self._session = session

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token, and again with another if the token was rejected.

        Raises:
            SignInRequired: As for `TrioSession.access_token`.
            RefreshFailed: As for `TrioSession.access_token`.
            InsecureRequest: The request is neither ``https`` nor for this machine. It was not sent.
        """
        check_target(request.url)
        await request.aread()
        token = Secret(await self._session.access_token())
        authorize(request, token)
        response = yield request
        if not is_rejected(response, token):
            return
        another = Secret(await self._session.renew(token.reveal()))
        if another != token:
            authorize(request, another)
            yield request

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Refuse, because a blocking client does not run in trio.

        Raises:
            TypeError: Always.
        """
        raise TypeError("this session is for httpx.AsyncClient with trio; use a Session for httpx.Client")
        yield request
