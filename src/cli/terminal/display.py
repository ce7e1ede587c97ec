"""Lines for people on standard error; on a terminal with colours, hyperlinks and a waiting indicator."""

from __future__ import annotations

import os
import sys
import threading
import time

from ...sansio.base.text import printable
from .console import understands_escapes
from .screen import columns_of, has_links, hyperlink, rows_of, understands_sequences
from .writer import StreamWriter, is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final, TextIO

_FRAMES: Final = "|/-\\"
_PERIOD: Final = 0.25
"""Seconds between two frames of the waiting indicator."""
_COLOURS: Final = {"good": "32", "bad": "31", "warn": "33", "strong": "1", "soft": "2"}
_CLEAR_LINE: Final = "\r\x1b[K"
_CUT: Final = "..."
_TWO_MINUTES: Final = 120


class Terminal:
    """Writes lines to a stream, by default to standard error."""

    def __init__(self, stream: TextIO | None = None) -> None:
        stream = sys.stderr if stream is None else stream
        self._stream = stream
        self._writer = StreamWriter(stream)
        self.is_terminal = is_terminal(stream)
        """Whether a person may be looking."""
        self.can_redraw = understands_escapes(stream) and understands_sequences()
        """Whether the terminal understands control sequences."""
        self.has_colours = self.can_redraw and not os.environ.get("NO_COLOR")
        self._waiting: threading.Thread | None = None
        self._stop = threading.Event()

    @property
    def columns(self) -> int:
        """The width of the terminal now, in characters."""
        return columns_of(self._stream)

    @property
    def rows(self) -> int:
        """The height of the terminal now, in lines; 0 if it is not known."""
        return rows_of(self._stream)

    @property
    def has_blocks(self) -> bool:
        """Whether the characters of block graphics can be written: with UTF-8."""
        return (getattr(self._stream, "encoding", None) or "").replace("-", "").lower() == "utf8"

    def line(self, text: str = "", style: str = "", link: str = "") -> None:
        """Write a line. On a terminal, a longer text is broken between words. One word is never broken.

        Args:
            text: The line, which may have line breaks. Control characters are replaced.
            style: ``good``, ``bad``, ``warn``, ``strong`` or ``soft``; ignored where there are no colours.
            link: The URL to which the text leads, where the terminal has hyperlinks. Visible ASCII.
        """
        text = printable(text)
        if self.is_terminal:
            text = "\n".join(broken(line, self.columns) for line in text.split("\n"))
        if style and self.has_colours:
            text = f"\x1b[{_COLOURS[style]}m{text}\x1b[0m"
        if link and self.can_redraw and has_links():
            text = hyperlink(link, text)
        self._write(f"{text}\n")

    def draw(self, lines: Iterable[str]) -> None:
        """Write lines as they are: graphics, with sequences for their colours."""
        self._write("".join(f"{line}\n" for line in lines))

    def copy(self, text: str) -> None:
        """Put a text into the clipboard of the terminal (OSC 52), also over SSH. Terminals do not answer."""
        from base64 import b64encode  # noqa: PLC0415 - on request only

        self._write(f"\x1b]52;c;{b64encode(text.encode('utf-8')).decode('ascii')}\x07")

    def start_waiting(self, text: str, seconds: float | None = None) -> None:
        """Show a waiting indicator with the time that is left. Without a terminal, do nothing.

        Args:
            text: What the program waits for. In a narrow terminal, a part in parentheses at its end is left out, and
                then it is cut. A terminal that cannot redraw a line shows the text once.
            seconds: How long it waits; None for no limit. Then the time that has passed is shown.
        """
        if not self.is_terminal or self._waiting is not None:
            return
        if not self.can_redraw:
            what, _, rest = text.partition(" (")
            limit = "" if seconds is None else f" for {in_words(seconds)} at most"
            self.line(f"{what}{limit}{' (' * bool(rest)}{rest}")
            return
        self._stop.clear()
        self._waiting = threading.Thread(target=self._wait, args=(text, seconds), name="loginmachine-waiting")
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

    def _write(self, text: str) -> None:
        self._writer.write(f"{_CLEAR_LINE if self._waiting else ''}{text}")

    def _wait(self, text: str, limit: float | None) -> None:
        start = time.monotonic()
        frame = 0
        while not self._stop.wait(_PERIOD):
            passed = time.monotonic() - start
            minutes, seconds = divmod(int(passed if limit is None else max(0.0, limit - passed)), 60)
            shown = f"{minutes}:{seconds:02}{'' if limit is None else ' left'}"
            drawn = _fit(_FRAMES[frame % len(_FRAMES)], text, shown, self.columns)
            self._writer.write(f"{_CLEAR_LINE}{drawn}")
            frame += 1


def in_words(seconds: float) -> str:
    """Return a time span for people: whole minutes from two minutes on."""
    return f"{seconds / 60:.0f} minutes" if seconds >= _TWO_MINUTES else f"{seconds:.0f} seconds"


def broken(text: str, columns: int) -> str:
    """Return a text broken between words into lines for a terminal. What follows a dash is indented.

    A text that begins with spaces is a command, and is not broken, so that it can be copied.
    """
    if len(text) <= columns or text.startswith(" "):
        return text
    indent = "- " if text.startswith("- ") else ""
    first, *words = text[len(indent) :].split(" ")
    lines = [indent + first]
    for word in words:
        if len(lines[-1]) + 1 + len(word) <= columns:
            lines[-1] += f" {word}"
        else:
            lines.append(" " * len(indent) + word)
    return "\n".join(lines)


def _fit(frame: str, text: str, shown: str, columns: int) -> str:
    """Return the waiting indicator for a terminal of this width. It leaves the last column empty.

    The terminal would continue a longer line in the next row, and only that row could be cleared.
    """
    room = columns - 1 - len(f"{frame}  {shown}")
    if len(text) > room:
        text = text.partition(" (")[0]
    if len(text) > room > len(_CUT):
        text = f"{text[: room - len(_CUT)]}{_CUT}"
    whole = f"{frame} {text} {shown}" if len(text) <= room else f"{frame} {shown}"
    return whole[: max(columns - 1, 0)]
