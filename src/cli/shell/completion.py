"""``loginmachine completion``: a script that lets a shell complete the command line.

shtab writes it from the parsers of the command, for all three shells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import shtab

from .. import exit_codes
from ..arguments import make_parsers
from ..terminal.writer import print_out

if TYPE_CHECKING:
    import argparse
    from typing import Final

_PATHS: Final = {"FILE": shtab.FILE, "TRACE": shtab.FILE, "DIR": shtab.DIRECTORY}
"""What a shell completes, by the name that the help has for a value."""


def run(arguments: argparse.Namespace) -> int:
    """Print the script, and return the exit code."""
    return exit_codes.SUCCESS if print_out(script_for(arguments.shell)) else exit_codes.FAILURE


def script_for(shell: str) -> str:
    """Return the script.

    Args:
        shell: ``bash``, ``zsh`` or ``fish``.
    """
    parser, commands = make_parsers()
    for command in commands.values():
        for action in command.actions():
            if action.metavar in _PATHS:
                action.complete = _PATHS[action.metavar]  # type: ignore[attr-defined] # shtab reads this
    return shtab.complete(parser, shell).strip()
