"""The played login of the trio driver. It runs in a task of its own, as a real one does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import trio

from ...drivers.shared.handle import LoginHandle
from ...drivers.shared.hosts import TRIO, check_host
from ...drivers.trio.login import TrioLogin
from .login import Casting, PlayedLogin
from .stage import Moved, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from ...sansio.login.events import Event
    from .script import Step


class TrioStage(Stage):
    """A stage with what `TrioLogin` needs of its owner."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - those of the base
        self.ready = trio.Event()
        self.finished = trio.Event()
        self._ended = trio.Event()
        self._acted = trio.Event()
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
        try:
            with trio.CancelScope(shield=True):
                self.start()
                while (moved := self.move()) is not Moved.CLOSED:
                    self._tell()
                    if moved is Moved.PAUSED:
                        await self._acted.wait()
                    self._acted = trio.Event()
                    await trio.lowlevel.checkpoint()
        finally:
            for event in (self.ready, self.finished, self._ended):
                event.set()

    def _tell(self) -> None:
        if self.is_ready:
            self.ready.set()
        if self.outcome is not None:
            self.finished.set()

    async def join(self) -> KeyboardInterrupt | None:
        """Wait until the login has ended and its last page is sent."""
        with trio.CancelScope(shield=True):
            await self._ended.wait()
        return None


class PlayedTrioLogin(PlayedLogin, TrioLogin):
    """A `TrioLogin` that plays a script."""

    _stage: TrioStage

    def __init__(self, casting: Casting) -> None:
        LoginHandle.__init__(self, casting.options, casting.method)
        self._store = casting.store
        self._stage = cast("TrioStage", casting.stage(TrioStage))
        self._owner = cast("Any", self._stage)
        self._block = None

    async def __aenter__(self) -> Self:
        check_host(TRIO, "login")
        # Here and not in a thread: the store of a test does not block.
        self._check_store(self._store)
        self._check_before_entering()
        self._block = self._open()
        await self._block.__aenter__()
        return self
