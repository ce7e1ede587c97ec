"""What the sessions of the drivers share: access to the store, and one refresh for many callers."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, ClassVar, Final

from ...sansio.base.secret import Secret
from ...sansio.login import actions
from ...sansio.refresh import RefreshMachine
from ...sansio.refresh import actions as refresh_actions
from ...sansio.refresh.events import AccessTokenWanted
from ...sansio.refresh.failures import SIGN_IN_REQUIRED
from ...sansio.refresh.outcome import Delivery, RefreshMemory, RefreshSuccess
from ..errors import RefreshFailed, SignInRequired
from ..forks import Forkable, tell_of_forks
from ..logging import warn
from .hosts import check_host
from .overrides import overrides_from_environment
from .recall import MARGIN, EarlyAttempts, StoreLooks

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider
    from ...sansio.refresh.failures import RefreshFailure
    from ...sansio.refresh.outcome import RefreshOutcome
    from ..stores.protocols import SessionStore, StoreVersion
    from .hosts import Host
    from .store_access import StoreAccess


_STILL_USED: Final = "the access token could not be refreshed ahead of its end, and is still used"


class BaseSession(Forkable):
    """The arguments of a session, which are the same for each driver.

    Raises:
        EndpointError: The environment names an endpoint that cannot be used.
    """

    def __init__(
        self,
        store: SessionStore,
        provider: Provider | None,
        environment_key: str | None,
        on_warning: Callable[[str], None] | None,
    ) -> None:
        self._store = store
        self._provider = provider
        self._environment_key = environment_key
        self._overrides = overrides_from_environment()
        self._on_warning = on_warning or warn
        self._memory = RefreshMemory()
        tell_of_forks(self)
        self._looks = StoreLooks(store)
        self._early = EarlyAttempts()
        self._shown = ""
        """The last warning of a look at the store, which is shown once."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {type(self._store).__name__}>"

    def _new_machine(self, memory: RefreshMemory) -> RefreshMachine:
        return RefreshMachine(self._provider, memory, environment_key=self._environment_key, overrides=self._overrides)

    def _recall(self) -> RefreshSuccess | None:
        """Return a token without reading the store. None if the store must be read."""
        known = self._looks.recall(now := time.time())
        if known is None:
            return None
        if now >= known.due:
            self._refresh_early(known.success.token)
        return known.success

    def _refresh_early(self, token: Secret) -> None:
        """Start a refresh for no caller, if none is running, and if the last attempt was long enough ago."""
        raise NotImplementedError

    def _looked(self, refresh: BaseRefresh, *, waits: bool) -> RefreshOutcome | None:
        """Return the outcome for a caller after a look at the store. None if the caller must wait for the refresh.

        Args:
            refresh: The refresh. It has read the store, and nothing else.
            waits: Whether the caller waits for a refresh that is due, although the token is valid.
        """
        outcome = refresh.machine.outcome
        if outcome is None and not waits:
            outcome = refresh.machine.usable_for(MARGIN)
            if outcome is not None:
                self._looks.remember(outcome, refresh.version, refresh.read_at)
                self._refresh_early(outcome.token)
        elif outcome is not None:
            self._show_warnings(refresh)
            if isinstance(outcome, RefreshSuccess) and outcome.delivery is Delivery.CURRENT and outcome.is_stored:
                self._looks.remember(outcome, refresh.version, refresh.read_at)
        return outcome

    def _learn(self, refresh: BaseRefresh) -> None:
        """Keep what a refresh has learnt, unless the person signed out meanwhile. Doing it twice does no harm."""
        if refresh.memory_before is self._memory:
            self._memory = refresh.machine.memory

    def _note_early(self, refresh: BaseRefresh) -> None:
        """Note how a refresh has ended, if it was for no caller. Doing it twice does no harm."""
        token, refresh.early = refresh.early, None
        if token is None:
            return
        outcome, crash = refresh.machine.outcome, refresh.crash
        failed = not isinstance(outcome, RefreshSuccess) or outcome.delivery is Delivery.KEPT
        words = f"{type(crash).__name__}; this is a bug in the session" if crash else outcome.message if outcome else ""
        # (That a sign-in has ended, the machine has warned of.)
        is_end = isinstance(outcome, RefreshSuccess) and outcome.failure is not None
        if self._early.note(token, failed=failed) and not is_end:
            with contextlib.suppress(Exception):
                self._on_warning(f"{_STILL_USED}: {words}")

    def _show_warnings(self, refresh: BaseRefresh) -> None:
        """Show the warnings of a refresh for which a look at the store was enough, once in the life of the session."""
        for message in refresh.warnings:
            if message != self._shown:
                self._shown = message
                with contextlib.suppress(Exception):
                    self._on_warning(message)


