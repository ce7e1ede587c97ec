"""The protocols of credential stores, and a store in memory."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, runtime_checkable

from ...sansio.login.events import CredentialsSaved, SaveFailed
from ...sansio.model.credentials import Credentials
from ...sansio.model.issuer import why_not_replace
from ..errors import StoreBusy, StoreError
from ..forks import Forkable, tell_of_forks
from ..logging import log_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

    from ...sansio.refresh.outcome import Refusal

LOCK_TIMEOUT: Final = 5.0
"""Seconds to wait, by default, for a store that another program or thread is changing."""


class CredentialStore(Protocol):
    """What a login needs of a store. Its method is called in a worker thread, and may block.

    A store may also have a method ``check()``, which raises `StoreError` if it is known that credentials cannot be
    saved. The drivers call it before the browser opens.
    """

    def save(self, credentials: Credentials) -> Credentials | None:
        """Make the credentials durable before returning.

        Returns:
            The credentials that were replaced. None if there were none, if they could not be read, or if the store does
            not know; then no tokens are revoked.

        Raises:
            StoreError: The credentials are not stored, and the store is unchanged.
        """


class SessionStore(CredentialStore, Protocol):
    """What a session and the commands need of a store. Its methods are called in any thread, and may block."""

    def load(self) -> Credentials | None:
        """Return the stored credentials, or None if nothing is stored.

        Raises:
            StoreError: The credentials cannot be read or parsed. The store never returns None in that case.
        """

    def remove(self) -> Credentials | None:
        """Remove the stored credentials, even if they cannot be parsed.

        Returns:
            The removed credentials, without members that could not be read. None if nothing was stored.

        Raises:
            StoreError: The credentials are still stored.
        """

    def transaction(self, *, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[Transaction]:
        """Lock the store while the block runs. No other thread or process can change it.

        The block may be entered in one thread and left in another. Inside it, use the transaction: the store's own
        `save` and `remove` would wait for the block to end.

        Args:
            timeout: Seconds to wait at most for another transaction.

        Raises:
            StoreBusy: Another transaction did not end in time.
            StoreError: The store cannot be locked.
        """

    def renewing(self, *, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[HeldStore | None]:
        """Lock out other sessions, in this process or another, that want to refresh the tokens while the block runs.

        A refresh takes as long as the provider needs. Therefore this lock does not stop others from reading or changing
        the store. The block may be entered in one thread and left in another. Its value is None, or what the session
        uses instead of the store, if the lock can be lost.

        Args:
            timeout: Seconds to wait at most for another session.

        Raises:
            StoreBusy: Another session did not finish its refresh in time.
            StoreError: The store cannot be locked, or it is known that new tokens could not be saved.
        """


@runtime_checkable
class HeldStore(Protocol):
    """A store, for the session that holds the lock of `SessionStore.renewing`. `StoreError` if that was lost."""

    def load(self) -> Credentials | None:
        """Return the stored credentials, as `SessionStore.load` does."""

    def transaction(self, *, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[Transaction]:
        """Lock the store, as `SessionStore.transaction` does."""


@runtime_checkable
class RefusalStore(Protocol):
    """What a store may have in addition: it remembers a refused refresh token, so that no session sends it again."""

    def load_refusal(self) -> Refusal | None:
        """Return the refusal that was saved last, or None."""

    def save_refusal(self, refusal: Refusal) -> None:
        """Keep a refusal. The caller holds the lock of `SessionStore.renewing`."""


@runtime_checkable
class VersionedStore(Protocol):
    """What a store may have in addition: it says quickly whether it has changed, so that sessions need not read it.

    A session reads a store without this method again after a second at most.
    """

    def version(self) -> StoreVersion:
        """Return the version of what is stored. Sessions call this often, also in trio's thread. It never fails."""


class StoreVersion(NamedTuple):
    """The version of what a store holds."""

    content: object
    """Compared with ``==``. Every change of the stored credentials makes it another."""
    changed_at: float = 0.0
    """When it changed last, in seconds since 1970, if changes that follow each other quickly may have the same
    `content`. Otherwise 0."""


class Transaction(Protocol):
    """A locked store. Each method does what the store's own method does."""

    def load(self) -> Credentials | None:
        """Return the stored credentials, or None if nothing is stored."""

    def save(self, credentials: Credentials) -> Credentials | None:
        """Make the credentials durable, and return the replaced ones."""

    def remove(self) -> Credentials | None:
        """Remove the stored credentials, and return them."""


