"""Access tokens for asyncio programs: always valid, and concurrent callers share one refresh."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ...sansio.refresh.events import AccessTokenWanted
from ...sansio.refresh.outcome import RefreshMemory, RefreshSuccess
from ..shared.accounts import session_store_of
from ..shared.hosts import ASYNCIO, check_host
from ..shared.session import AsyncSession
from ..shared.store_access import StoreAccess
from .refresh import Refresh
from .tasks import uninterrupted

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.accounts.stored import StoredAccount
    from ...sansio.base.secret import Secret
    from ...sansio.model.provider import Provider
    from ...sansio.refresh.outcome import RefreshOutcome
    from ...sansio.sign_out.outcome import SignOutResult
    from ..shared.accounts import Accounts
    from ..stores.protocols import SessionStore
    from .session_auth import AsyncioSessionAuth


class AsyncioSession(AsyncSession):
    """Gives access tokens from a store, and refreshes them when they are due. Any number of tasks may use it.

        session = AsyncioSession(FileStore(home))
        async with httpx.AsyncClient(auth=session.auth) as client:
            await client.get("https://api.example/...")

    A call answers from memory while the store is unchanged. A new sign-in, a sign-out, or a refresh by another process
    takes effect at once; in a store that tells no version (`VersionedStore`, the keyring) after a second at most.

    When a token is due, it is refreshed in the background, and callers get the old one as long as it lasts for 30
    seconds. If that fails, it is tried again after 30 seconds, later more. Only without such a token do callers wait. A
    refresh runs in a task of its own. It continues if the tasks that wait for it are cancelled, because the provider
    may have replaced the refresh token already. `asyncio.run` waits for it at its end.

    A session may be used in several event loops, one after the other or each in a thread of its own. Tasks of one loop
    share a refresh, and loops wait for each other as processes do.

    Args:
        store: Where the credentials are. Used in worker threads.
        provider: The provider that issued them. By default the one that the credentials record; those of an older
            ``auth.json`` are from Codex's provider.
        account: The account, if the store has many (`AccountStore`): its e-mail address, subject, client or key. By
            default the one that is the default now.
        environment_key: An API key to use when nothing is stored.
        on_warning: Called with one line of text when refreshed tokens could not be stored, when a refresh in the
            background failed for the first time, or when the sign-in has ended and its last access token is used until
            it expires. By default the text is logged.

    Raises:
        EndpointError: The environment names an endpoint that cannot be used.
        AccountNotFound: No account fits.
        AmbiguousAccount: Several fit, or none is the default.
        StoreError: The accounts cannot be read.
        ValueError: An account is named, and the store has one only.
    """

    _host = ASYNCIO

    def __init__(
        self,
        store: SessionStore | Accounts,
        provider: Provider | None = None,
        *,
        account: StoredAccount | str | None = None,
        environment_key: str | None = None,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(session_store_of(store, account), provider, environment_key, on_warning)
        self._shared: dict[asyncio.AbstractEventLoop, _Shared] = {}
        """What the tasks of each event loop share."""
        self._auth: AsyncioSessionAuth | None = None

    @property
    def _current(self) -> Refresh | None:
        """A refresh that is running, in any event loop."""
        return next((each.refresh for each in list(self._shared.values()) if each.refresh is not None), None)

    @property
    def auth(self) -> AsyncioSessionAuth:
        """For ``httpx.AsyncClient(auth=...)``."""
        if self._auth is None:
            from .session_auth import AsyncioSessionAuth  # noqa: PLC0415 - httpx takes long to load

            self._auth = AsyncioSessionAuth(self)
        return self._auth

    def after_fork(self) -> None:
        """Forget the current refresh in the child of a fork. It runs in a task that only the parent has."""
        self._shared = {}

    async def sign_out(self) -> SignOutResult:
        """Sign the person out as `asyncio_sign_out` does. A refresh that is under way ends first (5 seconds at most).

        Afterwards this session raises `SignInRequired` in every thread and task, until the next sign-in. If it has an
        `environment_key`, it gives that.

        Returns:
            What was removed, and whether the issuer confirmed that the tokens are revoked.

        Raises:
            StoreError: The credentials cannot be removed. Nothing is revoked then.
            ProviderMismatch: They are from another provider than this session's. Nothing is removed or revoked then.
            RuntimeError: No event loop of asyncio runs. Nothing is removed.
        """
        from .signing_out import sign_out_session  # noqa: PLC0415 - most programs do not need it

        result = await sign_out_session(self._store, self._provider, self._overrides, self._memory)
        self._memory = RefreshMemory()
        self._looks.forget()
        return result

    @property
    def _here(self) -> _Shared:
        """What the tasks of the running event loop share."""
        loop = asyncio.get_running_loop()
        shared = self._shared.get(loop)
        if shared is None:
            self._forget_closed_loops()
            shared = self._shared.setdefault(loop, _Shared())
        return shared

    def _forget_closed_loops(self) -> None:
        for loop in list(self._shared):
            left = self._shared.pop(loop, None) if loop.is_closed() else None
            if left is not None and left.refresh is not None:
                # The program has closed the loop in the middle of a refresh. Nothing else would release its lock.
                left.refresh.release_lock()

    async def _recalled(self) -> RefreshSuccess | None:
        """Return a token without reading the store, or after another task has read it."""
        check_host(ASYNCIO, "session")
        known = self._recall()
        if known is None and (looking := self._here.looking) is not None:
            await looking.wait()
            known = self._recall()
        return known

    def _new_refresh(self, wanted: AccessTokenWanted) -> Refresh:
        access = StoreAccess(self._store, self._looks)
        return Refresh(self._new_machine(self._memory), access, wanted, self._on_warning)

    async def _attempt(self, wanted: AccessTokenWanted, *, waits: bool) -> RefreshOutcome | None:
        """Look at the store. If a refresh is due, run it, or wait for the current one.

        Args:
            wanted: What the caller wants.
            waits: Whether the caller waits for a refresh that is due, although the token is valid.

        Returns:
            The outcome. None if it is not for this caller, who must try again.
        """
        here, refresh, looking = self._here, self._new_refresh(wanted), asyncio.Event()
        here.looking = looking
        try:
            await refresh.check_store()
            outcome = self._looked(refresh, waits=waits)
        finally:
            looking.set()
            if here.looking is looking:
                here.looking = None
        if outcome is not None:
            return outcome
        if self._memory is not refresh.memory_before:
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

    def _refresh_early(self, token: Secret) -> None:
        if self._current is None and self._early.may_try(token):
            refresh = self._new_refresh(AccessTokenWanted())
            refresh.early = token
            self._share(refresh)

    def _share(self, refresh: Refresh) -> Refresh:
        """Return the current refresh. If there is none, start this one."""
        here = self._here
        if here.refresh is None:
            # Not `create_task`: with an eager task factory the refresh might be over before it is noted here.
            loop = asyncio.get_running_loop()
            here.task = asyncio.Task(self._run(here, refresh), loop=loop, name="loginmachine-refresh")
            here.refresh = refresh
        return here.refresh

    async def _run(self, here: _Shared, refresh: Refresh) -> None:
        try:
            # The provider's response must be stored even if the event loop is ending.
            await uninterrupted(self._perform(refresh))
        finally:
            self._learn(refresh)
            self._note_early(refresh)
            here.refresh = here.task = None
            refresh.done.set()

    async def _perform(self, refresh: Refresh) -> None:
        try:
            await refresh.run()
            self._learn(refresh)
            await self._look_again(refresh)
        except BaseException as crash:  # noqa: BLE001 - the callers must not wait for ever, and the loop must not crash
            refresh.crash = crash

    async def _look_again(self, refresh: Refresh) -> None:
        """Read the store once for all callers that come after a refresh."""
        if isinstance(refresh.machine.outcome, RefreshSuccess):
            look = self._new_refresh(AccessTokenWanted())
            await look.check_store()
            self._looked(look, waits=True)


class _Shared:
    """What the tasks of one event loop share."""

    def __init__(self) -> None:
        self.refresh: Refresh | None = None
        """The current refresh."""
        self.task: asyncio.Task[None] | None = None
        """Its task. The event loop has only a weak reference to it."""
        self.looking: asyncio.Event | None = None
        """Set when the task that reads the store has read it."""
