"""What a store of credentials is, and one in memory."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final, Protocol

from ...sansio.login.events import CredentialsSaved, SaveFailed
from ...sansio.model.credentials import Credentials
from ..errors import StoreBusy, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

LOCK_TIMEOUT: Final = 5.0
"""Seconds that anybody waits for a store which somebody else is changing."""


class CredentialStore(Protocol):
    """What a login needs of a store. Called in a worker thread; may block."""

    def save(self, credentials: Credentials) -> Credentials | None:
        """Make the credentials durable before returning.

        Returns:
            Those that they replaced, if there were any and they could be read. A store that does not know returns None:
            then nothing is revoked.

        Raises:
            StoreError: They are not stored, and what was stored before is as it was.
        """


class SessionStore(CredentialStore, Protocol):
    """What a session and the commands need besides. Called in any thread; may block."""

    def load(self) -> Credentials | None:
        """What is stored; None if nothing is.

        Raises:
            StoreError: It cannot be read or understood. Never a silent "nothing".
        """

    def remove(self) -> Credentials | None:
        """Remove what is stored, whether or not it can be understood.

        Returns:
            What was removed, without the members that could not be read; None if there was nothing.

        Raises:
            StoreError: It is still there.
        """

    def transaction(self, *, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[Transaction]:
        """Keep everybody else, in this process or another, from changing the store while the block runs.

        The block may be entered in one thread and left in another. Inside it, use what it gives: the store's own
        `save` and `remove` would wait for the block to end.

        Args:
            timeout: Seconds to wait for somebody else at most.

        Raises:
            StoreBusy: Somebody else has held the store for longer.
            StoreError: The store cannot be locked.
        """

    def renewing(self, *, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Keep other sessions, in this process or another, from renewing the tokens while the block runs.

        That takes as long as the provider does, so it keeps nobody from reading and changing the store. The block may
        be entered in one thread and left in another.

        Args:
            timeout: Seconds to wait for another session at most.

        Raises:
            StoreBusy: Another session has been renewing them for longer.
            StoreError: The store cannot be locked.
        """


class Transaction(Protocol):
    """A store that nobody else can change. Each method is as the store's."""

    def load(self) -> Credentials | None:
        """What is stored; None if nothing is."""

    def save(self, credentials: Credentials) -> Credentials | None:
        """Make the credentials durable, and return those that they replaced."""

    def remove(self) -> Credentials | None:
        """Remove what is stored, and return it."""


def save(store: CredentialStore, credentials: Credentials) -> CredentialsSaved | SaveFailed:
    """Save, and say what came of it: what both drivers do in a worker thread."""
    try:
        replaced = store.save(credentials)
    except StoreError as error:
        return SaveFailed(message=str(error))
    except Exception as error:  # noqa: BLE001 - a host's own store
        return SaveFailed(message=host_trouble(error))
    # (What else a host's own store returns says nothing.)
    return CredentialsSaved(replaced=replaced if isinstance(replaced, Credentials) else None)


def host_trouble(error: Exception) -> str:
    """What a host's own store raised. Its words are left out: they may hold anything."""
    return f"the store raised {type(error).__name__}"


class MemoryStore:
    """Keeps credentials for the life of the program, for hosts that store them in a way of their own."""

    def __init__(self) -> None:
        self.credentials: Credentials | None = None
        self._lock = threading.Lock()
        self._renewal = threading.Lock()

    def load(self) -> Credentials | None:
        """The credentials last saved."""
        return self.credentials

    def save(self, credentials: Credentials) -> Credentials | None:
        """Keep them."""
        with self.transaction() as transaction:
            return transaction.save(credentials)

    def remove(self) -> Credentials | None:
        """Forget them."""
        with self.transaction() as transaction:
            return transaction.remove()

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = LOCK_TIMEOUT) -> Iterator[Transaction]:
        """Keep other threads from changing the store.

        Raises:
            StoreBusy: Another thread has held it for longer than `timeout` seconds.
        """
        if not self._lock.acquire(timeout=timeout):
            raise StoreBusy(f"another thread has held the credentials for more than {timeout:g} seconds")
        try:
            yield _MemoryTransaction(self)
        finally:
            self._lock.release()

    @contextlib.contextmanager
    def renewing(self, *, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
        """Keep other sessions from renewing the tokens.

        Raises:
            StoreBusy: Another session has been renewing them for longer than `timeout` seconds.
        """
        if not self._renewal.acquire(timeout=timeout):
            raise StoreBusy(f"another session has been renewing the tokens for more than {timeout:g} seconds")
        try:
            yield
        finally:
            self._renewal.release()


class _MemoryTransaction:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def load(self) -> Credentials | None:
        return self._store.credentials

    def save(self, credentials: Credentials) -> Credentials | None:
        replaced, self._store.credentials = self._store.credentials, credentials
        return replaced

    def remove(self) -> Credentials | None:
        removed, self._store.credentials = self._store.credentials, None
        return removed
