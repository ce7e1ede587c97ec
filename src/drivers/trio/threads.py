"""Work that blocks, in a thread; and what to do if the system has no thread left."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import trio

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar, TypeVarTuple

    Result = TypeVar("Result")
    Arguments = TypeVarTuple("Arguments")


async def in_thread_or_here(
    limiter: trio.CapacityLimiter,
    work: Callable[[*Arguments], Result],
    *args: *Arguments,
    abandon_on_cancel: bool = False,
) -> Result:
    """Do work in a thread. If the system has no thread left, do it here, in the thread of trio's run.

    That blocks every task of the run. It is for work without which credentials would be lost, or kept by mistake.

    Args:
        limiter: For the thread.
        work: The work. What it raises is raised here.
        args: Its arguments.
        abandon_on_cancel: Whether a cancellation ends the wait for the thread.
    """
    began = False

    # For the name of the thread.
    @functools.wraps(work)
    def begin() -> Result:
        nonlocal began
        began = True
        return work(*args)

    try:
        return await trio.to_thread.run_sync(begin, limiter=limiter, abandon_on_cancel=abandon_on_cancel)
    except RuntimeError:
        if began:
            raise
    return work(*args)
