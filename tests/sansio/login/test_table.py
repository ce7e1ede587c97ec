"""The table is sound. The engine would notice most faults only when a row is fired."""

from __future__ import annotations

import ast
import contextlib
import inspect
from collections import defaultdict
from typing import TYPE_CHECKING, get_args

import pytest

from loginmachine.sansio import UnexpectedEvent
from loginmachine.sansio.base import engine
from loginmachine.sansio.login import (
    effects,
    interpret,
    interpret_callback,
    interpret_tokens,
    interpretation,
)
from loginmachine.sansio.login.client import effects as client_effects
from loginmachine.sansio.login.client import start_page
from loginmachine.sansio.login.device_code import effects as device_effects
from loginmachine.sansio.login.device_code import interpret as interpret_device
from loginmachine.sansio.login.events import Event
from loginmachine.sansio.login.failures import FAILURES
from loginmachine.sansio.login.port import effects as port_effects
from loginmachine.sansio.login.server import effects as server_effects
from loginmachine.sansio.login.server import interpret as interpret_server
from loginmachine.sansio.login.states import FINAL_STATES, LoginState, Trigger
from loginmachine.sansio.login.table import ROWS, Row
from loginmachine.sansio.login.web import effects as web_effects

from ..samples import PATHS, machine_in
from .test_machine import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable


def cells() -> dict[tuple[Trigger, LoginState], list[Row]]:
    """Return the rows for each trigger in each state, from top to bottom."""
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


def test_every_guard_and_effect_is_in_the_table() -> None:
    defined = {
        function
        for module in (effects, client_effects, device_effects, port_effects, server_effects, start_page, web_effects)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    defined -= {effects.show_address, effects.accept_code, start_page.browser_url}
    defined -= {server_effects.note_provider, server_effects.register}
    assert defined == {row.effect for row in ROWS} | {row.guard for row in ROWS if row.guard}


def test_the_last_row_of_a_cell_has_no_guard_and_no_other_row_is_without() -> None:
    for (trigger, state), rows in cells().items():
        assert rows[-1].guard is None, f"{trigger} in {state} can be refused by every guard"
        assert all(row.guard for row in rows[:-1]), f"{trigger} in {state} has a row that is never reached"


def test_guards_change_nothing() -> None:
    for state in PATHS:
        login = machine_in(state)
        before = login.snapshot()
        for guard in {row.guard for row in ROWS if row.guard}:
            guard(login._login, None)
        assert login.snapshot() == before


@pytest.mark.parametrize("state", LoginState)
def test_every_state_can_be_reached(state: LoginState) -> None:
    assert state in reachable_from(LoginState.IDLE)


@pytest.mark.parametrize("state", LoginState)
def test_from_every_state_the_login_can_end(state: LoginState) -> None:
    assert reachable_from(state) & set(FINAL_STATES)


@pytest.mark.parametrize(
    "state", ["idle", "discovering", "polling_device_code", "binding", "backing_off", "awaiting_callback"]
)
def test_from_every_state_before_the_code_every_ending_is_possible(state: str) -> None:
    assert set(FINAL_STATES) <= reachable_from(LoginState(state))


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_a_final_state_is_never_left(state: str) -> None:
    assert LoginState(state) in FINAL_STATES
    assert reachable_from(LoginState(state)) == {LoginState(state)}


def test_a_login_that_saves_its_credentials_cannot_be_cancelled() -> None:
    assert LoginState.CANCELLED not in reachable_from(LoginState.SAVING_CREDENTIALS)


def test_only_saving_leads_to_success() -> None:
    assert [(row.trigger, row.source) for row in ROWS if row.dest is LoginState.SUCCEEDED] == [
        (Trigger.CREDENTIALS_SAVED, (LoginState.SAVING_CREDENTIALS,))
    ]


@pytest.mark.parametrize("trigger", Trigger)
def test_every_trigger_has_a_row_and_an_interpreter(trigger: Trigger) -> None:
    assert any(row.trigger is trigger for row in ROWS)
    used = {
        node.attr
        for module in (interpret, interpret_callback, interpret_tokens, interpret_device, interpret_server)
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Trigger"
    }
    assert trigger.name in used


def test_every_row_that_fails_says_what_failed() -> None:
    for row in ROWS:
        fails = row.effect in (effects.fail, client_effects.doubt_client)
        assert not fails or row.trigger in FAILURES
        assert (row.dest is LoginState.FAILED) == fails
        assert (row.dest is LoginState.CANCELLED) == (row.effect is effects.cancel)


def test_every_event_type_is_handled() -> None:
    assert {type(event) for event in EVENTS.values()} == set(get_args(Event))


def test_every_event_type_has_an_interpreter_of_its_own() -> None:
    interpreters = interpret._INTERPRETERS
    assert set(interpreters) == set(get_args(Event))
    for kind, interpreter in interpreters.items():
        assert next(iter(interpreter.__annotations__.values())) == f"events.{kind.__name__}"


def test_no_two_rows_of_a_cell_are_the_same() -> None:
    for rows in cells().values():
        assert len({row.guard for row in rows}) == len(rows)


def kinds_of(effect: Callable[..., object]) -> tuple[type, ...]:
    """Return the types of interpretation that a guard or effect takes, from its annotation."""
    names = inspect.get_annotations(effect)
    (annotation,) = [kind for name, kind in names.items() if name not in ("login", "return")]
    return tuple(getattr(interpretation, name.strip()) for name in annotation.split("|"))


@pytest.mark.parametrize("state", PATHS)
@pytest.mark.parametrize("name", EVENTS)
def test_an_effect_gets_the_kind_of_interpretation_that_it_takes(
    name: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[Trigger, LoginState, object]] = []
    fire = engine.Engine.fire

    def spy(self: engine.Engine, model: object, trigger: Trigger, meaning: object) -> None:
        taken.append((trigger, model.state, meaning))  # type: ignore[attr-defined]
        fire(self, model, trigger, meaning)

    login = machine_in(state)
    monkeypatch.setattr(engine.Engine, "fire", spy)
    with contextlib.suppress(UnexpectedEvent):
        login.handle(EVENTS[name])
    for trigger, source, meaning in taken:
        for row in cells()[trigger, source]:
            assert isinstance(meaning, kinds_of(row.effect))
            assert row.guard is None or isinstance(meaning, kinds_of(row.guard))
