"""Every event in every state, and the rules that always hold for a refresh."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import RefreshMachine, Secret, UnexpectedEvent
from loginmachine.sansio.login.actions import SaveCredentials, SendTokenRequest
from loginmachine.sansio.refresh.actions import Deliver
from loginmachine.sansio.refresh.events import LoadFailed
from loginmachine.sansio.refresh.outcome import Delivery, RefreshSuccess, lifetime_of
from loginmachine.sansio.refresh.state import RefreshData

from ..samples import NOW, everything_in
from .samples import (
    API_KEY_ONLY,
    CANARIES,
    DAY,
    EVENTS,
    FORCED,
    OPAQUE,
    PATHS,
    WANTED,
    access,
    answered,
    loaded,
    machine,
    machine_in,
    rejected,
    stored,
    tell,
    unanswered,
)

if TYPE_CHECKING:
    from loginmachine.sansio.refresh.events import AccessTokenWanted

READ = {"loaded", "load_failed"}
LEGAL: dict[str, set[str]] = {
    "idle": {"wanted"},
    "reading": READ,
    "locking": {"lock_taken", "lock_busy", "lock_failed"},
    "reading_while_waiting": READ,
    "reading_again": READ,
    "exchanging_refresh_token": {"answered", "unanswered"},
    "reading_before_saving": READ,
    "reading_after_refusal": READ,
    "saving_credentials": {"saved", "save_failed"},
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", LEGAL)
def test_every_event_in_every_state(state: str, event: str) -> None:
    refresh = machine_in(state)
    if event in LEGAL[state]:
        assert refresh.handle(EVENTS[event])
        assert refresh.state != state
        return
    before = everything_of(refresh)
    with pytest.raises(UnexpectedEvent, match=f"{type(EVENTS[event]).__name__} makes no sense in state {state}$"):
        refresh.handle(EVENTS[event])
    assert everything_of(refresh) == before


def everything_of(refresh: RefreshMachine) -> list[object]:
    return [copy.copy(getattr(refresh._refresh, name)) for name in RefreshData.__slots__]


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_after_the_outcome_every_event_is_ignored(state: str, event: str) -> None:
    refresh = machine_in(state)
    outcome = refresh.outcome
    assert refresh.handle(EVENTS[event]) == []
    assert (refresh.state, refresh.outcome) == (state, outcome)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        ("reading", loaded(None, at=-1.0)),
        ("reading", loaded(None, at=float("nan"))),
        ("reading", LoadFailed(failed_at=float("nan"), message="no")),
        ("exchanging_refresh_token", answered(at=1e12)),
        ("exchanging_refresh_token", answered().__replace__(exchange_id=2)),
        ("exchanging_refresh_token", unanswered().__replace__(exchange_id=0)),
    ],
)
def test_impossible_times_and_answers_are_unexpected(state: str, event: Any) -> None:
    refresh = machine_in(state)
    with pytest.raises(UnexpectedEvent):
        refresh.handle(event)
    assert refresh.state == state


# Secrets and memory


def test_an_unexpected_event_shows_no_secret() -> None:
    refresh = machine_in("reading_before_saving")
    with pytest.raises(UnexpectedEvent) as caught:
        refresh.handle(answered())
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert not [canary for canary in CANARIES if canary in shown]


def test_only_requests_saves_and_deliveries_hold_a_secret() -> None:
    for state in PATHS:
        for action in tell(machine(), *PATHS[state]):
            held = [canary for canary in CANARIES if canary in everything_in(action)]
            assert not held or isinstance(action, (SendTokenRequest, SaveCredentials, Deliver))
    (sent,) = [
        action for action in tell(machine(), *PATHS["exchanging_refresh_token"]) if isinstance(action, SendTokenRequest)
    ]
    assert [canary for canary in CANARIES if canary in everything_in(sent)] == ["canary-old-refresh"]


def test_refreshes_die_by_reference_count_alone() -> None:
    gc.collect()
    gc.disable()
    try:
        before = sum(isinstance(thing, RefreshData) for thing in gc.get_objects())
        for state in PATHS:
            machine_in(state)
        assert sum(isinstance(thing, RefreshData) for thing in gc.get_objects()) == before
    finally:
        gc.enable()


def test_a_failure_can_be_pickled_and_an_outcome_with_a_token_cannot() -> None:
    failure = machine_in("failed").outcome
    assert pickle.loads(pickle.dumps(failure)) == failure
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(machine_in("succeeded").outcome)


def test_the_same_events_give_the_same_actions() -> None:
    for path in PATHS.values():
        assert tell(machine(), *path) == tell(machine(), *path)


# How long a token can be delivered again


@pytest.mark.parametrize(
    ("token", "refresh_token", "last_refresh", "due", "end"),
    [
        # 300 s before the end; a tenth of a life of 1,000 s before it; without an expiry after eight days.
        (access(3600, "x"), "r", "2026-11-18T10:06:40Z", NOW + 3300, NOW + 3600),
        (access(600, "x"), "r", "2026-11-18T11:00:00Z", NOW + 500, NOW + 600),
        (access(3600, "x"), "r", None, NOW + 3300, NOW + 3600),
        (OPAQUE, "r", "2026-11-18T11:06:40Z", NOW + 8 * DAY, math.inf),
        (OPAQUE, "r", None, math.inf, math.inf),
        # Without a refresh token nothing is refreshed.
        (access(3600, "x"), "", "2026-11-18T10:06:40Z", NOW + 3600, NOW + 3600),
    ],
)
def test_how_long_a_token_lasts(
    token: str, refresh_token: str, last_refresh: str | None, due: float, end: float
) -> None:
    held = stored(token, refresh_token, last_refresh=last_refresh)
    success = RefreshSuccess(credentials=held, token=Secret(token), delivery=Delivery.CURRENT)
    assert lifetime_of(success) == (due, end)


def test_an_api_key_lasts_for_ever() -> None:
    for held in (API_KEY_ONLY, stored(access(3600, "x"))):
        success = RefreshSuccess(credentials=held, token=Secret("sk-canary-key"), delivery=Delivery.CURRENT)
        assert lifetime_of(success) == (math.inf, math.inf)


@pytest.mark.parametrize(
    ("token", "last_refresh", "wanted", "is_usable"),
    [
        (access(30, "x"), "2026-11-18T10:00:00Z", WANTED, True),
        (access(29, "x"), "2026-11-18T10:00:00Z", WANTED, False),
        (OPAQUE, "2026-11-01T00:00:00Z", WANTED, True),
        # It is not due.
        (access(3600, "x"), "2026-11-18T10:00:00Z", WANTED, False),
        (access(60, "x"), "2026-11-18T10:00:00Z", FORCED, False),
        (access(60, "x"), "2026-11-18T10:00:00Z", rejected(access(60, "x")), False),
    ],
)
def test_whether_callers_need_not_wait(
    token: str, last_refresh: str, wanted: AccessTokenWanted, *, is_usable: bool
) -> None:
    refresh, held = machine(), stored(token, last_refresh=last_refresh)
    assert refresh.usable_for(30) is None
    tell(refresh, wanted, loaded(held))
    usable = RefreshSuccess(credentials=held, token=Secret(token), delivery=Delivery.CURRENT)
    assert refresh.usable_for(30) == (usable if is_usable else None)
