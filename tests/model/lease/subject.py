"""The machine of a lease, for the exploration and the mutants."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from loginmachine.sansio.lease import LeaseMachine
from loginmachine.sansio.lease import machine as machine_module
from loginmachine.sansio.lease.events import LeaseEvent
from loginmachine.sansio.lease.states import LEASE_FINAL_STATES, LeaseState
from loginmachine.sansio.lease.table import LEASE_ROWS
from tests.model.subject import Letter, Move, Subject
from tests.sansio.lease.rules import LeaseLedger, LeaseStep, checked

from .alphabet import Place, alphabet
from .host import Books
from .worlds import TIMES, WORLDS, World

if TYPE_CHECKING:
    from collections.abc import Mapping

    from loginmachine.sansio.lease.machine import LeaseSnapshot

_EQUIVALENT: Final[Mapping[str, str]] = {}


class Lease(Subject):
    """A lease. Two count as equal if they differ in the time of day only."""

    name = "lease"
    module = machine_module
    states = LeaseState
    rows = LEASE_ROWS
    events = LeaseEvent
    final = LEASE_FINAL_STATES
    succeeded = LeaseState.HELD
    folders = ("lease",)
    equivalent = _EQUIVALENT
    worlds = WORLDS
    small: Mapping[str, int] = {world.name: 2 for world in WORLDS}
    small_honest = tuple(world.name for world in WORLDS)

    def start(self, world: World) -> tuple[LeaseMachine, LeaseLedger, Books]:  # noqa: ARG002
        return LeaseMachine(TIMES), LeaseLedger(usable=TIMES.usable), Books()

    def restore(self, world: World, snapshot: LeaseSnapshot) -> LeaseMachine:  # noqa: ARG002
        return LeaseMachine.restore(TIMES, snapshot)

    def alphabet(self, world: World, most: int) -> tuple[Letter, ...]:  # noqa: ARG002
        return alphabet(world)

    def place(self, world: World, most: int, snapshot: LeaseSnapshot, in_use: frozenset[int]) -> Place:  # noqa: ARG002
        now = snapshot.data["now"]
        return Place(now if math.isfinite(now) else 0.0)

    def check(self, move: Move) -> LeaseLedger:
        return checked(LeaseStep(move.event, move.actions, move.machine, move.before, move.ledger))

    def key_of(self, snapshot: LeaseSnapshot) -> tuple[object, ...]:
        data = snapshot.data
        if self.is_over(snapshot):
            return ("over", data["_state"])
        # What is over stays over, however long ago that was.
        times = (data["asked_at"] + TIMES.usable, data["deadline"], data["valid_until"])
        left = (max(time - data["now"], 0.0) if math.isfinite(time) else 0.0 for time in times)
        return (data["_state"], data["fence"], *left)

    def is_over(self, snapshot: LeaseSnapshot) -> bool:
        return snapshot.data["_state"] in LEASE_FINAL_STATES

    def is_twin(self, one: LeaseSnapshot, other: LeaseSnapshot) -> bool:
        return one != other

    def acts(self, actions: Any) -> object:
        return list(actions)

    def postpones(self, ledger: LeaseLedger) -> bool:
        """Return whether the last answer came too late: such answers could follow each other for ever."""
        return ledger.is_late

    def may_wait(self, world: World) -> set[str]:
        """Return the states in which the worker waits, for as long as it wants."""
        return {LeaseState.IDLE, LeaseState.HELD} | ({LeaseState.WAITING} if world.patience else set())


LEASE: Final = Lease()
