"""``loginmachine diagram``: the state machine, drawn."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...sansio.base.text import clean_text
from ...sansio.diagram.login import dot, mermaid_failures, mermaid_overview
from ...sansio.trace import replay
from ..terminal.writer import is_terminal, print_error
from .traces import NotReadableError, trace_of, way_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ...sansio.diagram.path import Step

_PICTURES: Final = ("svg", "png")
_PATIENCE: Final = 60.0
"""Seconds that Graphviz has; it needs a tenth of one."""
_NO_GRAPHVIZ: Final = (
    "The program `dot` of Graphviz draws the picture, and it is not on this machine. Install the package graphviz "
    "with your system's package manager, or take --format mermaid."
)


class _DrawingError(Exception):
    """There is no picture. The text is for the person."""


def run(arguments: argparse.Namespace) -> int:
    """Write the drawing.

    Returns:
        0; 1 if it cannot be made or written; 2 for options that do not go together, or what is not a trace.
    """
    if arguments.failures and arguments.format != "mermaid":
        arguments.usage_error("--failures is for --format mermaid: the other formats show the failures anyway")
    if arguments.format == "png" and arguments.output is None and is_terminal(sys.stdout):
        arguments.usage_error("a terminal does not show a PNG picture: say where to with --output FILE")
    try:
        way = _way(arguments.highlight) if arguments.highlight is not None else ()
        _write(draw(arguments.format, failures=arguments.failures, highlight=way), arguments.output)
    except NotReadableError as error:
        print_error(str(error))
        return 2
    except _DrawingError as error:
        print_error(str(error))
        return 1
    return 0


def draw(form: str, *, failures: bool = False, highlight: Sequence[Step] = ()) -> bytes:
    """Make the drawing.

    Args:
        form: ``mermaid``, ``dot``, or a picture, ``svg`` or ``png``, for which Graphviz is needed.
        failures: Mermaid's drawing of the failures in the place of the overview.
        highlight: The way that one login took, which is painted.

    Raises:
        _DrawingError: Graphviz is missing, or fails.
    """
    if form in _PICTURES:
        return _graphviz(dot(highlight=highlight), form)
    if form == "dot":
        return dot(highlight=highlight).encode("ascii")
    mermaid = mermaid_failures if failures else mermaid_overview
    return mermaid(highlight=highlight).encode("ascii")


def _way(file: str) -> tuple[Step, ...]:
    """The way that a recorded login takes today; a warning if it took another then."""
    result = replay(trace_of(file))
    if result.difference is not None:
        print_error(
            f"The machine acts differently today, from line {result.difference.line} of the trace on: the way is "
            "painted up to there. `loginmachine replay` shows the difference."
        )
    return way_of(result)


def _graphviz(drawing: str, form: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise _DrawingError(_NO_GRAPHVIZ)
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, and no shell
            [program, f"-T{form}"], input=drawing.encode("ascii"), capture_output=True, timeout=_PATIENCE, check=True
        )
    except subprocess.CalledProcessError as error:
        words = clean_text(error.stderr.decode("utf-8", "replace"))
        raise _DrawingError(
            f"Graphviz could not draw the picture: {words or f'exit code {error.returncode}'}"
        ) from None
    except (OSError, subprocess.TimeoutExpired):
        raise _DrawingError("Graphviz could not be run. Reinstall it, or take --format mermaid.") from None
    return done.stdout


def _write(drawing: bytes, path: str | None) -> None:
    try:
        if path is None:
            if sys.stdout is None:
                raise OSError(errno.EBADF, os.strerror(errno.EBADF))
            sys.stdout.buffer.write(drawing)
            sys.stdout.buffer.flush()
        else:
            Path(path).write_bytes(drawing)
    except OSError as error:
        where = "standard output" if path is None else path
        raise _DrawingError(f"The drawing could not be written to {where}: {os.strerror(error.errno or 0)}.") from None
