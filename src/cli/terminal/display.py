"""Lines for people on standard error; on a terminal with colours and a waiting indicator."""

from __future__ import annotations

import os
import sys
import threading
import time

from ...sansio.base.text import printable
from .console import understands_escapes
from .screen import columns_of, understands_sequences
from .writer import StreamWriter, is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TextIO

_FRAMES: Final = "|/-\\"
_PERIOD: Final = 0.25
"""Seconds between two frames of the waiting indicator."""
_COLOURS: Final = {"good": "32", "bad": "31", "warn": "33", "strong": "1", "soft": "2"}
_CLEAR_LINE: Final = "\r\x1b[K"
_CUT: Final = "..."


class Terminal:
    """Writes lines to a stream, by default to standard error."""

    def __init__(self, stream: TextIO | None = None) -> None:
        stream = sys.stderr if stream is None else stream
        self._stream = stream
        self._writer = StreamWriter(stream)
        self._is_terminal = is_terminal(stream)
        self._can_redraw = understands_escapes(stream) and understands_sequences()
        self._has_colours = self._can_redraw and not os.environ.get("NO_COLOR")
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
        """Show a waiting indicator with the elapsed time. Without a terminal, do nothing.

        Args:
            text: What the program waits for. In a narrow terminal, a part in parentheses at its end is left out, and
                then it is cut. A terminal that cannot redraw a line shows the text once.
        """
        if not self._is_terminal or self._waiting is not None:
            return
        if not self._can_redraw:
            self.line(text)
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
            drawn = _fit(_FRAMES[frame % len(_FRAMES)], text, f"{minutes}:{seconds:02}", columns_of(self._stream))
            self._writer.write(f"{_CLEAR_LINE}{drawn}")
            frame += 1


def _fit(frame: str, text: str, elapsed: str, columns: int) -> str:
    """Return the waiting indicator for a terminal of this width. It leaves the last column empty.

    The terminal would continue a longer line in the next row, and only that row could be cleared.
    """
    room = columns - 1 - len(f"{frame}  {elapsed}")
    if len(text) > room:
        text = text.partition(" (")[0]
    if len(text) > room > len(_CUT):
        text = f"{text[: room - len(_CUT)]}{_CUT}"
    whole = f"{frame} {text} {elapsed}" if len(text) <= room else f"{frame} {elapsed}"
    return whole[: max(columns - 1, 0)]
