"""Calls of a keyring that may hang. What such a call changes after it was given up is undone."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from ..waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

_late: Final[dict[str, threading.Event]] = {}
"""For each account, the end of the call that was given up last. In this process only."""
_lock: Final = threading.Lock()
"""For `_late`, and for the moment at which a call is given up."""


class KeyringTimeoutError(Exception):
    """A call has not returned in time."""


class KeyringCallError(Exception):
    """A call has raised an exception."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


class Call(Generic[Result]):
    """A call in a thread of its own, which is given up if it does not return in time.

    Args:
        account: The entry that the call is for.
        work: The call.
        undo: Called in that thread, if the call returns or raises after it was given up.
    """

    def __init__(self, account: str, work: Callable[[], Result], undo: Callable[[], object] | None = None) -> None:
        self._account = account
        self._work = work
        self._undo = undo
        self._results: list[Result] = []
        self._problems: list[BaseException] = []
        self._done = threading.Event()
        self._ended = threading.Event()
        self._given_up = False

    def result(self, timeout: float) -> Result:
        """Make the call, and return its result. A call that changes something waits for late calls to end first.

        If the system has no thread left, the call is made in the caller's thread, without a time limit.

        Args:
            timeout: Seconds to wait at most.

        Raises:
            KeyringTimeoutError: The call has not returned in time. What it changes later is undone.
            KeyringCallError: The call has raised an exception.
        """
        late = _late.get(self._account) if self._undo is not None else None
        if late is not None and not wait_for(late, timeout):
            raise KeyringTimeoutError
        # Daemonic, because a backend that hangs cannot be interrupted.
        thread = threading.Thread(target=self._run, name="loginmachine-keyring", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            # The system has no thread left. The credentials must not be lost, although a call here has no time limit.
            self._run()
            self._raise_exit()
        try:
            wait_for(self._done, timeout)
        finally:
            with _lock:
                self._given_up = not self._done.is_set()
                if self._given_up and self._undo is not None:
                    _late[self._account] = self._ended
        if self._given_up:
            raise KeyringTimeoutError
        if self._problems:
            raise KeyringCallError(self._problems[0])
        return self._results[0]

    def _raise_exit(self) -> None:
        """Raise what the call has raised, if it is no `Exception`: an interrupt of the caller's own thread."""
        for error in self._problems:
            if not isinstance(error, Exception):
                raise error

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - backends raise what their systems raise
            self._problems.append(error)
        finally:
            with _lock:
                is_late = self._given_up
                if not is_late:
                    self._done.set()
            try:
                if is_late and self._undo is not None:
                    self._undo()
            finally:
                with _lock:
                    if _late.get(self._account) is self._ended:
                        del _late[self._account]
                self._ended.set()
