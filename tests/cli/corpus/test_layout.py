"""The layout of the drawing: rows downwards, no overlaps, arrows from box to box."""

from __future__ import annotations

from itertools import pairwise

import pytest

from loginmachine.cli.corpus.layout import BOX_HEIGHT, ROW_HEIGHT, Layout, lay_out

CHAIN = [("a", "b"), ("b", "c")]


def boxes(*names: str) -> dict[str, float]:
    return dict.fromkeys(names, 60.0)


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
    assert [round(y) for _, y in points] == [42, 117, 192]
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
