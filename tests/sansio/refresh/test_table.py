"""The table of a refresh is sound. The engine would notice most faults only when a row is fired."""

from __future__ import annotations

import ast
import inspect
from collections import defaultdict
from typing import get_args

import pytest

from loginmachine.sansio.refresh import effects, interpret, interpret_response
from loginmachine.sansio.refresh.events import RefreshEvent
from loginmachine.sansio.refresh.failures import (
    FINAL_CATEGORIES,
    REFRESH_CATALOGUE,
    REFRESH_FAILURES,
    SIGN_IN_REQUIRED,
    RefreshFailureCategory,
)
from loginmachine.sansio.refresh.interpretation import StoreRead
from loginmachine.sansio.refresh.state import RefreshData
from loginmachine.sansio.refresh.states import REFRESH_FINAL_STATES, RefreshState, RefreshTrigger
from loginmachine.sansio.refresh.table import REFRESH_ROWS, RefreshRow

from .samples import EVENTS, PATHS, machine_in


def cells() -> dict[tuple[RefreshTrigger, RefreshState], list[RefreshRow]]:
    """Return the rows for each trigger in each state, from top to bottom."""
    found: defaultdict[tuple[RefreshTrigger, RefreshState], list[RefreshRow]] = defaultdict(list)
    for row in REFRESH_ROWS:
        for source in row.source:
            found[row.trigger, source].append(row)
    return found


def reachable_from(state: RefreshState) -> set[RefreshState]:
    seen = {state}
    while True:
        more = {row.dest for row in REFRESH_ROWS if row.dest is not None and seen & set(row.source)} - seen
        if not more:
            return seen
        seen |= more


def test_every_guard_and_effect_is_in_the_table() -> None:
    defined = {
        function
        for name, function in inspect.getmembers(effects, inspect.isfunction)
        if function.__module__ == effects.__name__ and not name.startswith("_")
    }
    assert defined == {row.effect for row in REFRESH_ROWS} | {row.guard for row in REFRESH_ROWS if row.guard}


def test_the_last_row_of_a_cell_has_no_guard_and_no_other_row_is_without() -> None:
    for (trigger, state), rows in cells().items():
        assert rows[-1].guard is None, f"{trigger} in {state} can be refused by every guard"
        assert all(row.guard for row in rows[:-1]), f"{trigger} in {state} has a row that is never reached"
        assert len({row.guard for row in rows}) == len(rows)


@pytest.mark.parametrize("state", PATHS)
def test_guards_change_nothing(state: str) -> None:
    refresh = machine_in(state)._refresh
    before = {name: getattr(refresh, name) for name in RefreshData.__slots__}
    for guard in {row.guard for row in REFRESH_ROWS if row.guard}:
        guard(refresh, StoreRead(trigger=RefreshTrigger.REFRESH_DUE))
    assert {name: getattr(refresh, name) for name in RefreshData.__slots__} == before


@pytest.mark.parametrize("state", RefreshState)
def test_every_state_can_be_reached_and_ends(state: RefreshState) -> None:
    assert state in reachable_from(RefreshState.IDLE)
    assert reachable_from(state) & set(REFRESH_FINAL_STATES)


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_a_final_state_is_never_left(state: str) -> None:
    assert RefreshState(state) in REFRESH_FINAL_STATES
    assert reachable_from(RefreshState(state)) == {RefreshState(state)}


def test_tokens_are_sent_and_stored_under_the_lock_only() -> None:
    into = {
        dest: {source for row in REFRESH_ROWS if row.dest == dest for source in row.source}
        for dest in (
            "reading_again",
            "saving_mark",
            "fetching_keys",
            "exchanging_refresh_token",
            "reading_before_saving",
            "reading_after_refusal",
            "saving_credentials",
        )
    }
    assert into == {
        "reading_again": {"locking"},
        "saving_mark": {"reading_again"},
        "fetching_keys": {"reading_again", "reading_before_saving", "saving_credentials"},
        "exchanging_refresh_token": {"reading_again", "fetching_keys", "saving_mark"},
        "reading_before_saving": {"exchanging_refresh_token", "fetching_keys"},
        "reading_after_refusal": {"exchanging_refresh_token"},
        "saving_credentials": {"reading_again", "reading_before_saving"},
    }
    assert [row.source for row in REFRESH_ROWS if row.trigger == "lock_taken"] == [("locking",)]


@pytest.mark.parametrize("trigger", RefreshTrigger)
def test_every_trigger_has_a_row_and_an_interpreter(trigger: RefreshTrigger) -> None:
    assert any(row.trigger is trigger for row in REFRESH_ROWS)
    used = {
        node.attr
        for module in (interpret, interpret_response)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "RefreshTrigger"
    }
    assert trigger.name in used


def test_every_row_that_fails_says_what_failed() -> None:
    for row in REFRESH_ROWS:
        fails = row.effect in (effects.fail, effects.fail_for_good, effects.end_sign_in)
        assert (row.dest is RefreshState.FAILED) == fails
        # (After a refusal, the failure is known before.)
        assert not fails or row.trigger in REFRESH_FAILURES or row.source == (RefreshState.READING_AFTER_REFUSAL,)


def test_every_category_has_a_text_and_a_row() -> None:
    assert set(REFRESH_CATALOGUE) == set(RefreshFailureCategory) == set(REFRESH_FAILURES.values())
    assert set(SIGN_IN_REQUIRED) < set(FINAL_CATEGORIES)
    assert [str(category) for category in FINAL_CATEGORIES] == [
        "not_signed_in",
        "refresh_token_missing",
        "refresh_token_rejected",
        "account_changed",
        "credentials_unreadable",
        "credentials_unsupported",
        "client_refused",
        "provider_mismatch",
    ]


def test_every_event_type_is_handled() -> None:
    assert {type(event) for event in EVENTS.values()} == set(get_args(RefreshEvent))


def test_every_event_type_has_an_interpreter_of_its_own() -> None:
    interpreters = interpret._INTERPRETERS
    assert set(interpreters) == set(get_args(RefreshEvent))
    for kind, interpreter in interpreters.items():
        parameter = next(iter(inspect.get_annotations(interpreter)))
        assert interpreter.__annotations__[parameter] == kind.__name__
