"""Waiting for a `threading.Event` in a way that lets signal handlers run."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import threading
    from typing import Final

CHECK_INTERVAL: Final = 0.2
"""Seconds that one wait on a lock lasts at most. A signal that arrives just before the main thread blocks on a lock
does not end the wait, and on Windows no signal does: its handler would run only when the login is over."""


def wait_for(event: threading.Event, timeout: float | None = None) -> bool:
    """Wait for an event as `threading.Event.wait` does, and let signal handlers run.

    Args:
        event: The event.
        timeout: Seconds to wait at most. None for no limit.

    Returns:
        Whether the event is set.
    """
    deadline = None if timeout is None else time.monotonic() + timeout
    while not event.is_set():
        remaining = CHECK_INTERVAL if deadline is None else deadline - time.monotonic()
        if remaining <= 0:
            return False
        event.wait(min(remaining, CHECK_INTERVAL))
    return True
