"""The events of a lease. Times are in seconds, on a clock of this worker that never goes back."""

from __future__ import annotations

from typing import ClassVar, TypeAlias

from ..base.records import Record
from .states import LeaseTrigger


class LeaseWanted(Record):
    """The worker wants to refresh the tokens. The first event of every lease."""

    trigger: ClassVar[LeaseTrigger] = LeaseTrigger.LEASE_WANTED
    at: float
    patience: float
    """Seconds to wait at most for another worker; 0 to ask once."""


class LeaseGranted(Record):
    """The server has granted the lease. It ends by itself `LeaseTimes.length` seconds later."""

    trigger: ClassVar[LeaseTrigger] = LeaseTrigger.LEASE_GRANTED
    at: float
    fence: str
    """The fencing token: the number of this grant. Each grant has a higher one than all before."""


class LeaseRefused(Record):
    """Another worker has the lease."""

    trigger: ClassVar[LeaseTrigger] = LeaseTrigger.LEASE_REFUSED
    at: float


class LeaseRenewed(Record):
    """The server has renewed the lease, as of the time when it was asked."""

    trigger: ClassVar[LeaseTrigger] = LeaseTrigger.LEASE_RENEWED
    at: float


class LeaseSuperseded(Record):
    """The server has granted the lease to another worker since."""

    trigger: ClassVar[LeaseTrigger] = LeaseTrigger.LEASE_SUPERSEDED
    at: float


class NoAnswer(Record):
    """The server did not answer, or not in time. It may have done what it was asked to do."""

    trigger: ClassVar[LeaseTrigger] = LeaseTrigger.NO_ANSWER
    at: float


class WaitOver(Record):
    """The time of `Wait` is over, or the worker needs the lease renewed now."""

    trigger: ClassVar[LeaseTrigger] = LeaseTrigger.WAIT_OVER
    at: float


class LeaseUnwanted(Record):
    """The worker has finished, or has given up."""

    trigger: ClassVar[LeaseTrigger] = LeaseTrigger.LEASE_UNWANTED
    at: float


LeaseEvent: TypeAlias = (
    LeaseWanted | LeaseGranted | LeaseRefused | LeaseRenewed | LeaseSuperseded | NoAnswer | WaitOver | LeaseUnwanted
)
"""Every event that `LeaseMachine.handle` takes."""
