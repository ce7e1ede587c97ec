"""Lines for people on standard error; on a terminal with colours and a waiting indicator."""

from __future__ import annotations

import os
import sys
import threading
import time

from ...sansio.base.text import printable
from .console import understands_escapes
from .writer import StreamWriter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TextIO

_FRAMES: Final = "|/-\\"
_PERIOD: Final = 0.25
"""Seconds between two frames of the waiting indicator."""
_COLOURS: Final = {"good": "32", "bad": "31", "warn": "33", "strong": "1", "soft": "2"}
_CLEAR_LINE: Final = "\r\x1b[K"


class Terminal:
    """Writes lines to a stream, by default to standard error."""

    def __init__(self, stream: TextIO | None = None) -> None:
        stream = sys.stderr if stream is None else stream
        self._writer = StreamWriter(stream)
        self._is_terminal = understands_escapes(stream)
        self._has_colours = self._is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._waiting: threading.Thread | None = None
        self._stop = threading.Event()

    def line(self, text: str = "", style: str = "") -> None:
        """Write a line.

        Args:
            text: The line. Control characters are replaced.
            style: ``good``, ``bad``, ``warn``, ``strong`` or ``soft``; ignored where there are no colours.
        """
        text = printable(text)
        if style and self._has_colours:
            text = f"\x1b[{_COLOURS[style]}m{text}\x1b[0m"
        self._writer.write(f"{_CLEAR_LINE if self._waiting else ''}{text}\n")

    def start_waiting(self, text: str) -> None:
        """Show a waiting indicator with the elapsed time. Without a terminal, do nothing."""
        if not self._is_terminal or self._waiting is not None:
            return
        self._stop.clear()
        self._waiting = threading.Thread(target=self._wait, args=(text,), name="loginmachine-waiting")
        self._waiting.start()

    def stop_waiting(self) -> None:
        """Remove the waiting indicator."""
        if self._waiting is None:
            return
        self._stop.set()
        self._waiting.join()
        self._waiting = None
        self._writer.write(_CLEAR_LINE)

    def close(self) -> None:
        """Remove the waiting indicator, and write what is left."""
        self.stop_waiting()
        self._writer.close()

    def _wait(self, text: str) -> None:
        start = time.monotonic()
        frame = 0
        while not self._stop.wait(_PERIOD):
            minutes, seconds = divmod(int(time.monotonic() - start), 60)
            self._writer.write(f"{_CLEAR_LINE}{_FRAMES[frame % len(_FRAMES)]} {text} {minutes}:{seconds:02}")
            frame += 1
