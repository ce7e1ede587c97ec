"""Tests of `cli.terminal.times`."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from loginmachine.cli.terminal.times import rfc3339, utc_time


def test_utc_time_keeps_fractions() -> None:
    assert utc_time(0.5) == datetime(1970, 1, 1, 0, 0, 0, 500_000, UTC)


@pytest.mark.parametrize("seconds", [None, 253_402_300_800.0, 1e300, float("inf"), float("nan")])
def test_utc_time_is_none_if_out_of_range(seconds: float | None) -> None:
    assert utc_time(seconds) is None


def test_rfc3339_has_whole_seconds() -> None:
    assert rfc3339(datetime(2026, 11, 8, 9, 6, 40, 999_999, UTC)) == "2026-11-08T09:06:40Z"
    assert rfc3339(None) is None
