"""``loginmachine replay``: explain a recorded login, and compare it with what the machine does today.

With several traces it shows a summary (`loginmachine.cli.corpus`).
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ...sansio.trace import Replay, Trace, replay
from ...sansio.trace.sessions.replay import replay_session, session_outcome_words
from ...sansio.trace.sessions.story import session_head, tell_session
from ...sansio.trace.story import head, outcome_words, tell
from .. import exit_codes
from ..terminal.writer import StreamWriter, print_error, print_out
from .traces import SeveralTracesError, UnreadableTraceError, load_login, load_trace, path_of

if TYPE_CHECKING:
    import argparse

    from ...sansio.trace import Difference
    from ...sansio.trace.sessions.reader import SessionTrace
    from ...sansio.trace.sessions.replay import SessionReplay


def run(arguments: argparse.Namespace) -> int:
    """Replay a trace, or many, and return the exit code."""
    file = arguments.files[0]
    if arguments.as_test and (arguments.files[1:] or file == "-" or _is_for_many(arguments)):
        arguments.usage_error("--as-test takes the name of one file, which the test reads")
    if len(arguments.files) > 1 or _is_for_many(arguments) or Path(file).is_dir():
        return _run_many(arguments)
    try:
        trace = (load_login if arguments.diagram else load_trace)(file)
    except SeveralTracesError as error:
        # (A pipe cannot be read again.)
        if Path(file).is_file() and not (arguments.diagram or arguments.as_test) and arguments.until is None:
            return _run_many(arguments)
        return _not_a_trace(error, arguments)
    except UnreadableTraceError as error:
        return _not_a_trace(error, arguments)
    result, lines = _replay(trace, arguments)
    writer = StreamWriter(sys.stdout, timeout=None)
    writer.write("".join(f"{line}\n" for line in lines))
    writer.close()
    if trace.cut_line is not None:
        print_error(f"The file ends in the middle of line {trace.cut_line}: the events before it were replayed.")
    if (arguments.diagram or arguments.as_test) and result.difference is not None:
        # Not on standard output, where another program may read the diagram or the test.
        print_error("\n".join(_verdict(result.difference)))
    return exit_codes.SUCCESS if result.is_identical else exit_codes.DIFFERENT


def _not_a_trace(error: Exception, arguments: argparse.Namespace) -> int:
    print_error(str(error))
    if arguments.json:
        print_out(json.dumps({"event": "not_a_trace", "message": str(error)}))
    return exit_codes.NOT_A_TRACE


def _is_for_many(arguments: argparse.Namespace) -> bool:
    return any(option is not None for option in (arguments.report, arguments.processes, arguments.dask))


def _run_many(arguments: argparse.Namespace) -> int:
    from ..corpus.run import run_many  # noqa: PLC0415 - the story of one trace needs no processes

    return run_many(arguments)


def _replay(trace: Trace | SessionTrace, arguments: argparse.Namespace) -> tuple[Replay | SessionReplay, list[str]]:
    """Replay a trace. Return the result, and the lines to print."""
    if isinstance(trace, Trace):
        result = replay(trace)
        if arguments.as_test:
            return result, _test("login", outcome_words(result.outcome), arguments.files[0])
        return result, _lines(trace, result, arguments)
    session = replay_session(trace)
    if arguments.as_test:
        return session, _test(trace.of.replace("_", "-"), session_outcome_words(session.outcome), arguments.files[0])
    if arguments.json:
        return session, _json_lines(trace, session, session_outcome_words(session.outcome), arguments.until)
    return session, [
        *session_head(trace),
        *tell_session(session, until=arguments.until),
        "",
        *_verdict(session.difference),
    ]


def _lines(trace: Trace, result: Replay, arguments: argparse.Namespace) -> list[str]:
    if arguments.json:
        return _json_lines(trace, result, outcome_words(result.outcome), arguments.until)
    if arguments.diagram:
        from ...sansio.diagram.login import mermaid_overview  # noqa: PLC0415 - the story needs no diagram

        return mermaid_overview(highlight=path_of(result, arguments.until)).splitlines()
    return [*head(trace), *tell(result, until=arguments.until), "", *_verdict(result.difference)]


def _test(what: str, ended: tuple[str, str | None], file: str) -> list[str]:
    """Return the lines of a test that replays a trace."""
    from ...testing.replays import written_test  # noqa: PLC0415 - the story needs no test

    outcome, category = ended
    title = f"A recorded {what} replays as it was: {outcome}{f', {category}' if category else ''}."
    return written_test(file, title).splitlines()


def _verdict(difference: Difference | None) -> list[str]:
    if difference is None:
        return ["Replayed: the machine does today what was recorded."]
    return [
        f"Replayed: the machine acts differently today, from line {difference.line} on:",
        *difference.diff().splitlines(),
    ]


def _json_lines(
    trace: Trace | SessionTrace, result: Replay | SessionReplay, ended: tuple[str, str | None], until: int | None
) -> list[str]:
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
    outcome, category = ended
    difference = result.difference
    verdict = {
        "event": "replayed",
        "of": "login" if isinstance(trace, Trace) else trace.of,
        "identical": result.is_identical,
        "outcome": outcome,
        "category": category,
        "states": result.states,
        "message": None if difference is None else _verdict(difference)[0],
        "difference": None if difference is None else {"line": difference.line, "diff": difference.diff()},
        "origin": trace.origin.content(),
        "cut_line": trace.cut_line,
    }
    return [json.dumps(line) for line in (*steps, verdict)]
