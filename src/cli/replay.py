"""``loginmachine replay``: the story of a recorded login, and whether it would go the same way today."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..drivers.recording import lines_of
from ..sansio.redaction import clean_text
from ..sansio.trace import TraceError, read_trace, replay
from ..sansio.trace.story import outcome_words, tell
from .outlet import Outlet

if TYPE_CHECKING:
    import argparse

    from ..sansio.trace import Replay, Trace

IDENTICAL: Final = 0
DIFFERENT: Final = 1
NOT_A_TRACE: Final = 2


def run(arguments: argparse.Namespace) -> int:
    """Replay a trace, and return the exit code."""
    name = clean_text(arguments.file)
    try:
        trace = _read(arguments.file)
    except TraceError as error:
        print(f"{name} is not a trace: {error}.", file=sys.stderr)
        return NOT_A_TRACE
    except OSError as error:
        print(f"{name} cannot be read: {error.strerror}.", file=sys.stderr)
        return NOT_A_TRACE
    result = replay(trace)
    lines = _json_lines(result, arguments.until) if arguments.json else _story(result, arguments.until)
    outlet = Outlet(sys.stdout, patience=None)
    outlet.write("".join(f"{line}\n" for line in lines))
    outlet.close()
    return IDENTICAL if result.is_identical else DIFFERENT


def _read(file: str) -> Trace:
    if file == "-":
        return read_trace(lines_of(sys.stdin.buffer))
    with Path(file).open("rb") as opened:
        return read_trace(lines_of(opened))


def _story(result: Replay, until: int | None) -> list[str]:
    if result.difference is None:
        verdict = ["Replayed: the machine does today what was recorded."]
    else:
        line = result.difference.line
        verdict = [
            f"Replayed: the machine acts differently today, from line {line} on:",
            *result.difference.diff().splitlines(),
        ]
    return [*tell(result, until=until), "", *verdict]


def _json_lines(result: Replay, until: int | None) -> list[str]:
    steps = [
        {
            "event": "step",
            "at": step.at,
            "came": type(step.event).__name__,
            "trigger": step.trigger,
            "before": step.before,
            "after": step.after,
            "actions": [type(action).__name__ for action in step.actions],
        }
        for step in result.steps[:until]
    ]
    outcome, category = outcome_words(result.outcome)
    difference = result.difference
    verdict = {
        "event": "replayed",
        "identical": result.is_identical,
        "outcome": outcome,
        "category": category,
        "states": result.states,
        "difference": None if difference is None else {"line": difference.line, "diff": difference.diff()},
    }
    return [json.dumps(line) for line in (*steps, verdict)]
