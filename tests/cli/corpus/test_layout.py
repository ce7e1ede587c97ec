"""The layout of the drawing: rows downwards, no overlaps, arrows from box to box."""

from __future__ import annotations

from itertools import pairwise

import pytest

from loginmachine.cli.corpus.layout import ROW_GAP, Layout, lay_out

BOX_HEIGHT = 42.0
ROW_HEIGHT = BOX_HEIGHT + ROW_GAP
CHAIN = [("a", "b"), ("b", "c")]


def boxes(*names: str) -> dict[str, tuple[float, float]]:
    return dict.fromkeys(names, (60.0, BOX_HEIGHT))


def rows(layout: Layout) -> dict[str, int]:
    return {name: round((y - BOX_HEIGHT / 2) / ROW_HEIGHT) for name, (_, y) in layout.boxes.items()}


def test_a_chain_is_straight() -> None:
    layout = lay_out(boxes("a", "b", "c"), CHAIN)
    assert rows(layout) == {"a": 0, "b": 1, "c": 2}
    assert {x for x, _ in layout.boxes.values()} == {30.0}
    assert layout.width == 60.0
    assert layout.height == 2 * ROW_HEIGHT + BOX_HEIGHT
    assert layout.arrows[("a", "b")] == [(30.0, BOX_HEIGHT), (30.0, ROW_HEIGHT)]


def test_an_arrow_over_a_row_bends_beside_its_boxes() -> None:
    layout = lay_out(boxes("a", "b", "c"), [*CHAIN, ("a", "c")])
    points = layout.arrows[("a", "c")]
    # It goes straight down beside the box.
    assert [y for _, y in points] == [42.0, 96.0, 138.0, 192.0]
    assert points[1][0] == points[2][0]
    assert abs(points[1][0] - layout.boxes["b"][0]) > 30


def test_an_arrow_back_starts_where_it_starts() -> None:
    layout = lay_out(boxes("a", "b", "c"), [*CHAIN, ("c", "a")])
    assert rows(layout) == {"a": 0, "b": 1, "c": 2}
    points = layout.arrows[("c", "a")]
    # From the upper edge of the lower box to the lower edge of the upper one.
    assert (points[0][1], points[-1][1]) == (2 * ROW_HEIGHT, BOX_HEIGHT)


def test_there_and_back_is_one_way() -> None:
    layout = lay_out(boxes("a", "b"), [("a", "b"), ("b", "a")])
    assert layout.arrows[("a", "b")] == layout.arrows[("b", "a")][::-1]


def test_the_ends_are_side_by_side() -> None:
    layout = lay_out(boxes("a", "b", "c", "end"), [*CHAIN, ("a", "end")])
    assert rows(layout) == {"a": 0, "b": 1, "c": 2, "end": 2}


@pytest.mark.parametrize("count", [2, 7, 15])
def test_boxes_of_a_row_do_not_overlap(count: int) -> None:
    names = [f"n{number}" for number in range(count)]
    arrows = [("top", name) for name in names] + [(name, "bottom") for name in names]
    layout = lay_out(boxes("top", *names, "bottom"), arrows)
    places = sorted(layout.boxes[name][0] for name in names)
    assert min(right - left for left, right in pairwise(places)) >= 60
    assert places[0] >= 30
    assert places[-1] <= layout.width - 30
    # Each arrow ends at an edge of its box, in a place of its own.
    ends = [layout.arrows[(name, "bottom")][-1][0] for name in names]
    assert len(set(ends)) == count
    assert all(abs(end - layout.boxes["bottom"][0]) < 30 for end in ends)


def test_few_arrows_cross() -> None:
    # The order of the boxes is the wrong one. Without a change of it, these arrows would cross.
    arrows = [("top", "a"), ("top", "b"), ("a", "y"), ("b", "x")]
    layout = lay_out(boxes("top", "a", "b", "x", "y"), arrows)
    assert (layout.boxes["a"][0] < layout.boxes["b"][0]) is (layout.boxes["y"][0] < layout.boxes["x"][0])


def test_a_row_is_as_high_as_its_highest_box() -> None:
    sizes = {"top": (60.0, 20.0), "high": (60.0, 100.0), "low": (60.0, 10.0), "end": (60.0, 20.0)}
    layout = lay_out(sizes, [("top", "high"), ("top", "low"), ("high", "end"), ("low", "end")], row_gap=30)
    assert {name: y for name, (_, y) in layout.boxes.items()} == {
        "top": 10.0,
        "high": 100.0,
        "low": 100.0,
        "end": 190.0,
    }
    assert layout.height == 200.0
    # An arrow ends at the edge of its box, not at that of the row.
    assert layout.arrows[("top", "low")][-1][1] == 95.0
    assert layout.arrows[("low", "end")][0][1] == 105.0


def test_parts_without_an_arrow_between_them_are_side_by_side() -> None:
    layout = lay_out(boxes("a", "x", "b", "y"), [("a", "b"), ("x", "y")])
    assert rows(layout) == {"a": 0, "x": 0, "b": 1, "y": 1}
    # A gap of 52 is between them.
    assert {name: x for name, (x, _) in layout.boxes.items()} == {"a": 30.0, "b": 30.0, "x": 142.0, "y": 142.0}
    assert layout.width == 172.0
    assert layout.arrows[("x", "y")][0] == (142.0, BOX_HEIGHT)


def test_small_parts_are_below_each_other() -> None:
    layout = lay_out(boxes("x", "a", "b", "c", "y"), CHAIN)
    # The chain is three rows high, and two boxes with a gap are not.
    assert layout.boxes["x"] == (30.0, 21.0)
    assert layout.boxes["y"] == (30.0, 21.0 + BOX_HEIGHT + 52.0)
    assert layout.boxes["a"] == (142.0, 21.0)
    assert (layout.width, layout.height) == (172.0, 2 * ROW_HEIGHT + BOX_HEIGHT)
