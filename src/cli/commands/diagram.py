"""``loginmachine diagram``: draw the state machine of a login."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...drivers.system.bundles import environment_of_others
from ...sansio.base.text import clean_text
from ...sansio.diagram.login import mermaid_failures, mermaid_overview
from ...sansio.diagram.login_dot import dot
from ...sansio.trace import replay
from .. import exit_codes
from ..terminal.writer import is_terminal, print_error
from .traces import UnreadableTraceError, load_login, path_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from ...sansio.diagram.path import Step

_PICTURES: Final = ("svg", "png")
_TIMEOUT: Final = 60.0
"""Seconds to wait for Graphviz, which usually takes 0.1."""
_NO_GRAPHVIZ: Final = (
    "The picture is drawn by the program `dot` of Graphviz, which is not installed. Install the package graphviz "
    "with your system's package manager, or use --format mermaid."
)


class _DrawingError(Exception):
    """The diagram could not be drawn or written. The text is for the person."""


def run(arguments: argparse.Namespace) -> int:
    """Write the diagram, and return the exit code."""
    if arguments.failures and arguments.format != "mermaid":
        arguments.usage_error("--failures needs --format mermaid: the other formats always include the failures")
    if arguments.format == "png" and arguments.output is None and is_terminal(sys.stdout):
        arguments.usage_error("a terminal cannot show a PNG picture: use --output FILE")
    try:
        path = _path(arguments.highlight) if arguments.highlight is not None else ()
        _write(draw(arguments.format, failures=arguments.failures, highlight=path), arguments.output)
    except UnreadableTraceError as error:
        print_error(str(error))
        return exit_codes.NOT_A_TRACE
    except _DrawingError as error:
        print_error(str(error))
        return exit_codes.FAILURE
    return exit_codes.SUCCESS


def draw(form: str, *, failures: bool = False, highlight: Sequence[Step] = ()) -> bytes:
    """Draw the diagram.

    Args:
        form: ``mermaid``, ``dot``, or one of the pictures ``svg`` and ``png``, which need Graphviz.
        failures: With ``mermaid``, draw the failures instead of the overview.
        highlight: The path of one login, to be highlighted.

    Returns:
        The content of the file.

    Raises:
        _DrawingError: Graphviz is not installed, or fails.
    """
    if form in _PICTURES:
        return _graphviz(dot(highlight=highlight), form)
    if form == "dot":
        return dot(highlight=highlight).encode("ascii")
    mermaid = mermaid_failures if failures else mermaid_overview
    return mermaid(highlight=highlight).encode("ascii")


def _path(file: str) -> tuple[Step, ...]:
    """Replay a trace and return its path. Warn if the machine acts differently from the trace."""
    result = replay(load_login(file))
    if result.difference is not None:
        print_error(
            f"The machine acts differently today, from line {result.difference.line} of the trace on: the path is "
            "highlighted up to there. `loginmachine replay` shows the difference."
        )
    return path_of(result)


def _graphviz(drawing: str, form: str) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise _DrawingError(_NO_GRAPHVIZ)
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, and no shell
            [program, f"-T{form}"],
            input=drawing.encode("ascii"),
            capture_output=True,
            timeout=_TIMEOUT,
            check=True,
            env=environment_of_others(),
        )
    except subprocess.CalledProcessError as error:
        words = clean_text(error.stderr.decode("utf-8", "replace"))
        raise _DrawingError(
            f"Graphviz could not draw the picture: {words or f'exit code {error.returncode}'}"
        ) from None
    except (OSError, subprocess.TimeoutExpired):
        raise _DrawingError("Graphviz could not be run. Reinstall it, or use --format mermaid.") from None
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
        raise _DrawingError(f"The diagram could not be written to {where}: {os.strerror(error.errno or 0)}.") from None
