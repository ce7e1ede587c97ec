"""The types of values on the command line. Each function raises `argparse.ArgumentTypeError` for a wrong value."""

from __future__ import annotations

import argparse
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_LONGEST_PAGE: Final = 262_144
"""The most characters of a page, as `LoginOptions.success_page` takes it."""


def port(text: str) -> int:
    """Return a port; 0 for any free one."""
    number = int(text) if text.isdecimal() else -1
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 0 to 65535")
    return number


def count(text: str) -> int:
    """Return a whole number, at least 1."""
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError("N must be a whole number, at least 1")
    return number


def folder(text: str) -> str:
    """Return the path of a folder, with a leading ``~`` or ``~user`` expanded."""
    if not text:
        raise argparse.ArgumentTypeError("must not be empty")
    path = os.path.expanduser(text)  # noqa: PTH111 - pathlib costs 5 ms
    if path.startswith("~"):
        raise argparse.ArgumentTypeError("~ stands for no folder here: set HOME, or give the whole path")
    return path


def page(text: str) -> str:
    """Return the content of an HTML file in UTF-8."""
    try:
        with open(text, encoding="utf-8") as file:  # noqa: PTH123 - as above
            content = file.read(_LONGEST_PAGE + 1)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"the file cannot be read: {error.strerror}") from None
    except ValueError:
        raise argparse.ArgumentTypeError("the file is not in UTF-8") from None
    if not 0 < len(content) <= _LONGEST_PAGE:
        raise argparse.ArgumentTypeError(f"the file has more than {_LONGEST_PAGE} characters, or none")
    return content


def token_kind(text: str) -> str:
    """Return which token is read from standard input. Another text is not repeated: it may be the token."""
    if text not in ("refresh", "access"):
        raise argparse.ArgumentTypeError(
            "say refresh or access. The token itself is read from standard input, because others could see it"
        )
    return text


def seconds(text: str) -> float | None:
    """Return a time limit in seconds; None for 0, which means no limit."""
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise argparse.ArgumentTypeError("SECONDS must be a number, at least 0")
    return number or None
