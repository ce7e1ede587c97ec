"""What many replayed traces have in common, in memory that does not grow with their number."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from ..replaying import UNREADABLE
from .durations import Durations

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ....sansio.trace.replay import Replayed
    from ..replaying import Report

MOST_NAMED: Final = 20
"""The most traces that are named in a list. The others are counted."""
MOST_SLOW: Final = 5
"""The number of the slowest traces that are named."""
_Key = TypeVar("_Key")


class End(NamedTuple):
    """How traces ended."""

    of: str
    """``login``, ``refresh`` or ``sign_out``."""
    outcome: str
    category: str
    """Empty if there is none."""


class Step(NamedTuple):
    """A state of one of the machines."""

    of: str
    state: str


class Arrow(NamedTuple):
    """A change of state, or an event that did not change it (``before`` is then ``after``)."""

    of: str
    before: str
    trigger: str
    after: str


class Slow(NamedTuple):
    """A trace of a long duration."""

    report: Report
    step: str
    """The state in which it was longest."""
    step_seconds: float


class Named:
    """A list of which the first entries are kept, and all are counted."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[Report] = []

    def add(self, report: Report) -> None:
        """Add a report."""
        self.count += 1
        if len(self.first) < MOST_NAMED:
            self.first.append(report)

    def merge(self, other: Named) -> None:
        """Append another list."""
        self.count += other.count
        self.first = [*self.first, *other.first][:MOST_NAMED]


class Summary:
    """The results of many replays. Summaries of parts are merged in the order of the parts."""

    def __init__(self) -> None:
        self.traces = 0
        """The number of traces. A file, or a part of one, that cannot be read is none."""
        self.ends: dict[End, Durations] = {}
        """Seconds from the start to the last event, by how the traces ended."""
        self.steps: dict[Step, Durations] = {}
        """Seconds that a trace spent in each state that it passed, without the state in which all begin."""
        self.arrows: Counter[Arrow] = Counter()
        """How many events of this meaning came in this state."""
        self.slowest: list[Slow] = []
        """The traces of the longest duration, longest first."""
        self.different = Named()
        """Traces that the machine replays differently today."""
        self.unreadable = Named()
        """Files that cannot be read, or not from some line on."""
        self.cut = Named()
        """Traces that end in the middle of a line."""

    def add(self, report: Report, steps: Sequence[Replayed]) -> None:
        """Add the result of one trace.

        Args:
            report: The report. It may be that of an unreadable file.
            steps: The replayed events of the trace; none for an unreadable file.
        """
        if report.outcome == UNREADABLE:
            self.unreadable.add(report)
            return
        self.traces += 1
        _of(self.ends, End(report.of, report.outcome, report.category or "")).add(report.seconds)
        spent = _time_in_states(steps)
        for state, seconds in spent.items():
            _of(self.steps, Step(report.of, state)).add(seconds)
        self.arrows.update(
            Arrow(report.of, str(step.before), str(step.trigger), str(step.after))
            for step in steps
            if step.trigger is not None
        )
        longest = max(spent, key=spent.__getitem__, default="")
        self._keep_slowest([Slow(report, longest, spent.get(longest, 0.0))])
        if report.diverges_at is not None:
            self.different.add(report)
        if report.cut_line is not None:
            self.cut.add(report)

    def merge(self, other: Summary) -> None:
        """Add the results of the part that follows."""
        self.traces += other.traces
        for end, durations in other.ends.items():
            _of(self.ends, end).merge(durations)
        for step, durations in other.steps.items():
            _of(self.steps, step).merge(durations)
        self.arrows.update(other.arrows)
        self._keep_slowest(other.slowest)
        self.different.merge(other.different)
        self.unreadable.merge(other.unreadable)
        self.cut.merge(other.cut)

    def sorted_ends(self) -> list[tuple[End, Durations]]:
        """Return how the traces ended: logins, refreshes, and sign-outs, each the most frequent first."""
        return sorted(self.ends.items(), key=lambda item: (item[0].of, -item[1].count, item[0]))

    def _keep_slowest(self, more: Iterable[Slow]) -> None:
        """Keep the slowest traces. Of equally slow ones the first is kept."""
        every = sorted([*self.slowest, *more], key=lambda slow: slow.report.seconds, reverse=True)
        self.slowest = every[:MOST_SLOW]


def _of(durations: dict[_Key, Durations], key: _Key) -> Durations:
    return durations.setdefault(key, Durations())


def _time_in_states(steps: Sequence[Replayed]) -> dict[str, float]:
    """Return the seconds that a machine spent in each state, from the first event on."""
    spent: dict[str, float] = {}
    for step, following in pairwise(steps):
        state = str(step.after)
        spent[state] = spent.get(state, 0.0) + max(following.at - step.at, 0.0)
    return spent
