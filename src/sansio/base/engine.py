"""The engine behind the state machines. This is the only module that uses `transitions`.

See docs/design/machine.md for how the engine is used, and why.
"""

from __future__ import annotations

import logging

import transitions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum
    from typing import Any, Final, Generic, Protocol, TypeVar

    from transitions.core import TransitionConfigDict

    StateT = TypeVar("StateT", bound=StrEnum)
    TriggerT = TypeVar("TriggerT", bound=StrEnum)
    ModelT = TypeVar("ModelT")

    class AnyRow(Protocol):
        """A row of any machine's table."""

        @property
        def trigger(self) -> StrEnum:
            """What the event means."""

        @property
        def source(self) -> tuple[StrEnum, ...]:
            """The states that the row starts from."""

        @property
        def dest(self) -> StrEnum | None:
            """The state that the row leads to; None to stay in the same state."""

        @property
        def effect(self) -> Callable[[Any, Any], None]:
            """The function that is called when the row applies."""

        @property
        def guard(self) -> Callable[[Any, Any], bool] | None:
            """The condition of the row; None for a row without one."""

    class _Typed(Generic[StateT, TriggerT, ModelT]):
        pass
else:

    class _Typed:
        """`Generic`, without loading `typing`."""

        __slots__ = ()

        def __class_getitem__(cls, _types: object) -> type:
            return cls


_NAME: Final = "loginmachine"


class Row(_Typed["StateT", "TriggerT", "ModelT"]):
    """One transition of a table.

    Args:
        trigger: What the event means.
        source: The states in which the row applies.
        dest: The state that follows; None to stay in the same state.
        effect: Called with the model and the interpretation of the event. It must not fail.
        guard: Called with the same. The row applies only if the result is true. None for a row without a condition.
    """

    __slots__ = ("dest", "effect", "guard", "source", "trigger")

    def __init__(
        self,
        trigger: TriggerT,
        source: tuple[StateT, ...],
        dest: StateT | None,
        effect: Callable[[ModelT, Any], None],
        guard: Callable[[ModelT, Any], bool] | None = None,
    ) -> None:
        self.trigger = trigger
        self.source = source
        self.dest = dest
        self.effect = effect
        self.guard = guard


def _is_of_another(record: logging.LogRecord) -> bool:
    return not (isinstance(record.args, tuple) and record.args[:1] == (f"{_NAME}: ",))


# The engine logs while it moves a model: a log handler that raises would leave the model between two states.
logging.getLogger("transitions.core").addFilter(_is_of_another)


class _State(transitions.State):
    """A state without callbacks on entry and exit, because the tables have effects on their rows only."""

    name = ""

    def __init__(self, name: StrEnum, **options: Any) -> None:  # noqa: ANN401 - the library's own
        super().__init__(name, **options)
        # The library reads the name ten times for each trigger, and would compute it each time.
        self.name = name.name

    def enter(self, _: object) -> None:
        """Call nothing."""

    def exit(self, _: object) -> None:
        """Call nothing."""


class _Machine(transitions.Machine):
    state_cls = _State


class Engine:
    """Moves models through one table.

    One engine serves all logins, because a `transitions.Machine` costs 500 us and 40 KB. An unregistered model costs
    1 us.

    Args:
        states: All states of the table. Every model begins in the first.
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
        """Return whether the table has a row for this trigger in this state."""
        return (state, trigger) in self._legal

    def fire(self, model: object, trigger: StrEnum, interpretation: object) -> None:
        """Move a model along the row that applies.

        Args:
            model: Its state is in the attribute ``_state``.
            trigger: A trigger that the table permits in that state.
            interpretation: Passed to the row's guard and effect, after the model.
        """
        moved = self._machine.events[trigger].trigger(model, model, interpretation)
        # False means that no guard held. The last row of each cell has no guard; a test checks that.
        assert moved, f"no row of {trigger} applied"


def _config(row: AnyRow) -> TransitionConfigDict:
    config: TransitionConfigDict = {
        "trigger": row.trigger,
        "source": row.source,
        "dest": row.dest,
        "after": row.effect,
    }
    if row.guard is not None:
        config["conditions"] = row.guard
    return config
