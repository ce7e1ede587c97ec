"""A disk on which the k-th system call of a save fails.

The calls of `os` are counted, and the writes of the files that `os.fdopen` makes: what the store uses, in the order in
which it uses it. A close that fails has closed all the same, as on Linux.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import signal
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed import ReadableBuffer

CALLS = (
    *("open", "close", "fstat", "stat", "lstat", "fchmod", "chmod", "mkdir", "scandir", "fsync", "replace", "link"),
    *("unlink", "urandom"),
)
SHORT_WRITE, KILL = -1, -2
"""Faults besides an errno."""


class FaultyDisk:
    """Counts system calls, and lets one of them fail.

    Args:
        position: The number of the call that fails, from 1; 0 for none.
        fault: An errno, `SHORT_WRITE` or `KILL`.
        lasts: Whether all later calls fail too.
    """

    def __init__(self, position: int = 0, fault: int = 0, *, lasts: bool = False) -> None:
        self._position, self._fault, self._lasts = position, fault, lasts
        self.calls: list[str] = []
        self.failed: list[str] = []

    @contextlib.contextmanager
    def mounted(self) -> Iterator[FaultyDisk]:
        """Use this disk while the block runs."""
        with contextlib.ExitStack() as stack:
            for name in CALLS:
                stack.enter_context(mock.patch.object(os, name, self._wrap(name, getattr(os, name))))
            stack.enter_context(mock.patch.object(os, "fdopen", self._fdopen))
            yield self

    def write(self, descriptor: int, data: ReadableBuffer) -> int:
        """Write the data, or only a part of it."""
        data = bytes(data)
        self.calls.append("write")
        if self._is_due():
            # Half of it is there already; an interrupted write has written nothing.
            written = 0 if self._fault == errno.EINTR else os.write(descriptor, data[: (len(data) + 1) // 2])
            if self._fault == SHORT_WRITE:
                return written
            self._go_wrong("write")
        return os.write(descriptor, data)

    def _is_due(self) -> bool:
        return len(self.calls) == self._position or (self._lasts and 0 < self._position < len(self.calls))

    def _wrap(self, name: str, real: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            self.calls.append(name)
            if self._is_due() and self._fault != SHORT_WRITE:
                if name == "close" and self._fault != KILL:
                    real(*args, **kwargs)
                self._go_wrong(name)
            # (A real fsync takes longer than all the rest of a save.)
            return None if name == "fsync" else real(*args, **kwargs)

        return call

    def _go_wrong(self, name: str) -> None:
        if self._fault == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        self.failed.append(name)
        raise OSError(self._fault, os.strerror(self._fault))

    def _fdopen(self, descriptor: int, mode: str = "r", *, closefd: bool = True) -> Any:
        if "w" not in mode:
            return open(descriptor, mode, closefd=closefd)
        return io.BufferedWriter(_File(descriptor, self))


class _File(io.RawIOBase):
    """A file that counts its writes."""

    def __init__(self, descriptor: int, disk: FaultyDisk) -> None:
        self._descriptor, self._disk = descriptor, disk

    def fileno(self) -> int:
        return self._descriptor

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        return self._disk.write(self._descriptor, data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            os.close(self._descriptor)
