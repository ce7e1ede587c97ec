"""The fake session for programs with asyncio. It uses no thread."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ...drivers.asyncio.refresh import Refresh
from ...drivers.asyncio.session import AsyncioSession
from ...drivers.shared.store_access import StoreAccess
from ...sansio.refresh.outcome import RefreshMemory
from .control import LIFETIME, FakeControl
from .endpoint import performed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.refresh.actions import RefreshAction
    from ...sansio.refresh.events import AccessTokenWanted, RefreshEvent
    from ...sansio.sign_out.outcome import SignOutResult
    from .endpoint import FakeEndpoint


class _FakeRefresh(Refresh):
    """A refresh that uses the store in its own task, because a store in memory does not block."""

    endpoint: FakeEndpoint

    async def check_store(self) -> bool:
        self.machine.handle(self.wanted)
        await asyncio.sleep(0)
        self._actions = self.machine.handle(self._access.load())
        return self.machine.outcome is not None

    async def run(self) -> None:
        try:
            if not self._actions:
                await self.check_store()
            while self._actions:
                action = self._actions.pop(0)
                if self._can_stop_before(action):
                    return
                event = await self._perform(action)
                if event is not None:
                    self._actions += self.machine.handle(event)
        finally:
            self._access.release_lock()

    async def _perform(self, action: RefreshAction) -> RefreshEvent | None:
        await asyncio.sleep(0)
        return performed(action, self._access, self.endpoint, self._warn)


class FakeAsyncioSession(FakeControl, AsyncioSession):
    """An `AsyncioSession` with a provider in the same process. See `FakeSession`.

    Args:
        signed_in: Whether the person is signed in at the beginning.
        lifetime: Seconds for which an access token is valid, above 0.
        on_warning: As for `AsyncioSession`.
    """

    def __init__(
        self,
        *,
        signed_in: bool = True,
        lifetime: float = LIFETIME,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        store, provider = self._begin(lifetime, signed_in=signed_in)
        AsyncioSession.__init__(self, store, provider, on_warning=on_warning)

    def _new_refresh(self, wanted: AccessTokenWanted) -> Refresh:
        access = StoreAccess(self._store, self._looks)
        refresh = _FakeRefresh(self._new_machine(self._memory), access, wanted, self._on_warning)
        refresh.endpoint = self._endpoint
        return refresh

    async def sign_out(self) -> SignOutResult:
        """Sign the person out, as a real session does.

        Returns:
            What was removed, and that the provider confirmed the revocation.
        """
        await asyncio.sleep(0)
        result = self._signed_out(self._memory)
        self._memory = RefreshMemory()
        self._looks.forget()
        return result
