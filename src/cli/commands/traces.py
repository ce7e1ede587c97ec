"""Traces as commands take them: a file or standard input, and the way that the login took."""

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


class NotReadableError(Exception):
    """There is no trace to be had. The text is for the person."""


def trace_of(file: str) -> Trace:
    """Read a trace.

    Args:
        file: Its path; ``-`` is standard input.

    Raises:
        NotReadableError: It is not a trace, or cannot be read.
    """
    try:
        return _read(file)
    except TraceError as error:
        words = f"is not a trace: {error}"
    except OSError as error:
        words = f"cannot be read: {error.strerror}"
    raise NotReadableError(f"{clean_text(file)} {words}.")


def way_of(result: Replay, until: int | None = None) -> tuple[Step, ...]:
    """The steps of a replay that can be painted on a diagram.

    Args:
        result: As far as it went; what was dropped or unexpected is no step.
        until: Events to follow; None for all.
    """
    return tuple((step.before, step.trigger, step.after) for step in result.steps[:until] if step.trigger is not None)


def _read(file: str) -> Trace:
    if file == "-":
        if sys.stdin is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        return read_trace(lines_of(sys.stdin.buffer))
    with Path(file).open("rb") as opened:
        return read_trace(lines_of(opened))
