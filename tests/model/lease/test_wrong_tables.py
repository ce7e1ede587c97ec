"""The rules and the proof of a lease can fail: each of these tables is wrong in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.sansio.lease.actions import ReturnLease
from loginmachine.sansio.lease.states import LeaseState, LeaseTrigger
from loginmachine.sansio.lease.table import end, extend, give_back, renew, take, wait
from tests.model.explorer import explore
from tests.model.mutants import changed, running
from tests.model.proofs import endings

from .subject import LEASE
from .worlds import WORLDS

if TYPE_CHECKING:
    from loginmachine.sansio.lease.state import LeaseData
    from tests.model.mutants import Mutant

S, T = LeaseState, LeaseTrigger


def wait_twice(lease: LeaseData, event: Any) -> None:
    wait(lease, event)
    wait(lease, event)


def extend_from_now(lease: LeaseData, event: Any) -> None:
    lease.asked_at = event.at
    extend(lease, event)


def renew_another(lease: LeaseData, event: Any) -> None:
    lease.fence = "8"
    renew(lease, event)


def return_without_a_grant(lease: LeaseData, event: Any) -> None:
    end(lease, event)
    lease.out.append(ReturnLease(fence="7"))


def stay_valid(lease: LeaseData, _: Any) -> None:
    lease.out.append(ReturnLease(fence=lease.fence))


def change(trigger: LeaseTrigger, source: LeaseState, **how: Any) -> Mutant:
    return changed(LEASE, trigger, source, **how)


WRONG = {
    "two waits": (change(T.NO_ANSWER, S.RENEWING, does=wait_twice), "rule L1"),
    "nothing is asked": (change(T.WAIT_OVER, S.WAITING, does=end), "rule L1"),
    "the lease counts from the answer": (change(T.LEASE_RENEWED, S.RENEWING, does=extend_from_now), "rule L2"),
    "a late grant counts": (change(T.LEASE_GRANTED, S.TAKING, leads=S.HELD, does=extend), "rule L[23]"),
    "a returned lease stays valid": (change(T.LEASE_UNWANTED, S.HELD, does=stay_valid), "rule L2"),
    "the lease of another is renewed": (change(T.WAIT_OVER, S.HELD, does=renew_another), "rule L3"),
    "a lease that is held is taken again": (change(T.WAIT_OVER, S.HELD, leads=S.TAKING, does=take), "rule L3"),
    "a lease that was not granted is returned": (
        change(T.LEASE_UNWANTED, S.WAITING, does=return_without_a_grant),
        "rule L[34]",
    ),
    "a lease is not returned": (change(T.LEASE_UNWANTED, S.RENEWING, does=end), "rule L4"),
    "a lost lease is returned": (change(T.LEASE_SUPERSEDED, S.RENEWING, does=give_back), "rule L4"),
    "a worker gives up too early": (change(T.WAIT_OVER, S.WAITING, leads=S.BUSY, does=end), "rule L5"),
    "a lease is lost in silence": (change(T.NO_ANSWER, S.RENEWING, leads=S.LOST, does=end), "rule L5"),
    "an honest host is refused": (change(T.LEASE_REFUSED, S.TAKING, leads=S.TAKING, does=wait), "UnexpectedEvent|rule"),
}


@pytest.mark.parametrize(("mutant", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_table_breaks_a_rule(mutant: Mutant, words: str) -> None:
    with running(LEASE, mutant.rows), pytest.raises(AssertionError, match=words):
        explore(LEASE, WORLDS[0], 1, honest=True)


def test_a_lease_that_is_asked_for_without_an_end_is_found() -> None:
    """The rules hold at each step. Only the graph shows that silence keeps the worker asking for ever."""

    def ask_again(lease: LeaseData, event: Any) -> None:
        renew(lease, event)

    mutant = change(T.NO_ANSWER, S.RENEWING, leads=S.RENEWING, does=ask_again)
    with running(LEASE, mutant.rows):
        graph = explore(LEASE, WORLDS[0], 1, honest=True)
    with pytest.raises(AssertionError, match="answers alone can keep a machine going for ever"):
        endings(graph)
