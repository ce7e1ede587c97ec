"""A lease: the table is sound, each event does what it should in each state, and a lease is valid for long enough."""

from __future__ import annotations

import pytest

from loginmachine.sansio import UnexpectedEvent
from loginmachine.sansio.lease import LeaseMachine
from loginmachine.sansio.lease.actions import LeaseAction, RenewLease, ReturnLease, TakeLease, Wait
from loginmachine.sansio.lease.events import (
    LeaseEvent,
    LeaseGranted,
    LeaseRefused,
    LeaseRenewed,
    LeaseSuperseded,
    LeaseUnwanted,
    LeaseWanted,
    NoAnswer,
    WaitOver,
)
from loginmachine.sansio.lease.state import LeaseData, LeaseTimes
from loginmachine.sansio.lease.states import LEASE_FINAL_STATES, LeaseState, LeaseTrigger
from loginmachine.sansio.lease.table import LEASE_ROWS

TIMES = LeaseTimes(length=24.0)
"""Usable for 6 s, renewed after 2 s, with 2 s for each answer."""
TAKE, PAUSE, RENEWAL = TakeLease(timeout=2.0), Wait(seconds=0.1), Wait(seconds=2.0)
RENEW, RETURN = RenewLease(fence="7", timeout=2.0), ReturnLease(fence="7")
WANTED = LeaseWanted(at=100.0, patience=5.0)
GRANTED = LeaseGranted(at=101.0, fence="7")
DUE = WaitOver(at=103.0)

PATHS: dict[str, tuple[LeaseEvent, ...]] = {
    "idle": (),
    "taking": (WANTED,),
    "waiting": (WANTED, LeaseRefused(at=101.0)),
    "held": (WANTED, GRANTED),
    "renewing": (WANTED, GRANTED, DUE),
    "returned": (WANTED, GRANTED, LeaseUnwanted(at=102.0)),
    "busy": (WANTED, LeaseRefused(at=105.0)),
    "lost": (WANTED, GRANTED, DUE, LeaseSuperseded(at=105.0)),
    "unreachable": (WANTED, NoAnswer(at=103.0)),
}
EVENTS: dict[str, LeaseEvent] = {
    "wanted": WANTED,
    "granted": LeaseGranted(at=104.5, fence="7"),
    "refused": LeaseRefused(at=104.5),
    "renewed": LeaseRenewed(at=104.5),
    "superseded": LeaseSuperseded(at=104.5),
    "no_answer": NoAnswer(at=104.5),
    "wait_over": WaitOver(at=104.5),
    "unwanted": LeaseUnwanted(at=104.5),
}
EXPECTED: dict[tuple[str, str], tuple[str, list[LeaseAction]]] = {
    ("idle", "wanted"): ("taking", [TAKE]),
    ("idle", "unwanted"): ("returned", []),
    ("taking", "granted"): ("held", [RENEWAL]),
    ("taking", "refused"): ("waiting", [PAUSE]),
    ("taking", "no_answer"): ("unreachable", []),
    ("taking", "unwanted"): ("returned", []),
    ("waiting", "wait_over"): ("taking", [TAKE]),
    ("waiting", "unwanted"): ("returned", []),
    ("held", "wait_over"): ("renewing", [RENEW]),
    ("held", "unwanted"): ("returned", [RETURN]),
    ("renewing", "renewed"): ("held", [RENEWAL]),
    ("renewing", "superseded"): ("lost", []),
    ("renewing", "no_answer"): ("held", [PAUSE]),
    ("renewing", "unwanted"): ("returned", [RETURN]),
}


def machine_after(*events: LeaseEvent) -> LeaseMachine:
    machine = LeaseMachine(TIMES)
    for event in events:
        machine.handle(event)
    return machine


@pytest.mark.parametrize("state", PATHS)
@pytest.mark.parametrize("event", EVENTS)
def test_each_event_in_each_state(state: str, event: str) -> None:
    machine = machine_after(*PATHS[state])
    assert (machine.state, repr(machine)) == (state, f"<LeaseMachine {state}>")
    assert machine.is_over is (state in LEASE_FINAL_STATES)
    if machine.is_over:
        assert machine.handle(EVENTS[event]) == []
    elif (state, event) in EXPECTED:
        after, actions = EXPECTED[state, event]
        assert machine.handle(EVENTS[event]) == actions
        assert machine.state == after
        return
    else:
        with pytest.raises(UnexpectedEvent):
            machine.handle(EVENTS[event])
    assert machine.state == state


def test_the_table_is_sound() -> None:
    assert {state for row in LEASE_ROWS for state in (*row.source, *((row.dest,) if row.dest else ()))} == set(
        LeaseState
    )
    assert {row.trigger for row in LEASE_ROWS} == set(LeaseTrigger) == {event.trigger for event in EVENTS.values()}
    assert [row for row in LEASE_ROWS if set(LEASE_FINAL_STATES) & set(row.source)] == []
    assert all(row.effect.__doc__ for row in LEASE_ROWS)
    last = {(source, row.trigger): row.guard for row in LEASE_ROWS for source in row.source}
    assert set(last.values()) == {None}


