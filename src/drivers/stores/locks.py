"""Locks between processes, on the files that the Codex CLI locks too."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Final

from ..errors import StoreBusy
from ..forks import OwnDescriptor, no_fork

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_POLL: Final = 0.02

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def locked(path: Path, timeout: float) -> Iterator[None]:
    """Hold an exclusive lock on a file, which is created if it is missing. The end of a process releases its locks.

    The child of a fork does not hold the lock, even if it was forked in the block.

    The lock belongs to the block, not to a thread. Two threads exclude each other, and a block may be entered in one
    thread and left in another.

    Args:
        path: The file.
        timeout: Seconds to wait at most.

    Raises:
        StoreBusy: Another holder did not release the lock in time.
        OSError: The file cannot be opened.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with no_fork:
        file = OwnDescriptor(os.open(path, flags, 0o600))
    try:
        deadline = time.monotonic() + timeout
        while not _locked(file.fileno()):
            if time.monotonic() >= deadline:
                raise StoreBusy(f"another program has held {path} for more than {timeout:g} seconds")
            time.sleep(_POLL)
        yield
    finally:
        # Closing releases the lock even if it reports an error, and the work under the lock is done.
        file.close()


def _locked(descriptor: int) -> bool:
    try:
        _try_lock(descriptor)
    except (BlockingIOError, PermissionError):
        return False
    return True
