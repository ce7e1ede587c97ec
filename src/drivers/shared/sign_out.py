"""The store, as a sign-out uses it, and the result for the caller: the same with each driver."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from ...sansio.refresh.events import CredentialsLoaded, LoadFailed
from ...sansio.sign_out.events import CredentialsRemoved, RemovalFailed
from ...sansio.sign_out.outcome import SignOutFailure, SignOutFailureCategory
from ..errors import ProviderMismatch, StoreError
from ..logging import log_error

if TYPE_CHECKING:
    from ...sansio.refresh.outcome import RefreshMemory
    from ...sansio.sign_out import SignOutMachine
    from ...sansio.sign_out.outcome import SignOutResult
    from ..stores.protocols import SessionStore


class SignOutStore:
    """The store, as one sign-out uses it. Both methods may block, and return their result as an event.

    Args:
        store: Where the credentials are.
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._error: StoreError | None = None

    def load(self) -> CredentialsLoaded | LoadFailed:
        """Load the credentials."""
        try:
            return CredentialsLoaded(credentials=self._store.load(), loaded_at=time.time())
        except StoreError as error:
            return LoadFailed(failed_at=time.time(), message=str(error))

    def remove(self) -> CredentialsRemoved | RemovalFailed:
        """Remove the credentials."""
        try:
            return CredentialsRemoved(removed=self._store.remove())
        except StoreError as error:
            self._error = error
            return RemovalFailed(message=str(error))

    def result_of(self, machine: SignOutMachine) -> SignOutResult:
        """Return what a sign-out did, after its end.

        Raises:
            StoreError: The credentials cannot be removed.
            ProviderMismatch: They are from another provider than the named one.
        """
        outcome = machine.outcome
        assert outcome is not None
        if not isinstance(outcome, SignOutFailure):
            return outcome
        if self._error is not None:
            raise self._error
        assert outcome.category is SignOutFailureCategory.PROVIDER_MISMATCH
        raise ProviderMismatch(outcome.message)


class SessionSignOutStore(SignOutStore):
    """The store, as the sign-out of a session uses it. A refresh that is under way ends first.

    Args:
        store: Where the credentials are.
        memory: What the session has learnt.
    """

    def __init__(self, store: SessionStore, memory: RefreshMemory) -> None:
        super().__init__(store)
        self._memory = memory

    def remove(self) -> CredentialsRemoved | RemovalFailed:
        """Remove the credentials. Those that the session could not store replace them in the result."""
        with contextlib.ExitStack() as stack:
            try:
                if self._store.load() is not None:
                    stack.enter_context(self._store.renewing())
            except Exception as error:  # noqa: BLE001 - a store of the program's own; a removal needs no lock of sessions
                log_error("a sign-out did not wait for a refresh", error)
            event = super().remove()
        unsaved = self._memory.unsaved
        tokens = event.removed.tokens if isinstance(event, CredentialsRemoved) and event.removed else None
        if unsaved is not None and tokens is not None and tokens.refresh_token == self._memory.replaces:
            return CredentialsRemoved(removed=unsaved)
        return event
