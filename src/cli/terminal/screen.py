"""What a terminal can do: its width, and whether it understands control sequences (ECMA-48)."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TextIO

_USUAL_WIDTH: Final = 80
_MAX_DIGITS: Final = 6


def understands_sequences() -> bool:
    """Return whether the terminal understands colours, clearing a line and bracketed paste, as ``TERM`` says.

    Windows does not set it.
    """
    kind = os.environ.get("TERM")
    return sys.platform == "win32" if kind is None else kind not in ("", "dumb")


def columns_of(stream: TextIO | None) -> int:
    """Return the width of a terminal now, in characters: its own, or else that of ``COLUMNS``, or else 80."""
    return _terminal_width(stream) or _variable_width() or _USUAL_WIDTH


def columns_for_text(stream: TextIO | None) -> int:
    """Return the width for a long text, in characters; 0 if neither ``COLUMNS`` nor the stream has one."""
    return _variable_width() or _terminal_width(stream)


def _variable_width() -> int:
    """Return the width in ``COLUMNS``; 0 if there is none."""
    value = os.environ.get("COLUMNS", "")
    return int(value) if value.isdecimal() and len(value) <= _MAX_DIGITS else 0


def _terminal_width(stream: TextIO | None) -> int:
    try:
        return 0 if stream is None else os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        # It is no terminal, or closed, or replaced by an object without a file.
        return 0
