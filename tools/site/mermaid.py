"""Draw the state diagrams of the pages as SVG, so that a reader's browser needs no script.

Only that part of Mermaid's language is known which `loginmachine.sansio.diagram` writes. Anything else is an error.
"""

from __future__ import annotations

import re
from html import escape
from typing import TYPE_CHECKING, NamedTuple

from loginmachine.cli.corpus.layout import lay_out

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from loginmachine.cli.corpus.layout import Point, Size

LETTER, LINE, MARGIN = 6.6, 15.0, 10.0
"""Of the text of a drawing: the width of a letter, the height of a line; and the margin of a box."""
HEAD = (
    '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" '
    'markerUnits="userSpaceOnUse" orient="auto"><path class="head" d="M0 0L8 4L0 8z"/></marker></defs>'
)
START = "[*]"
TITLE = re.compile(r'state "(?P<words>[^"]*)" as (?P<name>\w+)')
ARROW = re.compile(r"(?P<source>\w+|\[\*\]) --> (?P<dest>\w+|\[\*\])(?: : (?P<label>.*))?")
TEXT = re.compile(r"(?P<name>\w+) : (?P<words>.*)")
CLASS = re.compile(r"class (?P<names>[\w,]+) (?P<style>\w+)")


class Diagram(NamedTuple):
    """A state diagram."""

    boxes: dict[str, list[str]]
    """The lines of each box."""
    styles: dict[str, list[str]]
    arrows: list[tuple[str, str, list[str]]]
    """The ends, and the lines of the label."""
    is_sideways: bool


def parse(source: str) -> Diagram:
    """Read a diagram.

    Raises:
        ValueError: A line is not known.
    """
    titles: dict[str, list[str]] = {}
    texts: dict[str, list[str]] = {}
    styles: dict[str, list[str]] = {}
    arrows: list[tuple[str, str, list[str]]] = []
    names: list[str] = []
    is_sideways = False
    for line in map(str.strip, source.strip().splitlines()):
        if line == "direction LR":
            is_sideways = True
        elif match := TITLE.fullmatch(line):
            titles[match["name"]] = match["words"].split("<br/>")
            names.append(match["name"])
        elif match := ARROW.fullmatch(line):
            tail = START if match["source"] == "[*]" else match["source"]
            names.append(tail)
            # The ends are boxes without an arrow from them.
            if match["dest"] != "[*]":
                arrows.append((tail, match["dest"], match["label"].split("<br/>") if match["label"] else []))
                names.append(match["dest"])
        elif match := TEXT.fullmatch(line):
            texts.setdefault(match["name"], []).append(match["words"])
            names.append(match["name"])
        elif match := CLASS.fullmatch(line):
            for name in match["names"].split(","):
                styles.setdefault(name, []).append(match["style"])
        elif line != "stateDiagram-v2" and not line.startswith("classDef "):
            raise ValueError(f"a line of a diagram is not known: {line}")
    boxes = {name: _lines(name, titles, texts) for name in dict.fromkeys(names)}
    return Diagram(boxes, styles, [arrow for arrow in arrows if arrow[0] != arrow[1]], is_sideways)


def _lines(name: str, titles: Mapping[str, list[str]], texts: Mapping[str, list[str]]) -> list[str]:
    if name == START:
        return []
    lines = texts.get(name, [])
    # A box with text inside repeats its name as the first line.
    return [*titles.get(name, [name]), *(lines[1:] if lines[:1] == [name] else lines)]


def svg(source: str, words: str) -> str:
    """Draw a diagram.

    Args:
        source: The diagram, in Mermaid's language.
        words: What it shows, for a reader who cannot see it.
    """
    diagram = parse(source)
    labels = {f"label {number}": arrow[2] for number, arrow in enumerate(diagram.arrows) if arrow[2]}
    sizes = {name: _size(lines) for name, lines in diagram.boxes.items()} | {
        name: _size(lines, margin=3) for name, lines in labels.items()
    }
    # A label is a box of its own on the way, so that nothing covers it.
    pieces = [
        piece
        for number, (tail, head, label) in enumerate(diagram.arrows)
        for piece in ([(tail, f"label {number}"), (f"label {number}", head)] if label else [(tail, head)])
    ]
    placed = {name: (height, width) for name, (width, height) in sizes.items()} if diagram.is_sideways else sizes
    layout = lay_out(placed, pieces, row_gap=24)
    turn = _swapped if diagram.is_sideways else _same
    width, height = turn((layout.width, layout.height))
    place = f'viewBox="-8 -8 {width + 16:.0f} {height + 16:.0f}" style="--width: {width + 16:.0f}px"'
    parts = [f'<svg {place} role="img" aria-label="{escape(words)}">', HEAD]
    for piece in pieces:
        head = "" if piece[1] in labels else ' marker-end="url(#head)"'
        points = [turn(point) for point in layout.arrows[piece]]
        parts.append(f'<path class="arrow" d="{_curve(points, is_sideways=diagram.is_sideways)}"{head}/>')
    for name, lines in labels.items():
        parts += _texts(turn(layout.boxes[name]), lines, "label")
    for name, lines in diagram.boxes.items():
        parts += _box(turn(layout.boxes[name]), sizes[name], lines, " ".join(diagram.styles.get(name, ())))
    return "\n".join([*parts, "</svg>"])


def _size(lines: Sequence[str], margin: float = MARGIN) -> Size:
    if not lines:
        return 16.0, 16.0
    return max(map(len, lines)) * LETTER + 2 * margin, len(lines) * LINE + 2 * margin


def _same(point: Point) -> Point:
    return point


def _swapped(point: Point) -> Point:
    return point[1], point[0]


def _curve(points: Sequence[Point], *, is_sideways: bool) -> str:
    x, y = points[0]
    parts = [f"M{x:.1f} {y:.1f}"]
    for to_x, to_y in points[1:]:
        middle = (x + to_x) / 2 if is_sideways else (y + to_y) / 2
        first, second = ((middle, y), (middle, to_y)) if is_sideways else ((x, middle), (to_x, middle))
        parts.append(f"C{first[0]:.1f} {first[1]:.1f} {second[0]:.1f} {second[1]:.1f} {to_x:.1f} {to_y:.1f}")
        x, y = to_x, to_y
    return "".join(parts)


def _box(middle: Point, size: Size, lines: Sequence[str], style: str) -> Iterator[str]:
    (x, y), (width, height) = middle, size
    if not lines:
        yield f'<circle class="start" cx="{x:.1f}" cy="{y:.1f}" r="8"/>'
        return
    yield (
        f'<rect class="box {style}" x="{x - width / 2:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" '
        f'height="{height:.1f}" rx="8"/>'
    )
    yield from _texts(middle, lines, f"state {style}")


def _texts(middle: Point, lines: Sequence[str], style: str) -> Iterator[str]:
    x, y = middle
    first = y - (len(lines) - 1) * LINE / 2 + 4
    for number, line in enumerate(lines):
        kind = f"{style} {'first' if number == 0 else 'further'}"
        yield f'<text class="{kind}" x="{x:.1f}" y="{first + number * LINE:.1f}">{escape(line)}</text>'
