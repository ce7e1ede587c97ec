"""Place the boxes and arrows of a drawing in rows from top to bottom: a layered layout, as that of Sugiyama.

The boxes get rows by the longest way to them. Boxes of a row are ordered so that few arrows cross, and then moved below
their neighbours. An arrow over several rows has a bend in each, so that it passes between the boxes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

Point: TypeAlias = tuple[float, float]
Size: TypeAlias = tuple[float, float]
"""Width and height."""
_Cell: TypeAlias = "str | tuple[str, str, int]"
"""A box, or the bend of an arrow in a row: its ends and the row."""

ROW_GAP: Final = 54.0
"""Between two rows, in units of the drawing."""
_GAP: Final = 26.0
"""Between two neighbours in a row."""
_PART_GAP: Final = 52.0
"""Between parts that no arrow connects."""
_BEND_WIDTH: Final = 18.0
_SWEEPS: Final = 12


class Layout(NamedTuple):
    """Where everything is."""

    width: float
    height: float
    boxes: dict[str, Point]
    """The middle of each box."""
    arrows: dict[tuple[str, str], list[Point]]
    """The points of each arrow, from the edge of one box to that of the other."""


def lay_out(boxes: Mapping[str, Size], arrows: Sequence[tuple[str, str]], *, row_gap: float = ROW_GAP) -> Layout:
    """Place boxes and arrows.

    Args:
        boxes: The size of each box, by its name. The first box is at the top.
        arrows: The ends of the arrows, without loops and repetitions.
        row_gap: The room between two rows.
    """
    layouts = [_connected(part, ends, row_gap) for part, ends in _parts(boxes, arrows)]
    placed, ways = dict[str, Point](), dict[tuple[str, str], list[Point]]()
    width = height = 0.0
    for layout, (left, top) in zip(layouts, _places(layouts), strict=True):
        placed |= {name: (x + left, y + top) for name, (x, y) in layout.boxes.items()}
        ways |= {arrow: [(x + left, y + top) for x, y in points] for arrow, points in layout.arrows.items()}
        width, height = max(width, left + layout.width), max(height, top + layout.height)
    return Layout(width, height, placed, ways)


def _places(layouts: Sequence[Layout]) -> list[Point]:
    """Return the upper left corner of each part: side by side, and small ones below each other."""
    highest = max(layout.height for layout in layouts)
    columns: list[list[int]] = []
    for number, layout in enumerate(layouts):
        for column in columns:
            if sum(layouts[other].height + _PART_GAP for other in column) + layout.height <= highest:
                column.append(number)
                break
        else:
            columns.append([number])
    places: dict[int, Point] = {}
    left = 0.0
    for column in columns:
        top = 0.0
        for number in column:
            places[number] = (left, top)
            top += layouts[number].height + _PART_GAP
        left += max(layouts[number].width for number in column) + _PART_GAP
    return [places[number] for number in range(len(layouts))]


def _parts(
    boxes: Mapping[str, Size], arrows: Sequence[tuple[str, str]]
) -> Iterator[tuple[dict[str, Size], list[tuple[str, str]]]]:
    """Yield the parts of a drawing between which there is no arrow."""
    left = dict(boxes)
    while left:
        names = {next(iter(left))}
        while more := {name for arrow in arrows if names & set(arrow) for name in arrow} - names:
            names |= more
        part = {name: left.pop(name) for name in boxes if name in names}
        yield part, [arrow for arrow in arrows if arrow[0] in names]


def _connected(boxes: Mapping[str, Size], arrows: Sequence[tuple[str, str]], row_gap: float) -> Layout:
    """Place the boxes and arrows of one part."""
    widths = {name: width for name, (width, _) in boxes.items()}
    down = _downwards(list(widths), arrows)
    row_of = _rows(list(widths), down)
    # The ends are side by side.
    row_of.update(dict.fromkeys(widths.keys() - {source for source, _ in arrows}, max(row_of.values())))
    chains = {arrow: _chain(arrow, row_of) for arrow in down}
    rows: list[list[_Cell]] = [[] for _ in range(max(row_of.values()) + 1)]
    for name in widths:
        rows[row_of[name]].append(name)
    for chain in chains.values():
        for number, cell in enumerate(chain[1:-1], row_of[str(chain[0])] + 1):
            rows[number].append(cell)
    neighbours = _Neighbours(chains.values())
    _order(rows, neighbours)
    sizes = {cell: widths[cell] if isinstance(cell, str) else _BEND_WIDTH for row in rows for cell in row}
    x = _across(rows, neighbours, sizes)
    shift = min(x[cell] - sizes[cell] / 2 for cell in x)
    x = {cell: middle - shift for cell, middle in x.items()}
    spans = _row_spans(rows, boxes, row_gap)
    points = _points(chains, x, spans, widths)
    return Layout(
        width=max(x[cell] + sizes[cell] / 2 for cell in x),
        height=max(bottom for _, bottom in spans.values()),
        boxes={name: (x[name], sum(spans[name]) / 2) for name in widths},
        arrows={arrow: points[arrow] if arrow in points else points[arrow[::-1]][::-1] for arrow in arrows},
    )


class _Neighbours:
    """The cells above and below each cell."""

    def __init__(self, chains: Iterable[Sequence[_Cell]]) -> None:
        self.above: dict[_Cell, list[_Cell]] = {}
        self.below: dict[_Cell, list[_Cell]] = {}
        for chain in chains:
            for upper, lower in pairwise(chain):
                self.below.setdefault(upper, []).append(lower)
                self.above.setdefault(lower, []).append(upper)


def _downwards(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Turn the arrows that would close a circle."""
    following = {name: [dest for source, dest in arrows if source == name] for name in names}
    done: set[str] = set()
    turned: set[tuple[str, str]] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        for dest in following[name]:
            if dest in path:
                turned.add((name, dest))
            elif dest not in done:
                visit(dest, (*path, dest))
        done.add(name)

    for name in names:
        if name not in done:
            visit(name, (name,))
    return list(dict.fromkeys(arrow[::-1] if arrow in turned else arrow for arrow in arrows))


