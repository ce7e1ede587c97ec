"""The arrows of the drawings of a login: which rows stand together, and in which drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ..login.failures import FAILURES, LoginFailureCategory
from ..login.states import FINAL_STATES, LoginState
from ..login.table import ROWS, STAY
from .rendering import event_words, label

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..login.table import Row
    from .path import Path

S = LoginState
_UNFINISHED: Final = tuple(state for state in S if state not in FINAL_STATES)
ABOUT_PROVIDER: Final = (
    *(S.DISCOVERING_RESOURCE, S.DISCOVERING, S.REGISTERING, S.SAVING_REGISTRATION, S.PUSHING_REQUEST),
    *(S.SAVING_CLIENT, S.FETCHING_KEYS),
)
"""The states of a login that has to fetch something about its provider. They have a drawing of their own."""


class Arrow(NamedTuple):
    """The rows between the same two ends. They are drawn as one arrow."""

    sources: tuple[LoginState, ...]
    dest: LoginState
    rows: list[Row]

    @property
    def tail(self) -> str:
        """The state where the arrow starts, or the box that stands for several states."""
        return self.sources[0] if len(self.sources) == 1 else f"any_{self.rows[0].trigger}"

    @property
    def words(self) -> str:
        """The text of the box that stands for several states."""
        return source_words(self.sources).replace(" but ", "\nbut ").replace(" to ", "\nto ").replace(", ", ",\n")

    @property
    def loops(self) -> bool:
        """Whether the arrow leads back to its own state."""
        return self.sources == (self.dest,)

    def label(self, path: Path, gap: str = "\n") -> str:
        """Return the label of the arrow. The rows that a login took are numbered."""

        def words(row: Row) -> str:
            mark = path.mark(path.taken(self.sources, row.trigger, self.dest))
            return (mark and mark + gap) + event_words(row, gap)

        return label((row, words(row)) for row in self.rows)

    def is_passed(self, path: Path) -> bool:
        """Return whether the login took the arrow."""
        return any(path.taken(self.sources, row.trigger, self.dest) for row in self.rows)


def arrows_of(rows: Iterable[Row]) -> list[Arrow]:
    """Put the rows between the same two ends together."""
    arrows: dict[tuple[tuple[LoginState, ...], LoginState], Arrow] = {}
    for row in rows:
        if row.dest is not STAY:
            arrows.setdefault((row.source, row.dest), Arrow(row.source, row.dest, [])).rows.append(row)
    return list(arrows.values())


def source_words(sources: Sequence[LoginState], mark: str = "") -> str:
    """Name the sources of a row, with a short name for a whole group."""
    order = tuple(S)
    first = order.index(sources[0])
    missing = [f"{mark}{state}{mark}" for state in _UNFINISHED if state not in sources]
    names = [f"{mark}{state}{mark}" for state in sources]
    if sources == FINAL_STATES:
        return "any final state"
    if len(missing) == 1 and len(names) + 1 == len(_UNFINISHED):
        return f"any unfinished state but {missing[0]}"
    if len(names) > 2 and sources == order[first : first + len(names)]:
        return f"{names[0]} to {names[-1]}"
    return ", ".join(names)


def reported_as(row: Row) -> LoginFailureCategory:
    """Return the category that is reported when a row ends the login."""
    return FAILURES[row.trigger][1] if row.dest is S.FAILED else LoginFailureCategory.LOGIN_CANCELLED


def is_about_provider(row: Row) -> bool:
    """Return whether a row is in the drawing of its own for a provider with metadata."""
    return row.dest in ABOUT_PROVIDER or (len(row.source) == 1 and row.source[0] in ABOUT_PROVIDER)


def drawings(*, about_provider: bool) -> list[Arrow]:
    """Return the arrows of one of the two drawings. The stand-ins for several states come first."""
    rows = (row for row in ROWS if row.dest is not S.FAILED and is_about_provider(row) is about_provider)
    return sorted(arrows_of(rows), key=lambda arrow: len(arrow.sources) == 1)


def states_of(arrows: Iterable[Arrow]) -> list[LoginState]:
    """Return the states that a drawing has."""
    ends = {state for arrow in arrows for state in (*(arrow.sources if len(arrow.sources) == 1 else ()), arrow.dest)}
    return [state for state in S if state in ends]


def failing(states: Sequence[LoginState]) -> list[LoginState]:
    """Return those of the states that can fail."""
    return [state for state in states if any(row.dest is S.FAILED and state in row.source for row in ROWS)]