def save(
    store: CredentialStore, credentials: Credentials, keep: Callable[[BaseException], None] = lambda _: None
) -> CredentialsSaved | SaveFailed:
    """Save credentials, and return the result as an event. The drivers call this in a worker thread.

    Args:
        store: The store.
        credentials: The credentials.
        keep: Called with what the store raises, if it is no `Exception`: `SystemExit`, for example.
    """
    try:
        replaced = store.save(credentials)
    except BaseException as error:  # noqa: BLE001 - a store of the program's own; the driver waits for an event
        if not isinstance(error, Exception):
            keep(error)
        message = unexpected_error(error, hide=secrets_of(credentials))
        return SaveFailed(message=str(error) if isinstance(error, StoreError) else message)
    # A store of the program's own may return anything.
    return CredentialsSaved(replaced=replaced if isinstance(replaced, Credentials) else None)


class OtherProviderError(StoreError):
    """The store holds the credentials of another provider, which are kept."""


def check_replaceable(where: str, stored: Credentials | None, new: Credentials) -> None:
    """Check that credentials would not replace those of another provider.

    Args:
        where: The location of the store, as text for people.
        stored: What is stored there; None if nothing is, or if it cannot be read.
        new: The credentials to store.

    Raises:
        OtherProviderError: Another provider has issued what is stored.
    """
    problem = why_not_replace(stored, new)
    if problem:
        raise OtherProviderError(f"{where}: the stored credentials are kept, because {problem}")


def unexpected_error(error: BaseException, *, hide: Iterable[str] = ()) -> str:
    """Return a message for an exception that is no `StoreError`. Its text is left out, because it may hold a secret.

    The log has the text, at level DEBUG, without what may be a secret.

    Args:
        error: The exception.
        hide: Secrets that the store had.
    """
    log_error("the store failed", error, hide=hide)
    return f"the store raised {type(error).__name__}"


def secrets_of(credentials: Credentials) -> list[str]:
    """Return the secrets of credentials, which no log may show."""
    tokens = credentials.tokens
    secrets = [credentials.api_key, credentials.others]
    if tokens is not None:
        secrets += [tokens.id_token, tokens.access_token, tokens.refresh_token, tokens.others, tokens.extra]
        secrets.append(tokens.provider.client_secret if tokens.provider else None)
    return [value for secret in secrets if secret is not None and (value := secret.reveal())]


class MemoryStore(Forkable):
    """Keeps credentials in memory, for programs that store them in their own way."""

    def __init__(self) -> None:
        self.credentials: Credentials | None = None
        self._lock = threading.Lock()
        self._renewal = threading.Lock()
        self._refusal: Refusal | None = None
        tell_of_forks(self)

    def after_fork(self) -> None:
        """Release the locks in the child of a fork. Their holders are threads that only the parent has."""
        self._lock, self._renewal = threading.Lock(), threading.Lock()

    def load(self) -> Credentials | None:
        """Return the credentials that were saved last."""
        return self.credentials

    def version(self) -> StoreVersion:
        """Return the version of the credentials: themselves, in a tuple, which is fast to compare."""
        return StoreVersion((self.credentials,))

    def save(self, credentials: Credentials) -> Credentials | None:
        """Keep the credentials, and return the replaced ones."""
        with self.transaction() as transaction:
            return transaction.save(credentials)

    def remove(self) -> Credentials | None:
        """Forget the credentials, and return them."""
        with self.transaction() as transaction:
            return transaction.remove()

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = LOCK_TIMEOUT) -> Iterator[Transaction]:
        """Lock the store for other threads while the block runs.

        Raises:
            StoreBusy: Another thread has held the lock for more than `timeout` seconds.
        """
        lock = self._lock
        if not lock.acquire(timeout=timeout):
            raise StoreBusy(f"another thread has held the credentials for more than {timeout:g} seconds")
        try:
            yield _MemoryTransaction(self)
        finally:
            lock.release()

    def load_refusal(self) -> Refusal | None:
        """Return the refusal that was saved last, or None."""
        return self._refusal

    def save_refusal(self, refusal: Refusal) -> None:
        """Keep a refusal."""
        self._refusal = refusal

    @contextlib.contextmanager
    def renewing(self, *, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
        """Lock out other sessions that want to refresh the tokens.

        Raises:
            StoreBusy: Another session has held the lock for more than `timeout` seconds.
        """
        lock = self._renewal
        if not lock.acquire(timeout=timeout):
            raise StoreBusy(f"another session has been renewing the tokens for more than {timeout:g} seconds")
        try:
            yield
        finally:
            lock.release()


class _MemoryTransaction:
    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    def load(self) -> Credentials | None:
        return self._store.credentials

    def save(self, credentials: Credentials) -> Credentials | None:
        check_replaceable("this store", self._store.credentials, credentials)
        replaced, self._store.credentials = self._store.credentials, credentials
        return replaced

    def remove(self) -> Credentials | None:
        removed, self._store.credentials = self._store.credentials, None
        return removed
