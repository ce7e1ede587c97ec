"""One refresh, performed in a thread."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from ...sansio.login import actions
from ...sansio.refresh import actions as refresh_actions
from ...sansio.refresh.states import RefreshState
from ..shared.session import BaseRefresh
from ..shared.token_events import token_event
from ..waiting import Flag

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.base.http import HttpRequest, HttpRequestFailed, HttpResponse
    from ...sansio.refresh import RefreshMachine
    from ...sansio.refresh.events import AccessTokenWanted, RefreshEvent
    from ..shared.store_access import StoreAccess

_RUNNER: Final = "runner"


class Refresh(BaseRefresh):
    """A refresh that is run by one thread, for callers in any thread.

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
        self.done = Flag()
        self._claimed_by: dict[str, object] = {}

    @property
    def is_claimed(self) -> bool:
        """Whether a thread runs it."""
        return bool(self._claimed_by)

    def claim(self, runner: object) -> bool:
        """Return whether the runner is the first that claims the refresh. An interrupt cannot split this."""
        return self._claimed_by.setdefault(_RUNNER, runner) is runner

    def check_store(self) -> bool:
        """Load the credentials. Return True if no refresh is needed."""
        self.machine.handle(self.wanted)
        self._actions = self.machine.handle(self._access.load())
        return self.machine.outcome is not None

    def run(self) -> None:
        """Perform the remaining actions; all of them, if the store was not read yet."""
        try:
            if self.machine.state is RefreshState.IDLE:
                self.check_store()
            while self._actions:
                action = self._actions.pop(0)
                if self._can_stop_before(action):
                    return
                event = self._perform(action)
                if event is not None:
                    self._actions += self.machine.handle(event)
        finally:
            self._access.release_lock()

    def _perform(self, action: refresh_actions.RefreshAction) -> RefreshEvent | None:
        match action:
            case refresh_actions.LoadCredentials():
                return self._access.load()
            case refresh_actions.TakeLock(timeout=timeout):
                return self._access.take_lock(timeout)
            case actions.SendTokenRequest():
                return token_event(action.exchange_id, send(action))
            case actions.SaveCredentials(credentials=credentials):
                return self._access.save(credentials)
            case refresh_actions.ReleaseLock():
                self._access.release_lock()
            case refresh_actions.RememberRefusal(refusal=refusal):
                self._access.save_refusal(refusal)
            case refresh_actions.ForgetTokens():
                self._access.forget_tokens()
            case refresh_actions.Warn(message=message):
                self._warn(message)
            case refresh_actions.Deliver():
                # The last action. The callers wake when the lock is released.
                pass
            case _:
                assert_never(action)
        return None


def send(request: HttpRequest) -> HttpResponse | HttpRequestFailed:
    """Send a token request, as `http_client.send` does. Most sessions need no httpx, which takes long to load."""
    from .http_client import send as send_now  # noqa: PLC0415

    return send_now(request)
