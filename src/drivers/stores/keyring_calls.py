"""Calls of a keyring that may hang. What such a call changes after it was given up is undone."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from ...sansio.base.text import clean_text
from ..errors import KeyringUnavailable, StoreError
from ..waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")

_WINDOWS_LIMIT: Final = 2560
"""Bytes in a credential of Windows. A character takes two."""

_KNOWN: Final = {
    "KeyringLocked": "the keyring is locked; unlock it, and try again",
    "PromptDismissedException": "the keyring had to ask for a password or a consent, and got none",
    "SecretServiceNotAvailableException": "the service of the keyring cannot be reached, or has just ended; try again",
    "SizeLimitError": "the credentials are too large for the keyring; store them in the file",
}
"""Messages for exceptions of the package keyring and of those that it uses."""

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


def problem_of(error: BaseException, where: str, size: int) -> StoreError:
    """Return the `StoreError` for an exception of the keyring. Its own text is left out, because it may hold the value.

    Args:
        error: The exception.
        where: The entry, as text for people.
        size: The length of the value that was to be stored, in characters.
    """
    kind = clean_text(type(error).__name__)
    if isinstance(error, StoreError):
        return error
    if isinstance(error, ImportError) and error.name not in (None, "keyring"):
        return KeyringUnavailable("the keyring's backend, which PYTHON_KEYRING_BACKEND may name, cannot be loaded")
    if isinstance(error, ImportError):
        return KeyringUnavailable("the package keyring cannot be loaded: pip install 'loginmachine[keyring]'")
    if kind == "NoKeyringError":
        return KeyringUnavailable("this system has no keyring that could be used")
    if kind in _KNOWN:
        return StoreError(f"{where}: {_KNOWN[kind]}")
    if isinstance(error, ConnectionError):
        return StoreError(f"{where}: the connection to the keyring was closed")
    if 2 * size > _WINDOWS_LIMIT and (sys.platform == "win32" or hasattr(error, "winerror")):
        reason = f"Windows keeps {_WINDOWS_LIMIT} bytes in a credential, and these take {2 * size}"
        return StoreError(f"{where}: {reason}; store them in the file")
    return StoreError(f"{where}: the keyring raised {kind}")
