"""The states of a lease, and its triggers. Each event has one meaning, so there is a trigger for each event."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class LeaseState(StrEnum):
    """The states of a lease."""

    IDLE = "idle"
    TAKING = "taking"
    WAITING = "waiting"
    """Another worker has the lease. It is asked for again a moment later."""
    HELD = "held"
    RENEWING = "renewing"
    RETURNED = "returned"
    """The lease is no longer wanted. If it was held, others may take it at once."""
    BUSY = "busy"
    """Another worker had it for longer than this one wants to wait."""
    LOST = "lost"
    """It was granted to another worker, because this one did not renew it in time."""
    UNREACHABLE = "unreachable"
    """The server did not answer. If it has granted the lease, that ends by time."""


LEASE_FINAL_STATES: Final = (LeaseState.RETURNED, LeaseState.BUSY, LeaseState.LOST, LeaseState.UNREACHABLE)


class LeaseTrigger(StrEnum):
    """The meanings of events."""

    LEASE_WANTED = "lease_wanted"
    LEASE_GRANTED = "lease_granted"
    LEASE_REFUSED = "lease_refused"
    LEASE_RENEWED = "lease_renewed"
    LEASE_SUPERSEDED = "lease_superseded"
    NO_ANSWER = "no_answer"
    WAIT_OVER = "wait_over"
    LEASE_UNWANTED = "lease_unwanted"
