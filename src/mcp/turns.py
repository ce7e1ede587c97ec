"""A lock for tasks of any event loops, also of several at a time."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

import anyio

from ..drivers.shared.hosts import TRIO, running_host

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType


class Turns:
    """Lets one task through at a time, in the order in which they came. A lock of anyio is for one event loop only."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        """Held for moments only."""
        self._is_taken = False
        self._waiting: deque[_Waiter] = deque()

    async def __aenter__(self) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            waiter = _Waiter()
            self._waiting.append(waiter)
        try:
            await waiter.called.wait()
        except BaseException:
            self._give_up(waiter)
            raise

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._pass_on()

    def _give_up(self, waiter: _Waiter) -> None:
        """Leave the queue. If the turn has come at this moment, the next task gets it."""
        with self._guard:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
        if waiter.has_turn:
            self._pass_on()

    def _pass_on(self) -> None:
        """Give the turn to the next task. One whose event loop has ended is left out."""
        with self._guard:
            while self._waiting:
                if self._waiting.popleft().call():
                    return
            self._is_taken = False


class _Waiter:
    """A task that waits for its turn."""

    def __init__(self) -> None:
        self.called = anyio.Event()
        self.has_turn = False
        self._run_soon = _run_soon_here()

    def call(self) -> bool:
        """Wake the task, from any thread. Return False if its event loop has ended."""
        try:
            self._run_soon(self.called.set)
        except RuntimeError:
            return False
        self.has_turn = True
        return True


def _run_soon_here() -> Callable[[Callable[[], object]], object]:
    """Return the function with which other threads run something in the event loop of this one."""
    if running_host() is TRIO:
        import trio  # noqa: PLC0415 - programs have one kind of event loop

        return trio.lowlevel.current_trio_token().run_sync_soon
    import asyncio  # noqa: PLC0415 - as above

    return asyncio.get_running_loop().call_soon_threadsafe
