"""Trace files of the commands `replay` and `diagram`."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...drivers.traces.recording import lines_of
from ...sansio.base.text import clean_text
from ...sansio.trace import Trace, TraceError
from ...sansio.trace.reader import AnotherTraceError, only_trace
from ...sansio.trace.sessions.reader import read_all

if TYPE_CHECKING:
    from typing import BinaryIO

    from ...sansio.diagram.path import Step
    from ...sansio.trace import Replay
    from ...sansio.trace.sessions.reader import SessionTrace


class UnreadableTraceError(Exception):
    """The file cannot be read, or is not a trace. The text is for the person."""


class SeveralTracesError(UnreadableTraceError):
    """The file holds more than one trace."""


def load_login(file: str) -> Trace:
    """Read the trace of a login, to draw it.

    Args:
        file: The path; ``-`` for standard input.

    Raises:
        UnreadableTraceError: The file cannot be read, is not a trace, or is that of a refresh or a sign-out.
    """
    trace = load_trace(file)
    if isinstance(trace, Trace):
        return trace
    name = trace.of.replace("_", "-")
    raise UnreadableTraceError(f"{clean_text(file)} is the trace of a {name}, and only a login can be drawn.")


def load_trace(file: str) -> Trace | SessionTrace:
    """Read the trace of a login, a refresh or a sign-out.

    Args:
        file: The path; ``-`` for standard input.

    Raises:
        SeveralTracesError: The file holds more than one trace.
        UnreadableTraceError: The file cannot be read, or is not a trace.
    """
    try:
        return _read(file)
    except AnotherTraceError as error:
        raise SeveralTracesError(f"{clean_text(file)} is not a trace: {error}.") from None
    except TraceError as error:
        problem = f"is not a trace: {error}"
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
    raise UnreadableTraceError(f"{clean_text(file)} {problem}.")


def path_of(result: Replay, until: int | None = None) -> tuple[Step, ...]:
    """Return the path of a replayed login through the diagram, without dropped and unexpected events.

    Args:
        result: The replay.
        until: Number of events; None for all.
    """
    return tuple((step.before, step.trigger, step.after) for step in result.steps[:until] if step.trigger is not None)


def _read(file: str) -> Trace | SessionTrace:
    if file == "-":
        if sys.stdin is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return _only(sys.stdin.buffer)
    with Path(file).open("rb") as opened:
        return _only(opened)


def _only(file: BinaryIO) -> Trace | SessionTrace:
    trace: Trace | SessionTrace = only_trace(read_all(lines_of(file)))
    return trace
