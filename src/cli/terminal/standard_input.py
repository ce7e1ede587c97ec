"""Reading from standard input, which may be closed, or a terminal that must not show secrets."""

from __future__ import annotations

import sys


def read_input(limit: int) -> bytes:
    """Read at most ``limit`` bytes of standard input. Return nothing if it cannot be read."""
    try:
        return sys.stdin.buffer.read(limit)
    except (AttributeError, OSError, ValueError):
        return b""


def ask_hidden(question: str) -> str:
    """Prompt for a text that is not shown. Return an empty text if there is no input, or if it would be shown."""
    import getpass  # noqa: PLC0415 - for terminals only
    import warnings  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(question)
        except (EOFError, getpass.GetPassWarning):
            return ""
