"""The store, as one refresh uses it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from ...sansio.refresh.events import CredentialsLoaded, LoadFailed, LockBusy, LockFailed, LockTaken
from ..errors import StoreBusy, StoreError
from ..logging import log_error, warn
from ..stores.protocols import HeldStore, RefusalStore, StoreVersion, save, unexpected_error

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ...sansio.login.events import CredentialsSaved, SaveFailed
    from ...sansio.model.credentials import Credentials
    from ...sansio.refresh.outcome import Refusal
    from ..stores.protocols import SessionStore
    from .recall import StoreLooks


class StoreAccess:
    """The store, as one refresh uses it. Every method may block, and returns its result as an event."""

    def __init__(self, store: SessionStore, looks: StoreLooks | None = None) -> None:
        self._store = store
        self._looks = looks
        self.version = StoreVersion(None)
        """The version of the store before it was read last."""
        self.read_at = 0.0
        """When that was, in seconds since 1970."""
        self._lock: AbstractContextManager[HeldStore | None] | None = None
        self._held: HeldStore = store
        """The store, or what it wants to be used instead while the lock is held."""
        self._loaded: Credentials | None = None
        """The credentials that were loaded last."""

    def load(self) -> CredentialsLoaded | LoadFailed:
        """Load the credentials. This needs no lock, because a store replaces them as a whole."""
        if self._looks is not None:
            self.version, self.read_at = self._looks.version(), time.time()
        try:
            self._loaded = self._held.load()
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
            held = lock.__enter__()
        except StoreBusy:
            return LockBusy()
        except StoreError as error:
            return LockFailed(message=str(error))
        except Exception as error:  # noqa: BLE001 - as above
            return LockFailed(message=unexpected_error(error))
        self._lock = lock
        # (The lock of a store of the program's own may have another value.)
        self._held = held if isinstance(held, HeldStore) else self._store
        return LockTaken()

    def save(self, credentials: Credentials) -> CredentialsSaved | SaveFailed:
        """Save credentials, if the store still holds those that were loaded last."""
        return save(_UnchangedStore(self._held, self._loaded), credentials)

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

    def forget_tokens(self) -> None:
        """Remove the credentials, if the store still holds those that were loaded last."""
        try:
            with self._store.transaction() as transaction:
                if transaction.load() == self._loaded:
                    transaction.remove()
        except StoreError as error:
            warn(f"the tokens of a sign-in that has ended could not be removed: {error}")
        except Exception as error:  # noqa: BLE001 - as above
            warn(f"the tokens of a sign-in that has ended could not be removed: {unexpected_error(error)}")

    def release_lock(self) -> None:
        """Release the lock, if it is held."""
        lock, self._lock = self._lock, None
        self._held = self._store
        try:
            if lock is not None:
                lock.__exit__(None, None, None)
        except Exception as error:  # noqa: BLE001 - as above
            warn(f"the lock on the credentials could not be released: {unexpected_error(error)}")


class _UnchangedStore:
    """A store that refuses to save if its credentials were changed since they were loaded, by a new sign-in perhaps."""

    def __init__(self, store: HeldStore, loaded: Credentials | None) -> None:
        self._store = store
        self._loaded = loaded

    def save(self, credentials: Credentials) -> Credentials | None:
        with self._store.transaction() as transaction:
            if transaction.load() != self._loaded:
                raise StoreError("other credentials were stored meanwhile")
            return transaction.save(credentials)
