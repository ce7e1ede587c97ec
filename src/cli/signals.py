"""Signal handlers that end a command cleanly, even if several signals arrive."""

from __future__ import annotations

import contextlib
import os
import signal

from .exit_codes import after_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from types import FrameType, TracebackType
    from typing import Any, Final, Self, TypeAlias

    Handler: TypeAlias = Callable[[int, FrameType | None], None]


_TERMINATING: Final = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
]


def install_handlers(handler: Handler, signals: Iterable[int] = _TERMINATING) -> dict[int, Any]:
    """Install a handler for signals.

    Signals that the parent process ignores, as with ``nohup`` or in a background job, stay ignored.

    Args:
        handler: The handler.
        signals: Signal numbers; by default those that end programs.

    Returns:
        The previous handlers, for `restore_handlers`.
    """
    previous: dict[int, Any] = {}
    for number in signals:
        if signal.getsignal(number) is not signal.SIG_IGN:
            previous[number] = signal.signal(number, handler)
    return previous


def restore_handlers(previous: Mapping[int, Any], *, ignore: bool = False) -> None:
    """Restore signal handlers.

    Args:
        previous: The return value of `install_handlers`.
        ignore: Ignore these signals instead, because the process is about to end.
    """
    for number, handler in previous.items():
        signal.signal(number, signal.SIG_IGN if ignore else handler)


def exception_for(number: int) -> BaseException:
    """Return the exception that ends a Python program after a signal."""
    return KeyboardInterrupt() if number == signal.SIGINT else SystemExit(after_signal(number))


def interrupt_once(exit_code: int) -> Callable[[], None]:
    """Raise `KeyboardInterrupt` on the first Ctrl-C, and end the process at once on the second.

    For the time before `CancelOnSignal` is active: there is nothing to clean up yet, and a second `KeyboardInterrupt`
    would end in a traceback.

    Args:
        exit_code: For the second Ctrl-C.

    Returns:
        A function to call when the exit code of the command is known. From then on Ctrl-C is ignored.
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
def raise_first_signal(*, owns_process: bool) -> Iterator[None]:
    """Raise an exception for the first signal during the block, and ignore all later ones.

    A thread that must not be cut off, such as one that stores tokens, can then finish before the process ends.

    Args:
        owns_process: The process ends with the command. If not, signals are left to the program that runs it.
    """
    received: list[int] = []

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if received:
            return
        received.append(number)
        raise exception_for(number)

    previous = install_handlers(on_signal) if owns_process else {}
    try:
        yield
    finally:
        restore_handlers(previous, ignore=bool(received))


class CancelOnSignal:
    """Cancels a login when a signal arrives, instead of raising an exception at an arbitrary place.

    Args:
        cancel: Called in the main thread with the reason.
        owns_process: The process ends with the command: signals are ignored after the block.
    """

    def __init__(self, cancel: Callable[[str], None], *, owns_process: bool) -> None:
        self._cancel = cancel
        self._owns_process = owns_process
        self._previous: dict[int, Any] = {}
        self.received: int | None = None
        """The first signal that arrived."""

    def __enter__(self) -> Self:
        self._previous = install_handlers(self._on_signal)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # The outcome is decided: a second Ctrl-C must not change the exit code while the process ends.
        restore_handlers(self._previous, ignore=self._owns_process)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.received is None:
            self.received = number
        self._cancel("interrupted")
