"""The inbox of a login's thread: events, the timers that become events, and work for the thread itself."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
import weakref

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from ...sansio.login.actions import Timer
    from ...sansio.login.events import Event

_LOOK_INTERVAL: Final = 1.0
"""Seconds between two looks whether anything can still end the login."""


class Inbox:
    """One thread reads it. Any other may put something into it.

    Args:
        on_time_up: Called with a timer, or the number of a token request, that has run out. Returns the event for it.
        on_lost: Called, once, when nothing can end the login any more but its own time limit.
    """

    def __init__(self, on_time_up: Callable[[Timer | int], Event], on_lost: Callable[[], None]) -> None:
        self.timers: dict[Timer | int, float] = {}
        """When each timer, and the time limit of each token request, runs out."""
        self._queue: queue.SimpleQueue[Event | Callable[[], None] | BaseException] = queue.SimpleQueue()
        self.put: Final = self._queue.put
        """Put an event in, or a function for the reading thread to call, or an exception to raise there. Never blocks;
        safe in a signal handler."""
        self._on_time_up = on_time_up
        self._on_lost = on_lost
        self._holder: weakref.ref[object] | None = None
        self._users: set[threading.Thread] = set()

    def use(self, holder: object) -> None:
        """Note who uses the login. Called by each thread that does.

        An interrupt at the very start of an ``__exit__`` loses a login: its block is left, and nothing was closed. The
        login is taken for lost when its object is gone, or all the threads that used it have ended.

        Args:
            holder: The object through which they use it.
        """
        self._holder = weakref.ref(holder)
        self._users.add(threading.current_thread())

    def next_event(self) -> Event:
        """Wait for the next event, and call the functions that come before it."""
        while True:
            due = min(self.timers, key=self.timers.__getitem__, default=None)
            remaining = _LOOK_INTERVAL if due is None else self.timers[due] - time.monotonic()
            if due is not None and remaining <= 0:
                del self.timers[due]
                return self._on_time_up(due)
            with contextlib.suppress(queue.Empty):
                item = self._queue.get(timeout=min(remaining, _LOOK_INTERVAL))
                if isinstance(item, BaseException):
                    raise item
                if not callable(item):
                    return item
                item()
                continue
            self._look()

    def _look(self) -> None:
        if self._holder is None or (self._holder() and any(user.is_alive() for user in list(self._users))):
            return
        self._holder = None
        self._on_lost()
