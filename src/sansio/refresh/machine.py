"""`RefreshMachine`: how an access token is had that lasts. Events in, actions out."""

from __future__ import annotations

from ..base.engine import Engine
from ..base.errors import UnexpectedEvent
from . import events as refresh_events
from .effects import RefreshEffects
from .interpret import interpret_refresh
from .outcome import RefreshMemory
from .table import REFRESH_ROWS, RefreshState

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..model.provider import Provider
    from .actions import RefreshAction
    from .events import RefreshEvent
    from .outcome import RefreshOutcome

_ENGINE: Final = Engine(RefreshState, REFRESH_ROWS)


class RefreshMachine:
    """One request for an access token, as a state machine that does no I/O.

    The host performs the actions that `handle` returns, in order; each but `ReleaseLock`, `Warn` and `Deliver` is
    answered by one event. Mostly two steps are all:

        machine = RefreshMachine(provider)
        machine.handle(AccessTokenWanted())                                     # [LoadCredentials()]
        machine.handle(CredentialsLoaded(credentials=stored, loaded_at=now))    # [Deliver(...)]

    The same provider, memory and events give the same actions, always.

    Args:
        provider: Whose token endpoint is asked.
        memory: That of the machine before, so that no refresh forgets what the last one has learnt.
        environment_key: The API key that counts when nothing is stored.
    """

    __slots__ = ("_refresh",)

    def __init__(
        self, provider: Provider, memory: RefreshMemory | None = None, *, environment_key: str | None = None
    ) -> None:
        self._refresh = RefreshEffects(provider, memory or RefreshMemory(), environment_key)

    def __repr__(self) -> str:
        return f"<RefreshMachine {self.state}>"

    @property
    def state(self) -> RefreshState:
        """Where the refresh is."""
        return self._refresh.state

    @property
    def outcome(self) -> RefreshOutcome | None:
        """How it ended; None until it has."""
        return self._refresh.outcome

    @property
    def memory(self) -> RefreshMemory:
        """What the next machine should know."""
        return self._refresh.memory

    def handle(self, event: RefreshEvent) -> list[RefreshAction]:
        """Take one event.

        Returns:
            What the host has to do, in this order. Nothing after the end.

        Raises:
            UnexpectedEvent: The event makes no sense in this state. Nothing has changed.
        """
        refresh = self._refresh
        if refresh.outcome is not None:
            return []
        step = interpret_refresh(event, refresh)
        if not _ENGINE.permits(refresh.state, step.trigger):
            raise UnexpectedEvent(refresh.state, event)
        if isinstance(event, refresh_events.AccessTokenWanted):
            refresh.wanted = event
        refresh.note(step)
        _ENGINE.fire(refresh, step.trigger, step)
        actions, refresh.out = refresh.out, []
        return actions
