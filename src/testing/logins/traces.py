"""The script of a recorded login."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...drivers.traces.recording import lines_of
from ...sansio.login.events import Started
from ...sansio.trace import Trace, read_trace
from .script import Recorded, Script

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable


def script_of_file(path: str | os.PathLike[str]) -> Script:
    """Return the script of the first trace in a file.

    Args:
        path: The file.

    Raises:
        TraceError: The file is not the trace of a login.
        OSError: It cannot be read.
    """
    with Path(path).open("rb") as file:
        return script_of_lines(lines_of(file))


def script_of_lines(lines: Iterable[bytes]) -> Script:
    """Return the script of the lines of a trace.

    Raises:
        TraceError: They are not the trace of a login.
    """
    return script_of(read_trace(lines))


def script_of(trace: Trace) -> Script:
    """Return the script of a trace."""
    begun = [step.event for step in trace.steps if isinstance(step.event, Started)]
    started = begun[0] if begun else Started()
    steps = tuple(
        Recorded(name=type(step.event).__name__, event=step.event, at=step.at)
        for step in trace.steps
        if not isinstance(step.event, Started)
    )
    return Script(steps=steps, options=trace.options, method=started.method, is_recorded=True, started=started)
