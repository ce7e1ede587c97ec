"""Writing to standard output and error without blocking, in a thread of its own.

If a parent process does not read its pipe, the login, its deadline and Ctrl-C must still work. Output that is not read
is dropped at the end.
"""

from __future__ import annotations

import errno
import functools
import os
import queue
import sys
import threading

from ...sansio.base.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, TextIO

_TIMEOUT: Final = 1.0
"""Seconds that `StreamWriter.close` waits by default for a slow reader."""


def is_terminal(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal. A closed stream is none."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def can_hide_input() -> bool:
    """Return whether standard input and error are a terminal of which this command can switch off the echo."""
    try:
        on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False
    return on_terminal and sys.platform != "win32" and is_in_foreground(sys.stdin.fileno())


def is_in_foreground(descriptor: int) -> bool:
    """Return whether this process may read the terminal: it is in the foreground, or not controlled by it."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError as error:
        return error.errno == errno.ENOTTY


def print_out(text: str) -> bool:
    """Write a line to standard output, and wait until it is read.

    Returns:
        False if standard output is closed or broken.
    """
    writer = StreamWriter(sys.stdout, timeout=None)
    writer.write(f"{printable(text)}\n")
    return writer.close()


def print_error(text: str) -> None:
    """Write a line to standard error. If that is not possible, do nothing."""
    writer = StreamWriter(sys.stderr)
    writer.write(f"{printable(text)}\n")
    writer.close()


class StreamWriter:
    """Writes to a stream without blocking the caller. Errors of the stream end the writing, and nothing else.

    Characters that the stream's encoding does not have are written as escapes, as on standard error.

    Args:
        stream: The stream; None is treated as a closed one.
        timeout: Seconds that `close` waits until everything is written; None for no limit.
    """

    def __init__(self, stream: TextIO | None, *, timeout: float | None = _TIMEOUT) -> None:
        self._stream = stream
        self._timeout = timeout
        self._is_broken = stream is None
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # A daemon, because a write to a full pipe cannot be interrupted.
        self._thread = threading.Thread(target=self._run, name="loginmachine-writer", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Queue text. It is written in order, as soon as possible."""
        self._queue.put(text)

    def close(self) -> bool:
        """Wait until everything is written, or the timeout has passed.

        Returns:
            Whether everything was written.
        """
        self._queue.put(None)
        self._thread.join(self._timeout)
        return not self._is_broken and not self._thread.is_alive()

    def _run(self) -> None:
        write, encoding = self._write_function(), _encoding_of(self._stream)
        try:
            while (text := self._queue.get()) is not None:
                data = text.encode(encoding, "backslashreplace")
                if write is None:
                    self._write(data.decode(encoding))
                while data and write is not None:
                    data = data[write(data) :]
        except (OSError, ValueError):
            # The reader has gone. The login goes on: the person still wants to be signed in.
            self._is_broken = True

    def _write_function(self) -> Callable[[bytes], int] | None:
        """Return what writes bytes, and returns how many it has written.

        It bypasses the stream's buffer: a blocked thread would hold its lock when the interpreter exits.
        """
        try:
            if self._stream is None:
                return None
            if sys.platform == "win32" and self._stream.isatty():
                # This writes characters. The descriptor of a console takes bytes of its code page.
                write: Callable[[bytes], int] = self._stream.buffer.raw.write  # type: ignore[attr-defined,unused-ignore]
                return write
            return functools.partial(_write_some, self._stream.fileno())
        except (AttributeError, OSError, ValueError):
            # The embedding program has replaced the stream by one without a file.
            return None

    def _write(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()


def _encoding_of(stream: TextIO | None) -> str:
    """Return the encoding of a stream, which may be that of an old code page. UTF-8 if it has none."""
    encoding = getattr(stream, "encoding", None)
    return encoding if isinstance(encoding, str) else "utf-8"


def _write_some(descriptor: int, data: bytes) -> int:
    """Write as much as possible, and return how much. If the pipe is non-blocking and full, wait until it is not."""
    try:
        return os.write(descriptor, data)
    except BlockingIOError:
        import select  # noqa: PLC0415 - rarely needed

        select.select([], [descriptor], [])
        return 0
