"""Interpret an event of a lease: check that it can be true. Each event has one meaning, its own trigger."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ..base.errors import UnexpectedEvent
from .events import LeaseGranted, LeaseWanted

if TYPE_CHECKING:
    from .events import LeaseEvent
    from .state import LeaseData


def interpret(event: LeaseEvent, lease: LeaseData) -> LeaseEvent:
    """Return the event, which is what it means.

    Args:
        event: The event.
        lease: The lease, which is not changed.

    Raises:
        UnexpectedEvent: Its time is no number or before the last event's, the patience is negative, or the fence is
            empty.
    """
    # A comparison with NaN is false.
    is_possible = math.isfinite(event.at) and event.at >= lease.now
    if isinstance(event, LeaseWanted):
        is_possible = is_possible and 0 <= event.patience < math.inf
    if isinstance(event, LeaseGranted):
        is_possible = is_possible and event.fence != ""
    if not is_possible:
        raise UnexpectedEvent(lease.state, event)
    return event
