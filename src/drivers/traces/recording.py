"""Files for traces."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from ...sansio.trace.format.codec import MAX_LINE
from ..files import PLAIN, make_private

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import BinaryIO, Self


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Return the lines of a file for `read_trace`. Of a line that is too long, only the first part is read."""
    return iter(lambda: file.readline(MAX_LINE + 1), b"")


class TraceFile:
    """The file of one trace, with mode 0600. Each line is written at once, without a buffer.

    Args:
        path: The file. An older file of this name is overwritten.

    Raises:
        OSError: The file cannot be opened.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | PLAIN, 0o600)
        # The mode of a device is not changed.
        self._is_file = stat.S_ISREG(os.fstat(self._descriptor).st_mode)
        self._size = 0
        if self._is_file:
            with contextlib.suppress(OSError):
                # An older file may have another mode, or another owner.
                make_private(self._descriptor)

    def write(self, line: str) -> None:
        """Append a line.

        Raises:
            OSError: The line could not be written. No part of it is left in the file.
        """
        data = line.encode("ascii")
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            with contextlib.suppress(OSError):
                if self._is_file:
                    os.ftruncate(self._descriptor, self._size)
                    # The next line must not begin behind a gap.
                    os.lseek(self._descriptor, self._size, os.SEEK_SET)
            raise
        self._size += len(line)

    def close(self) -> None:
        """Close the file. A later `write` fails, and harms no other file."""
        descriptor, self._descriptor = self._descriptor, -1
        os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
