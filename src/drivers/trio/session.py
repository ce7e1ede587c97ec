"""Access tokens for trio programs: always valid, and concurrent callers share one refresh."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import trio

from ...sansio.refresh.events import AccessTokenWanted
from ...sansio.refresh.outcome import RefreshMemory, RefreshSuccess
from ..shared.accounts import session_store_of
from ..shared.hosts import TRIO, check_host
from ..shared.session import AsyncSession
from ..shared.store_access import StoreAccess
from .refresh import Refresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.accounts.stored import StoredAccount
    from ...sansio.base.secret import Secret
    from ...sansio.model.provider import Provider
    from ...sansio.refresh.outcome import RefreshOutcome
    from ...sansio.sign_out.outcome import SignOutResult
    from ..shared.accounts import Accounts
    from ..stores.protocols import SessionStore
    from .session_auth import TrioSessionAuth


class TrioSession(AsyncSession):
    """Gives access tokens from a store, and refreshes them when they are due. Any number of tasks may use it.

        session = TrioSession(FileStore(home))
        async with httpx.AsyncClient(auth=session.auth) as client:
            await client.get("https://api.example/...")

    A call answers from memory while the store is unchanged. A new sign-in, a sign-out, or a refresh by another process
    takes effect at once; in a store that tells no version (`VersionedStore`, the keyring) after a second at most.

    When a token is due, it is refreshed in the background, and callers get the old one as long as it lasts for 30
    seconds. If that fails, it is tried again after 30 seconds, later more. Only without such a token do callers wait. A
    refresh runs in a task of its own. It continues if the tasks that wait for it are cancelled, because the provider
    may have replaced the refresh token already. Trio's run waits for it at its end.

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

    _host = TRIO

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
        self._current: Refresh | None = None
        self._looking: trio.Event | None = None
        """Set when the task that reads the store has read it."""
        self._limiter = trio.CapacityLimiter(math.inf)
        """Of its own, so that the session's threads and those of the program do not wait for each other."""
        self._auth: TrioSessionAuth | None = None

    @property
    def auth(self) -> TrioSessionAuth:
        """For ``httpx.AsyncClient(auth=...)``."""
        if self._auth is None:
            from .session_auth import TrioSessionAuth  # noqa: PLC0415 - httpx takes long to load

            self._auth = TrioSessionAuth(self)
        return self._auth

    def after_fork(self) -> None:
        """Forget the current refresh in the child of a fork. It runs in a task that only the parent has."""
        self._current = self._looking = None
        self._limiter = trio.CapacityLimiter(math.inf)

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
        from .signing_out import sign_out_session  # noqa: PLC0415 - most programs do not need it

        result = await sign_out_session(self._store, self._provider, self._overrides, self._memory)
        self._memory = RefreshMemory()
        self._looks.forget()
        return result

    async def _recalled(self) -> RefreshSuccess | None:
        """Return a token without reading the store. This is a checkpoint only if the task is cancelled."""
        check_host(TRIO, "session")
        await trio.lowlevel.checkpoint_if_cancelled()
        known = self._recall()
        if known is None and self._looking is not None:
            # Another task is reading the store.
            await self._looking.wait()
            known = self._recall()
        return known

    def _new_refresh(self, wanted: AccessTokenWanted) -> Refresh:
        access = StoreAccess(self._store, self._looks)
        return Refresh(self._new_machine(self._memory), access, wanted, self._on_warning, self._limiter)

    async def _attempt(self, wanted: AccessTokenWanted, *, waits: bool) -> RefreshOutcome | None:
        """Look at the store. If a refresh is due, run it, or wait for the current one.

        Args:
            wanted: What the caller wants.
            waits: Whether the caller waits for a refresh that is due, although the token is valid.

        Returns:
            The outcome. None if it is not for this caller, who must try again.
        """
        refresh = self._new_refresh(wanted)
        looking = self._looking = trio.Event()
        try:
            await refresh.check_store()
            outcome = self._looked(refresh, waits=waits)
        finally:
            looking.set()
            if self._looking is looking:
                self._looking = None
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
                self._learn(refresh)
                await self._look_again(refresh)
        except BaseException as crash:  # noqa: BLE001 - the callers must not wait for ever, and the run must not crash
            refresh.crash = crash
        finally:
            self._learn(refresh)
            self._note_early(refresh)
            self._current = None
            refresh.done.set()

    async def _look_again(self, refresh: Refresh) -> None:
        """Read the store once for all callers that come after a refresh."""
        if isinstance(refresh.machine.outcome, RefreshSuccess):
            look = self._new_refresh(AccessTokenWanted())
            await look.check_store()
            self._looked(look, waits=True)
