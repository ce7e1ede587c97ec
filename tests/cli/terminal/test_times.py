"""Moments, as the commands print them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from loginmachine.cli.terminal.times import moment, rfc3339


def test_seconds_are_a_moment_in_utc() -> None:
    assert moment(0.5) == datetime(1970, 1, 1, 0, 0, 0, 500_000, UTC)


@pytest.mark.parametrize("seconds", [None, 253_402_300_800.0, 1e300, float("inf"), float("nan")])
def test_what_no_calendar_has_is_unknown(seconds: float | None) -> None:
    assert moment(seconds) is None


def test_programs_read_whole_seconds() -> None:
    assert rfc3339(datetime(2026, 11, 8, 9, 6, 40, 999_999, UTC)) == "2026-11-08T09:06:40Z"
    assert rfc3339(None) is None
