"""Moments that providers write in one of several ways."""

from __future__ import annotations

import pytest

from loginmachine.sansio.model.moments import read_moment

AT = 1_795_000_000.0
"""2026-11-18 11:06:40 UTC."""


@pytest.mark.parametrize(
    "value",
    [
        1_795_000_000,
        1_795_000_000.0,
        "1795000000",
        "2026-11-18T11:06:40Z",
        "2026-11-18T11:06:40.000Z",
        "2026-11-18T12:06:40+01:00",
        "2026-11-18T11:06:40",
        "2026-11-18 11:06:40+00:00",
    ],
)
def test_a_moment(value: object) -> None:
    assert read_moment(value) == AT


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, "", "soon", "in 54 minutes", [], {}, float("nan"), 1e13, -1e13, "9" * 70, "9" * 30),
        *("2026-13-40T00:00:00Z", "\u0661\u0662"),
    ],
)
def test_no_moment(value: object) -> None:
    assert read_moment(value) is None
