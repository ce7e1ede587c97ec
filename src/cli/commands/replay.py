"""``loginmachine replay``: the story of a recorded login, and whether it would go the same way today."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Final

from ...sansio.trace import replay
from ...sansio.trace.story import outcome_words, tell
from ..terminal.writer import Outlet, print_error
from .traces import NotReadableError, trace_of, way_of

if TYPE_CHECKING:
    import argparse

    from ...sansio.trace import Difference, Replay

IDENTICAL: Final = 0
DIFFERENT: Final = 1
NOT_A_TRACE: Final = 2


def run(arguments: argparse.Namespace) -> int:
    """Replay a trace, and return the exit code."""
    try:
        trace = trace_of(arguments.file)
    except NotReadableError as error:
        print_error(str(error))
        return NOT_A_TRACE
    result = replay(trace)
    outlet = Outlet(sys.stdout, patience=None)
    outlet.write("".join(f"{line}\n" for line in _lines(result, arguments)))
    outlet.close()
    if arguments.diagram and result.difference is not None:
        # (Not among the lines of the drawing, which goes to another program.)
        print_error("\n".join(_verdict(result.difference)))
    return IDENTICAL if result.is_identical else DIFFERENT


def _lines(result: Replay, arguments: argparse.Namespace) -> list[str]:
    if arguments.json:
        return _json_lines(result, arguments.until)
    if arguments.diagram:
        from ...sansio.diagram.login import mermaid_overview  # noqa: PLC0415 - the story needs no drawing

        return mermaid_overview(highlight=way_of(result, arguments.until)).splitlines()
    return _story(result, arguments.until)


def _story(result: Replay, until: int | None) -> list[str]:
    return [*tell(result, until=until), "", *_verdict(result.difference)]


def _verdict(difference: Difference | None) -> list[str]:
    if difference is None:
        return ["Replayed: the machine does today what was recorded."]
    return [
        f"Replayed: the machine acts differently today, from line {difference.line} on:",
        *difference.diff().splitlines(),
    ]


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
