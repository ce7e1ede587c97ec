"""The played login of the threaded driver. It runs in the thread that enters it, waits for it or leaves it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final, cast

from ...drivers.shared.handle import LEFT, LoginHandle
from ...drivers.threaded.login import ThreadedLogin
from ...sansio.login import events
from .login import IDLE, PATIENCE, Casting, PlayedLogin
from .stage import Moved, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from ...sansio.model.credentials import Credentials
    from .script import Step

_MOMENT: Final = 0.01
"""Real seconds to wait at least in such a pause, so that the other threads run."""


class ThreadedStage(Stage):
    """A stage with pauses that other threads end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - those of the base
        self.acted = threading.Event()
        """Set when the program has done something."""
        super().__init__(*args, **kwargs)

    def post(self, event: events.Event) -> None:
        """Put an event into the inbox. For any thread."""
        super().post(event)
        self.acted.set()

    def play(self, steps: Sequence[Step]) -> None:
        """Let more happen."""
        super().play(steps)
        self.acted.set()

    def get_ready(self) -> None:
        """Let things happen until the person can sign in."""
        while not self.is_ready:
            assert self.move() is Moved.ON, "the script stops before the person can sign in"

    def close(self) -> None:
        """Let things happen until the last page is sent."""
        while not self.is_closed:
            assert self.move() is Moved.ON, "the script stops before the end of the login"

    def run(self, timeout: float | None) -> bool:
        """Let things happen until the outcome is known.

        Args:
            timeout: Seconds of the script to wait at most; None for no limit.

        Returns:
            Whether the outcome is known.

        Raises:
            AssertionError: The script waits for the program, and no thread of it does anything.
        """
        end = None if timeout is None else self.now + timeout
        while self.outcome is None:
            self.acted.clear()
            moved = self.move(end)
            if moved is Moved.LATE:
                return False
            if moved is Moved.PAUSED and not self._wait(timeout):
                return False
        return True

    def _wait(self, timeout: float | None) -> bool:
        """Wait in a pause. Return False if that took as long as the program wants to wait."""
        if timeout is not None:
            return self.acted.wait(min(timeout, _MOMENT))
        if not self.acted.wait(PATIENCE):
            raise AssertionError(IDLE)
        return True


class PlayedThreadedLogin(PlayedLogin, ThreadedLogin):
    """A `ThreadedLogin` that plays a script."""

    _stage: ThreadedStage

    def __init__(self, casting: Casting) -> None:
        LoginHandle.__init__(self, casting.options, casting.method)
        self._store = casting.store
        self._stage = cast("ThreadedStage", casting.stage(ThreadedStage))
        self._owner = cast("Any", self._stage)

    def wait(self, timeout: float | None = None) -> Credentials:
        """Let the script go on until the login ends. May be called any number of times.

        Args:
            timeout: Seconds of the script to wait at most, which take no real time. None for no limit.

        Returns:
            The credentials, which are stored.

        Raises:
            LoginFailed: As for a real login.
            TimeoutError: The login is still running after `timeout` seconds of the script.
            RuntimeError: The login has not been entered.
            AssertionError: The script waits for the program, and no thread of it does anything.
        """
        if not self._entered:
            raise RuntimeError(self._not_running)
        if not self._stage.run(timeout):
            raise TimeoutError("the login is still running")
        self._raise_passed_on()
        assert self._stage.outcome is not None
        return self._credentials(self._stage.outcome)

    def __enter__(self) -> Self:
        self._check_store(self._store)
        self._check_before_entering()
        self._stage.start()
        try:
            self._stage.get_ready()
            if not self._is_ready():
                self.wait()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()
        if exc_type is None and not self._has_passed_on:
            self._raise_passed_on()

    def _close(self) -> None:
        """Cancel the login if it is still running, and let it send its last pages."""
        if self._stage.outcome is None:
            self._stage.post(events.CancelRequested(reason=LEFT))
        self._stage.close()
