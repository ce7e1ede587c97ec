"""Draw the states that traces passed, as SVG. Each arrow is as wide as it was often taken."""

from __future__ import annotations

import math
from collections import Counter
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

from .layout import lay_out
from .words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ...drivers.traces.many.summary import Arrow
    from .layout import Point

_MARGIN: Final = 12.0
_BOX_HEIGHT: Final = 42.0
_LETTER: Final = 7.4
"""The width of a letter in a box."""
_THINNEST: Final = 1.5
_WIDEST: Final = 7.0
_LABEL_AT: Final = (0.352, 0.424)
"""The point of a curve of `_curve` at 0.4 of its parameter: the parts of its width and of its height."""
_STYLE_OF: Final = {"succeeded": "good", "failed": "bad", "cancelled": "ended"}


class _Way(NamedTuple):
    """All changes from one state to another."""

    taken: int
    """How often."""
    triggers: Counter[str]


def state_drawing(arrows: Mapping[Arrow, int], order: Sequence[str]) -> str:
    """Return the SVG of the states that the traces of one kind passed.

    Args:
        arrows: How often each arrow was taken. Those of one kind of trace, at least one that changes the state.
        order: The names of all states, from the first one on.
    """
    ways, repeated = _ways(arrows)
    entered = Counter[str]()
    for (_, after), way in ways.items():
        entered[after] += way.taken
    passed = {state for ends in ways for state in ends}
    boxes = [state for state in order if state in passed]
    lines = {state: _box_lines(state, entered[state], repeated[state]) for state in boxes}
    widths = {state: max(len(line) for line in lines[state]) * _LETTER + 20 for state in boxes}
    layout = lay_out({state: (width, _BOX_HEIGHT) for state, width in widths.items()}, list(ways))
    width, height = layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN
    most = max(way.taken for way in ways.values())
    place = f'viewBox="{-_MARGIN:g} {-_MARGIN:g} {width:.0f} {height:.0f}" style="--width: {width:.0f}px"'
    parts = [f'<svg {place} role="img" aria-label="States, and how often each arrow was taken">', *_heads()]
    for ends, way in sorted(ways.items(), key=lambda item: item[1].taken):
        parts += _arrow(ends, way, layout.arrows[ends], most)
    for ends, way in ways.items():
        parts.append(_label(layout.arrows[ends], way.taken))
    for state in boxes:
        parts += _box(state, layout.boxes[state], widths[state], lines[state])
    return "\n".join([*parts, "</svg>"])


def _ways(arrows: Mapping[Arrow, int]) -> tuple[dict[tuple[str, str], _Way], Counter[str]]:
    """Return the changes of state, and how many events repeated the work of a state."""
    ways: dict[tuple[str, str], _Way] = {}
    repeated = Counter[str]()
    for arrow, count in sorted(arrows.items()):
        if arrow.before == arrow.after:
            repeated[arrow.after] += count
            continue
        ends = (arrow.before, arrow.after)
        old = ways.get(ends, _Way(0, Counter()))
        ways[ends] = _Way(old.taken + count, old.triggers + Counter({arrow.trigger: count}))
    return ways, repeated


def _box_lines(state: str, entered: int, repeated: int) -> tuple[str, str]:
    times = f"{entered:,}" if entered else "start"
    return state.replace("_", " "), times + (f", {counted(repeated, 'event', 'events')} inside" if repeated else "")


def _heads() -> Iterator[str]:
    yield "<defs>"
    for style in ("way", *_STYLE_OF.values()):
        yield (
            f'<marker id="head-{style}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
            f'markerUnits="userSpaceOnUse" orient="auto"><path class="head {style}" d="M0 0L8 4L0 8z"/></marker>'
        )
    yield "</defs>"


def _arrow(ends: tuple[str, str], way: _Way, points: Sequence[Point], most: int) -> Iterator[str]:
    style = _STYLE_OF.get(ends[1], "way")
    width = _THINNEST + (_WIDEST - _THINNEST) * math.sqrt(way.taken / most)
    triggers = "".join(f"\n{trigger}: {count:,}" for trigger, count in way.triggers.most_common())
    yield (
        f'<path class="arrow {style}" d="{_curve(points)}" stroke-width="{width:.1f}" marker-end="url(#head-{style})">'
        f"<title>{escape(f'{ends[0]} to {ends[1]}: {way.taken:,}{triggers}')}</title></path>"
    )


def _curve(points: Sequence[Point]) -> str:
    """Return the data of a path that is vertical at each point."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        middle = (y + to_y) / 2
        parts.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
    return "".join(parts)


def _label(points: Sequence[Point], count: int) -> str:
    """Return the number at an arrow. It is nearer to the start, so that two opposite arrows have two numbers."""
    (x, y), (to_x, to_y) = points[0], points[1]
    along, down = _LABEL_AT
    return f'<text class="count" x="{x + along * (to_x - x):.1f}" y="{y + down * (to_y - y) + 4:.1f}">{count:,}</text>'


def _box(state: str, middle: Point, width: float, lines: tuple[str, str]) -> Iterator[str]:
    x, y = middle
    yield (
        f'<rect class="box {_STYLE_OF.get(state, "way")}" x="{x - width / 2:.1f}" y="{y - _BOX_HEIGHT / 2:.1f}" '
        f'width="{width:.1f}" height="{_BOX_HEIGHT:g}" rx="9"/>'
    )
    yield f'<text class="state" x="{x:.1f}" y="{y - 3:.1f}">{escape(lines[0])}</text>'
    yield f'<text class="times" x="{x:.1f}" y="{y + 13:.1f}">{escape(lines[1])}</text>'
