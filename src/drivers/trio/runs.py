"""Find out whether code runs in trio, so that a program with another event loop gets an error that helps."""

from __future__ import annotations

import trio


def check_runs_in_trio(name: str, instead: str) -> None:
    """Check that the calling code runs in trio.

    Args:
        name: What was called.
        instead: What a program without trio should use.

    Raises:
        RuntimeError: There is no run of trio in this thread, but asyncio for example.
    """
    if not trio.lowlevel.in_trio_task():
        raise RuntimeError(
            f"{name} is for trio, which does not run here: use {instead}; with asyncio, in a thread (asyncio.to_thread)"
        )
