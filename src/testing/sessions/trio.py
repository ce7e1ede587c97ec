"""The fake session for programs with trio. It uses no thread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from ...drivers.shared.store_access import StoreAccess
from ...drivers.trio.refresh import Refresh
from ...drivers.trio.session import TrioSession
from ...sansio.login.actions import SendTokenRequest
from ...sansio.refresh.outcome import RefreshMemory
from .control import LIFETIME, FakeControl

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar, TypeVarTuple

    from ...sansio.refresh.actions import RefreshAction
    from ...sansio.refresh.events import AccessTokenWanted, RefreshEvent
    from ...sansio.sign_out.outcome import SignOutResult
    from .endpoint import FakeEndpoint

    Result = TypeVar("Result")
    Arguments = TypeVarTuple("Arguments")


class _FakeRefresh(Refresh):
    endpoint: FakeEndpoint

    async def _perform(self, action: RefreshAction) -> RefreshEvent | None:
        if isinstance(action, SendTokenRequest):
            await trio.lowlevel.checkpoint()
            return self.endpoint.answer(action)
        return await super()._perform(action)

    async def _in_thread(self, work: Callable[[*Arguments], Result], *args: *Arguments) -> Result:
        # The store is in memory, and does not block.
        await trio.lowlevel.checkpoint()
        return work(*args)


class FakeTrioSession(FakeControl, TrioSession):
    """A `TrioSession` with a provider in the same process. See `FakeSession`.

    Args:
        signed_in: Whether the person is signed in at the beginning.
        lifetime: Seconds for which an access token is valid, above 0.
        on_warning: As for `TrioSession`.
    """

    def __init__(
        self,
        *,
        signed_in: bool = True,
        lifetime: float = LIFETIME,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        store, provider = self._begin(lifetime, signed_in=signed_in)
        TrioSession.__init__(self, store, provider, on_warning=on_warning)

    def _new_refresh(self, wanted: AccessTokenWanted) -> Refresh:
        access = StoreAccess(self._store, self._looks)
        refresh = _FakeRefresh(self._new_machine(self._memory), access, wanted, self._on_warning, self._limiter)
        refresh.endpoint = self._endpoint
        return refresh

    async def sign_out(self) -> SignOutResult:
        """Sign the person out, as a real session does.

        Returns:
            What was removed, and that the provider confirmed the revocation.
        """
        await trio.lowlevel.checkpoint()
        result = self._signed_out(self._memory)
        self._memory = RefreshMemory()
        self._looks.forget()
        return result
