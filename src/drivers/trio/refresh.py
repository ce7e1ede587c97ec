"""One refresh, performed in a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import trio

from ...sansio.login import actions
from ...sansio.refresh import actions as refresh_actions
from ...sansio.refresh.states import RefreshState
from ..shared.session import BaseRefresh
from ..shared.token_events import token_event
from .http_client import send
from .threads import in_thread_or_here

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar, TypeVarTuple

    from ...sansio.refresh import RefreshMachine
    from ...sansio.refresh.events import AccessTokenWanted, RefreshEvent
    from ..shared.store_access import StoreAccess

    Result = TypeVar("Result")
    Arguments = TypeVarTuple("Arguments")


class Refresh(BaseRefresh):
    """A refresh that is run by one task, for callers in any task.

    Args:
        machine: The machine.
        access: Access to the store.
        wanted: What the first caller wants.
        on_warning: Called with each warning.
        limiter: For the threads in which the store is used.
    """

    def __init__(
        self,
        machine: RefreshMachine,
        access: StoreAccess,
        wanted: AccessTokenWanted,
        on_warning: Callable[[str], None],
        limiter: trio.CapacityLimiter,
    ) -> None:
        super().__init__(machine, access, wanted, on_warning)
        self.done = trio.Event()
        self._limiter = limiter

    async def check_store(self) -> bool:
        """Load the credentials. Return True if no refresh is needed."""
        self.machine.handle(self.wanted)
        self._actions = self.machine.handle(await self._in_thread(self._access.load))
        return self.machine.outcome is not None

    async def run(self) -> None:
        """Perform the remaining actions; all of them, if the store was not read yet."""
        try:
            if self.machine.state is RefreshState.IDLE:
                await self.check_store()
            while self._actions:
                action = self._actions.pop(0)
                if self._can_stop_before(action):
                    return
                event = await self._perform(action)
                if event is not None:
                    self._actions += self.machine.handle(event)
        finally:
            await self._in_thread(self._access.release_lock)

    async def _perform(self, action: refresh_actions.RefreshAction) -> RefreshEvent | None:
        match action:
            case refresh_actions.LoadCredentials():
                return await self._in_thread(self._access.load)
            case refresh_actions.TakeLock(timeout=timeout):
                return await self._in_thread(self._access.take_lock, timeout)
            case actions.SendTokenRequest():
                return token_event(action.exchange_id, await send(action, self._limiter))
            case actions.SaveCredentials(credentials=credentials):
                return await self._in_thread(self._access.save, credentials)
            case refresh_actions.ReleaseLock():
                await self._in_thread(self._access.release_lock)
            case refresh_actions.RememberRefusal(refusal=refusal):
                await self._in_thread(self._access.save_refusal, refusal)
            case refresh_actions.ForgetTokens():
                await self._in_thread(self._access.forget_tokens)
            case refresh_actions.Warn(message=message):
                self._warn(message)
            case refresh_actions.Deliver():
                # The last action. The callers wake when the lock is released.
                pass
            case _:
                assert_never(action)
        return None

    async def _in_thread(self, work: Callable[[*Arguments], Result], *args: *Arguments) -> Result:
        return await in_thread_or_here(self._limiter, work, *args)
