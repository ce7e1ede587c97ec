"""``loginmachine replay``: the story of a recorded login, and whether it would go the same way today."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..sansio.trace import TraceError, read_trace, replay
from ..sansio.trace.story import outcome_words, tell

if TYPE_CHECKING:
    import argparse

    from ..sansio.trace import Replay

IDENTICAL: Final = 0
DIFFERENT: Final = 1
NOT_A_TRACE: Final = 2


def run(arguments: argparse.Namespace) -> int:
    """Replay a trace, and return the exit code."""
    try:
        if arguments.file == "-":
            trace = read_trace(sys.stdin.buffer)
        else:
            with Path(arguments.file).open("rb") as file:
                trace = read_trace(file)
    except TraceError as error:
        print(f"{arguments.file} is not a trace: {error}.", file=sys.stderr)
        return NOT_A_TRACE
    except OSError as error:
        print(f"{arguments.file} cannot be read: {error.strerror}.", file=sys.stderr)
        return NOT_A_TRACE
    result = replay(trace)
    if arguments.json:
        _print_json(result, arguments.until)
    else:
        for line in tell(result, until=arguments.until):
            print(line)
        print()
        _print_verdict(result)
    return IDENTICAL if result.is_identical else DIFFERENT


def _print_verdict(result: Replay) -> None:
    if result.difference is None:
        print("Replayed: the machine does today what was recorded.")
        return
    print(f"Replayed: the machine acts differently today, from line {result.difference.line} on:")
    print(result.difference.diff())


def _print_json(result: Replay, until: int | None) -> None:
    for step in result.steps[:until]:
        line = {
            "event": "step",
            "at": step.at,
            "came": type(step.event).__name__,
            "trigger": step.trigger,
            "before": step.before,
            "after": step.after,
            "actions": [type(action).__name__ for action in step.actions],
        }
        print(json.dumps(line))
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
    print(json.dumps(verdict))
