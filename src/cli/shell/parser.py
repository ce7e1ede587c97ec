"""The parser of the command and of each subcommand. Its errors show the usage of the subcommand concerned."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from .. import exit_codes
from ..help_format import HelpFormat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


class CommandParser(argparse.ArgumentParser):
    """A parser that knows no abbreviations.

    Args:
        prog: The words with which the command is called.
        description: What it does, as a sentence.
        epilog: The last part of the help.
    """

    def __init__(self, prog: str, description: str, epilog: str | None = None) -> None:
        super().__init__(
            prog=prog, description=description, epilog=epilog, formatter_class=HelpFormat, allow_abbrev=False
        )

    def error(self, message: str) -> NoReturn:
        """Print the usage and a message, as wide as standard error. End the process with exit code 2."""
        self.formatter_class = partial(HelpFormat, stream=sys.stderr)
        self.print_usage(sys.stderr)
        from ..terminal.display import broken  # noqa: PLC0415 - for wrong usage only
        from ..terminal.screen import columns_for_text  # noqa: PLC0415 - as above

        text, columns = f"{self.prog}: error: {message}", columns_for_text(sys.stderr)
        self.exit(exit_codes.USAGE_ERROR, f"{broken(text, columns) if columns else text}\n")

    def option_names(self) -> list[str]:
        """Return the names of the options, such as ``--json``."""
        return [name for action in self._actions for name in action.option_strings]

    def groups(self) -> list[tuple[str, str, list[argparse.Action]]]:
        """Return the options and the other arguments in the groups of the help: title, description, and members.

        The title of the arguments that are in no group is empty. ``--help`` is left out.
        """
        usual = (self._positionals, self._optionals)
        return [
            ("" if group in usual else group.title or "", group.description or "", actions)
            for group in self._action_groups
            if (actions := [each for each in group._group_actions if each.dest != "help"])  # noqa: SLF001 - as argparse
        ]

    def actions(self) -> list[argparse.Action]:
        """Return the options and the other arguments, in their order."""
        return list(self._actions)
