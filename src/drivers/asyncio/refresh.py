"""One refresh, performed in a task."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, assert_never

from ...sansio.login import actions
from ...sansio.refresh import actions as refresh_actions
from ...sansio.refresh.states import RefreshState
from ..shared.session import BaseRefresh
from ..shared.token_events import token_event
from .http_client import send
from .threads import in_thread_or_here

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.refresh import RefreshMachine
    from ...sansio.refresh.events import AccessTokenWanted, RefreshEvent
    from ..shared.store_access import StoreAccess


class Refresh(BaseRefresh):
    """A refresh that is run by one task, for callers in any task.

    Args:
        machine: The machine.
        access: Access to the store.
        wanted: What the first caller wants.
        on_warning: Called with each warning.
    """

    def __init__(
        self, machine: RefreshMachine, access: StoreAccess, wanted: AccessTokenWanted, on_warning: Callable[[str], None]
    ) -> None:
        super().__init__(machine, access, wanted, on_warning)
        self.done = asyncio.Event()

    async def check_store(self) -> bool:
        """Load the credentials. Return True if no refresh is needed."""
        self.machine.handle(self.wanted)
        self._actions = self.machine.handle(await in_thread_or_here(self._access.load))
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
            await in_thread_or_here(self._access.release_lock)

    def release_lock(self) -> None:
        """Release the lock of a refresh that will never be finished."""
        self._access.release_lock()

    async def _perform(self, action: refresh_actions.RefreshAction) -> RefreshEvent | None:
        match action:
            case refresh_actions.LoadCredentials():
                return await in_thread_or_here(self._access.load)
            case refresh_actions.TakeLock(timeout=timeout):
                return await in_thread_or_here(self._access.take_lock, timeout)
            case actions.SendTokenRequest():
                return token_event(action.exchange_id, await send(action))
            case actions.SaveCredentials(credentials=credentials):
                return await in_thread_or_here(self._access.save, credentials)
            case refresh_actions.ReleaseLock():
                await in_thread_or_here(self._access.release_lock)
            case refresh_actions.RememberRefusal(refusal=refusal):
                await in_thread_or_here(self._access.save_refusal, refusal)
            case refresh_actions.ForgetTokens():
                await in_thread_or_here(self._access.forget_tokens)
            case refresh_actions.Warn(message=message):
                self._warn(message)
            case refresh_actions.Deliver():
                # The last action. The callers wake when the lock is released.
                pass
            case _:
                assert_never(action)
        return None
