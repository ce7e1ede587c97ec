"""The path of one login through the table, to be highlighted on a drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from ..login.states import LoginState, Trigger
from ..login.table import ROWS, STAY

if TYPE_CHECKING:
    from collections.abc import Sequence

Step: TypeAlias = tuple[LoginState, Trigger, LoginState]
"""The state before, the trigger, the state after."""

_SHOWN: Final = 3
"""The most numbers at an arrow. If there are more, only the first ones and the last are shown."""


class Path:
    """The states that a login passed, and the arrows that it took, numbered from 1.

    Args:
        steps: The steps of the login. Those that are not drawn are ignored.
    """

    def __init__(self, steps: Sequence[Step]) -> None:
        self.states: tuple[LoginState, ...] = tuple(
            dict.fromkeys(state for before, _, after in steps for state in (before, after))
        )
        self._numbers: dict[Step, list[int]] = {}
        drawn = {(source, row.trigger, row.dest) for row in ROWS if row.dest is not STAY for source in row.source}
        for number, step in enumerate((step for step in steps if step in drawn), 1):
            self._numbers.setdefault(step, []).append(number)

    def taken(self, sources: Sequence[LoginState], trigger: Trigger, dest: LoginState) -> tuple[Step, ...]:
        """Return the steps along an arrow."""
        return tuple(step for source in sources if (step := (source, trigger, dest)) in self._numbers)

    def into(self, dest: LoginState) -> tuple[Step, ...]:
        """Return the steps that led to a state from other states."""
        return tuple(step for step in self._numbers if step[2] is dest and step[0] is not dest)

    def mark(self, steps: Sequence[Step]) -> str:
        """Return the numbers of some steps, as ``(2, 5)``; empty if there are none."""
        numbers = sorted(number for step in steps for number in self._numbers[step])
        if len(numbers) > _SHOWN + 1:
            return f"({', '.join(map(str, numbers[:_SHOWN]))} ... {numbers[-1]})"
        return f"({', '.join(map(str, numbers))})" if numbers else ""
