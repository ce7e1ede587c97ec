"""Trace files of the commands `replay` and `diagram`."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...drivers.traces.recording import lines_of
from ...sansio.base.text import clean_text
from ...sansio.trace import TraceError, read_trace

if TYPE_CHECKING:
    from ...sansio.diagram.path import Step
    from ...sansio.trace import Replay, Trace


class UnreadableTraceError(Exception):
    """The file cannot be read, or is not a trace. The text is for the person."""


def load_trace(file: str) -> Trace:
    """Read a trace.

    Args:
        file: The path; ``-`` for standard input.

    Raises:
        UnreadableTraceError: The file cannot be read, or is not a trace.
    """
    try:
        return _read(file)
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


def _read(file: str) -> Trace:
    if file == "-":
        if sys.stdin is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return read_trace(lines_of(sys.stdin.buffer))
    with Path(file).open("rb") as opened:
        return read_trace(lines_of(opened))
