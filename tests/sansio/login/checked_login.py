"""A login and an honest host in one: every step is checked against the rules that always hold."""

from __future__ import annotations

from loginmachine.sansio import LoginMachine, UnexpectedEvent
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import (
    Action,
    Bind,
    CancelPrevious,
    CloseListener,
    OpenBrowser,
    Respond,
    SaveCredentials,
    SendTokenRequest,
    StartTimer,
    Timer,
)
from loginmachine.sansio.login.events import (
    BindProblem,
    Bound,
    BrowserFailed,
    BrowserOpened,
    CallbackPasted,
    CancelRequested,
    ClientGone,
    CredentialsSaved,
    Event,
    PreviousCancelled,
    RequestReceived,
    ResponseSent,
    SaveFailed,
    TimerFired,
    TokenResponseReceived,
)

from ..rules import FINAL, EventKind, Ledger, Step, check_refused, checked
from ..samples import (
    CODE_ENDPOINT,
    DEVICE_VERIFIER,
    NAMESPACE,
    OLD,
    OPTIONS,
    POLL_ENDPOINT,
    SECRETS,
    STATE,
    answer,
    bind_failed,
    device_code_answer,
    grant_answer,
    jwt,
    no_answer,
    pending,
    token_json,
)

ALLOWED = OPTIONS.__replace__(allowed_workspaces=("acc-1",), device_code_fallback=True)
OTHER_WORKSPACE = token_json(id_token=jwt({NAMESPACE: {"chatgpt_account_id": "acc-2"}}))


def answers(action: Action) -> list[Event]:
    """Return the events that may answer an action, the best one first; empty if no event answers it."""
    match action:
        case Bind(port=port):
            return [Bound(port=port or 50000), *map(bind_failed, BindProblem)]
        case CancelPrevious():
            return [PreviousCancelled(accepted=False), PreviousCancelled(accepted=True)]
        case OpenBrowser():
            return [BrowserOpened(), BrowserFailed(message="no")]
        case Respond(request_id=request_id):
            return [ResponseSent(request_id=request_id), ClientGone(request_id=request_id)]
        case SendTokenRequest(exchange_id=number, url=url) if url == CODE_ENDPOINT:
            return [
                device_code_answer(number),
                answer(number, 404),
                *(answer(number, status) for status in (200, 302, 403, 500)),
                *(no_answer(kind, number) for kind in TransportProblem),
            ]
        case SendTokenRequest(exchange_id=number, url=url) if url == POLL_ENDPOINT:
            return [
                grant_answer(number),
                pending(number),
                answer(number, 400, b'{"error": "slow_down"}'),
                *(answer(number, status) for status in (404, 429, 503, 401, 200, 307)),
                *(no_answer(kind, number) for kind in TransportProblem),
            ]
        case SendTokenRequest(exchange_id=number):
            bodies = [token_json(), b'{"access_token": "sk"}', OTHER_WORKSPACE, b"{", b'{"error": "e"}']
            return [
                *(answer(number, body=body) for body in bodies),
                answer(number, 500),
                answer(number, 302),
                *(no_answer(kind, number) for kind in TransportProblem),
            ]
        case SaveCredentials():
            return [CredentialsSaved(replaced=OLD), SaveFailed(message="full"), CredentialsSaved()]
        case StartTimer(timer=timer):
            return [TimerFired(timer=timer)]
        case _:
            return []


def kind_of(event: Event) -> EventKind:
    """Return what the rules have to know of an event.

    Where this is hard to say, the answer is the kind that allows more: a callback that is refused for its method still
    shows that the person signed in.
    """
    match event:
        case RequestReceived(target=target) if f"state={STATE}".encode() in target:
            return EventKind.CALLBACK if b"code=" in target else EventKind.ANSWER
        case RequestReceived(target=target):
            return EventKind.RIVAL if b"/cancel" in target else EventKind.STRANGER
        case CallbackPasted(text=text):
            return EventKind.CALLBACK if STATE in text else EventKind.STRANGER
        case TokenResponseReceived(status=200, body=body) if body == token_json():
            return EventKind.TOKENS
        case TokenResponseReceived(body=body) if DEVICE_VERIFIER.encode() in body:
            return EventKind.GRANT
        case _:
            return EventKind.FACT


class CheckedLogin:
    """A login that checks every event it takes, and remembers which of its actions wait for an answer."""

    def __init__(self) -> None:
        self.machine = LoginMachine(ALLOWED, SECRETS)
        self.is_host_honest = True
        """Whether every event so far could come from a host without faults."""
        self.ledger = Ledger()
        self.unanswered_actions: list[Action] = []
        self.events: list[Event] = []
        """The events that were accepted."""
        self.actions: list[Action] = []

    def take(self, event: Event, *, honest: bool) -> None:
        """Handle one event, and check the step.

        Args:
            event: The event.
            honest: Whether a host without faults can post it now. Then it is accepted, unless an earlier event was not
                honest.
        """
        self.is_host_honest = self.is_host_honest and honest
        before, state = self.machine.snapshot(), self.machine.state
        try:
            actions = self.machine.handle(event)
        except UnexpectedEvent:
            assert not self.is_host_honest, f"{event} in {state} is no mistake"
            check_refused(state, before, self.machine.snapshot())
            return
        self.events.append(event)
        self.actions += actions
        self.unanswered_actions += [action for action in actions if answers(action)]
        step = Step(
            options=ALLOWED,
            kind=kind_of(event),
            event=event,
            actions=actions,
            before=state,
            after=self.machine.state,
            outcome=self.machine.outcome,
            known=self.ledger,
        )
        self.ledger = checked(step)

    def restore(self) -> None:
        """Go on with another machine, restored from a snapshot of this one. It has the same state."""
        original = self.machine
        self.machine = LoginMachine.restore(ALLOWED, SECRETS, original.snapshot())
        assert (self.machine.snapshot(), self.machine.state) == (original.snapshot(), original.state)

    def answer(self, which: int, how: int) -> None:
        """Answer one of the actions that wait for an event, in one of the possible ways."""
        if self.unanswered_actions:
            action = self.unanswered_actions.pop(which % len(self.unanswered_actions))
            choices = answers(action)
            self.take(choices[how % len(choices)], honest=True)

    def advance(self) -> None:
        """Answer the newest action in the best way. Of the timers, only those that wait for a port or a poll fire."""
        slow = (Timer.DEADLINE, Timer.LINGER, Timer.DEVICE_CODE_EXPIRY)
        for action in reversed(self.unanswered_actions):
            if not (isinstance(action, StartTimer) and action.timer in slow):
                self.unanswered_actions.remove(action)
                self.take(answers(action)[0], honest=True)
                return

    def finish(self) -> None:
        """Cancel and answer every action: the login ends. A second one with the same events does the same."""
        self.take(CancelRequested(), honest=True)
        for _ in range(100):
            self.answer(0, 0)
        assert self.machine.state in FINAL
        assert CloseListener() in self.actions
        again = LoginMachine(ALLOWED, SECRETS)
        assert [action for event in self.events for action in again.handle(event)] == self.actions
        assert again.snapshot() == self.machine.snapshot()
