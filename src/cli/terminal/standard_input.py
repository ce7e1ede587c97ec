"""What comes on standard input, which may be closed, broken, or a terminal on which secrets must not be seen."""

from __future__ import annotations

import sys


def read_input(longest: int) -> bytes:
    """What is piped in, and at most so many bytes of it; nothing if that cannot be read."""
    try:
        return sys.stdin.buffer.read(longest)
    except (AttributeError, OSError, ValueError):
        return b""


def ask_unseen(question: str) -> str:
    """What is typed unseen; empty if nothing is, or if the terminal would show it."""
    import getpass  # noqa: PLC0415 - for those who type it
    import warnings  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(question)
        except (EOFError, getpass.GetPassWarning):
            return ""
