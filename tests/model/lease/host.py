"""The records of an honest host of a lease, which answers each action once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from loginmachine.sansio.lease import actions, events

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from loginmachine.sansio.lease.actions import LeaseAction
    from loginmachine.sansio.lease.events import LeaseEvent

ANSWERS: Final[Mapping[type, tuple[type, ...]]] = {
    actions.TakeLease: (events.LeaseGranted, events.LeaseRefused, events.NoAnswer),
    actions.RenewLease: (events.LeaseRenewed, events.LeaseSuperseded, events.NoAnswer),
}
"""The events that answer each action. A wait is over when the host says so, and the rest is not answered."""


class Books(NamedTuple):
    """What an honest host remembers: whether it wants the lease, what it waits for, and the action that it owes."""

    started: bool = False
    waits: bool = False
    owed: frozenset[tuple[str, bool]] = frozenset()
    """The action that waits for an answer. A bit tells it from the one before."""
    open: frozenset[int] = frozenset()
    """Always empty, because a lease has no listener."""

    def allow(self, event: LeaseEvent) -> bool:
        """Return whether an honest host may post this event now."""
        match event:
            case events.LeaseWanted():
                return not self.started
            case events.LeaseUnwanted():
                return True
            case events.WaitOver():
                return self.waits
            case _:
                return bool(self._settled(event))

    def after(self, event: LeaseEvent, taken: Iterable[LeaseAction]) -> Books:
        """Return the records after an event and the actions that it led to."""
        done = list(taken)
        is_odd = not any(odd for _, odd in self.owed)
        new = {(type(action).__name__, is_odd) for action in done if type(action) in ANSWERS}
        waits = any(isinstance(action, actions.Wait) for action in done)
        return Books(started=True, waits=waits, owed=(self.owed - self._settled(event)) | new)

    def key(self) -> tuple[object, ...]:
        """Return the records, to compare them."""
        return (self.started, self.waits, tuple(sorted(self.owed)))

    def _settled(self, event: LeaseEvent) -> frozenset[tuple[str, bool]]:
        names = {action.__name__ for action, answers in ANSWERS.items() if isinstance(event, answers)}
        return frozenset(owed for owed in self.owed if owed[0] in names)
