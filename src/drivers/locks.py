"""Locks between processes, on the files that the Codex CLI locks too."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Final

from .errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_TIMEOUT: Final = 5.0
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
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file, which is made if it is missing. A dead process holds none.

    Raises:
        StoreError: Somebody else holds it for more than 5 s.
        OSError: The file cannot be opened.
    """
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags, 0o600)
    try:
        deadline = time.monotonic() + LOCK_TIMEOUT
        while not _locked(descriptor):
            if time.monotonic() >= deadline:
                raise StoreError(f"another program has held {path} for more than {LOCK_TIMEOUT:g} seconds")
            time.sleep(_POLL)
        yield
    finally:
        # Closing gives the lock back.
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        _try_lock(descriptor)
    except (BlockingIOError, PermissionError):
        return False
    return True
