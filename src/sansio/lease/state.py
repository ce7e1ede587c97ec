"""The data of one lease, and its times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..base.records import Record
from .states import LeaseState

if TYPE_CHECKING:
    from .actions import LeaseAction


class LeaseTimes(Record):
    """The times of a lease, all from its length.

    A worker relies on three quarters of the length, counted from before it asked. So its clock may be a quarter too
    slow, and an answer may take any time.
    """

    length: float = 10.0
    """Seconds after which the server ends a lease that is not renewed. Others wait so long for a worker that died."""

    @property
    def usable(self) -> float:
        """Seconds for which a worker relies on its lease."""
        return self.length * 3 / 4

    @property
    def renewal(self) -> float:
        """Seconds between two renewals."""
        return self.length / 3

    @property
    def timeout(self) -> float:
        """Seconds to wait for an answer of the server."""
        return self.length / 4

    @property
    def pause(self) -> float:
        """Seconds between two attempts, at most 0.1."""
        return min(self.length / 12, 0.1)


DEFAULT_TIMES: Final = LeaseTimes()


class LeaseData:
    """The data of one lease: the model that the engine moves through the table."""

    __slots__ = ("_state", "asked_at", "deadline", "fence", "out", "times", "valid_until")

    def __init__(self, times: LeaseTimes) -> None:
        self.times = times
        self.out: list[LeaseAction] = []
        self._state = LeaseState.IDLE
        self.fence = ""
        self.asked_at = self.deadline = self.valid_until = float("-inf")

    def __repr__(self) -> str:
        # The engine logs this.
        return f"<Lease {self._state}>"

    @property
    def state(self) -> LeaseState:
        """The state of the lease."""
        return self._state
