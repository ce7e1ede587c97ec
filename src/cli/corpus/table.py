"""The summary of many traces as a table for a terminal of any width."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .words import counted, outcome_words, place, seconds_words, share_words, slow_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...drivers.traces.many.durations import Durations
    from ...drivers.traces.many.summary import End, Named, Summary
    from ...drivers.traces.replaying import Report

_WIDE: Final = 76
"""Columns from which the table has one line for each result."""


def table_lines(summary: Summary, seconds: float, columns: int) -> Iterator[str]:
    """Yield the lines of the summary. They are safe to print.

    Args:
        summary: The summary.
        seconds: How long the replay of all traces took.
        columns: The width of the terminal; 0 for any.
    """
    rate = f"({summary.traces / seconds:,.0f} a second)" if seconds else ""
    yield f"{counted(summary.traces, 'trace', 'traces')} replayed in {seconds_words(seconds)} {rate}".rstrip()
    if summary.ends:
        yield ""
        yield from (_narrow if 0 < columns < _WIDE else _wide)(summary.sorted_ends(), summary.traces)
    if summary.traces > 1:
        yield from ("", "The slowest:")
        yield from (f"  {place(slow.report)}  {slow_words(slow)}" for slow in summary.slowest)
    yield from _named(summary.cut, ("trace ends", "traces end"), "in the middle of a line", _cut)
    yield from _named(summary.unreadable, ("file is", "files are"), "not a trace, or cannot be read", _unreadable)
    yield from _named(summary.different, ("trace has", "traces have"), "another result today", _different)
    if summary.traces and not summary.different.count:
        yield from ("", "The machine does today what was recorded.")


def _wide(ends: list[tuple[End, Durations]], total: int) -> Iterator[str]:
    width = max(len(outcome_words(end)) for end, _ in ends)
    category = max(len("category"), *(len(end.category) for end, _ in ends))
    yield f"{'count':>9}  {'share':>5}  {'outcome':{width}}  {'category':{category}}  {'median':>8}  {'longest':>8}"
    for end, durations in ends:
        yield (
            f"{durations.count:9,}  {share_words(durations.count, total):>5}  {outcome_words(end):{width}}"
            f"  {end.category:{category}}  {seconds_words(durations.quantile(0.5)):>8}"
            f"  {seconds_words(durations.longest):>8}"
        )


def _narrow(ends: list[tuple[End, Durations]], total: int) -> Iterator[str]:
    for end, durations in ends:
        yield f"{durations.count:,} ({share_words(durations.count, total)}) {outcome_words(end)}"
        if end.category:
            yield f"  {end.category}"
        yield f"  median {seconds_words(durations.quantile(0.5))}, longest {seconds_words(durations.longest)}"


def _named(named: Named, what: tuple[str, str], words: str, line: Callable[[Report], str]) -> Iterator[str]:
    if not named.count:
        return
    yield from ("", f"{counted(named.count, *what)} {words}:")
    yield from (f"  {line(report)}" for report in named.first)
    left = named.count - len(named.first)
    if left:
        yield f"  and {left:,} more; --json names all"


def _cut(report: Report) -> str:
    return place(report, report.cut_line)


def _unreadable(report: Report) -> str:
    return f"{place(report)}: {report.problem}"


def _different(report: Report) -> str:
    return place(report, report.diverges_at)
