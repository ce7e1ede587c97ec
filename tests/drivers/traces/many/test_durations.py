"""Durations are counted in bins: extremes are exact, and quantiles right within 3 %."""

from __future__ import annotations

import math

import pytest

from loginmachine.drivers.traces.many.durations import Durations


def durations(*seconds: float) -> Durations:
    made = Durations()
    for value in seconds:
        made.add(value)
    return made


@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9, 0.95, 1.0])
def test_quantiles_are_right_within_three_percent(part: float) -> None:
    made = durations(*(number / 100 for number in range(1, 1001)))
    assert made.quantile(part) == pytest.approx(max(part * 10, 0.01), rel=0.03)


def test_a_quantile_never_leaves_the_durations() -> None:
    assert durations(1.0).quantile(0.5) == 1.0
    assert [durations(600.0, 600.0, 600.0).quantile(part) for part in (0.0, 0.5, 1.0)] == [600.0] * 3


def test_extremes_are_exact() -> None:
    made = durations(0.123456, 7.5, 1e9, 0.0)
    assert (made.count, made.shortest, made.longest) == (4, 0.0, 1e9)
    assert made.quantile(0.0) == pytest.approx(0.0, abs=2e-6)


def test_no_durations_have_no_quantile() -> None:
    assert (durations().count, durations().shortest, durations().longest) == (0, math.inf, 0.0)
    with pytest.raises(ValueError, match="no durations"):
        durations().quantile(0.5)
    assert list(durations().in_steps(5)) == []


def test_merging_is_the_same_as_adding_all() -> None:
    merged = durations(0.1, 5.0)
    merged.merge(durations(20.0, 0.01, 0.1))
    together = durations(0.1, 5.0, 20.0, 0.01, 0.1)
    assert (merged.count, merged.shortest, merged.longest) == (5, 0.01, 20.0)
    assert list(merged.in_steps(5)) == list(together.in_steps(5))
    assert merged.quantile(0.5) == together.quantile(0.5)


def test_classes_are_without_gaps() -> None:
    # 0.25 is in the class from 10 ** -0.8 on, and 1.1 in that from 1 on: three empty classes are between them.
    found = list(durations(0.25, 0.25, 1.1).in_steps(5))
    assert [count for _, count in found] == [2, 0, 0, 0, 1]
    assert [limit for limit, _ in found] == pytest.approx([10**-0.8, 10**-0.6, 10**-0.4, 10**-0.2, 1.0])