def _rows(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the row of each box, from 0: below all boxes with arrows to it."""
    row_of = dict.fromkeys(names, 0)
    for _ in names:
        for source, dest in arrows:
            row_of[dest] = max(row_of[dest], row_of[source] + 1)
    return row_of


def _chain(arrow: tuple[str, str], row_of: Mapping[str, int]) -> list[_Cell]:
    source, dest = arrow
    bends: list[_Cell] = [(source, dest, row) for row in range(row_of[source] + 1, row_of[dest])]
    return [source, *bends, dest]


def _order(rows: list[list[_Cell]], neighbours: _Neighbours) -> None:
    """Order each row by the mean place of its neighbours, downwards and upwards by turns."""
    for sweep in range(_SWEEPS):
        is_down = sweep % 2 == 0
        beside = neighbours.above if is_down else neighbours.below
        fixed: list[_Cell] = []
        for row in rows if is_down else reversed(rows):
            places = {cell: place for place, cell in enumerate(fixed)}
            means = {
                cell: _mean([places[other] for other in beside.get(cell, ())], place) for place, cell in enumerate(row)
            }
            row.sort(key=means.__getitem__)
            fixed = row


def _across(rows: Sequence[list[_Cell]], neighbours: _Neighbours, sizes: Mapping[_Cell, float]) -> dict[_Cell, float]:
    """Return the middle of each cell. Cells are moved to the mean of their neighbours, as far as there is room."""
    x: dict[_Cell, float] = {}
    for row in rows:
        x.update(_without_overlaps(row, dict.fromkeys(row, 0.0), sizes))
    for sweep in range(_SWEEPS * 2):
        is_down = sweep % 2 == 0
        beside = neighbours.above if is_down else neighbours.below
        for row in rows if is_down else reversed(rows):
            wanted = {cell: _mean([x[other] for other in beside.get(cell, ())], x[cell]) for cell in row}
            x.update(_without_overlaps(row, wanted, sizes))
    return x


def _without_overlaps(
    row: Sequence[_Cell], wanted: Mapping[_Cell, float], sizes: Mapping[_Cell, float]
) -> dict[_Cell, float]:
    """Push the cells of a row apart, half of it to the left and half to the right."""
    rightwards: dict[_Cell, float] = {}
    edge = float("-inf")
    for cell in row:
        rightwards[cell] = max(wanted[cell], edge + sizes[cell] / 2)
        edge = rightwards[cell] + sizes[cell] / 2 + _GAP
    leftwards: dict[_Cell, float] = {}
    edge = float("inf")
    for cell in reversed(row):
        leftwards[cell] = min(wanted[cell], edge - sizes[cell] / 2)
        edge = leftwards[cell] - sizes[cell] / 2 - _GAP
    return {cell: (rightwards[cell] + leftwards[cell]) / 2 for cell in row}


def _row_spans(
    rows: Sequence[Sequence[_Cell]], boxes: Mapping[str, Size], row_gap: float
) -> dict[_Cell, tuple[float, float]]:
    """Return the upper and the lower edge of each cell. Boxes are in the middle of their row, and bends fill it."""
    spans: dict[_Cell, tuple[float, float]] = {}
    top = 0.0
    for row in rows:
        height = max(boxes[cell][1] for cell in row if isinstance(cell, str))
        for cell in row:
            own = boxes[cell][1] if isinstance(cell, str) else height
            spans[cell] = (top + (height - own) / 2, top + (height + own) / 2)
        top += height + row_gap
    return spans


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _points(
    chains: Mapping[tuple[str, str], Sequence[_Cell]],
    x: Mapping[_Cell, float],
    spans: Mapping[_Cell, tuple[float, float]],
    widths: Mapping[str, float],
) -> dict[tuple[str, str], list[Point]]:
    """Return the points of the arrows. Those at the same edge of a box are spread over it."""
    starts = _ports({arrow: (arrow[0], x[chain[1]]) for arrow, chain in chains.items()}, x, widths)
    ends = _ports({arrow: (arrow[1], x[chain[-2]]) for arrow, chain in chains.items()}, x, widths)
    return {
        arrow: [
            (starts[arrow], spans[arrow[0]][1]),
            *((x[cell], edge) for cell in chain[1:-1] for edge in spans[cell]),
            (ends[arrow], spans[arrow[1]][0]),
        ]
        for arrow, chain in chains.items()
    }


def _ports(
    towards: Mapping[tuple[str, str], tuple[str, float]], x: Mapping[_Cell, float], widths: Mapping[str, float]
) -> dict[tuple[str, str], float]:
    """Return where each arrow touches a box, ordered by where it leads.

    Args:
        towards: For each arrow the box, and the place where the arrow goes on.
        x: The middle of each box.
        widths: The width of each box.
    """
    ports: dict[tuple[str, str], float] = {}
    for box in {box for box, _ in towards.values()}:
        arrows = sorted((arrow for arrow in towards if towards[arrow][0] == box), key=lambda arrow: towards[arrow][1])
        room = widths[box] * 0.8
        for number, arrow in enumerate(arrows, 1):
            ports[arrow] = x[box] - room / 2 + room * number / (len(arrows) + 1)
    return ports
