"""The report of an exception for the log: all that helps to find its cause, and nothing that looks like a token."""

from __future__ import annotations

import re
import sys
import traceback
from typing import TYPE_CHECKING, Final

from ..sansio.base.text import clean_text, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

_MASK: Final = "[redacted]"
_LIMIT: Final = 4096
"""The most characters of one exception's text."""
_RUN: Final = re.compile(r"[\w+/=.~%-]{16,}", re.ASCII)
_PART: Final = re.compile(r"[^/.]{16,}")


def report(error: BaseException, *, hide: Iterable[str] = ()) -> str:
    """Return the type, text and traceback of an exception, and those of its causes, the first cause first.

    Args:
        error: The exception.
        hide: Secrets that the texts may hold. Words and numbers of 16 characters that may be part of a token are masked
            in any case.
    """
    secrets = tuple(hide)
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = [f"  {f.filename}:{f.lineno} in {f.name}" for f in traceback.extract_tb(current.__traceback__)]
        parts.append("\n".join([_describe(current, secrets), *frames]))
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return printable("\n".join(reversed(parts)))


def _describe(error: BaseException, secrets: Iterable[str]) -> str:
    try:
        text = str(error)
    except Exception:  # noqa: BLE001 - an exception of somebody else's
        text = "(its text cannot be shown)"
    # Long secrets come apart at the limit, so they are masked first.
    cleaned = _RUN.sub(_mask_token, clean_text(text, hide=secrets, limit=sys.maxsize))
    return f"{type(error).__qualname__}: {clean_text(cleaned, limit=_LIMIT)}"


def _mask_token(run: re.Match[str]) -> str:
    """Mask a run of characters of which tokens consist, unless it is a path or an address, or a long word."""
    return run[0] if all(part.isalpha() for part in _PART.findall(run[0])) else _MASK
