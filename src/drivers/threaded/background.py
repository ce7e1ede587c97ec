"""A thread that an exception of a signal handler, such as `KeyboardInterrupt`, neither loses nor leaves behind.

Such an exception may be raised at any point of the main thread's code. `threading.Thread.start` may then have started
the thread or not. On Python 3.11 and 3.12 an interrupted `threading.Thread.join` marks a running thread as ended, and
it may leave a lock of the `threading` module taken, without which no other thread can start or end. So the main thread
calls neither.
"""

from __future__ import annotations

import _thread
import threading
import time

from ..waiting import CHECK_INTERVAL, Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

_MOMENT: Final = 0.0005
"""Seconds between two looks whether a thread that has done its work has ended."""
_THREAD: Final = "the thread"
_CALLER: Final = "the caller"


class Background:
    """Does work in a thread of its own.

    Args:
        work: The work. An exception from it ends the thread, and is kept in `error`.
        name: The name of the thread.
        on_refused: Called, in another thread, if the system has no thread left for the work. `error` has the reason.
    """

    def __init__(self, work: Callable[[], None], name: str, on_refused: Callable[[], None] = lambda: None) -> None:
        self.error: BaseException | None = None
        self.is_interrupted = False
        """A signal handler has raised an exception while the caller was waiting. The work should come to its end."""
        self.ended = Flag()
        """Set when the work is done, and Python has forgotten the thread."""
        self._work = work
        self._on_refused = on_refused
        self._thread = threading.Thread(target=self._run, name=name)
        self._has_worked = Flag()
        self._decided: dict[str, str] = {}
        """Whether the work is done at all, which the thread and the caller decide in one step: who comes first."""

    def start(self) -> None:
        """Start the thread. An exception does not tell whether it was started: call `wait` in any case.

        Raises:
            RuntimeError: The system has no thread left.
        """
        # One call, because several could be interrupted between each other.
        _thread.start_new_thread(self._begin, ())

    def wait(self) -> None:
        """Wait until the thread has ended. If it has not begun yet, it never begins.

        Raises:
            BaseException: A signal handler raised it during the wait, which went on. If there were several, the last.
        """
        try:
            self._wait()
        except BaseException:
            # It may have come between two rounds of the loop.
            self._wait()
            raise

    def _wait(self) -> None:
        interrupt: BaseException | None = None
        while True:
            try:
                if self._decided.setdefault("by", _CALLER) == _THREAD:
                    while not self.ended.wait(CHECK_INTERVAL):
                        pass
                break
            except BaseException as caught:  # noqa: BLE001 - raised below, when the wait is over
                self.is_interrupted = True
                interrupt = caught
        if interrupt is not None:
            raise interrupt

    def _begin(self) -> None:
        """Start the thread, and wait for its end. Runs in a thread of its own, where no signal handler does."""
        if self._decided.setdefault("by", _THREAD) != _THREAD:
            return
        try:
            self._thread.start()
        except RuntimeError as error:
            self.error = error
            self._on_refused()
            self._has_worked.set()
        self._has_worked.wait(threading.TIMEOUT_MAX)
        # (`join` would make a thread object for this thread, which Python does not forget.)
        while self._thread.is_alive():
            time.sleep(_MOMENT)
        self.ended.set()

    def _run(self) -> None:
        try:
            self._work()
        except BaseException as error:  # noqa: BLE001 - for the caller
            self.error = error
        finally:
            self._has_worked.set()
