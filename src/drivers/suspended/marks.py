"""Resume each suspended login once: the protocol of the host's marks, and marks in memory."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class ResumptionMarks(Protocol):
    """Where a host notes which suspended logins were resumed. All of its replicas share it."""

    def mark(self, name: str, seconds: int) -> bool:
        """Note a name, unless it is noted already, in one step that no other replica can split.

        It is called in any thread, and may block. With Redis, for example::

            return bool(redis.set(f"loginmachine:resumed:{name}", 1, nx=True, ex=seconds))

        Args:
            name: The name of a login: 64 hexadecimal digits, which reveal nothing of it.
            seconds: How long the note is needed. It may be kept longer.

        Returns:
            Whether this call was the first with this name.
        """


class MemoryMarks:
    """Marks for a host that runs in one process. With several replicas, they must share their marks.

    Args:
        clock: Returns the time in seconds. It never goes back.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def mark(self, name: str, seconds: int) -> bool:
        """Note a name, unless it is noted already.

        Args:
            name: The name of a login.
            seconds: How long the note is needed.
        """
        with self._lock:
            now = self._clock()
            # In the order in which they were noted, which is about that in which they end.
            while self._until and next(iter(self._until.values())) <= now:
                del self._until[next(iter(self._until))]
            if self._until.get(name, now) > now:
                return False
            self._until[name] = now + seconds
            return True
