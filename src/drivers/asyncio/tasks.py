"""Tasks that are finished whatever is cancelled, and parts of tasks that can be cancelled alone."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import TracebackType
    from typing import Any, TypeVar

    Result = TypeVar("Result")


def start_shielded(work: Coroutine[Any, Any, Result]) -> asyncio.Task[Result]:
    """Start a task that only the task that has started it may cancel. That one must wait for it.

    At its end, `asyncio.run` cancels all tasks that it knows, and waits for them. That would cancel the work of a login
    or refresh at the same moment as the task that wants to finish it.
    """
    # Not `create_task`: with an eager task factory the work would begin here, before the caller has the task.
    task = asyncio.Task(work, loop=asyncio.get_running_loop())
    hide(task)
    return task


def hide(task: asyncio.Task[Any]) -> None:
    """Hide a task from `asyncio.all_tasks`, because another task waits for it, and cancels it when that is right."""
    asyncio._unregister_task(task)  # noqa: SLF001 - documented, under "Extending asyncio"


async def finished(
    future: asyncio.Future[Any], note: Callable[[], object] | None = None
) -> asyncio.CancelledError | KeyboardInterrupt | None:
    """Wait until a future or task is done. A cancellation of the calling task does not end the wait.

    Args:
        future: The future or task.
        note: Called when the calling task is cancelled or interrupted.

    Returns:
        The cancellation or interrupt that came during the wait, for the caller to raise.
    """
    interrupted: asyncio.CancelledError | KeyboardInterrupt | None = None
    while not future.done():
        try:
            await asyncio.wait((future,))
        except (asyncio.CancelledError, KeyboardInterrupt) as caught:
            interrupted = caught
            if note is not None:
                note()
    return interrupted


async def uninterrupted(work: Coroutine[Any, Any, Result]) -> Result:
    """Do some work to its end. A cancellation of the calling task meanwhile is forgotten."""
    caller = asyncio.current_task()
    assert caller is not None
    before = caller.cancelling()
    task = start_shielded(work)
    await finished(task)
    while caller.cancelling() > before:
        caller.uncancel()
    return task.result()


def cancel_again() -> None:
    """Let the current task be cancelled at its next ``await``, because an earlier cancellation was kept from it."""
    task = asyncio.current_task()
    assert task is not None
    # The number of cancellations stays the same: time limits of asyncio count them.
    task.uncancel()
    task.cancel()


class CancelScope:
    """A part of a task that can be cancelled alone, now or before it begins, and that may have a time limit.

        async with CancelScope() as scope:
            ...

    The block then ends at the ``await`` where it is, and the task goes on behind it.
    """

    def __init__(self, seconds: float | None = None) -> None:
        self._seconds = seconds
        self._is_cancelled = False
        self._task: asyncio.Task[Any] | None = None
        """The task, while it is in the block."""
        self._has_cancelled = False
        """The scope has cancelled the task."""
        self._others = 0
        """How many other cancellations of the task there were before the block."""
        self._timer: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        """End the block. Called from any task of the loop."""
        self._is_cancelled = True
        if self._task is not None and not self._has_cancelled:
            self._has_cancelled = True
            self._task.cancel()

    async def __aenter__(self) -> Self:
        self._task = asyncio.current_task()
        assert self._task is not None
        self._others = self._task.cancelling()
        if self._is_cancelled:
            self.cancel()
        elif self._seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self.cancel)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        task, self._task = self._task, None
        assert task is not None
        if self._timer is not None:
            self._timer.cancel()
        if not self._has_cancelled:
            return False
        if not isinstance(exc, asyncio.CancelledError):
            # The block was over before the cancellation reached it, which must not strike behind it.
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
        if task.uncancel() <= self._others:
            return isinstance(exc, asyncio.CancelledError)
        if not isinstance(exc, asyncio.CancelledError):
            # The task was cancelled from outside too.
            cancel_again()
        return False


def move_on_after(seconds: float) -> CancelScope:
    """Return a scope that is cancelled after so many seconds."""
    return CancelScope(seconds)
