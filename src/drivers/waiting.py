"""Waiting in which signal handlers run."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from typing import Final

SLICE: Final = 0.2
"""Seconds after which a wait looks up. A signal that comes just before the main thread blocks on a lock does not end
the wait, and on Windows none does: its handler would run when the login is over."""


def wait_for(event: threading.Event, timeout: float | None = None) -> bool:
    """`threading.Event.wait`, in which signal handlers run."""
    deadline = None if timeout is None else time.monotonic() + timeout
    while not event.is_set():
        remaining = SLICE if deadline is None else deadline - time.monotonic()
        if remaining <= 0:
            return False
        event.wait(min(remaining, SLICE))
    return True
