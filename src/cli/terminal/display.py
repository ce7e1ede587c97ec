"""What people read: lines on standard error, with colours and a waiting indicator where a terminal shows them."""

from __future__ import annotations

import os
import sys
import threading
import time

from ...sansio.base.text import printable
from .writer import Outlet, is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TextIO

_FRAMES: Final = "|/-\\"
_PERIOD: Final = 0.25
_COLOURS: Final = {"good": "32", "bad": "31", "warn": "33", "strong": "1", "soft": "2"}
_CLEAR_LINE: Final = "\r\x1b[K"


class Terminal:
    """Writes lines to a stream; to standard error by default."""

    def __init__(self, stream: TextIO | None = None) -> None:
        stream = sys.stderr if stream is None else stream
        self._outlet = Outlet(stream)
        self._is_terminal = is_terminal(stream)
        self._has_colours = self._is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._waiting: threading.Thread | None = None
        self._stop = threading.Event()

    def line(self, text: str = "", style: str = "") -> None:
        """Write a line."""
        text = printable(text)
        if style and self._has_colours:
            text = f"\x1b[{_COLOURS[style]}m{text}\x1b[0m"
        self._outlet.write(f"{_CLEAR_LINE if self._waiting else ''}{text}\n")

    def start_waiting(self, text: str) -> None:
        """Show that something is awaited, and for how long already; on a terminal only."""
        if not self._is_terminal or self._waiting is not None:
            return
        self._stop.clear()
        self._waiting = threading.Thread(target=self._wait, args=(text,), name="loginmachine-waiting")
        self._waiting.start()

    def stop_waiting(self) -> None:
        """Take the indicator away."""
        if self._waiting is None:
            return
        self._stop.set()
        self._waiting.join()
        self._waiting = None
        self._outlet.write(_CLEAR_LINE)

    def close(self) -> None:
        """Let the last lines out."""
        self.stop_waiting()
        self._outlet.close()

    def _wait(self, text: str) -> None:
        start = time.monotonic()
        frame = 0
        while not self._stop.wait(_PERIOD):
            minutes, seconds = divmod(int(time.monotonic() - start), 60)
            self._outlet.write(f"{_CLEAR_LINE}{_FRAMES[frame % len(_FRAMES)]} {text} {minutes}:{seconds:02}")
            frame += 1
