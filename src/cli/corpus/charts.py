"""Tables with bars: where traces ended, and how long each state took."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Final

from .words import outcome_words, seconds_words, share_words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...drivers.traces.many.durations import Durations
    from ...drivers.traces.many.summary import End, Step

_CLASSES: Final = 5
"""Classes of a histogram in a factor of ten."""
_HEIGHT: Final = 30
"""Of a histogram, in units of its drawing. A class is 10 wide."""
_STYLE_OF: Final = {"succeeded": "good", "failed": "bad", "cancelled": "ended"}
_AXIS: Final = (
    *((1e-6, "1 us"), (1e-5, "10 us"), (1e-4, "0.1 ms"), (1e-3, "1 ms"), (1e-2, "10 ms"), (0.1, "0.1 s")),
    *((1.0, "1 s"), (10.0, "10 s"), (100.0, "100 s"), (1e3, "1,000 s"), (1e4, "10,000 s")),
)


def ends_table(ends: Sequence[tuple[End, Durations]], total: int) -> Iterator[str]:
    """Yield a table of how the traces ended, the most frequent first."""
    most = max(durations.count for _, durations in ends)
    yield "<table class='ends'><thead><tr><th>outcome</th><th class='number'>traces</th>"
    yield "<th class='number'>share</th><th class='wide'></th>"
    yield "<th class='number'>median</th><th class='number'>longest</th></tr></thead><tbody>"
    for end, durations in ends:
        style = _STYLE_OF.get(end.outcome, "way")
        width = max(100 * durations.count / most, 0.5)
        yield f"<tr><td>{escape(outcome_words(end))} <code>{escape(end.category)}</code></td>"
        yield f"<td class='number'>{durations.count:,}</td>"
        yield f"<td class='number'>{escape(share_words(durations.count, total))}</td>"
        yield f"<td class='wide'><div class='bar {style}' style='width:{width:.1f}%'></div></td>"
        yield f"<td class='number'>{seconds_words(durations.quantile(0.5))}</td>"
        yield f"<td class='number'>{seconds_words(durations.longest)}</td></tr>"
    yield "</tbody></table>"


def times_table(steps: Sequence[tuple[Step, Durations]]) -> Iterator[str]:
    """Yield a table of how long the traces were in each state, with a histogram on a logarithmic axis."""
    first, last = _range(steps)
    yield "<table class='times'><thead><tr><th>state</th><th class='number'>traces</th>"
    yield f"<th class='wide'>{_axis(first, last)}</th>"
    yield "<th class='number'>median</th><th class='number'>95 %</th><th class='number'>longest</th></tr></thead>"
    yield "<tbody>"
    for step, durations in steps:
        yield f"<tr><td>{escape(step.state.replace('_', ' '))}</td><td class='number'>{durations.count:,}</td>"
        yield f"<td class='wide'>{_histogram(durations, first, last)}</td>"
        for seconds in (durations.quantile(0.5), durations.quantile(0.95), durations.longest):
            yield f"<td class='number'>{seconds_words(seconds)}</td>"
        yield "</tr>"
    yield "</tbody></table>"


def _range(steps: Sequence[tuple[Step, Durations]]) -> tuple[int, int]:
    """Return the first and the last power of ten of the axis."""
    shortest = max(min(durations.shortest for _, durations in steps), _AXIS[0][0])
    longest = max(*(durations.longest for _, durations in steps), _AXIS[0][0])
    first = math.floor(math.log10(shortest))
    return first, max(math.floor(math.log10(longest)) + 1, first + 1)


def _svg(first: int, last: int, height: int, words: str, inner: str) -> str:
    width = (last - first) * _CLASSES * 10
    return (
        f"<svg viewBox='0 0 {width} {height}' preserveAspectRatio='none' role='img' aria-label='{words}'>{inner}</svg>"
    )


def _axis(first: int, last: int) -> str:
    """Return the labels of the axis, each at the left end of its factor of ten."""
    names = {round(math.log10(seconds)): name for seconds, name in _AXIS}
    cells = "".join(f"<span>{names.get(power, f'1e{power} s')}</span>" for power in range(first, last))
    return f"<div class='axis'>{cells}</div>"


def _histogram(durations: Durations, first: int, last: int) -> str:
    classes = list(durations.in_steps(_CLASSES))
    most = max(count for _, count in classes)
    bars = []
    for seconds, count in classes:
        place = (math.log10(seconds) - first) * _CLASSES * 10
        height = max(_HEIGHT * count / most, 1.0) if count else 0.0
        bars.append(f"<rect x='{place + 0.5:.1f}' y='{_HEIGHT - height:.1f}' width='9' height='{height:.1f}'/>")
    lines = "".join(
        f"<line x1='{x}' x2='{x}' y1='0' y2='{_HEIGHT}'/>"
        for x in range(0, (last - first) * _CLASSES * 10, _CLASSES * 10)
    )
    words = f"from {seconds_words(durations.shortest)} to {seconds_words(durations.longest)}"
    return _svg(first, last, _HEIGHT, words, lines + "".join(bars))