class AsyncSession(BaseSession):
    """Base of the sessions for event loops."""

    _host: ClassVar[Host]
    """What the session is for. Set by the subclass."""

    async def access_token(self) -> str:
        """Return what to send to the API now: a valid access token, or the API key if there is one instead.

        Raises:
            SignInRequired: Only a new sign-in helps.
            RefreshFailed: There is no token for another reason, and a later call may succeed.
        """
        return (await self._recalled() or await self._obtain(AccessTokenWanted(), waits=False)).token.reveal()

    async def credentials(self) -> Credentials:
        """Return the credentials that `access_token` takes its token from.

        Raises:
            SignInRequired, RefreshFailed: As for `access_token`.
        """
        return (await self._recalled() or await self._obtain(AccessTokenWanted(), waits=False)).credentials

    async def refresh(self, *, force: bool = False) -> RefreshSuccess:
        """Refresh the tokens if they are due, and wait for that.

        Args:
            force: Refresh them even if they are not due. An API key is never refreshed.

        Returns:
            The credentials, and what was done.

        Raises:
            SignInRequired, RefreshFailed: As for `access_token`.
        """
        return await self._obtain(AccessTokenWanted(forced=force))

    async def renew(self, rejected: str) -> str:
        """Return another token than one that an API rejected with status 401.

        Args:
            rejected: The rejected token.

        Returns:
            A new token. An API key is returned again, because it cannot be refreshed.

        Raises:
            SignInRequired, RefreshFailed: As for `access_token`.
        """
        return (await self._obtain(AccessTokenWanted(rejected=Secret(rejected)))).token.reveal()

    async def _obtain(self, wanted: AccessTokenWanted, *, waits: bool = True) -> RefreshSuccess:
        check_host(self._host, "session")
        outcome = None
        while outcome is None:
            outcome = await self._attempt(wanted, waits=waits)
        if isinstance(outcome, RefreshSuccess):
            return outcome
        raise refresh_error(outcome)

    async def _recalled(self) -> RefreshSuccess | None:
        """Return a token without reading the store, or after another task has read it."""
        raise NotImplementedError

    async def _attempt(self, wanted: AccessTokenWanted, *, waits: bool) -> RefreshOutcome | None:
        """Look at the store, and wait for a refresh if one is due. Return None if the caller must try again."""
        raise NotImplementedError


class BaseRefresh:
    """One run of a refresh machine. Callers that come meanwhile wait for its result.

    Args:
        machine: The machine.
        access: Access to the store.
        wanted: What the first caller wants.
        on_warning: Called with each warning. An exception from it is ignored.
    """

    def __init__(
        self, machine: RefreshMachine, access: StoreAccess, wanted: AccessTokenWanted, on_warning: Callable[[str], None]
    ) -> None:
        self.machine = machine
        self.memory_before = machine.memory
        self.wanted = wanted
        self.callers: set[object] = set()
        """One object for each caller that waits for the result."""
        self.early: Secret | None = None
        """The token to replace, if the refresh runs ahead of time and for no caller."""
        self.crash: BaseException | None = None
        """What a store of the program's own raised, if it is no `Exception`; or what should not have happened."""
        self._access = access
        self._on_warning = on_warning
        self._actions: list[refresh_actions.RefreshAction] = []

    @property
    def version(self) -> StoreVersion:
        """The version of the store before it was read last."""
        return self._access.version

    @property
    def read_at(self) -> float:
        """When the store was read last, in seconds since 1970."""
        return self._access.read_at

    @property
    def waiting(self) -> int:
        """The number of callers that wait for the result."""
        return len(self.callers)

    @property
    def warnings(self) -> list[str]:
        """The warnings among the actions that are not performed yet."""
        return [action.message for action in self._actions if isinstance(action, refresh_actions.Warn)]

    def result_for(self, wanted: AccessTokenWanted, *, is_leader: bool) -> RefreshOutcome | None:
        """Return the outcome for one of the callers, when the refresh is done.

        Args:
            wanted: What the caller wants.
            is_leader: Whether the refresh was started for this caller.

        Returns:
            The outcome. None if the caller needs another refresh.

        Raises:
            RuntimeError: The refresh crashed, for a reason that is its ``__cause__``.
            BaseException: For the caller for which it was started: the reason itself, if it is no `Exception`.
        """
        crash = self.crash
        if crash is not None:
            if isinstance(crash, Exception):
                words = f"the session has failed with {type(crash).__name__}; this is a bug in it"
                raise RuntimeError(words) from crash
            if is_leader:
                raise crash
            # Another caller was interrupted. This one tries again.
            return None
        outcome = self.machine.outcome
        return outcome if is_leader or (outcome is not None and can_share(outcome, self.wanted, wanted)) else None

    def _can_stop_before(self, action: refresh_actions.RefreshAction) -> bool:
        """Return whether to stop here: no caller waits any more, and no request has been sent."""
        is_wanted = bool(self.callers) or self.early is not None
        return not is_wanted and isinstance(action, (refresh_actions.TakeLock, actions.SendTokenRequest))

    def _warn(self, message: str) -> None:
        with contextlib.suppress(Exception):
            self._on_warning(message)


def can_share(outcome: RefreshOutcome, started_for: AccessTokenWanted, wanted: AccessTokenWanted) -> bool:
    """Return whether a caller can use the outcome of a refresh that was started for another caller.

    Args:
        outcome: How the refresh ended.
        started_for: What the other caller wanted.
        wanted: What this caller wants.
    """
    if not isinstance(outcome, RefreshSuccess):
        # A temporary failure is used only for callers that want the same. A caller with a token that was not rejected
        # may still use it.
        return outcome.final or started_for == wanted
    is_new = outcome.delivery in (Delivery.REFRESHED, Delivery.ADOPTED)
    return outcome.token != wanted.rejected and (is_new or not wanted.forced)


def refresh_error(failure: RefreshFailure) -> RefreshFailed:
    """Return the exception for a failed refresh."""
    return SignInRequired(failure) if failure.category in SIGN_IN_REQUIRED else RefreshFailed(failure)
