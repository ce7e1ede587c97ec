"""Stores that each lack one property. `check_store` has to name that property."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING, Final

from loginmachine import Credentials, MemoryStore, StoreError, StoreVersion

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginmachine import Transaction
    from loginmachine.sansio.refresh.outcome import Refusal


class RemembersNothingStored(MemoryStore):
    def load(self) -> Credentials | None:
        return self.credentials or Credentials(auth_mode=None)


class DropsUnknownMembers(MemoryStore):
    def save(self, credentials: Credentials) -> Credentials | None:
        return super().save(credentials.__replace__(others=None))


class KeepsTheOldKey(MemoryStore):
    """Merges what is saved into what is stored."""

    def save(self, credentials: Credentials) -> Credentials | None:
        old = self.credentials
        if old is not None and credentials.api_key is None:
            credentials = credentials.__replace__(api_key=old.api_key)
        return super().save(credentials)


class ReturnsTheNewOnes(MemoryStore):
    """Has the tokens of the new login revoked."""

    def save(self, credentials: Credentials) -> Credentials | None:
        super().save(credentials)
        return credentials


class ReturnsNothingRemoved(MemoryStore):
    """Tokens of a sign-out are never revoked."""

    def remove(self) -> Credentials | None:
        super().remove()
        return None


class OnlyMarksAsRemoved(MemoryStore):
    def remove(self) -> Credentials | None:
        return self.credentials


class OfItsThread(MemoryStore):
    """Each thread sees what it has saved itself, as with a connection in a `threading.local`."""

    def __init__(self) -> None:
        self._local = threading.local()
        super().__init__()

    @property
    def credentials(self) -> Credentials | None:
        return getattr(self._local, "credentials", None)

    @credentials.setter
    def credentials(self, value: Credentials | None) -> None:
        self._local.credentials = value


class ChecksByRemoving(MemoryStore):
    def check(self) -> None:
        self.remove()


class ReplacesAnyIssuer(MemoryStore):
    def save(self, credentials: Credentials) -> Credentials | None:
        replaced, self.credentials = self.credentials, credentials
        return replaced


class ShowsItsContent(MemoryStore):
    def __repr__(self) -> str:
        tokens = self.credentials.tokens if self.credentials else None
        return f"<Store of {tokens.access_token.reveal() if tokens else None}>"


class LogsItsContent(MemoryStore):
    def save(self, credentials: Credentials) -> Credentials | None:
        logging.getLogger("a host").debug("saving %s", credentials.serialise())
        return super().save(credentials)


class ForgetsRefusals(MemoryStore):
    def save_refusal(self, refusal: Refusal) -> None:
        self._refusal = self._refusal or refusal


class Locked(MemoryStore):
    """A base of stores with another transaction."""

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Transaction]:
        with super().transaction(timeout=timeout) as transaction:
            yield self.changed(transaction)

    def changed(self, transaction: Transaction) -> Transaction:
        return transaction


class _LateTransaction:
    """Loads what was stored at the beginning."""

    def __init__(self, transaction: Transaction) -> None:
        self._loaded = transaction.load()
        self.save, self.remove = transaction.save, transaction.remove

    def load(self) -> Credentials | None:
        return self._loaded


class ReadsItsOwnChangesLate(Locked):
    def changed(self, transaction: Transaction) -> Transaction:
        return _LateTransaction(transaction)


class HasNoLock(MemoryStore):
    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Transaction]:
        del timeout
        self._lock = threading.Lock()
        with super().transaction() as transaction:
            yield transaction


class SavesWithoutTheLock(MemoryStore):
    def save(self, credentials: Credentials) -> Credentials | None:
        outer, self._lock = self._lock, threading.Lock()
        try:
            return super().save(credentials)
        finally:
            self._lock = outer


class LoadsFromACache(Locked):
    """A transaction begins with what its thread has seen last, not with what is stored."""

    def __init__(self) -> None:
        super().__init__()
        self._cache = threading.local()

    def changed(self, transaction: Transaction) -> Transaction:
        return _Cached(transaction, self._cache)


class _Cached:
    def __init__(self, transaction: Transaction, cache: threading.local) -> None:
        self._transaction = transaction
        self._cache = cache

    def load(self) -> Credentials | None:
        stored = self._transaction.load()
        seen: Credentials | None = getattr(self._cache, "seen", None)
        is_counted = stored is not None and stored.tokens is not None and stored.tokens.account_id != "account-1"
        return seen if seen is not None and is_counted else stored

    def save(self, credentials: Credentials) -> Credentials | None:
        self._cache.seen = credentials
        return self._transaction.save(credentials)

    def remove(self) -> Credentials | None:
        self._cache.seen = None
        return self._transaction.remove()


class ReadsUnderTheLock(MemoryStore):
    """A session of another thread hangs while a transaction runs."""

    def load(self) -> Credentials | None:
        with self.transaction(timeout=60) as transaction:
            return transaction.load()


class RemovesBeforeItSaves(MemoryStore):
    def save(self, credentials: Credentials) -> Credentials | None:
        with self.transaction() as transaction:
            replaced = transaction.load()
            saved = transaction.save(credentials)
            self.credentials = None
            time.sleep(0.005)
            self.credentials = credentials
            return saved and replaced


class HidesTheException(MemoryStore):
    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Transaction]:
        try:
            with super().transaction(timeout=timeout) as transaction:
                yield transaction
        except StoreError:
            raise
        except Exception as error:
            raise StoreError("the block failed") from error


class ClearsAfterAnError(MemoryStore):
    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Transaction]:
        with super().transaction(timeout=timeout) as transaction:
            try:
                yield transaction
            except StoreError:
                raise
            except Exception:
                self.credentials = None
                raise


class StaysLockedAfterAnError(MemoryStore):
    """Forgets the lock after an exception of a block that has changed something."""

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Transaction]:
        before = self.credentials
        try:
            with super().transaction(timeout=timeout) as transaction:
                yield transaction
        except StoreError:
            raise
        except Exception:
            if self.credentials != before:
                self._lock.acquire()
            raise


class OfOneThreadOnly(MemoryStore):
    """Has a lock that only the thread that took it can release."""

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Transaction]:
        owner = threading.current_thread()
        with super().transaction(timeout=timeout) as transaction:
            yield transaction
        if threading.current_thread() is not owner:
            raise RuntimeError("another thread has taken the lock")


class RenewsTwice(MemoryStore):
    @contextlib.contextmanager
    def renewing(self, *, timeout: float = 5.0) -> Iterator[None]:
        del timeout
        yield


class LocksTheStoreWhileItRenews(MemoryStore):
    @contextlib.contextmanager
    def renewing(self, *, timeout: float = 5.0) -> Iterator[None]:
        with super().renewing(timeout=timeout), super().transaction(timeout=timeout):
            yield


class RenewsForOneThreadOnly(MemoryStore):
    @contextlib.contextmanager
    def renewing(self, *, timeout: float = 5.0) -> Iterator[None]:
        owner = threading.current_thread()
        with super().renewing(timeout=timeout):
            yield
        if threading.current_thread() is not owner:
            raise RuntimeError("another thread has taken the lock")


class CountsSaves(MemoryStore):
    """Tells no other version after a sign-out."""

    saves = 0

    def save(self, credentials: Credentials) -> Credentials | None:
        self.saves += 1
        return super().save(credentials)

    def version(self) -> StoreVersion:
        return StoreVersion(self.saves)


class NeverReturns(MemoryStore):
    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def save(self, credentials: Credentials) -> Credentials | None:
        self.released.wait(60)
        return super().save(credentials)


WRONG: Final[dict[type[MemoryStore], str]] = {
    RemembersNothingStored: "nothing_is_loaded_from_an_empty_store",
    DropsUnknownMembers: "what_is_saved_is_loaded",
    KeepsTheOldKey: "a_save_replaces_everything",
    ReturnsTheNewOnes: "a_save_returns_what_it_replaced",
    OnlyMarksAsRemoved: "nothing_is_left_after_a_remove",
    ReturnsNothingRemoved: "a_remove_returns_what_it_removed",
    OfItsThread: "every_thread_may_call",
    ChecksByRemoving: "a_check_changes_nothing",
    ReplacesAnyIssuer: "another_issuers_credentials_are_kept",
    ShowsItsContent: "no_secret_is_shown",
    LogsItsContent: "what_is_saved_is_loaded",
    ForgetsRefusals: "a_refusal_is_remembered",
    ReadsItsOwnChangesLate: "a_transaction_reads_and_changes",
    HasNoLock: "transactions_exclude_each_other",
    SavesWithoutTheLock: "other_writers_wait_for_a_transaction",
    LoadsFromACache: "no_change_is_lost",
    ReadsUnderTheLock: "reading_needs_no_lock",
    RemovesBeforeItSaves: "readers_see_whole_credentials",
    HidesTheException: "a_failed_transaction_changes_nothing",
    ClearsAfterAnError: "a_failed_transaction_changes_nothing",
    StaysLockedAfterAnError: "a_transaction_that_raises_ends",
    OfOneThreadOnly: "a_transaction_may_change_its_thread",
    RenewsTwice: "one_session_renews_at_a_time",
    LocksTheStoreWhileItRenews: "a_renewal_leaves_the_store_usable",
    RenewsForOneThreadOnly: "a_renewal_may_change_its_thread_and_raise",
    CountsSaves: "each_change_makes_another_version",
}
"""Each wrong store with the property that it lacks."""


# Wrong stores with a place that objects share, or with content that can be spoilt


class Place:
    """Where the stores of a test keep their content."""

    def __init__(self) -> None:
        self.content: bytes | None = None
        self.lock = threading.Lock()
        self.renewal = threading.Lock()


class TextStore(MemoryStore):
    """Keeps the text of credentials in a place. This one is right."""

    def __init__(self, place: Place) -> None:
        self.place = place
        super().__init__()
        self._lock, self._renewal = place.lock, place.renewal

    @property
    def credentials(self) -> Credentials | None:
        return self.read()

    @credentials.setter
    def credentials(self, value: Credentials | None) -> None:
        if value is not None:
            self.place.content = value.serialise()

    def read(self) -> Credentials | None:
        content = self.place.content
        try:
            return None if content is None else Credentials.parse(content)
        except ValueError:
            pass
        raise StoreError("what is stored cannot be read")

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Transaction]:
        with super().transaction(timeout=timeout):
            yield TextTransaction(self)


class TextTransaction:
    def __init__(self, store: TextStore) -> None:
        self._store = store

    def load(self) -> Credentials | None:
        return self._store.read()

    def readable(self) -> Credentials | None:
        try:
            return self._store.read()
        except StoreError:
            return None

    def save(self, credentials: Credentials) -> Credentials | None:
        from loginmachine.drivers import check_replaceable

        replaced = self.readable()
        check_replaceable("the place", replaced, credentials)
        self._store.place.content = credentials.serialise()
        return replaced

    def remove(self) -> Credentials | None:
        removed = self.readable()
        is_empty = self._store.place.content is None
        self._store.place.content = None
        return None if is_empty else removed or Credentials(auth_mode=None)


class CachesWhatItLoads(TextStore):
    """Does not see what another object saves."""

    cached: Credentials | None = None
    is_cached = False

    def load(self) -> Credentials | None:
        if not self.is_cached:
            self.cached, self.is_cached = super().load(), True
        return self.cached

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Transaction]:
        try:
            with super().transaction(timeout=timeout) as transaction:
                yield transaction
        finally:
            self.is_cached = False


class LocksItselfOnly(TextStore):
    """Has a lock in each object."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._lock = threading.Lock()


