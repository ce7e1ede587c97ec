"""The data of one lease, and its times."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..base.records import Record
from .states import LeaseState

if TYPE_CHECKING:
    from .actions import LeaseAction


class LeaseTimes(Record):
    """The times of a lease, all from its length.

    A worker relies on a quarter of the length, counted from before it asked. The rest is for a clock that is too slow,
    and for what may happen between the check and the next renewal: a pause, or messages that are lost.
    """

    length: float = 20.0
    """Seconds after which the server ends a lease that is not renewed. Others wait so long for a worker that died."""

    @property
    def usable(self) -> float:
        """Seconds for which a worker relies on its lease."""
        return self.length / 4

    @property
    def renewal(self) -> float:
        """Seconds between two renewals, at most 2. A long lease outlasts many that are lost."""
        return min(self.length / 10, 2.0)

    @property
    def timeout(self) -> float:
        """Seconds to wait for an answer of the server, at most 2."""
        return min(self.length / 8, 2.0)

    @property
    def pause(self) -> float:
        """Seconds between two attempts, at most 0.1."""
        return min(self.length / 12, 0.1)


DEFAULT_TIMES: Final = LeaseTimes()


class LeaseData:
    """The data of one lease: the model that the engine moves through the table."""

    __slots__ = ("_state", "asked_at", "deadline", "fence", "now", "out", "times", "valid_until")

    def __init__(self, times: LeaseTimes) -> None:
        self.times = times
        self.out: list[LeaseAction] = []
        self._state = LeaseState.IDLE
        self.fence = ""
        self.now = self.asked_at = self.deadline = self.valid_until = float("-inf")

    def __repr__(self) -> str:
        # The engine logs this.
        return f"<Lease {self._state}>"

    @property
    def state(self) -> LeaseState:
        """The state of the lease."""
        return self._state

    def data(self) -> dict[str, Any]:
        """Return the data of a snapshot. Between two events, no actions are left."""
        return {name: getattr(self, name) for name in self.__slots__ if name not in ("out", "times")}
