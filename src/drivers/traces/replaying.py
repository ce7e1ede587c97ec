"""Replaying the traces of a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...sansio.base.records import Record
from ...sansio.trace import Replay, Trace, TraceError, replay
from ...sansio.trace.sessions.reader import read_all
from ...sansio.trace.sessions.replay import replay_session, session_outcome_words
from ...sansio.trace.story import outcome_words
from .recording import lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ...sansio.trace.replay import Replayed
    from ...sansio.trace.sessions.reader import SessionTrace
    from ...sansio.trace.sessions.replay import SessionReplay

UNREADABLE: Final = "unreadable"
"""The outcome of a file that is not a trace."""


class Report(Record):
    """The result of replaying one trace."""

    path: str
    line: int
    """The line where the trace begins in its file, or where the error is. Counted from 1."""
    outcome: str
    """``succeeded``, ``failed``, ``cancelled`` or ``unfinished``; ``unreadable`` if the file is not a trace."""
    category: str | None = None
    """The category of a failure or a cancellation, or of what has ended the sign-in of a refreshed token."""
    events: int = 0
    seconds: float = 0.0
    """Seconds from the start to the last recorded event."""
    diverges_at: int | None = None
    """The first line at which the machine now acts differently. None if there is none."""
    cut_line: int | None = None
    """The line in the middle of which the file ends. The events before it were replayed. None if there is none."""
    problem: str | None = None
    """Why the file is unreadable. None if it is readable."""
    of: str = "login"
    """What was recorded: ``login``, ``refresh`` or ``sign_out``."""


def replay_file(path: str | os.PathLike[str]) -> list[Report]:
    """Replay every trace of a file, which may hold many, one after the other. Never raises.

    Args:
        path: The file.

    Returns:
        A report for each trace, and one more for the line from which the file cannot be read, if there is one.
    """
    name = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            return [report for report, _ in replay_lines(name, lines_of(file))]
    except OSError as error:
        return [unreadable(name, 1, error.strerror or "it cannot be read")]


def replay_lines(
    path: str, lines: Iterable[bytes], *, first_line: int = 1
) -> Iterator[tuple[Report, tuple[Replayed, ...]]]:
    """Replay the traces of a file, or of a part of one.

    Args:
        path: The name of the file, for the reports.
        lines: Its lines, from the beginning of a trace on.
        first_line: The number of the first of them, from 1.

    Yields:
        A report for each trace, with the replayed events; and one more without events, if a line is wrong.

    Raises:
        OSError: The lines cannot be read.
    """
    before = first_line - 1
    try:
        for trace in read_all(lines):
            yield _replay(path, trace, before)
    except TraceError as error:
        yield unreadable(path, before + error.line, error.reason), ()


def unreadable(path: str, line: int, problem: str) -> Report:
    """Return the report of a file that cannot be read, or not from a line on."""
    return Report(path=path, line=line, outcome=UNREADABLE, problem=problem)


def _replay(path: str, trace: Trace | SessionTrace, before: int) -> tuple[Report, tuple[Replayed, ...]]:
    """Replay a trace that begins after so many lines of its file."""
    result: Replay | SessionReplay
    if isinstance(trace, Trace):
        result, of = replay(trace), "login"
        outcome, category = outcome_words(result.outcome)
    else:
        result, of = replay_session(trace), trace.of
        outcome, category = session_outcome_words(result.outcome)
    report = Report(
        path=path,
        line=before + trace.line,
        outcome=outcome,
        category=category,
        events=len(trace.steps),
        seconds=trace.steps[-1].at if trace.steps else 0.0,
        cut_line=None if trace.cut_line is None else before + trace.cut_line,
        of=of,
        diverges_at=None if result.difference is None else before + result.difference.line,
    )
    return report, result.steps
