"""What a terminal can do: its size, and whether it has control sequences (ECMA-48) and hyperlinks (OSC 8)."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final, TextIO

_USUAL_WIDTH: Final = 80
_MAX_DIGITS: Final = 6
_SET_BY_TERMINALS: Final = ("KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "WEZTERM_PANE", "DOMTERM")
"""Variables that only terminals with hyperlinks set."""
_PROGRAMS: Final = frozenset(("iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "Tabby", "rio", "mintty"))
"""Values of ``TERM_PROGRAM`` that stand for terminals with hyperlinks."""
_KINDS: Final = ("xterm-kitty", "xterm-ghostty", "alacritty", "foot", "contour", "wezterm")
"""Beginnings of ``TERM`` that stand for terminals with hyperlinks."""
_FIRST_VTE: Final = 5000
"""The first version of VTE, the terminal of GNOME, Xfce and others, that has hyperlinks."""


def understands_sequences() -> bool:
    """Return whether the terminal understands colours, clearing a line and bracketed paste, as ``TERM`` says.

    Windows does not set it.
    """
    kind = os.environ.get("TERM")
    return sys.platform == "win32" if kind is None else kind not in ("", "dumb")


def has_links(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the terminal is known to have hyperlinks. In a multiplexer this is not known.

    ``FORCE_HYPERLINK`` decides it for others: 0 for no, anything else for yes.
    """
    forced = environment.get("FORCE_HYPERLINK")
    if forced:
        return forced != "0"
    kind, vte = environment.get("TERM", ""), environment.get("VTE_VERSION", "")
    if kind.startswith(("screen", "tmux")):
        return False
    return (
        any(environment.get(name) for name in _SET_BY_TERMINALS)
        or environment.get("TERM_PROGRAM") in _PROGRAMS
        or kind.startswith(_KINDS)
        or (vte.isdecimal() and int(vte) >= _FIRST_VTE)
    )


def hyperlink(url: str, text: str) -> str:
    """Return a text that leads to a URL.

    Args:
        url: Visible ASCII.
        text: What is shown. It may have sequences for colours.
    """
    # All lines of a long address have the same id, so that the terminal takes them for one link.
    return f"\x1b]8;id=loginmachine;{url}\x1b\\{text}\x1b]8;;\x1b\\"


def columns_of(stream: TextIO | None) -> int:
    """Return the width of a terminal now, in characters: its own, or else that of ``COLUMNS``, or else 80."""
    return _terminal_width(stream) or _variable_width() or _USUAL_WIDTH


def rows_of(stream: TextIO | None) -> int:
    """Return the height of a terminal now, in lines; 0 if it is not known."""
    try:
        return 0 if stream is None else os.get_terminal_size(stream.fileno()).lines
    except (OSError, ValueError):
        return 0


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
