"""The summary of many traces as one page with pictures, without scripts and without anything from elsewhere."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from ... import __version__
from ...sansio.login.states import LoginState
from ...sansio.refresh.states import RefreshState
from ...sansio.sign_out.states import SignOutState
from .charts import ends_table, times_table
from .drawing import state_drawing
from .style import STYLE
from .words import counted, place, seconds_words, slow_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from ...drivers.traces.many.summary import Arrow, Named, Summary
    from ...drivers.traces.replaying import Report

_STATES: Final = {"login": tuple(LoginState), "refresh": tuple(RefreshState), "sign_out": tuple(SignOutState)}
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


def report_page(summary: Summary, seconds: float, made: str) -> str:
    """Return the page.

    Args:
        summary: The summary.
        seconds: How long the replay of all traces took.
        made: When the page was made, in words.
    """
    title = f"{counted(summary.traces, 'trace', 'traces')} replayed"
    rate = f", {summary.traces / seconds:,.0f} a second" if seconds else ""
    return "\n".join(
        (
            "<!DOCTYPE html>",
            '<html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{title}</title><style>{STYLE}</style></head><body><main>",
            f"<h1>{title}</h1>",
            f"<p class='verdict {'bad' if summary.different.count else 'good'}'>{_verdict(summary)}</p>",
            *_ends(summary),
            *_times(summary),
            *_drawings(summary),
            *_names(summary),
            f"<footer>loginmachine {__version__}, {escape(made)}. The replay took {seconds_words(seconds)}{rate}.",
            "Medians are right within 3 %.</footer>",
            "</main></body></html>\n",
        )
    )


def _verdict(summary: Summary) -> str:
    if not summary.traces:
        return "There is no trace that can be read."
    if summary.different.count:
        return f"{counted(summary.different.count, 'trace has', 'traces have')} another result today."
    return "The machine does today what was recorded."


def _ends(summary: Summary) -> Iterator[str]:
    if summary.ends:
        table = ends_table(summary.sorted_ends(), summary.traces)
        yield from ("<section><h2>How they ended</h2>", *table, "</section>")


def _times(summary: Summary) -> Iterator[str]:
    for of, states in _STATES.items():
        order = {str(state): number for number, state in enumerate(states)}
        steps = [(step, durations) for step, durations in summary.steps.items() if step.of == of]
        if steps:
            steps.sort(key=lambda item: order[item[0].state])
            yield f"<section><h2>How long each step of a {_name(of)} took</h2>"
            yield "<p>The time that a trace was in each state, on a logarithmic axis. In a final state, the last pages"
            yield " are sent.</p>" if of == "login" else " nothing is waited for.</p>"
            yield from (*times_table(steps), "</section>")


def _drawings(summary: Summary) -> Iterator[str]:
    for of, states in _STATES.items():
        arrows = {arrow: count for arrow, count in summary.arrows.items() if arrow.of == of}
        if any(arrow.before != arrow.after for arrow in arrows):
            names = [str(state) for state in states]
            yield f"<section><h2>The ways of a {_name(of)}</h2>"
            yield "<p>An arrow is as wide as it was often taken, and a number says how often. A box says how often its"
            yield " state was entered.</p>"
            yield f"<div class='drawing'>{state_drawing(arrows, names)}</div>"
            yield from (_missing(arrows, names), *_arrows_table(arrows), "</section>")


def _missing(arrows: Mapping[Arrow, int], names: Sequence[str]) -> str:
    passed = {state for arrow in arrows for state in (arrow.before, arrow.after)}
    missing = [name.replace("_", " ") for name in names if name not in passed]
    return f"<p class='soft'>No trace was in: {', '.join(missing)}.</p>" if missing else ""


def _arrows_table(arrows: Mapping[Arrow, int]) -> Iterator[str]:
    yield "<details><summary>Every event, with its meaning</summary><table><thead><tr><th>in</th><th>event</th>"
    yield "<th>to</th><th class='number'>how often</th></tr></thead><tbody>"
    for arrow, count in sorted(arrows.items(), key=lambda item: (-item[1], item[0])):
        to = "" if arrow.before == arrow.after else arrow.after
        yield f"<tr><td><code>{arrow.before}</code></td><td><code>{arrow.trigger}</code></td>"
        yield f"<td><code>{to}</code></td><td class='number'>{count:,}</td></tr>"
    yield "</tbody></table></details>"


def _names(summary: Summary) -> Iterator[str]:
    yield from _list("Another result today", summary.different, lambda report: place(report, report.diverges_at))
    yield from _list(
        "Not a trace, or not readable", summary.unreadable, lambda report: f"{place(report)}: {report.problem}"
    )
    yield from _list("Cut off in the middle of a line", summary.cut, lambda report: place(report, report.cut_line))
    if summary.slowest:
        yield "<section><h2>The slowest</h2><ul>"
        for slow in summary.slowest:
            yield f"<li><code>{escape(place(slow.report))}</code> {escape(slow_words(slow))}</li>"
        yield "</ul></section>"


def _list(title: str, named: Named, words: Callable[[Report], str]) -> Iterator[str]:
    if named.count:
        yield f"<section><h2>{title}</h2><ul>"
        yield from (f"<li><code>{escape(words(report))}</code></li>" for report in named.first)
        left = named.count - len(named.first)
        yield f"</ul>{f'<p>And {left:,} more; --json names all.</p>' if left else ''}</section>"


def _name(of: str) -> str:
    return of.replace("_", "-")
