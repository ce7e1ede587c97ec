"""The state machine of a lease. It takes events and returns actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..base.engine import Engine
from ..base.errors import UnexpectedEvent
from ..base.records import Record
from .interpret import interpret
from .state import DEFAULT_TIMES, LeaseData, LeaseTimes
from .states import LEASE_FINAL_STATES, LeaseState
from .table import LEASE_ROWS

if TYPE_CHECKING:
    from .actions import LeaseAction
    from .events import LeaseEvent

_ENGINE: Final = Engine(LeaseState, LEASE_ROWS)


class LeaseSnapshot(Record):
    """The whole state of a lease at one time, without its times. Opaque, and compared by value."""

    data: dict[str, Any]


class LeaseMachine:
    """One lease of one worker, as a state machine that does no I/O.

    The host performs the actions that `handle` returns, in order. Each action but `ReturnLease` is answered by one
    event. The answer to a `Wait` is dropped by the host if the lease was renewed earlier for another reason.

    Whether the worker may use the refresh token is asked with `is_valid`, just before. A write to the store carries
    `fence`: the server refuses it if it has granted a newer lease.

    The same times and events always give the same actions.

    Args:
        times: The times of the lease. All workers need the same.
    """

    __slots__ = ("_lease",)

    def __init__(self, times: LeaseTimes = DEFAULT_TIMES) -> None:
        self._lease = LeaseData(times)

    def __repr__(self) -> str:
        return f"<LeaseMachine {self.state}>"

    @property
    def state(self) -> LeaseState:
        """The state of the lease."""
        return self._lease.state

    @property
    def fence(self) -> str:
        """The fencing token of the lease; empty before it was granted."""
        return self._lease.fence

    @property
    def is_over(self) -> bool:
        """Whether the lease is in a final state."""
        return self.state in LEASE_FINAL_STATES

    def is_valid(self, at: float) -> bool:
        """Return whether no other worker can have the lease at a time.

        Args:
            at: The time now, in seconds on the clock of the events.
        """
        return at < self._lease.valid_until

    def handle(self, event: LeaseEvent) -> list[LeaseAction]:
        """Take one event.

        Returns:
            The actions for the host to perform, in this order. Empty after the end.

        Raises:
            UnexpectedEvent: The event makes no sense in this state, or its time is before that of the last one. The
                machine has not changed.
        """
        if self.is_over:
            return []
        lease = self._lease
        meaning = interpret(event, lease)
        if not _ENGINE.permits(lease.state, meaning.trigger):
            raise UnexpectedEvent(lease.state, event)
        lease.now = meaning.at
        _ENGINE.fire(lease, meaning.trigger, meaning)
        actions, lease.out = lease.out, []
        return actions

    def snapshot(self) -> LeaseSnapshot:
        """Return the whole state, to compare it or to restore it later."""
        return LeaseSnapshot(data=self._lease.data())

    @classmethod
    def restore(cls, times: LeaseTimes, snapshot: LeaseSnapshot) -> LeaseMachine:
        """Return a machine in the state of a snapshot.

        Args:
            times: The times of the original.
            snapshot: The result of `snapshot`. It can be restored any number of times.
        """
        machine = cls(times)
        for name, value in snapshot.data.items():
            setattr(machine._lease, name, value)
        return machine
