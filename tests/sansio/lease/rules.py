"""The rules that hold after every event of a lease (docs/design/invariants.md), as checks of one step.

The exploration in `tests.model` checks each step against them. A rule that is added to `RULES` needs a wrong table in
`tests.model.lease.test_wrong_tables`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from loginmachine.sansio.lease.actions import RenewLease, ReturnLease, TakeLease, Wait
from loginmachine.sansio.lease.events import (
    LeaseGranted,
    LeaseRefused,
    LeaseRenewed,
    LeaseSuperseded,
    LeaseUnwanted,
    LeaseWanted,
    NoAnswer,
)
from loginmachine.sansio.lease.states import LEASE_FINAL_STATES, LeaseState

from ..rules import insist

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine.sansio.lease import LeaseMachine
    from loginmachine.sansio.lease.actions import LeaseAction
    from loginmachine.sansio.lease.events import LeaseEvent

    Rule = Callable[["LeaseStep", "LeaseLedger"], bool]
    """Its docstring is the rule, with its number in docs/design/invariants.md."""

NEVER: Final = float("-inf")
ANSWERED: Final = (TakeLease, RenewLease, Wait)
"""The actions that an event answers."""


class LeaseLedger(NamedTuple):
    """What was seen of a lease so far."""

    usable: float
    """Seconds for which a lease may be used after it was asked for."""
    now: float = 0.0
    """The time of the last event."""
    deadline: float = NEVER
    """When the worker gives up."""
    asked_at: float = NEVER
    """When the server was asked last to grant or renew the lease."""
    until: float = NEVER
    """Until when the lease may be used, if that was granted or renewed in time."""
    fence: str = ""
    is_late: bool = False
    """The last answer came too late, and the server was asked again."""
    returns: int = 0
    is_over: bool = False

    def key(self) -> tuple[object, ...]:
        """Return the ledger, to compare it: times as seconds from now, and what is over as 0."""
        if self.is_over:
            return ("over", self.returns)
        times = (self.deadline, self.asked_at + self.usable, self.until)
        return (*(max(time - self.now, 0.0) for time in times), self.fence, self.is_late)


class LeaseStep(NamedTuple):
    """One event that a lease accepted in some state, and the result."""

    event: LeaseEvent
    actions: list[LeaseAction]
    machine: LeaseMachine
    """The machine after the event."""
    before: LeaseState
    known: LeaseLedger
    """The ledger before the event."""

    @property
    def after(self) -> LeaseState:
        return self.machine.state


def checked(step: LeaseStep) -> LeaseLedger:
    """Check a step against the rules, and return the ledger after it.

    Raises:
        BrokenRuleError: With the rule's number and sentence.
    """
    if step.known.is_over:
        insist("rule L5: After the end there are no more actions.", holds=not step.actions)
        return step.known
    ledger = _ledger_after(step)
    for rule in RULES:
        insist(f"rule {rule.__doc__}", holds=rule(step, ledger))
    return ledger


def _ledger_after(step: LeaseStep) -> LeaseLedger:
    event, known = step.event, step.known
    ledger = known._replace(now=event.at, is_late=False)
    if isinstance(event, LeaseWanted):
        ledger = ledger._replace(deadline=event.at + event.patience)
    if isinstance(event, LeaseGranted):
        ledger = ledger._replace(fence=event.fence)
    if isinstance(event, (LeaseGranted, LeaseRenewed)):
        end = known.asked_at + known.usable
        ledger = ledger._replace(until=end) if event.at < end else ledger._replace(is_late=True)
    if any(isinstance(action, (TakeLease, RenewLease)) for action in step.actions):
        ledger = ledger._replace(asked_at=event.at)
    returns = sum(isinstance(action, ReturnLease) for action in step.actions)
    return ledger._replace(returns=known.returns + returns, is_over=step.after in LEASE_FINAL_STATES)


def one_at_a_time(step: LeaseStep, ledger: LeaseLedger) -> bool:
    """L1: before the end exactly one action waits for an event, after it none."""
    waiting = sum(isinstance(action, ANSWERED) for action in step.actions)
    return waiting == (0 if ledger.is_over else 1)


def valid_while_confirmed(step: LeaseStep, ledger: LeaseLedger) -> bool:
    """L2: a lease is valid for a quarter of its length after the question that the server confirmed in time."""
    until = NEVER if ledger.is_over else ledger.until
    times = (ledger.now, until - 0.5, until, until + 0.5)
    return [step.machine.is_valid(at) for at in times] == [at < until for at in times]


def its_own_fence(step: LeaseStep, ledger: LeaseLedger) -> bool:
    """L3: a lease is renewed and returned with the fence of its grant, and asked for only before that."""
    named = [action.fence for action in step.actions if isinstance(action, (RenewLease, ReturnLease))]
    takes = any(isinstance(action, TakeLease) for action in step.actions)
    return all(fence == ledger.fence != "" for fence in named) and not (takes and ledger.fence)


def returned_once(step: LeaseStep, ledger: LeaseLedger) -> bool:
    """L4: a lease that was granted and not lost is returned once, when it is no longer wanted, and no other is."""
    returns = sum(isinstance(action, ReturnLease) for action in step.actions)
    return returns == (isinstance(step.event, LeaseUnwanted) and ledger.fence != "")


def ends_for_a_reason(step: LeaseStep, _: LeaseLedger) -> bool:
    """L5: a lease ends when it is unwanted, superseded, refused after the deadline, or the server says nothing."""
    event, known = step.event, step.known
    match event:
        case LeaseUnwanted():
            end = LeaseState.RETURNED
        case LeaseSuperseded():
            end = LeaseState.LOST
        case LeaseRefused() if event.at >= known.deadline:
            end = LeaseState.BUSY
        case NoAnswer() if not known.fence:
            end = LeaseState.UNREACHABLE
        case _:
            return step.after not in LEASE_FINAL_STATES
    return step.after is end


RULES: Final[tuple[Rule, ...]] = (
    one_at_a_time,
    valid_while_confirmed,
    its_own_fence,
    returned_once,
    ends_for_a_reason,
)
