"""The actions of a lease."""

from __future__ import annotations

from typing import TypeAlias

from ..base.records import Record


class TakeLease(Record):
    """Ask the server for the lease. Answered by `LeaseGranted`, `LeaseRefused` or `NoAnswer`."""

    timeout: float
    """Seconds to wait at most for the answer."""


class RenewLease(Record):
    """Ask the server to extend the lease. Answered by `LeaseRenewed`, `LeaseSuperseded` or `NoAnswer`.

    The server extends it unless it has granted a newer one, so one that has just ended may be extended too.
    """

    fence: str
    timeout: float
    """Seconds to wait at most for the answer."""


class ReturnLease(Record):
    """Let the server end the lease, if it has granted no newer one. Never answered."""

    fence: str


class Wait(Record):
    """Wait, or less. Answered by `WaitOver`."""

    seconds: float


LeaseAction: TypeAlias = TakeLease | RenewLease | ReturnLease | Wait
"""Every action that `LeaseMachine.handle` returns."""
