"""The state machine of a sign-out. It takes events and returns actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..base.engine import Engine
from ..base.errors import UnexpectedEvent
from ..model.overrides import EndpointOverrides
from .state import SignOutData, interpret
from .states import SignOutState, SignOutTrigger
from .table import SIGN_OUT_ROWS

if TYPE_CHECKING:
    from ..model.provider import Provider
    from .actions import SignOutAction
    from .events import SignOutEvent
    from .outcome import SignOutOutcome

_ENGINE: Final = Engine(SignOutState, SIGN_OUT_ROWS)


class SignOutMachine:
    """One sign-out, as a state machine that does no I/O: remove the credentials, then revoke their tokens.

    The host performs the actions that `handle` returns, in order. Each action but `ReportRemoval` and `EndSignOut` is
    answered by one event. The same provider and events always give the same actions.

    Args:
        provider: The provider that issued the tokens. Credentials of another one are kept. None for the provider that
            the tokens record.
        overrides: Endpoints to use instead of those of OpenAI's issuer.
    """

    __slots__ = ("_last_trigger", "_sign_out")

    def __init__(self, provider: Provider | None, overrides: EndpointOverrides | None = None) -> None:
        self._sign_out = SignOutData(provider, overrides or EndpointOverrides())
        self._last_trigger: SignOutTrigger | None = None

    def __repr__(self) -> str:
        return f"<SignOutMachine {self.state}>"

    @property
    def state(self) -> SignOutState:
        """The state of the sign-out."""
        return self._sign_out.state

    @property
    def outcome(self) -> SignOutOutcome | None:
        """How the sign-out ended; None while it is running."""
        return self._sign_out.outcome

    @property
    def last_trigger(self) -> SignOutTrigger | None:
        """The meaning of the last event; None if it was late or unexpected."""
        return self._last_trigger

    def handle(self, event: SignOutEvent) -> list[SignOutAction]:
        """Take one event.

        Returns:
            The actions for the host to perform, in this order. Empty after the end.

        Raises:
            UnexpectedEvent: The event makes no sense in this state. The machine has not changed.
        """
        data = self._sign_out
        self._last_trigger = None
        if data.outcome is not None:
            return []
        meaning = interpret(event, data)
        if not _ENGINE.permits(data.state, meaning.trigger):
            raise UnexpectedEvent(data.state, event)
        self._last_trigger = meaning.trigger
        _ENGINE.fire(data, meaning.trigger, meaning)
        actions, data.out = data.out, []
        return actions
