"""How far the replay of many traces is: a bar on a terminal, lines on one that cannot redraw, and nothing elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Final

from ..terminal.console import understands_escapes
from ..terminal.screen import columns_of, understands_sequences
from ..terminal.writer import StreamWriter, is_terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

_CLEAR_LINE: Final = "\r\x1b[K"
_PERIOD: Final = 0.1
"""Seconds between two drawings of the bar."""
_WIDEST: Final = 40
"""Columns of the bar alone."""
_NARROWEST: Final = 8
_TENTHS: Final = 10
"""A terminal that cannot redraw a line gets a line for each of so many parts."""


class Progress:
    """Shows how far a replay is.

    Args:
        total: Bytes of all traces.
        stream: Where to show it; by default standard error.
        clock: Returns seconds that only grow.
    """

    def __init__(self, total: int, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._total = total
        self._clock = clock
        self._start = clock()
        self._drawn_at = self._start
        self._done = self._traces = self._tenths = 0
        self._redraws = understands_escapes(self._stream) and understands_sequences()
        self._writer = StreamWriter(self._stream) if is_terminal(self._stream) else None

    def advance(self, size: int, traces: int) -> None:
        """Note that so many more bytes, with so many traces, were replayed."""
        self._done += size
        self._traces += traces
        if self._writer is None:
            return
        now = self._clock()
        line = progress_line(self._done, self._total, self._traces, now - self._start, columns_of(self._stream))
        if not self._redraws:
            tenths = _TENTHS * self._done // self._total if self._total else 0
            if tenths > self._tenths:
                self._tenths = tenths
                self._writer.write(f"{line.lstrip('[#.] ')}\n")
        elif now - self._drawn_at >= _PERIOD:
            self._drawn_at = now
            self._writer.write(f"{_CLEAR_LINE}{line}")

    def close(self) -> None:
        """Remove the bar."""
        if self._writer is not None:
            self._writer.write(_CLEAR_LINE if self._redraws else "")
            self._writer.close()

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._start


def progress_line(done: int, total: int, traces: int, elapsed: float, columns: int) -> str:
    """Return the bar with the percentage, the rate, and the time that is left, as far as there is room.

    The last column stays empty: the terminal would continue a longer line in the next row.

    Args:
        done: Bytes that were replayed.
        total: Bytes of all traces.
        traces: Traces that were replayed.
        elapsed: Seconds since the start.
        columns: The width of the terminal.
    """
    part = min(done / total, 1.0) if total else 0.0
    room = columns - 1
    words = [f"{100 * part:.0f} %"]
    if done and elapsed:
        words += [f"{traces / elapsed:,.0f}/s", f"{_clock_words(elapsed * (1 - part) / part)} left"]
    while len(words) > 1 and len(" ".join(words)) > room:
        del words[1]
    text = " ".join(words)
    bar = min(room - len(text) - len("[] "), _WIDEST)
    if bar < _NARROWEST:
        return text[: max(room, 0)]
    filled = int(bar * part)
    return f"[{'#' * filled}{'.' * (bar - filled)}] {text}"


def _clock_words(seconds: float) -> str:
    minutes, left = divmod(int(seconds + 0.5), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"
