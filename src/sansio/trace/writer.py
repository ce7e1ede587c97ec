"""Write the lines of a trace. Trouble ends the recording, and not what is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .format.codec import MAX_LINE, MAX_STEPS, MAX_TRACE, VERSION, line_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..base.strict_json import JsonObject
    from .origin import Origin


class RecordingError(Exception):
    """The recording cannot go on. What is recorded can."""


class TraceWriter:
    """The lines of one trace.

    Args:
        write: Called with each line, newline included. If it raises, the recording ends.
        clock: Returns the time in seconds, from any start.
        on_trouble: Called with the reason, a few words, if the recording ends early.
        origin: Where the trace comes from. None for a trace without origin and sizes.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        clock: Callable[[], float],
        on_trouble: Callable[[str], None],
        origin: Origin | None,
    ) -> None:
        self._write = write
        self._clock = clock
        self._on_trouble = on_trouble
        self._origin = origin
        self._of = "login"
        self._ended = False
        self._lines = self._size = 0
        self._start = clock()

    def now(self) -> float:
        """Return the seconds since the start."""
        return self._clock() - self._start

    def attempt(self, work: Callable[..., None], *args: object) -> None:
        """Call a function. An exception ends the recording."""
        if not self._ended:
            try:
                work(*args)
            except Exception as error:  # noqa: BLE001 - a full disk as well as a mistake of ours
                self._ended = True
                reason = str(error) if isinstance(error, RecordingError) else type(error).__name__
                self._on_trouble(f"the trace ends before the {self._of}: {reason}")

    def begin(self, **members: Any) -> None:  # noqa: ANN401 - JSON
        """Write the first line."""
        self._of = members.get("of", self._of).replace("_", "-")
        origin = {} if self._origin is None else {"origin": self._origin.content()}
        self._write_line({"type": "trace", "version": VERSION, **origin, **members})

    def step(self, at: float, size: int | None, **members: Any) -> None:  # noqa: ANN401 - JSON
        """Write the line of an event.

        Args:
            at: Seconds since the start.
            size: The real bytes of what the event has redacted; None if that is nothing.
            members: The other members of the line.
        """
        sizes = {} if self._origin is None or size is None else {"size": size}
        self._write_line({"at": round(max(at, 0.0), 6), **sizes, **members})

    def _write_line(self, content: JsonObject) -> None:
        # Any page can send requests. They must not fill the disk.
        line = line_of(content)
        self._lines += 1
        self._size += len(line)
        if self._lines > 1 + MAX_STEPS or self._size > MAX_TRACE or len(line) > MAX_LINE:
            raise RecordingError("it would become too large")
        self._write(line)
