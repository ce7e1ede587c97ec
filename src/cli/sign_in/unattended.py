"""Whether a login would wait for a browser in vain: in a job of continuous integration, without a terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ...sansio.model.options import DEFAULT_DEADLINE
from ..environment import is_automatic
from ..terminal.writer import is_terminal

if TYPE_CHECKING:
    import argparse
    from typing import Final

_WORDS: Final = (
    "No sign-in was started: CI is set, and without a terminal no person would see the address. Give the job a token:\n"
    "  loginmachine login --with-token\n"
    "If someone reads this output, use --device-code, or say with --timeout how long to wait. "
    "A program that reads it uses --json."
)


def why_not_wait(arguments: argparse.Namespace) -> str:
    """Return why a login would wait in vain; empty if it would not, or if the command line says to wait."""
    is_wanted = arguments.device_code or arguments.json or arguments.timeout != DEFAULT_DEADLINE
    has_person = is_terminal(sys.stderr) or is_terminal(sys.stdin)
    return "" if is_wanted or has_person or not is_automatic() else _WORDS