def test_a_lease_is_valid_for_a_quarter_of_its_length() -> None:
    machine = machine_after(WANTED)
    assert not machine.is_valid(100.0)
    assert machine.fence == ""
    machine.handle(GRANTED)
    assert machine.fence == "7"
    assert [machine.is_valid(at) for at in (101.0, 105.9, 106.0, 1e9)] == [True, True, False, False]
    machine.handle(DUE)
    assert [machine.is_valid(at) for at in (105.9, 106.0)] == [True, False]
    machine.handle(LeaseRenewed(at=105.0))
    assert [machine.is_valid(at) for at in (108.9, 109.0)] == [True, False]


@pytest.mark.parametrize("state", ["idle", "taking", "waiting", "returned", "busy", "lost", "unreachable"])
def test_a_lease_that_is_not_held_is_never_valid(state: str) -> None:
    machine = machine_after(*PATHS[state])
    assert [machine.is_valid(at) for at in (-1e9, 0.0, 100.0, 105.0)] == [False] * 4


def test_a_grant_that_comes_too_late_is_renewed_before_it_is_used() -> None:
    machine = machine_after(WANTED)
    assert machine.handle(LeaseGranted(at=106.0, fence="7")) == [RENEW]
    assert (machine.state, machine.is_valid(106.0)) == ("renewing", False)
    assert machine.handle(LeaseRenewed(at=111.9)) == [RENEWAL]
    assert [machine.is_valid(at) for at in (111.9, 112.0)] == [True, False]


def test_a_renewal_that_comes_too_late_is_asked_for_again() -> None:
    machine = machine_after(WANTED, GRANTED, DUE)
    assert machine.handle(LeaseRenewed(at=110.0)) == [RENEW]
    assert (machine.state, machine.is_valid(110.0)) == ("renewing", False)
    assert machine.handle(LeaseRenewed(at=111.0)) == [RENEWAL]
    assert [machine.is_valid(at) for at in (115.9, 116.0)] == [True, False]


def test_without_renewals_a_lease_ends_early_for_the_worker() -> None:
    machine = machine_after(WANTED, GRANTED)
    for at in (102.0, 103.0, 104.0, 105.0):
        assert machine.handle(WaitOver(at=at)) == [RENEW]
        assert machine.handle(NoAnswer(at=at + 0.9)) == [PAUSE]
    assert [machine.is_valid(at) for at in (105.95, 106.0)] == [True, False]


@pytest.mark.parametrize(
    ("events", "event"),
    [
        ((), LeaseWanted(at=float("nan"), patience=1.0)),
        ((), LeaseWanted(at=float("inf"), patience=1.0)),
        ((), LeaseWanted(at=1.0, patience=-1.0)),
        ((), LeaseWanted(at=1.0, patience=float("nan"))),
        ((), LeaseWanted(at=1.0, patience=float("inf"))),
        ((WANTED,), LeaseGranted(at=99.9, fence="7")),
        ((WANTED,), LeaseGranted(at=101.0, fence="")),
        ((WANTED, GRANTED), LeaseUnwanted(at=100.9)),
    ],
)
def test_an_event_that_cannot_be_true_is_refused(events: tuple[LeaseEvent, ...], event: LeaseEvent) -> None:
    machine = machine_after(*events)
    before = machine.snapshot()
    with pytest.raises(UnexpectedEvent):
        machine.handle(event)
    assert machine.snapshot() == before


@pytest.mark.parametrize("state", PATHS)
def test_a_snapshot_can_be_restored(state: str) -> None:
    machine = machine_after(*PATHS[state])
    snapshot = machine.snapshot()
    again = LeaseMachine.restore(TIMES, snapshot)
    machine.handle(LeaseUnwanted(at=104.5))
    assert (again.state, again.snapshot()) == (state, snapshot)
    assert again.handle(LeaseUnwanted(at=104.5)) == LeaseMachine.restore(TIMES, snapshot).handle(
        LeaseUnwanted(at=104.5)
    )
    assert again.snapshot() == machine.snapshot()


def test_patience() -> None:
    machine = machine_after(WANTED)
    for at in (101.0, 104.9):
        assert machine.handle(LeaseRefused(at=at)) == [PAUSE]
        assert machine.handle(WaitOver(at=at)) == [TAKE]
    assert machine.handle(LeaseRefused(at=105.0)) == []
    assert machine.state == "busy"
    impatient = machine_after(LeaseWanted(at=100.0, patience=0.0), LeaseRefused(at=100.0))
    assert impatient.state == "busy"


def test_the_times_of_a_short_lease() -> None:
    times = LeaseTimes(length=0.6)
    found = (times.usable, times.renewal, times.timeout, times.pause)
    assert [round(each, 3) for each in found] == [0.15, 0.06, 0.075, 0.05]
    assert LeaseTimes().length == 20.0
    # A worker that renews, and gets no answer, can ask again before the lease ends for it.
    assert times.renewal + times.timeout < times.usable


def test_what_the_engine_logs() -> None:
    assert repr(LeaseData(TIMES)) == "<Lease idle>"
