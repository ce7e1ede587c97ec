"""Waiting for another thread in a way that lets signal handlers run, and that their exceptions cannot break."""

from __future__ import annotations

import contextlib
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

CHECK_INTERVAL: Final = 0.2
"""Seconds that one wait on a lock lasts at most. A signal that arrives just before the main thread blocks on a lock
does not end the wait, and on Windows no signal does: its handler would run only when the login is over."""


class Flag:
    """A flag that a thread sets once, and that other threads wait for.

    In `threading.Event`, the exception of a signal handler can leave the inner lock taken. The thread that sets the
    event would then block for ever. Here such an exception makes other waits last 0.2 seconds longer at worst.
    """

    def __init__(self) -> None:
        self._is_set = False
        self._lock = threading.Lock()
        """Taken until the flag is set. It only wakes the waiting threads: the flag itself is what they look at."""
        self._lock.acquire()

    def is_set(self) -> bool:
        """Return whether the flag is set."""
        return self._is_set

    def set(self) -> None:
        """Set the flag, and wake every thread that waits for it."""
        if not self._is_set:
            self._is_set = True
            # Two threads may set it at the same time.
            with contextlib.suppress(RuntimeError):
                self._lock.release()

    def wait(self, timeout: float) -> bool:
        """Wait for the flag once.

        Args:
            timeout: Seconds to wait at most.

        Returns:
            Whether the flag is set.
        """
        if not self._is_set and self._lock.acquire(timeout=timeout):
            self._lock.release()
        return self._is_set


def wait_for(event: threading.Event | Flag, timeout: float | None = None) -> bool:
    """Wait for an event as `threading.Event.wait` does, and let signal handlers run.

    Args:
        event: The event, or the flag.
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
