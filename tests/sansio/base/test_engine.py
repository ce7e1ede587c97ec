"""The engine moves models through a table of rows."""

from __future__ import annotations

import logging
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

import pytest

from loginmachine.sansio.base.engine import Engine, Row

if TYPE_CHECKING:
    from collections.abc import Callable


class Light(StrEnum):
    RED = "red"
    GREEN = "green"
    OFF = "off"


class Input(StrEnum):
    PRESSED = "pressed"
    FAILED = "failed"


class Lamp:
    """A model."""

    def __init__(self, state: Light = Light.RED) -> None:
        self._state = state
        self.done: list[str] = []

    def __repr__(self) -> str:
        return "<canary>"


LampRow: TypeAlias = Row[Light, Input, Lamp]


def do(name: str) -> Callable[[Lamp, str], None]:
    """An effect that is recorded, with what it was called with."""
    return lambda lamp, meaning: lamp.done.append(f"{name} {meaning} in {lamp._state}")


def is_gentle(_: Lamp, meaning: str) -> bool:
    return meaning == "gently"


ROWS: tuple[LampRow, ...] = (
    Row(Input.PRESSED, (Light.RED,), Light.GREEN, do("first"), is_gentle),
    Row(Input.PRESSED, (Light.RED, Light.GREEN), None, do("second")),
    Row(Input.FAILED, (Light.RED, Light.GREEN), Light.OFF, do("fail"), is_gentle),
)
ENGINE = Engine(Light, ROWS)


@pytest.mark.parametrize(
    ("state", "meaning", "after", "done"),
    [
        (Light.RED, "gently", Light.GREEN, "first gently in green"),
        (Light.RED, "hard", Light.RED, "second hard in red"),
        (Light.GREEN, "gently", Light.GREEN, "second gently in green"),
    ],
)
def test_the_first_row_whose_guard_allows_it_applies(state: Light, meaning: str, after: Light, done: str) -> None:
    lamp = Lamp(state)
    ENGINE.fire(lamp, Input.PRESSED, meaning)
    assert (lamp._state, lamp.done) == (after, [done])


@pytest.mark.parametrize(
    ("state", "trigger", "permitted"),
    [
        (Light.RED, Input.PRESSED, True),
        (Light.GREEN, Input.FAILED, True),
        (Light.OFF, Input.PRESSED, False),
        (Light.OFF, Input.FAILED, False),
    ],
)
def test_a_trigger_is_permitted_where_it_has_a_row(state: Light, trigger: Input, *, permitted: bool) -> None:
    assert ENGINE.permits(state, trigger) is permitted


def test_a_cell_without_a_last_row_is_a_fault_of_the_table() -> None:
    lamp = Lamp()
    with pytest.raises(AssertionError, match="no row of failed applied"):
        ENGINE.fire(lamp, Input.FAILED, "hard")
    assert (lamp._state, lamp.done) == (Light.RED, [])


def test_one_engine_moves_many_models() -> None:
    first, second = Lamp(), Lamp()
    ENGINE.fire(first, Input.PRESSED, "gently")
    assert (first._state, second._state) == (Light.GREEN, Light.RED)


def test_the_engine_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        ENGINE.fire(Lamp(), Input.PRESSED, "gently")
    assert caplog.records == []
