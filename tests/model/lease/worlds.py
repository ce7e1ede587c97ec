"""The workers that a lease is explored for."""

from __future__ import annotations

from typing import Final, NamedTuple

from loginmachine.sansio.lease.state import LeaseTimes

TIMES: Final = LeaseTimes(length=24.0)
"""A lease is usable for 6 seconds."""


class World(NamedTuple):
    """A worker."""

    name: str
    patience: float


WORLDS: Final = (World("a worker that waits", 6.0), World("a worker that asks once", 0.0))
