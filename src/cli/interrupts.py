"""Signals that end a login cleanly, however often they come."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from ..drivers.threaded import Canceller

_SIGNALS: Final = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interrupts:
    """Turns signals into a cancellation, instead of an exception at some arbitrary place."""

    def __init__(self, canceller: Canceller) -> None:
        self._canceller = canceller
        self._previous: dict[int, Any] = {}
        self.received: int | None = None
        """The first signal that came."""

    def __enter__(self) -> Self:
        for number in _SIGNALS:
            # What the parent ignores (nohup, a background job) stays ignored.
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._previous[number] = signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)

    @property
    def exit_code(self) -> int | None:
        """What a shell expects of a program that a signal ended."""
        return None if self.received is None else 128 + self.received

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.received is None:
            self.received = number
        self._canceller.cancel("interrupted")
