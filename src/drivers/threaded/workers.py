"""The worker threads of one login: each does one thing that may block, then ends."""

from __future__ import annotations

import contextlib
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from ...sansio.login.events import Event

_ABANDON_AFTER: Final = 1.0
"""Seconds to wait for an aborted HTTP request. Resolving a name and connecting cannot be interrupted. Such a thread
ends by itself within the request's time limit, and sends nothing more."""


class Workers:
    """Starts worker threads, and waits for them at the end.

    Args:
        post: Takes an event, from any thread.
    """

    def __init__(self, post: Callable[[Event], None]) -> None:
        self._post = post
        self._threads: list[threading.Thread] = []

    def start(
        self, work: Callable[..., None], *args: object, otherwise: Event | None = None, can_abandon: bool = False
    ) -> None:
        """Do work in a thread of its own.

        Args:
            work: A method that posts its result as an event.
            args: Its arguments.
            otherwise: The event to post if the system has no thread left.
            can_abandon: Whether the program may end before the thread does.
        """
        name = f"loginmachine-{work.__name__.strip('_')}"
        worker = threading.Thread(target=work, args=args, name=name, daemon=can_abandon)
        try:
            worker.start()
        except RuntimeError:
            if otherwise is not None:
                self._post(otherwise)
            return
        # In place, because the caller's thread may start a worker at the same time.
        for ended in [other for other in self._threads if not other.is_alive()]:
            with contextlib.suppress(ValueError):
                self._threads.remove(ended)
        self._threads.append(worker)

    def join(self) -> None:
        """Wait for every thread, but only for a moment for those that can be abandoned."""
        for thread in list(self._threads):
            thread.join(_ABANDON_AFTER if thread.daemon else None)
