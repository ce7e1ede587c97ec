"""Signals that end a command cleanly, however often they come."""

from __future__ import annotations

import contextlib
import os
import signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import FrameType, TracebackType
    from typing import Any, Final, Self, TypeAlias

    Handler: TypeAlias = Callable[[int, FrameType | None], None]


_ENDING: Final = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def take_over(handler: Handler, signals: Iterable[int] = _ENDING) -> dict[int, Any]:
    """Handle signals, by default those that end programs, except what the parent ignores (nohup, a background job).

    Returns:
        The handlers that they had: to be given back.
    """
    previous: dict[int, Any] = {}
    for number in signals:
        if signal.getsignal(number) is not signal.SIG_IGN:
            previous[number] = signal.signal(number, handler)
    return previous


def give_back(previous: Mapping[int, Any], *, ignored: bool = False) -> None:
    """Give signals back to the handlers that they had; or have them ignored, because the process ends anyway."""
    for number, handler in previous.items():
        signal.signal(number, signal.SIG_IGN if ignored else handler)


def exception_for(number: int) -> BaseException:
    """The exception with which a signal ends a program in Python."""
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(128 + number)


def interrupt_once(exit_code: int) -> Callable[[], None]:
    """Until `Interrupts` takes over: the first Ctrl-C is a `KeyboardInterrupt`, any other one ends the process.

    There is nothing to be left behind yet, and an exception for each would end in a traceback.

    Returns:
        To be called when the exit code is settled: no Ctrl-C gives the process another one while it ends.
    """
    received: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if len(received) > 1:
            os._exit(exit_code)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, on_signal)
    return lambda: _ignore_interrupts(on_signal)


def _ignore_interrupts(handler: Handler) -> None:
    if signal.getsignal(signal.SIGINT) is handler:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextlib.contextmanager
def ending_softly(*, for_good: bool) -> Iterator[None]:
    """While the block runs, the first signal ends it with an exception, and no other one counts any more.

    So a thread that must not be cut off finishes before the process ends, whatever ends that and how often.

    Args:
        for_good: The process ends afterwards. Otherwise signals are its host's business.
    """
    received: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if received:
            return
        received.append(number)
        raise exception_for(number)

    previous = take_over(on_signal) if for_good else {}
    try:
        yield
    finally:
        give_back(previous, ignored=bool(received))


class Interrupts:
    """Turns signals into a cancellation, instead of an exception at some arbitrary place.

    Args:
        cancel: Told the reason, in the main thread.
        for_good: The process ends afterwards: signals stay ignored.
    """

    def __init__(self, cancel: Callable[[str], None], *, for_good: bool) -> None:
        self._cancel = cancel
        self._for_good = for_good
        self._previous: dict[int, Any] = {}
        self.received: int | None = None
        """The first signal that came."""

    def __enter__(self) -> Self:
        self._previous = take_over(self._on_signal)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The outcome stands: a second Ctrl-C, while the process ends, must not give it another exit code.
        give_back(self._previous, ignored=self._for_good)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.received is None:
            self.received = number
        self._cancel("interrupted")
