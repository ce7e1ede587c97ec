"""A sample of the schedules of ``python -m tests.fleet``, and what a wrong machine or server does to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.sansio.lease.states import LeaseState, LeaseTrigger
from loginmachine.sansio.lease.table import extend, hold
from tests.model.lease.subject import LEASE
from tests.model.mutants import changed, running
from tests.sansio.rules import BrokenRuleError

from .server import Server
from .worker import schedule

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine.sansio.lease.state import LeaseData
    from loginmachine.sansio.lease.table import LeaseRow

SEEDS = range(6)
"""Schedules with 1,000 workers. Fewer are enough to see what is wrong."""
FEW = 100
MANY_SEEDS = range(100_000, 100_060)


def broken_rules(*, is_bounded: bool) -> str:
    """Return what is broken in some schedules."""
    for seed in MANY_SEEDS:
        try:
            schedule(seed, is_bounded=is_bounded, workers=FEW)
        except BrokenRuleError as error:
            return str(error)
    return ""


@pytest.mark.parametrize("seed", SEEDS)
def test_with_bounded_faults_each_refresh_token_is_sent_once(seed: int) -> None:
    world = schedule(seed, is_bounded=True)
    assert sum(world.results.values()) == 1000
    assert [token for token, uses in world.sent.items() if len(uses) > 1] == []
    # Tokens that were received were stored: with these faults, none is lost.
    assert set(world.sent) == world.replaced


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_happens_no_two_refreshes_with_one_token_are_stored(seed: int) -> None:
    world = schedule(seed, is_bounded=False)
    assert sum(world.results.values()) == 1000
    assert world.replaced <= set(world.sent)


def test_the_same_seed_gives_the_same_schedule() -> None:
    one, other = (schedule(7, is_bounded=False, workers=FEW) for _ in range(2))
    assert (one.now, one.results, one.parents) == (other.now, other.results, other.parents)


# The rules can fail


def always(trigger: LeaseTrigger, source: LeaseState, effect: Callable[[LeaseData, Any], None]) -> tuple[LeaseRow, ...]:
    """Return the table with one row for an event, which leads to a lease that is held."""
    mutant = changed(LEASE, trigger, source, leads=LeaseState.HELD, does=effect)
    return tuple(row for row in mutant.rows if row.guard is None or row.trigger is not trigger)


def test_a_worker_that_does_not_renew_is_noticed() -> None:
    def hold_only(lease: LeaseData, event: Any) -> None:
        hold(lease, event)
        lease.out.clear()

    with running(LEASE, always(LeaseTrigger.LEASE_GRANTED, LeaseState.TAKING, hold_only)):
        assert "a refresh token was sent twice" in broken_rules(is_bounded=True)


def test_a_worker_that_counts_from_the_answer_is_noticed() -> None:
    def extend_from_now(lease: LeaseData, event: Any) -> None:
        lease.asked_at = event.at + 3 * lease.times.length
        extend(lease, event)

    with running(LEASE, always(LeaseTrigger.LEASE_RENEWED, LeaseState.RENEWING, extend_from_now)):
        assert "two workers have a valid lease" in broken_rules(is_bounded=False)


def test_a_server_that_grants_too_much_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def take(server: Server, length: float) -> int:
        server.fence += 1
        server.ends_at = server.now + length
        return server.fence

    monkeypatch.setattr(Server, "take", take)
    assert "two workers have a valid lease" in broken_rules(is_bounded=True)


def test_a_server_that_compares_nothing_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def write(server: Server, version: int, _: int | None, value: int) -> str:
        server.version, server.value = version + 1, value
        return "written"

    monkeypatch.setattr(Server, "write", write)
    assert "that do not follow the stored ones" in broken_rules(is_bounded=False)
