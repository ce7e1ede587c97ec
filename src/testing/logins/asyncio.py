"""The played login of the asyncio driver. It runs in a task of its own, as a real one does."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast

from ...drivers.asyncio.login import AsyncioLogin
from ...drivers.asyncio.tasks import finished, start_shielded
from ...drivers.shared.handle import LEFT, LoginHandle
from ...drivers.shared.hosts import ASYNCIO, check_host
from ...sansio.login.events import CancelRequested
from .login import IDLE, PATIENCE, Casting, PlayedLogin
from .stage import Moved, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from ...sansio.login.events import Event
    from .script import Step


class AsyncioStage(Stage):
    """A stage with what `AsyncioLogin` needs of its owner."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - those of the base
        self.ready = asyncio.Event()
        self.finished = asyncio.Event()
        self._acted = asyncio.Event()
        super().__init__(*args, **kwargs)

    def post(self, event: Event) -> None:
        """Put an event into the inbox. For tasks, not for other threads."""
        super().post(event)
        self._acted.set()

    def play(self, steps: Sequence[Step]) -> None:
        """Let more happen."""
        super().play(steps)
        self._acted.set()

    def abandon_revocation(self) -> None:
        """Do nothing: a played revocation takes no time."""

    async def run(self) -> None:
        """Let things happen until the login has ended and its last page is sent. A pause ends when the program acts."""
        # Shielded: a cancellation from outside, as at the end of the event loop, cancels the login.
        moving = start_shielded(self._move_on())
        try:
            await finished(moving, lambda: self.post(CancelRequested(reason=LEFT)))
            moving.result()
        finally:
            self.ready.set()
            self.finished.set()

    async def _move_on(self) -> None:
        self.start()
        while (moved := self.move()) is not Moved.CLOSED:
            if self.is_ready:
                self.ready.set()
            if self.outcome is not None:
                self.finished.set()
            if moved is Moved.PAUSED:
                await self._wait()
            self._acted.clear()
            await asyncio.sleep(0)

    async def _wait(self) -> None:
        """Wait in a pause for what the program does. The time is real: the loop has no other."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self._acted.wait()
        except TimeoutError:
            raise AssertionError(IDLE) from None


class PlayedAsyncioLogin(PlayedLogin, AsyncioLogin):
    """An `AsyncioLogin` that plays a script."""

    _stage: AsyncioStage

    def __init__(self, casting: Casting) -> None:
        LoginHandle.__init__(self, casting.options, casting.method)
        self._store = casting.store
        self._stage = cast("AsyncioStage", casting.stage(AsyncioStage))
        self._owner = cast("Any", self._stage)
        self._block = None

    async def __aenter__(self) -> Self:
        check_host(ASYNCIO, "login")
        # Here and not in a thread: the store of a test does not block.
        self._check_store(self._store)
        self._check_before_entering()
        self._block = self._open()
        await self._block.__aenter__()
        return self
