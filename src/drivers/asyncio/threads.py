"""Work that blocks, in a thread; and what to do if the system has no thread left."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING

from .tasks import finished

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar, TypeVarTuple

    Result = TypeVar("Result")
    Arguments = TypeVarTuple("Arguments")


class NoThread(Exception):  # noqa: N818 - a state of the system, not an error of the program
    """The system has no thread left. The work has not begun."""


async def in_thread(work: Callable[[*Arguments], Result], *args: *Arguments, abandon_on_cancel: bool = False) -> Result:
    """Do work in a thread of its own, so that it and the threads of the program do not wait for each other.

    Args:
        work: The work. What it raises is raised here.
        args: Its arguments.
        abandon_on_cancel: Whether a cancellation ends the wait for the thread. Otherwise it is raised when the thread
            has ended.

    Raises:
        NoThread: The system has no thread left.
    """
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def end() -> None:
        # The loop may be closed by now, if the task was abandoned.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_end, ended)

    result: Future[Result] = Future()
    result.add_done_callback(lambda _: end())
    job = functools.partial(contextvars.copy_context().run, work, *args)
    # A thread that is not waited for must not keep the program from ending.
    thread = threading.Thread(
        target=_perform, args=(job, result), name=f"loginmachine-{work.__name__}", daemon=abandon_on_cancel
    )
    try:
        thread.start()
    except RuntimeError:
        raise NoThread from None
    try:
        if abandon_on_cancel:
            await ended
        elif (interrupted := await finished(ended)) is not None:
            raise interrupted
        return result.result()
    finally:
        # An exception would keep this frame alive, and this frame the exception.
        del result


async def in_thread_or_here(
    work: Callable[[*Arguments], Result], *args: *Arguments, abandon_on_cancel: bool = False
) -> Result:
    """Do work in a thread. If the system has no thread left, do it here, in the thread of the event loop.

    That blocks every task of the loop. It is for work without which credentials would be lost, or kept by mistake.

    Args:
        work: The work. What it raises is raised here.
        args: Its arguments.
        abandon_on_cancel: Whether a cancellation ends the wait for the thread.
    """
    with contextlib.suppress(NoThread):
        return await in_thread(work, *args, abandon_on_cancel=abandon_on_cancel)
    return work(*args)


def _end(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


def _perform(job: Callable[[], Result], result: Future[Result]) -> None:
    try:
        result.set_result(job())
    except BaseException as error:  # noqa: BLE001 - raised in the task
        result.set_exception(error)
        # As above.
        del result
