"""The layout of ``--help``: as wide as the terminal, up to a limit."""

from __future__ import annotations

import argparse
import sys

from .terminal.screen import columns_for_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final, TextIO

_WIDTH: Final = 100
_LEAST_WIDTH: Final = 24
"""In a narrower terminal, a help of its width would have one word in each line."""


class HelpFormat(argparse.HelpFormatter):
    """Formats the help of a command. The last part keeps its line breaks.

    It asks for the width itself: argparse would import shutil for that, which takes 4 ms. The methods that it replaces
    are private ones of argparse, as those of argparse's own formatters are.

    Args:
        prog: The words with which the command is called.
        stream: Where the text is shown; None for standard output.
    """

    def __init__(self, prog: str, stream: TextIO | None = None) -> None:
        columns = columns_for_text(sys.stdout if stream is None else stream)
        # As argparse does it, two columns stay empty.
        super().__init__(prog, width=max(min(columns - 2, _WIDTH), _LEAST_WIDTH) if columns else _WIDTH)

    def add_argument(self, action: argparse.Action) -> None:
        """Add an argument. The descriptions begin right of the longest command, too, which argparse forgets."""
        super().add_argument(action)
        if action.nargs == argparse.PARSER:
            longest = max(map(len, action.choices or ()), default=0)
            indent = self._current_indent + self._indent_increment
            self._action_max_length = max(self._action_max_length, longest + indent)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        import textwrap  # noqa: PLC0415 - for the help only

        def wrap(line: str) -> str:
            columns = len(line) - len(line.lstrip())
            return textwrap.fill(line, width, initial_indent=indent, subsequent_indent=f"{indent}{' ' * columns}")

        return "\n".join(map(wrap, text.splitlines()))

    def _format_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None,
    ) -> str:
        text = super()._format_usage(usage, actions, groups, prefix)
        if all(len(line) <= self._width for line in text.splitlines()):
            return text
        # argparse indents by the length of the command, for which a narrow terminal has no room.
        import re  # noqa: PLC0415 - as above
        import textwrap  # noqa: PLC0415

        kept = re.sub(r"\[[^\]]*\]", lambda option: option[0].replace(" ", "\xa0"), " ".join(text.split()))
        lines = textwrap.fill(kept, self._width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
        return f"{lines}\n\n".replace("\xa0", " ")
