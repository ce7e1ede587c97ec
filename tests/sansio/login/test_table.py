"""The table's own soundness: what the engine would only find out when a row is fired."""

from __future__ import annotations

import ast
import inspect
from collections import defaultdict
from typing import get_args

import pytest

from loginmachine.sansio.callback import pasted
from loginmachine.sansio.callback import requests as routes
from loginmachine.sansio.login import interpret as interpret_module
from loginmachine.sansio.login import interpret_device, interpret_tokens
from loginmachine.sansio.login.device_effects import DeviceCodeEffects
from loginmachine.sansio.login.effects import Login
from loginmachine.sansio.login.events import Event
from loginmachine.sansio.login.failures import FAILURES
from loginmachine.sansio.login.states import LoginState, Trigger
from loginmachine.sansio.login.table import FINAL_STATES, ROWS, Row
from loginmachine.sansio.oauth import device_code

from ..samples import OPTIONS, PATHS, SECRETS, machine_in
from .test_machine import EVENTS


def cells() -> dict[tuple[Trigger, LoginState], list[Row]]:
    """The rows for one trigger in one state, from top to bottom."""
    found: defaultdict[tuple[Trigger, LoginState], list[Row]] = defaultdict(list)
    for row in ROWS:
        for source in row.source:
            found[row.trigger, source].append(row)
    return found


def reachable_from(state: LoginState) -> set[LoginState]:
    seen = {state}
    while True:
        more = {row.dest for row in ROWS if row.dest is not None and seen & set(row.source)} - seen
        if not more:
            return seen
        seen |= more


def test_every_name_in_the_table_is_a_method_of_the_login() -> None:
    login = Login(OPTIONS, SECRETS)
    for row in ROWS:
        assert callable(getattr(login, row.effect))
        assert not row.guard or callable(getattr(login, row.guard))


def test_every_method_of_the_login_is_in_the_table() -> None:
    public = {name for kind in (Login, DeviceCodeEffects) for name in vars(kind) if not name.startswith("_")}
    assert public - {row.effect for row in ROWS} - {row.guard for row in ROWS} == set()


def test_the_last_row_of_a_cell_has_no_guard_and_no_other_row_is_without() -> None:
    for (trigger, state), rows in cells().items():
        assert rows[-1].guard == "", f"{trigger} in {state} can be refused by every guard"
        assert all(row.guard for row in rows[:-1]), f"{trigger} in {state} has a row that is never reached"


def test_guards_change_nothing() -> None:
    for state in PATHS:
        login = machine_in(state)
        before = login.snapshot()
        for guard in {row.guard for row in ROWS} - {""}:
            getattr(login._login, guard)(None)
        assert login.snapshot() == before


@pytest.mark.parametrize("state", LoginState)
def test_every_state_can_be_reached(state: LoginState) -> None:
    assert state in reachable_from(LoginState.IDLE)


@pytest.mark.parametrize("state", LoginState)
def test_from_every_state_the_login_can_end(state: LoginState) -> None:
    assert reachable_from(state) & set(FINAL_STATES)


@pytest.mark.parametrize("state", ["idle", "polling_device_code", "binding", "backing_off", "awaiting_callback"])
def test_from_every_state_before_the_code_every_ending_is_possible(state: str) -> None:
    assert set(FINAL_STATES) <= reachable_from(LoginState(state))


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_a_final_state_is_never_left(state: str) -> None:
    assert LoginState(state) in FINAL_STATES
    assert reachable_from(LoginState(state)) == {LoginState(state)}


def test_once_the_credentials_are_being_saved_the_login_cannot_be_cancelled() -> None:
    assert LoginState.CANCELLED not in reachable_from(LoginState.SAVING_CREDENTIALS)


def test_only_saving_leads_to_success() -> None:
    assert [(row.trigger, row.source) for row in ROWS if row.dest is LoginState.SUCCEEDED] == [
        (Trigger.CREDENTIALS_SAVED, (LoginState.SAVING_CREDENTIALS,))
    ]


@pytest.mark.parametrize("trigger", Trigger)
def test_every_trigger_has_a_row_and_somebody_who_pulls_it(trigger: Trigger) -> None:
    assert any(row.trigger is trigger for row in ROWS)
    pulled = {
        node.attr
        for module in (interpret_module, interpret_tokens, interpret_device, device_code, pasted, routes)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Trigger"
    }
    assert trigger.name in pulled


def test_every_row_that_fails_says_what_failed() -> None:
    for row in ROWS:
        if row.effect == "fail":
            assert row.trigger in FAILURES
        assert (row.dest is LoginState.FAILED) == (row.effect == "fail")
        assert (row.dest is LoginState.CANCELLED) == (row.effect == "cancel")


def test_every_event_type_is_handled() -> None:
    assert {type(event) for event in EVENTS.values()} == set(get_args(Event))


def test_every_event_type_has_a_reader_of_its_own() -> None:
    readers = interpret_module._READERS
    assert set(readers) == set(get_args(Event))
    for kind, reader in readers.items():
        assert reader.__annotations__["event"] == f"events.{kind.__name__}"


def test_no_two_rows_of_a_cell_are_the_same() -> None:
    for rows in cells().values():
        assert len({row.guard for row in rows}) == len(rows)
