"""Words and numbers of a summary, as the table and the report show them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sansio.base.text import clean_text

if TYPE_CHECKING:
    from ...drivers.traces.many.summary import End, Slow
    from ...drivers.traces.replaying import Report

_PATH_LIMIT = 4096
"""The most characters of a path that are shown, as of a path on Linux."""


def seconds_words(seconds: float) -> str:
    """Return a duration in seconds, with three digits: ``0.25 s``, ``12.3 s``, ``1,204 s``."""
    if seconds >= 100:
        return f"{seconds:,.0f} s"
    return f"{seconds:.3g} s" if seconds >= 0.001 or not seconds else f"{seconds:.6f} s"


def share_words(count: int, total: int) -> str:
    """Return a part of a total, in percent. A part that is not nothing is never shown as nothing."""
    percent = 100 * count / total
    return "< 1 %" if 0 < percent < 1 else f"{percent:.0f} %"


def counted(count: int, one: str, many: str) -> str:
    """Return a number and what is counted: ``1 trace``, ``1,200 traces``."""
    return f"{count:,} {one if count == 1 else many}"


def outcome_words(end: End) -> str:
    """Return what ended, and how: ``login failed``."""
    return f"{end.of.replace('_', '-')} {end.outcome}"


def place(report: Report, line: int | None = None) -> str:
    """Return the file and the line of a trace, safe to print.

    Args:
        report: The report.
        line: Another line than that where the trace begins.
    """
    return f"{clean_text(report.path, limit=_PATH_LIMIT)}:{report.line if line is None else line}"


def slow_words(slow: Slow) -> str:
    """Return how long a trace took, and in which state most of it."""
    whole = seconds_words(slow.report.seconds)
    return f"{whole}, of which {slow.step} {seconds_words(slow.step_seconds)}" if slow.step else whole
