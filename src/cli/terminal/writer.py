"""Standard output and error, written in a thread of their own.

A parent that starts us and reads nobody's pipe must not stop a login, its deadline or Ctrl-C: what it does not take is
given up at the end.
"""

from __future__ import annotations

import os
import queue
import sys
import threading

from ...sansio.base.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TextIO

_PATIENCE: Final = 1.0
"""Seconds; beside a login nobody waits longer."""


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody sits at the other end of a stream, which may be closed."""
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def print_out(text: str) -> bool:
    """Write a line on standard output, for as long as its reader takes. False if nobody takes it."""
    outlet = Outlet(sys.stdout, patience=None)
    outlet.write(f"{printable(text)}\n")
    return outlet.close()


def print_error(text: str) -> None:
    """Write a line on standard error, if somebody takes it."""
    outlet = Outlet(sys.stderr)
    outlet.write(f"{printable(text)}\n")
    outlet.close()


class Outlet:
    """A stream that can be written to without ever blocking. One that is closed or broken is given up without harm.

    Args:
        stream: Where it goes.
        patience: Seconds that a reader has, at the end, to take what is left; None for as long as it takes.
    """

    def __init__(self, stream: TextIO | None, *, patience: float | None = _PATIENCE) -> None:
        self._stream = stream
        self._patience = patience
        self._is_given_up = stream is None
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        # Daemonic for a pipe that nobody reads: nothing can wake a blocked write.
        self._thread = threading.Thread(target=self._run, name="loginmachine-outlet", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Write, soon and in order."""
        self._queue.put(text)

    def close(self) -> bool:
        """Wait until everything is written, or patience is at its end. False if not everything was."""
        self._queue.put(None)
        self._thread.join(self._patience)
        return not self._is_given_up and not self._thread.is_alive()

    def _run(self) -> None:
        descriptor = self._descriptor()
        try:
            while (text := self._queue.get()) is not None:
                if descriptor is None:
                    self._write(text)
                else:
                    # Past the stream's buffer, whose lock a blocked thread would hold when the interpreter ends.
                    data = text.encode("utf-8", "backslashreplace")
                    while data:
                        data = data[_write_some(descriptor, data) :]
        except (OSError, ValueError):
            # Nobody reads any more; the person in the browser still wants to be signed in.
            self._is_given_up = True

    def _descriptor(self) -> int | None:
        try:
            return None if self._stream is None else self._stream.fileno()
        except (OSError, ValueError):
            # A host's own stream, without a file behind it.
            return None

    def _write(self, text: str) -> None:
        if self._stream is not None:
            self._stream.write(text)
            self._stream.flush()


def _write_some(descriptor: int, data: bytes) -> int:
    """Write some of it, and wait for a reader where the parent has made a pipe that does not wait by itself."""
    try:
        return os.write(descriptor, data)
    except BlockingIOError:
        import select  # noqa: PLC0415 - hardly ever needed

        select.select([], [descriptor], [])
        return 0
