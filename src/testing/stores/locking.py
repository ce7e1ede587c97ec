"""Properties of a store: transactions, and the lock of sessions that renew tokens."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Final

from ...drivers.errors import StoreError
from .probe import MOMENT, SOON, expect
from .samples import ELSEWHERE, KEY, ONE, TWO, tokens_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...drivers.stores.protocols import SessionStore
    from ...sansio.model.credentials import Credentials
    from .probe import Probe

_THREADS: Final = 4
_TURNS: Final = 5
_SAVES: Final = 12


class _MineError(Exception):
    """An exception of the block, which a store has to let pass."""


def a_transaction_reads_and_changes(probe: Probe) -> None:
    """In a transaction, `load`, `save` and `remove` see each change, and the store has the last one afterwards."""
    with probe.store.transaction() as transaction:
        expect(transaction.load() is None, "load returned something from an empty store")
        transaction.save(ONE)
        expect(transaction.load() == ONE, "load did not return what was saved in the transaction")
        expect(transaction.remove() == ONE, "remove did not return what was saved in the transaction")
        expect(transaction.load() is None, "load returned what was removed in the transaction")
        transaction.save(TWO)
    expect(probe.store.load() == TWO, "the store does not hold what the transaction saved last")
    with probe.store.transaction() as transaction:
        expect(transaction.load() == TWO, "the next transaction sees other credentials")
        transaction.remove()
    expect(probe.store.load() is None, "the store still holds what a transaction removed")


def transactions_exclude_each_other(probe: Probe) -> None:
    """While a transaction runs, no other thread can begin one: `StoreBusy` after its time-out."""
    _check_exclusion(probe, probe.store)


def other_writers_wait_for_a_transaction(probe: Probe) -> None:
    """While a transaction runs, `save` and `remove` of the store wait for its end."""
    probe.store.save(ONE)
    changes: tuple[Callable[[], object], ...] = (lambda: probe.store.save(KEY), probe.store.remove)
    for change in changes:
        with probe.store.transaction() as transaction:
            other = probe.start(change)
            expect(not other.has_succeeded_within(MOMENT), "a change has not waited")
            transaction.save(TWO)
            expect(transaction.load() == TWO, "the transaction sees the change of another thread")
        other.result()
        expect(probe.store.load() != TWO, "the change that has waited is lost")


def no_change_is_lost(probe: Probe) -> None:
    """Threads that each load and save in a transaction lose no change of each other."""
    probe.store.save(tokens_of("counted", account_id="0"))
    # A thread begins its next turn when all have ended this one, so that it must see the changes of the others.
    turn = threading.Barrier(_THREADS)

    def count() -> None:
        for _ in range(_TURNS):
            try:
                turn.wait(probe.patience)
            except threading.BrokenBarrierError:
                return
            with probe.store.transaction(timeout=probe.patience) as transaction:
                number = _number_in(transaction.load())
                time.sleep(0.001)  # so that another thread runs, if it can
                transaction.save(tokens_of("counted", account_id=str(number + 1)))

    def count_or_abort() -> None:
        try:
            count()
        except BaseException:
            # The others would wait for this thread.
            turn.abort()
            raise

    for call in [probe.start(count_or_abort) for _ in range(_THREADS)]:
        call.result()
    found = _number_in(probe.store.load())
    expect(found == _THREADS * _TURNS, f"{_THREADS * _TURNS} changes were made, and {found} are stored")


def reading_needs_no_lock(probe: Probe) -> None:
    """While a transaction runs, `load` returns at once: the credentials of before, or those that it has saved."""
    probe.store.save(ONE)
    with probe.store.transaction() as transaction:
        expect(probe.in_thread(probe.store.load) == ONE, "load returned other credentials than the stored ones")
        transaction.save(TWO)
        expect(probe.in_thread(probe.store.load) in (ONE, TWO), "load returned neither the old nor the new credentials")


def readers_see_whole_credentials(probe: Probe) -> None:
    """While credentials are replaced, `load` returns the old ones or the new ones, and nothing else."""
    probe.store.save(ONE)

    def write() -> None:
        for number in range(_SAVES):
            probe.store.save((TWO, ONE)[number % 2])

    writer = probe.start(write)
    while not writer.has_ended:
        expect(probe.store.load() in (ONE, TWO), "load returned neither the old nor the new credentials")
    writer.result()


def a_failed_transaction_changes_nothing(probe: Probe) -> None:
    """A block that raises before it has changed anything, or a change that raises `StoreError`, changes nothing."""
    probe.store.save(ONE)
    mine = _MineError()
    try:
        with probe.store.transaction() as transaction:
            transaction.load()
            raise mine
    except _MineError as error:
        expect(error is mine, "the block raised another exception than its own")
    else:
        expect(holds=False, found="the exception of the block is lost")
    expect(probe.store.load() == ONE, "other credentials are stored after a block that raised")
    with contextlib.suppress(StoreError), probe.store.transaction() as transaction:
        transaction.save(ELSEWHERE)
    expect(probe.store.load() == ONE, "other credentials are stored after a change that failed")


def a_transaction_that_raises_ends(probe: Probe) -> None:
    """A block that raises leaves the store unlocked, with all of the old credentials or all of the new ones."""
    probe.store.save(ONE)
    with contextlib.suppress(_MineError), probe.store.transaction() as transaction:
        transaction.save(TWO)
        raise _MineError
    expect(probe.store.load() in (ONE, TWO), "neither the old nor the new credentials are stored")
    with probe.store.transaction(timeout=SOON) as transaction:
        transaction.save(KEY)
    expect(probe.store.load() == KEY, "the next transaction has stored nothing")


def a_transaction_may_change_its_thread(probe: Probe) -> None:
    """A block may be entered in one thread, used in another and left in a third, as trio does it."""
    block = probe.store.transaction()
    transaction = probe.in_thread(block.__enter__)
    probe.in_thread(lambda: transaction.save(ONE))
    probe.in_thread(lambda: block.__exit__(None, None, None))
    expect(probe.store.load() == ONE, "what it saved is not stored")
    with probe.store.transaction(timeout=SOON):
        pass


def one_session_renews_at_a_time(probe: Probe) -> None:
    """While a block of `renewing` runs, no other can be entered: `StoreBusy` after its time-out."""
    _check_renewals(probe, probe.store)


def a_renewal_leaves_the_store_usable(probe: Probe) -> None:
    """While a block of `renewing` runs, its thread and every other can read and change the store."""
    with probe.store.renewing():
        probe.store.save(ONE)
        with probe.store.transaction(timeout=probe.patience) as transaction:
            transaction.save(TWO)
        expect(probe.in_thread(probe.store.load) == TWO, "another thread loads other credentials")
        expect(probe.in_thread(probe.store.remove) == TWO, "another thread removes other credentials")


def a_renewal_may_change_its_thread_and_raise(probe: Probe) -> None:
    """A block of `renewing` may be left in another thread than it was entered in, and by an exception."""
    block = probe.store.renewing()
    probe.in_thread(block.__enter__)
    probe.in_thread(lambda: block.__exit__(None, None, None))
    with contextlib.suppress(_MineError), probe.store.renewing(timeout=SOON):
        raise _MineError
    with probe.store.renewing(timeout=SOON):
        pass


# With another object for the same place


def another_object_sees_each_change(probe: Probe) -> None:
    """Another object for the same place, as another process has, loads what was saved, and nothing after a removal."""
    other = probe.reopen()
    for credentials in (ONE, TWO):
        probe.store.save(credentials)
        expect(other.load() == credentials, "the other object loads other credentials")
    expect(other.remove() == TWO, "the other object removes other credentials")
    expect(probe.store.load() is None, "the removal by the other object is not seen")


def transactions_exclude_those_of_another_object(probe: Probe) -> None:
    """Transactions of two objects for the same place exclude each other."""
    _check_exclusion(probe, probe.reopen())


def renewals_exclude_those_of_another_object(probe: Probe) -> None:
    """Blocks of `renewing` of two objects for the same place exclude each other."""
    _check_renewals(probe, probe.reopen())


def _check_exclusion(probe: Probe, other: SessionStore) -> None:
    with probe.store.transaction():
        probe.expect_busy(lambda: other.transaction(timeout=SOON), "a second transaction has begun")
    with other.transaction(timeout=probe.patience):
        pass


def _check_renewals(probe: Probe, other: SessionStore) -> None:
    with probe.store.renewing():
        probe.expect_busy(lambda: other.renewing(timeout=SOON), "a second block was entered")
    with other.renewing(timeout=probe.patience):
        pass


def _number_in(credentials: Credentials | None) -> int:
    expect(credentials is not None and credentials.tokens is not None, "the credentials are gone")
    assert credentials is not None
    assert credentials.tokens is not None
    return int(credentials.tokens.account_id or "0")


LOCKING = (
    a_transaction_reads_and_changes,
    transactions_exclude_each_other,
    other_writers_wait_for_a_transaction,
    no_change_is_lost,
    reading_needs_no_lock,
    readers_see_whole_credentials,
    a_failed_transaction_changes_nothing,
    a_transaction_that_raises_ends,
    a_transaction_may_change_its_thread,
    one_session_renews_at_a_time,
    a_renewal_leaves_the_store_usable,
    a_renewal_may_change_its_thread_and_raise,
)
SHARED = (
    another_object_sees_each_change,
    transactions_exclude_those_of_another_object,
    renewals_exclude_those_of_another_object,
)
