"""The worker threads of one login: each does one thing that may block, then ends."""

from __future__ import annotations

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
    """Starts worker threads, and waits for them at the end. For the owner's thread only.

    Args:
        post: Takes an event, from any thread.
        on_crash: Takes an exception that should not have happened, from any thread.
    """

    def __init__(self, post: Callable[[Event], None], on_crash: Callable[[BaseException], None]) -> None:
        self._post = post
        self._on_crash = on_crash
        self._threads: list[threading.Thread] = []

    def start(
        self,
        work: Callable[..., None],
        *args: object,
        otherwise: Event | None = None,
        or_here: bool = False,
        can_abandon: bool = False,
    ) -> None:
        """Do work in a thread of its own.

        Args:
            work: A method that posts its result as an event.
            args: Its arguments.
            otherwise: The event to post if the system has no thread left.
            or_here: Whether to do the work in this thread instead, if the system has no thread left.
            can_abandon: Whether the program may end before the thread does.
        """
        name = f"loginmachine-{work.__name__.strip('_')}"
        worker = threading.Thread(target=self._run, args=(work, *args), name=name, daemon=can_abandon)
        try:
            worker.start()
        except RuntimeError:
            if otherwise is not None:
                self._post(otherwise)
            if or_here:
                self._run(work, *args)
            return
        self._threads = [*(other for other in self._threads if other.is_alive()), worker]

    def join(self) -> None:
        """Wait for every thread, but only for a moment for those that can be abandoned."""
        for thread in self._threads:
            thread.join(_ABANDON_AFTER if thread.daemon else None)

    def _run(self, work: Callable[..., None], *args: object) -> None:
        try:
            work(*args)
        except BaseException as crash:  # noqa: BLE001 - the login must not wait for ever for this worker's event
            self._on_crash(crash)
