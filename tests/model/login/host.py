"""The records of an honest host, which answers each action at most once. A confused host needs none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from loginmachine.sansio.login import actions, events
from loginmachine.sansio.login.progress import AddressReady, Listening

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.events import Event

    Debt = tuple[Any, ...]
    """An action that waits for its answer: its kind, and its number, port or timer."""


def debt_of(action: Action) -> Debt | None:
    """Return the answer that the host owes for an action; None if no event answers it."""
    match action:
        case actions.Bind(port=port):
            return ("bind", port)
        case actions.CancelPrevious():
            return ("cancel previous",)
        case actions.StartTimer(timer=timer):
            return ("timer", timer)
        case actions.OpenBrowser():
            return ("browser",)
        case actions.Respond(request_id=number):
            return ("respond", number)
        case actions.SendTokenRequest(exchange_id=number):
            return ("exchange", number)
        case actions.SaveCredentials():
            return ("save",)
        case actions.SaveRegistration():
            return ("register",)
        case _:
            return None


def settles(event: Event, owed: frozenset[Debt]) -> Debt | None:
    """Return the action that an event answers; None if no such action waits."""
    match event:
        case events.Bound(port=port):
            # The action asked for this port, or for any port.
            choices: tuple[Debt, ...] = (("bind", port), ("bind", 0)) if port else ()
        case events.BindFailed():
            choices = tuple(debt for debt in owed if debt[0] == "bind")
        case events.PreviousCancelled():
            choices = (("cancel previous",),)
        case events.TimerFired(timer=timer):
            choices = (("timer", timer),)
        case events.BrowserOpened() | events.BrowserFailed():
            choices = (("browser",),)
        case events.ResponseSent(request_id=number) | events.ClientGone(request_id=number):
            choices = (("respond", number),)
        case events.TokenResponseReceived(exchange_id=number) | events.TokenRequestFailed(exchange_id=number):
            choices = (("exchange", number),)
        case events.CredentialsSaved() | events.SaveFailed():
            choices = (("save",),)
        case events.RegistrationSaved() | events.RegistrationSaveFailed():
            choices = (("register",),)
        case _:
            return None
    return next((debt for debt in choices if debt in owed), None)


def _shows(action: Action) -> bool:
    return isinstance(action, actions.ReportProgress) and isinstance(action.phase, (Listening, AddressReady))


class Books(NamedTuple):
    """What an honest host remembers. A stopped timer may still fire, and an aborted request may still be answered."""

    started: bool = False
    listening: bool = False
    shown: bool = False
    """The address for the person is known."""
    owed: frozenset[Debt] = frozenset()
    waiting: frozenset[int] = frozenset()
    """Requests that the machine has not answered."""
    asked: int = 0
    """The number of the last token request."""

    @property
    def open(self) -> frozenset[int]:
        """The requests with an open connection."""
        return self.waiting | {debt[1] for debt in self.owed if debt[0] == "respond"}

    def allow(self, event: Event) -> bool:
        """Return whether an honest host may post this event now."""
        match event:
            case events.Started():
                return not self.started
            case events.RequestReceived() | events.HttpsAttempted():
                return self.listening
            case events.CallbackPasted():
                return self.shown and self.listening
            case events.CallbackArrived():
                return self.shown and not self.listening
            case events.ClientGone(request_id=number) if number in self.waiting:
                return True
            case events.CancelRequested():
                return True
            case _:
                return settles(event, self.owed) is not None

    def after(self, event: Event, taken: Iterable[Action]) -> Books:
        """Return the records after an event and the actions that it led to."""
        owed = set(self.owed)
        owed.discard(settles(event, self.owed) or ())
        waiting, asked = set(self.waiting), self.asked
        if isinstance(event, events.RequestReceived):
            waiting.add(event.request_id)
        if isinstance(event, events.ClientGone):
            waiting.discard(event.request_id)
        for action in taken:
            debt = debt_of(action)
            if debt is not None:
                owed.add(debt)
            if isinstance(action, actions.Respond):
                waiting.discard(action.request_id)
            if isinstance(action, actions.SendTokenRequest):
                asked = action.exchange_id
        return Books(
            started=self.started or isinstance(event, events.Started),
            listening=self.listening or isinstance(event, events.Bound),
            shown=self.shown or any(map(_shows, taken)),
            owed=frozenset(owed),
            waiting=frozenset(waiting),
            asked=asked,
        )

    def key(self) -> tuple[object, ...]:
        """Return the records without the numbers of requests. Token requests are numbered backwards from the last."""
        return (
            self.started,
            self.listening,
            self.shown,
            tuple(sorted(map(self._nameless, self.owed))),
            len(self.waiting),
        )

    def _nameless(self, debt: Debt) -> Debt:
        match debt:
            case ("respond", _):
                return ("respond",)
            case ("exchange", number):
                return ("exchange", self.asked - number)
            case _:
                return debt
