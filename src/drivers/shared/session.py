"""What the sessions of both drivers share: access to the store, and one refresh for many callers."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from ...sansio.login import actions
from ...sansio.refresh import RefreshMachine
from ...sansio.refresh import actions as refresh_actions
from ...sansio.refresh.events import CredentialsLoaded, LoadFailed, LockBusy, LockFailed, LockTaken
from ...sansio.refresh.failures import SIGN_IN_REQUIRED
from ...sansio.refresh.outcome import Delivery, RefreshMemory, RefreshSuccess
from ..errors import RefreshFailed, SignInRequired, StoreBusy, StoreError
from ..forks import Forkable, tell_of_forks
from ..logging import log_error, warn
from ..stores.protocols import RefusalStore, save, unexpected_error
from .overrides import overrides_from_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from ...sansio.login.events import CredentialsSaved, SaveFailed
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider
    from ...sansio.refresh.events import AccessTokenWanted
    from ...sansio.refresh.failures import RefreshFailure
    from ...sansio.refresh.outcome import RefreshOutcome, Refusal
    from ..stores.protocols import SessionStore


class BaseSession(Forkable):
    """The arguments of a session, which are the same for both drivers.

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
        self._shown = ""
        """The last warning of a look at the store, which is shown once."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of {type(self._store).__name__}>"

    def _new_machine(self, memory: RefreshMemory) -> RefreshMachine:
        return RefreshMachine(self._provider, memory, environment_key=self._environment_key, overrides=self._overrides)

    def _show_warnings(self, refresh: BaseRefresh) -> None:
        """Show the warnings of a refresh for which a look at the store was enough, once in the life of the session."""
        for message in refresh.warnings:
            if message != self._shown:
                self._shown = message
                with contextlib.suppress(Exception):
                    self._on_warning(message)


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
        self.crash: BaseException | None = None
        """What a store of the program's own raised, if it is no `Exception`; or what should not have happened."""
        self._access = access
        self._on_warning = on_warning
        self._actions: list[refresh_actions.RefreshAction] = []

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
        return not self.callers and isinstance(action, (refresh_actions.TakeLock, actions.SendTokenRequest))

    def _warn(self, message: str) -> None:
        with contextlib.suppress(Exception):
            self._on_warning(message)


class StoreAccess:
    """The store, as one refresh uses it. Every method may block, and returns its result as an event."""

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._lock: AbstractContextManager[None] | None = None
        self._loaded: Credentials | None = None
        """The credentials that were loaded last."""

    def load(self) -> CredentialsLoaded | LoadFailed:
        """Load the credentials. This needs no lock, because a store replaces them as a whole."""
        try:
            self._loaded = self._store.load()
        except StoreError as error:
            return LoadFailed(failed_at=time.time(), message=str(error))
        except Exception as error:  # noqa: BLE001 - a store of the program's own
            return LoadFailed(failed_at=time.time(), message=unexpected_error(error))
        return CredentialsLoaded(credentials=self._loaded, loaded_at=time.time(), refusal=self._load_refusal())

    def take_lock(self, timeout: float) -> LockTaken | LockBusy | LockFailed:
        """Lock out other sessions that want to renew the tokens.

        Args:
            timeout: Seconds to wait at most for a session that holds the lock.
        """
        try:
            lock = self._store.renewing(timeout=timeout)
            lock.__enter__()
        except StoreBusy:
            return LockBusy()
        except StoreError as error:
            return LockFailed(message=str(error))
        except Exception as error:  # noqa: BLE001 - as above
            return LockFailed(message=unexpected_error(error))
        self._lock = lock
        return LockTaken()

    def save(self, credentials: Credentials) -> CredentialsSaved | SaveFailed:
        """Save credentials, if the store still holds those that were loaded last."""
        return save(_UnchangedStore(self._store, self._loaded), credentials)

    def _load_refusal(self) -> Refusal | None:
        # A store of the program's own need not have this. Without it, a refused token is sent once more.
        try:
            return self._store.load_refusal() if isinstance(self._store, RefusalStore) else None
        except Exception as error:  # noqa: BLE001 - as above
            log_error("the store cannot be read", error)
            return None

    def save_refusal(self, refusal: Refusal) -> None:
        """Let the store remember that a refresh token was refused, if it can."""
        try:
            if isinstance(self._store, RefusalStore):
                self._store.save_refusal(refusal)
        except StoreError as error:
            warn(f"the refusal of the refresh token could not be remembered: {error}")
        except Exception as error:  # noqa: BLE001 - as above
            warn(f"the refusal of the refresh token could not be remembered: {unexpected_error(error)}")

    def release_lock(self) -> None:
        """Release the lock, if it is held."""
        lock, self._lock = self._lock, None
        try:
            if lock is not None:
                lock.__exit__(None, None, None)
        except Exception as error:  # noqa: BLE001 - as above
            warn(f"the lock on the credentials could not be released: {unexpected_error(error)}")


class _UnchangedStore:
    """A store that refuses to save if its credentials were changed since they were loaded, by a new sign-in perhaps."""

    def __init__(self, store: SessionStore, loaded: Credentials | None) -> None:
        self._store = store
        self._loaded = loaded

    def save(self, credentials: Credentials) -> Credentials | None:
        with self._store.transaction() as transaction:
            if transaction.load() != self._loaded:
                raise StoreError("other credentials were stored meanwhile")
            return transaction.save(credentials)


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
