"""Properties of a store: what is saved, loaded and removed, and what is shown of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...drivers.errors import StoreError
from ...drivers.stores.protocols import RefusalStore
from ...sansio.refresh.failures import RefreshFailureCategory
from ...sansio.refresh.outcome import Refusal
from .probe import SOON, NotHeldError, expect, expect_no_secret, shown_by
from .samples import ELSEWHERE, KEY, ONE, TWO, samples

if TYPE_CHECKING:
    from .probe import Probe


def nothing_is_loaded_from_an_empty_store(probe: Probe) -> None:
    """When nothing is stored, `load` and `remove` return None."""
    expect(probe.store.load() is None, "load returned something")
    expect(probe.store.remove() is None, "remove returned something")
    expect(probe.store.load() is None, "load returned something after remove")


def what_is_saved_is_loaded(probe: Probe) -> None:
    """`load` returns credentials that are equal to those that were saved."""
    for what, credentials in samples().items():
        probe.store.remove()
        probe.store.save(credentials)
        expect(probe.store.load() == credentials, f"{what}: other credentials were loaded")


def a_save_replaces_everything(probe: Probe) -> None:
    """`save` leaves nothing of the credentials that it replaces."""
    for credentials in (ONE, KEY, TWO, ONE):
        probe.store.save(credentials)
        expect(probe.store.load() == credentials, "load returned a mixture, or the old credentials")


def a_save_returns_what_it_replaced(probe: Probe) -> None:
    """`save` returns the credentials that it replaced, or None. What it returns is revoked."""
    expect(probe.store.save(ONE) is None, "save returned something, and nothing had been stored")
    expect(probe.store.save(TWO) in (None, ONE), "save returned other credentials than those that it replaced")
    with probe.store.transaction() as transaction:
        expect(transaction.save(ONE) in (None, TWO), "in a transaction, save returned other credentials")


def a_remove_returns_what_it_removed(probe: Probe) -> None:
    """`remove` returns the credentials that were stored. What it returns is revoked."""
    probe.store.save(ONE)
    expect(probe.store.remove() == ONE, "remove returned other credentials, or None")


def nothing_is_left_after_a_remove(probe: Probe) -> None:
    """After `remove`, nothing is stored."""
    probe.store.save(ONE)
    probe.store.remove()
    expect(probe.store.load() is None, "load returned credentials")
    expect(probe.store.remove() is None, "a second remove returned credentials")


def every_thread_may_call(probe: Probe) -> None:
    """Each method may be called in any thread, as sessions do."""
    probe.in_thread(lambda: probe.store.save(ONE))
    expect(probe.in_thread(probe.store.load) == ONE, "another thread loads other credentials")
    expect(probe.in_thread(probe.store.remove) == ONE, "another thread removes other credentials")
    expect(probe.store.load() is None, "credentials are left for the first thread")


def a_check_changes_nothing(probe: Probe) -> None:
    """`check`, if the store has it, passes for a store that can be used, and changes nothing."""
    check = getattr(probe.store, "check", None)
    if check is None:
        return
    check()
    expect(probe.store.load() is None, "something is stored after it")
    probe.store.save(ONE)
    check()
    expect(probe.store.load() == ONE, "other credentials are stored after it")


def another_issuers_credentials_are_kept(probe: Probe) -> None:
    """Saving raises `StoreError` if the stored credentials are from another issuer, and keeps those."""
    probe.store.save(ONE)
    for save in (probe.store.save, probe.in_transaction_save):
        try:
            save(ELSEWHERE)
        except StoreError as error:
            expect_no_secret(shown_by(error), "the error")
        else:
            raise NotHeldError("they were replaced")
        expect(probe.store.load() == ONE, "the stored credentials have changed")


def no_secret_is_shown(probe: Probe) -> None:
    """The `repr` of the store, of a transaction and of an error holds no secret."""
    probe.store.save(ONE)
    probe.store.load()
    expect_no_secret(f"{probe.store!r} {probe.store}", "the repr of the store")
    with probe.store.transaction() as transaction:
        transaction.save(TWO)
        expect_no_secret(f"{transaction!r} {transaction}", "the repr of a transaction")
        try:
            probe.in_thread(lambda: probe.store.transaction(timeout=SOON).__enter__())
        except StoreError as error:
            expect_no_secret(shown_by(error), "the error of a store that is locked")


def a_refusal_is_remembered(probe: Probe) -> None:
    """`load_refusal`, if the store has it, returns what `save_refusal` saved last."""
    if isinstance(probe.store, RefusalStore):
        for digest in ("a" * 64, "b" * 64):
            refusal = Refusal(digest=digest, category=RefreshFailureCategory.REFRESH_TOKEN_REJECTED)
            with probe.store.renewing():
                probe.store.save_refusal(refusal)
            expect(probe.store.load_refusal() == refusal, "load_refusal returned another one")


CONTENTS = (
    nothing_is_loaded_from_an_empty_store,
    what_is_saved_is_loaded,
    a_save_replaces_everything,
    a_save_returns_what_it_replaced,
    nothing_is_left_after_a_remove,
    a_remove_returns_what_it_removed,
    every_thread_may_call,
    a_check_changes_nothing,
    another_issuers_credentials_are_kept,
    no_secret_is_shown,
    a_refusal_is_remembered,
)