class RenewsAlone(TextStore):
    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._renewal = threading.Lock()


class CountsItsOwnChanges(TextStore):
    """Does not notice when another object has changed the place."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.changes = 0

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Transaction]:
        with super().transaction(timeout=timeout) as transaction:
            self.changes += 1
            yield transaction

    def version(self) -> StoreVersion:
        return StoreVersion(self.changes)


class TakesUnreadableForEmpty(TextStore):
    def load(self) -> Credentials | None:
        try:
            return super().load()
        except StoreError:
            return None


class ShowsWhatIsUnreadable(TextStore):
    """Has the text in the context of its error."""

    def load(self) -> Credentials | None:
        content = self.place.content
        try:
            return None if content is None else Credentials.parse(content)
        except ValueError as error:
            raise StoreError("it cannot be read") from ValueError(content, error)


class RaisesWhatParseRaises(TextStore):
    def load(self) -> Credentials | None:
        content = self.place.content
        return None if content is None else Credentials.parse(content)


class CannotReplaceUnreadable(TextStore):
    def save(self, credentials: Credentials) -> Credentials | None:
        self.load()
        return super().save(credentials)


class CannotRemoveUnreadable(TextStore):
    def remove(self) -> Credentials | None:
        self.load()
        return super().remove()


class SaysNothingWasStored(TextStore):
    def remove(self) -> Credentials | None:
        removed = super().remove()
        return None if removed == Credentials(auth_mode=None) else removed


WRONG_WITH_A_PLACE: Final[dict[type[TextStore], str]] = {
    CachesWhatItLoads: "another_object_sees_each_change",
    LocksItselfOnly: "transactions_exclude_those_of_another_object",
    RenewsAlone: "renewals_exclude_those_of_another_object",
    CountsItsOwnChanges: "each_change_makes_another_version_elsewhere",
    TakesUnreadableForEmpty: "unreadable_content_is_an_error",
    ShowsWhatIsUnreadable: "unreadable_content_is_an_error",
    RaisesWhatParseRaises: "unreadable_content_is_an_error",
    CannotReplaceUnreadable: "unreadable_content_can_be_replaced",
    CannotRemoveUnreadable: "unreadable_content_can_be_removed",
    SaysNothingWasStored: "unreadable_content_can_be_removed",
}
