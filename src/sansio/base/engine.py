"""The engine behind the machines: the one place that knows `transitions`."""

from __future__ import annotations

import logging

import transitions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from enum import StrEnum
    from typing import Any, Final, Protocol

    from transitions.core import TransitionConfigDict

    class AnyRow(Protocol):
        """A row of any machine's table."""

        @property
        def trigger(self) -> StrEnum:
            """What happened."""

        @property
        def source(self) -> tuple[StrEnum, ...]:
            """Where."""

        @property
        def dest(self) -> StrEnum | None:
            """Where to; None for staying."""

        effect: str
        guard: str


_NAME: Final = "loginmachine"


def _is_of_another(record: logging.LogRecord) -> bool:
    return not (isinstance(record.args, tuple) and record.args[:1] == (f"{_NAME}: ",))


# The engine logs what it does in the middle of doing it: a handler that raises would leave a model half moved.
logging.getLogger("transitions.core").addFilter(_is_of_another)


class _State(transitions.State):
    """A state on whose way in and out nothing is called: the tables have effects on their rows only."""

    name = ""

    def __init__(self, name: StrEnum, **options: Any) -> None:  # noqa: ANN401 - the library's own
        super().__init__(name, **options)
        # The library asks for it ten times a trigger, and would look it up each time.
        self.name = name.name

    def enter(self, _: object) -> None:
        """Call nothing."""

    def exit(self, _: object) -> None:
        """Call nothing."""


class _Machine(transitions.Machine):
    state_cls = _State


class Engine:
    """Moves models through one table. One for all logins: an unregistered model costs 1 us, a Machine 500 us and 40 KB.

    Args:
        states: All of them; the first is where every model begins.
        rows: The table.
    """

    def __init__(self, states: type[StrEnum], rows: tuple[AnyRow, ...]) -> None:
        self._machine = _Machine(
            model=None,
            name=_NAME,
            states=states,
            transitions=[_config(row) for row in rows],
            initial=next(iter(states)),
            auto_transitions=False,
            send_event=False,
            queued=False,
            model_attribute="_state",
        )
        self._legal = frozenset((source, row.trigger) for row in rows for source in row.source)

    def permits(self, state: StrEnum, trigger: StrEnum) -> bool:
        """Whether the table has a row for this."""
        return (state, trigger) in self._legal

    def fire(self, model: object, trigger: StrEnum, step: object) -> None:
        """Move a model, whose state is in ``_state``, and hand `step` to the row's guard and effect."""
        moved = self._machine.events[trigger].trigger(model, step)
        # False means that every guard refused: the last row of each cell has none, which a test makes sure of.
        assert moved, f"no row of {trigger} applied"


def _config(row: AnyRow) -> TransitionConfigDict:
    config: TransitionConfigDict = {
        "trigger": row.trigger,
        "source": row.source,
        "dest": row.dest,
        "after": row.effect,
    }
    if row.guard:
        config["conditions"] = row.guard
    return config
