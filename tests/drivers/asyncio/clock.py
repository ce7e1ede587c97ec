"""An event loop with a clock that stands still until a test moves it."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

IDLE: float = 0.02
"""Seconds of real time in which nothing happens when all tasks wait."""


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.calls = 0
        """How many callbacks have been scheduled."""

    def time(self) -> float:
        return self.now

    def call_soon(  # type: ignore[override]  # its callback's parameters do not matter here
        self, *arguments: Any, **options: Any
    ) -> asyncio.Handle:
        self.calls += 1
        return super().call_soon(*arguments, **options)


class Clock:
    """The clock of the running loop."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, _Loop)
        self._loop = loop

    def time(self) -> float:
        return self._loop.now

    async def jump(self, seconds: float) -> None:
        """Wait until all tasks are idle, move the clock, and wait until all tasks are idle again."""
        await self._idle()
        self._loop.now += seconds
        await self._idle()

    async def _idle(self) -> None:
        before = -1
        # The wait itself schedules a few callbacks.
        while self._loop.calls - before > 4:
            before = self._loop.calls
            await asyncio.to_thread(threading.Event().wait, IDLE)


def run(program: Callable[[Clock], Awaitable[None]]) -> None:
    """Run a program in such a loop."""

    async def main() -> None:
        await program(Clock())

    with asyncio.Runner(loop_factory=_Loop) as runner:
        runner.run(main())
