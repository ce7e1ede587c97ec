"""The state machine of a refresh. It takes events and returns actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..base.engine import Engine
from ..base.errors import UnexpectedEvent
from ..base.records import Record, hidden
from ..model.overrides import EndpointOverrides
from .events import AccessTokenWanted
from .interpret import interpret
from .outcome import Delivery, RefreshMemory, RefreshSuccess
from .state import RefreshData
from .states import RefreshState, RefreshTrigger
from .table import REFRESH_ROWS

if TYPE_CHECKING:
    from ..model.provider import Provider
    from .actions import RefreshAction
    from .events import RefreshEvent
    from .outcome import RefreshOutcome

_ENGINE: Final = Engine(RefreshState, REFRESH_ROWS)


class RefreshSnapshot(Record):
    """The whole state of a refresh at one time, without its provider and API key. Opaque, and compared by value."""

    data: dict[str, Any] = hidden()


class RefreshMachine:
    """One request for an access token, as a state machine that does no I/O.

    The host performs the actions that `handle` returns, in order. Each action but `ReleaseLock`, `Warn` and `Deliver`
    is answered by one event. Usually two steps are enough:

        machine = RefreshMachine(provider)
        machine.handle(AccessTokenWanted())                                     # [LoadCredentials()]
        machine.handle(CredentialsLoaded(credentials=stored, loaded_at=now))    # [Deliver(...)]

    The same provider, memory and events always give the same actions.

    Args:
        provider: The provider that issued the tokens. Tokens of another one are neither sent nor delivered. None for
            the provider that the tokens record.
        memory: The `memory` of the machine before. None for the first machine.
        environment_key: The API key to deliver when nothing is stored.
        overrides: Endpoints to use instead of those of OpenAI's issuer.
    """

    __slots__ = ("_last_trigger", "_refresh")

    def __init__(
        self,
        provider: Provider | None,
        memory: RefreshMemory | None = None,
        *,
        environment_key: str | None = None,
        overrides: EndpointOverrides | None = None,
    ) -> None:
        overrides = overrides or EndpointOverrides()
        self._refresh = RefreshData(provider, memory or RefreshMemory(), environment_key, overrides)
        self._last_trigger: RefreshTrigger | None = None

    def __repr__(self) -> str:
        return f"<RefreshMachine {self.state}>"

    @property
    def state(self) -> RefreshState:
        """The state of the refresh."""
        return self._refresh.state

    @property
    def outcome(self) -> RefreshOutcome | None:
        """How the refresh ended; None while it is running."""
        return self._refresh.outcome

    @property
    def last_trigger(self) -> RefreshTrigger | None:
        """The meaning of the last event; None if it was late or unexpected."""
        return self._last_trigger

    @property
    def memory(self) -> RefreshMemory:
        """The memory for the next machine."""
        return self._refresh.memory

    def usable_for(self, seconds: float) -> RefreshSuccess | None:
        """Return the stored token, if callers need not wait for the refresh that is due.

        Args:
            seconds: How long the token must be valid yet, 0 or more.

        Returns:
            The token. None if it ends before, if another token is wanted, or if no refresh is due.
        """
        refresh = self._refresh
        credentials = refresh.credentials
        if self._last_trigger is not RefreshTrigger.REFRESH_DUE or credentials is None or credentials.tokens is None:
            return None
        ends = credentials.tokens.expires_at()
        if refresh.is_unwanted(credentials) or (ends is not None and ends - refresh.now < seconds):
            return None
        token = credentials.tokens.access_token
        return RefreshSuccess(credentials=credentials, token=token, delivery=Delivery.CURRENT)

    def handle(self, event: RefreshEvent) -> list[RefreshAction]:
        """Take one event.

        Returns:
            The actions for the host to perform, in this order. Empty after the end.

        Raises:
            UnexpectedEvent: The event makes no sense in this state. The machine has not changed.
        """
        refresh = self._refresh
        self._last_trigger = None
        if refresh.outcome is not None:
            return []
        meaning = interpret(event, refresh)
        if not _ENGINE.permits(refresh.state, meaning.trigger):
            raise UnexpectedEvent(refresh.state, event)
        self._last_trigger = meaning.trigger
        if isinstance(event, AccessTokenWanted):
            refresh.wanted = event
        refresh.note(meaning)
        _ENGINE.fire(refresh, meaning.trigger, meaning)
        actions, refresh.out = refresh.out, []
        return actions

    def snapshot(self) -> RefreshSnapshot:
        """Return the whole state, to compare it or to restore it later."""
        return RefreshSnapshot(data=self._refresh.data())

    @classmethod
    def restore(
        cls, provider: Provider | None, snapshot: RefreshSnapshot, *, environment_key: str | None = None
    ) -> RefreshMachine:
        """Return a machine in the state of a snapshot.

        Args:
            provider: The provider of the original.
            snapshot: The result of `snapshot`. It can be restored any number of times.
            environment_key: The API key of the original.
        """
        machine = cls(provider, environment_key=environment_key)
        for name, value in snapshot.data.items():
            setattr(machine._refresh, name, value)
        return machine
