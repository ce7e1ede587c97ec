"""Access tokens for trio programs: always one that lasts, and one refresh whoever asks how often."""

from __future__ import annotations

import contextlib
import math
from typing import TYPE_CHECKING, assert_never

import httpx
import trio

from ...sansio.base.secret import Secret
from ...sansio.login import actions
from ...sansio.model.provider import Provider
from ...sansio.refresh import RefreshMachine
from ...sansio.refresh import actions as refresh_actions
from ...sansio.refresh.events import AccessTokenWanted
from ...sansio.refresh.outcome import RefreshMemory, RefreshSuccess
from ..logging import warn
from ..shared.session import StoreAccess, answers, authorize, check_target, is_rejected, refresh_error
from .http_client import send

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from typing import TypeVar, TypeVarTuple

    from ...sansio.model.credentials import Credentials
    from ...sansio.refresh.events import RefreshEvent
    from ...sansio.refresh.outcome import RefreshOutcome
    from ..stores.protocols import SessionStore

    Result = TypeVar("Result")
    Arguments = TypeVarTuple("Arguments")


class TrioSession:
    """Access tokens out of a store, renewed when they are due. Any number of tasks may use one session.

        session = TrioSession(FileStore(home))
        async with httpx.AsyncClient(auth=session.auth) as client:
            await client.get("https://api.example/...")

    The store is read each time: a new sign-in, a sign-out, and what another process has renewed count at once. A
    refresh that was begun goes on in a task of its own whatever becomes of the tasks that wait for it, because the
    provider may have replaced the refresh token already; the run's end waits for it.

    Args:
        store: Where the credentials are; used in worker threads.
        provider: Who gave them, and renews them; ChatGPT by default.
        environment_key: An API key to be used when nothing is stored.
        on_warning: Told, in one line, when renewed tokens could not be stored. By default a log record.
    """

    def __init__(
        self,
        store: SessionStore,
        provider: Provider | None = None,
        *,
        environment_key: str | None = None,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        self._store = store
        self._provider = provider or Provider.chatgpt()
        self._environment_key = environment_key
        self._warn = on_warning or warn
        self._memory = RefreshMemory()
        self._flight: _Flight | None = None
        self._limiter = trio.CapacityLimiter(math.inf)
        """Our threads neither wait for those of the host nor keep them waiting."""
        self.auth = TrioSessionAuth(self)
        """For ``httpx.AsyncClient(auth=...)``."""

    def __repr__(self) -> str:
        return f"<TrioSession of {type(self._store).__name__}>"

    async def access_token(self) -> str:
        """What to send to the API now: an access token that lasts, or the API key where that applies.

        Raises:
            SignInRequired: Nobody is signed in, or not any more.
            RefreshFailed: There is no token for another reason, which may pass.
        """
        return (await self._obtain(AccessTokenWanted())).token.reveal()

    async def credentials(self) -> Credentials:
        """The credentials of which `access_token` gives the token.

        Raises:
            SignInRequired: As there.
            RefreshFailed: As there.
        """
        return (await self._obtain(AccessTokenWanted())).credentials

    async def refresh(self, *, force: bool = False) -> RefreshSuccess:
        """Renew the tokens if that is due.

        Args:
            force: Renew them whether or not it is due. (An API key is never renewed.)

        Returns:
            The credentials, and what was done.

        Raises:
            SignInRequired: As there.
            RefreshFailed: As there.
        """
        return await self._obtain(AccessTokenWanted(forced=force))

    async def renew(self, rejected: str) -> str:
        """Another token than one that an API has answered with 401.

        Returns:
            A new one; the same, if it is an API key.

        Raises:
            SignInRequired: As there.
            RefreshFailed: As there.
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
        """Look at the store; if something is to be done, do it or join whoever does. None if that answers nothing."""
        memory = self._memory
        machine = RefreshMachine(self._provider, memory, environment_key=self._environment_key)
        flight = _Flight(machine, StoreAccess(self._store), wanted, self._warn, self._limiter)
        if await flight.begin():
            return machine.outcome
        if self._memory is not memory:
            # Another refresh has ended meanwhile.
            return None
        leads = self._flight is None
        current = self._flight = self._flight or flight
        current.waiting += 1
        try:
            if leads:
                trio.lowlevel.spawn_system_task(self._fly, current, name="loginmachine-refresh")
            await current.done.wait()
        finally:
            current.waiting -= 1
        if current.crash:
            raise RuntimeError(f"the session has failed with {current.crash}; this is a bug in it")
        outcome = current.machine.outcome
        return outcome if leads or (outcome is not None and answers(outcome, current.wanted, wanted)) else None

    async def _fly(self, flight: _Flight) -> None:
        try:
            # Shielded: what the provider answers must be stored even if the run is ending.
            with trio.CancelScope(shield=True):
                await flight.finish()
        except BaseException as crash:  # noqa: BLE001 - whoever waits must not wait for ever, nor the run crash
            flight.crash = type(crash).__name__
        finally:
            self._memory = flight.machine.memory
            self._flight = None
            flight.done.set()


class _Flight:
    """One refresh under way, and whoever waits for it."""

    def __init__(
        self,
        machine: RefreshMachine,
        access: StoreAccess,
        wanted: AccessTokenWanted,
        on_warning: Callable[[str], None],
        limiter: trio.CapacityLimiter,
    ) -> None:
        self.machine = machine
        self.wanted = wanted
        self.waiting = 0
        """How many tasks want to know how it ends."""
        self.done = trio.Event()
        self.crash = ""
        self._access = access
        self._warn = on_warning
        self._limiter = limiter
        self._orders: list[refresh_actions.RefreshAction] = []

    async def begin(self) -> bool:
        """Look at the store. True if there is nothing else to be done."""
        self.machine.handle(self.wanted)
        self._orders = self.machine.handle(await self._in_thread(self._access.load))
        return self.machine.outcome is not None

    async def finish(self) -> None:
        """Do the rest. Given up, as long as nothing was sent, when nobody waits any more."""
        try:
            while self._orders:
                order = self._orders.pop(0)
                if not self.waiting and isinstance(order, (refresh_actions.TakeLock, actions.SendTokenRequest)):
                    return
                event = await self._perform(order)
                if event is not None:
                    self._orders += self.machine.handle(event)
        finally:
            await self._in_thread(self._access.release)

    async def _perform(self, order: refresh_actions.RefreshAction) -> RefreshEvent | None:
        match order:
            case refresh_actions.LoadCredentials():
                return await self._in_thread(self._access.load)
            case refresh_actions.TakeLock(timeout=timeout):
                return await self._in_thread(self._access.take, timeout)
            case actions.SendTokenRequest():
                return await send(order, self._limiter)
            case actions.SaveCredentials(credentials=credentials):
                return await self._in_thread(self._access.save, credentials)
            case refresh_actions.ReleaseLock():
                await self._in_thread(self._access.release)
            case refresh_actions.Warn(message=message):
                # An observer's trouble is not the session's.
                with contextlib.suppress(Exception):
                    self._warn(message)
            case refresh_actions.Deliver():
                # It is the last, and whoever waits is told when the lock is free.
                pass
            case _:
                assert_never(order)
        return None

    async def _in_thread(self, work: Callable[[*Arguments], Result], *args: *Arguments) -> Result:
        return await trio.to_thread.run_sync(work, *args, limiter=self._limiter)


class TrioSessionAuth(httpx.Auth):
    """A session's token on every request of an `httpx.AsyncClient`, and one more try with another after a 401.

    The body of a request is read into memory, so that it can be sent again. A token goes to no redirect of another
    origin (httpx takes it off), and over plain http to this machine only.
    """

    requires_request_body = True

    def __init__(self, session: TrioSession) -> None:
        self._session = session

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Send the request with a token, and again with another if that was rejected.

        Raises:
            SignInRequired: As `TrioSession.access_token`.
            RefreshFailed: As there.
            InsecureRequest: The request is neither ``https`` nor for this machine; it was not sent.
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
        """Refuse: a blocking client knows no trio.

        Raises:
            TypeError: Always.
        """
        raise TypeError("this session is for httpx.AsyncClient with trio; take a Session for httpx.Client")
        yield request
