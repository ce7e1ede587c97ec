"""A host that keeps the books: it tells a login what happens, and checks after each event what must stay true."""

from __future__ import annotations

from loginmachine.sansio import LoginFailure, LoginMachine, LoginSuccess, UnexpectedEvent
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import (
    Action,
    Bind,
    CancelPrevious,
    CloseListener,
    Finish,
    OpenBrowser,
    ReportProgress,
    Respond,
    RevokeToken,
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
from loginmachine.sansio.login.progress import DeviceCodeShown, Failed, Listening, Succeeded

from .samples import (
    CODE_ENDPOINT,
    DEVICE_AUTH_ID,
    DEVICE_VERIFIER,
    NAMESPACE,
    OLD,
    OLD_REFRESH_TOKEN,
    OPTIONS,
    POLL_ENDPOINT,
    REFRESH_TOKEN,
    SECRETS,
    STATE,
    USER_CODE,
    VERIFIER,
    answer,
    bind_failed,
    device_code_answer,
    everything_in,
    grant_answer,
    jwt,
    no_answer,
    pending,
    token_json,
)

ALLOWED = OPTIONS.__replace__(allowed_workspaces=("acc-1",), device_code_fallback=True)
BUSY = ("exchanging_code", "exchanging_api_key", "saving_credentials")
FINAL = ("succeeded", "failed", "cancelled")
OTHER_WORKSPACE = token_json(id_token=jwt({NAMESPACE: {"chatgpt_account_id": "acc-2"}}))


def answers(order: Action) -> list[Event]:
    """What may come of an order, the good end first; nothing if it is never answered."""
    match order:
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


def _allows(event: Event) -> bool:
    """The person has signed in: the callback came, or was pasted, or their device code was used."""
    match event:
        case RequestReceived(target=target):
            return STATE.encode() in target
        case CallbackPasted(text=text):
            return STATE in text
        case TokenResponseReceived(body=body):
            return DEVICE_VERIFIER.encode() in body
        case _:
            return False


class Referee:
    """Tells a login events; every answer that it may expect is in `outstanding`."""

    def __init__(self) -> None:
        self.machine = LoginMachine(ALLOWED, SECRETS)
        self.trusted = True
        self.outstanding: list[Action] = []
        self.unanswered: set[int] = set()
        self.told: list[Event] = []
        self.ordered: list[Action] = []

    @property
    def closed(self) -> bool:
        return CloseListener() in self.ordered

    def tell(self, event: Event, *, honest: bool) -> None:
        """Tell one event, and check everything. A host that was honest so far makes no mistake; others may."""
        self.trusted = self.trusted and honest
        before, state, closed = self.machine.snapshot(), self.machine.state, self.closed
        try:
            actions = self.machine.handle(event)
        except UnexpectedEvent:
            assert not self.trusted, f"{event} in {state} is no mistake"
            assert state not in FINAL, f"{event} raises in {state}"
            assert self.machine.snapshot() == before
            return
        self.told.append(event)
        self.ordered += actions
        self.outstanding += [action for action in actions if answers(action)]
        self._check_requests(event, actions, closed=closed)
        self._check_state_change(event, state)
        self._check_the_end(closed=closed, actions=actions)
        self._check_secrets(actions)
        self._check_counts()

    def answer(self, which: int, how: int) -> None:
        """Response one of the orders that are outstanding, in one of the ways there are."""
        if self.outstanding:
            order = self.outstanding.pop(which % len(self.outstanding))
            choices = answers(order)
            self.tell(choices[how % len(choices)], honest=True)

    def advance(self) -> None:
        """Let the newest order end well; time only passes for a port."""
        slow = (Timer.DEADLINE, Timer.LINGER, Timer.DEVICE_CODE_EXPIRY)
        for order in reversed(self.outstanding):
            if not (isinstance(order, StartTimer) and order.timer in slow):
                self.outstanding.remove(order)
                self.tell(answers(order)[0], honest=True)
                return

    def finish(self) -> None:
        """Whatever happened: cancelling, then good answers, bring the login to its end."""
        self.tell(CancelRequested(), honest=True)
        for _ in range(100):
            self.answer(0, 0)
        assert self.machine.state in FINAL
        assert self.closed
        again = LoginMachine(ALLOWED, SECRETS)
        assert [action for event in self.told for action in again.handle(event)] == self.ordered
        assert again.snapshot() == self.machine.snapshot()

    def _check_requests(self, event: Event, actions: list[Action], *, closed: bool) -> None:
        """3: each request gets exactly one answer, unless its client is gone."""
        if isinstance(event, RequestReceived) and not closed:
            self.unanswered.add(event.request_id)
        if isinstance(event, ClientGone):
            self.unanswered.discard(event.request_id)
        for action in actions:
            if isinstance(action, Respond):
                self.unanswered.remove(action.request_id)
        assert not self.unanswered or self.machine.state in BUSY

    def _check_state_change(self, event: Event, before: str) -> None:
        """2: a final state is never left. 8: no stranger's request changes the state."""
        after = self.machine.state
        if before in FINAL:
            assert after == before
        if isinstance(event, RequestReceived) and f"state={STATE}".encode() not in event.target:
            assert after == before or (after == "cancelled" and b"/cancel" in event.target)

    def _check_the_end(self, *, closed: bool, actions: list[Action]) -> None:
        """4: `Finish` once, `CloseListener` once and last. 5: success if and only if the credentials were saved."""
        assert not (closed and actions)
        assert CloseListener() not in self.ordered[:-1]
        finishes = [action.outcome for action in self.ordered if isinstance(action, Finish)]
        assert finishes == ([self.machine.outcome] if self.machine.state in FINAL else [])
        phases = [action.phase for action in self.ordered if isinstance(action, ReportProgress)]
        succeeded = isinstance(self.machine.outcome, LoginSuccess)
        assert (self.machine.state == "succeeded") == succeeded == any(isinstance(p, Succeeded) for p in phases)
        assert not succeeded or any(isinstance(event, CredentialsSaved) for event in self.told)
        fatal = [phase for phase in phases if isinstance(phase, Failed) and phase.fatal]
        assert len(fatal) == isinstance(self.machine.outcome, LoginFailure) == (self.machine.state == "failed")

    def _check_secrets(self, actions: list[Action]) -> None:
        """1: only good tokens of an allowed workspace are saved, once the person signed in. 6: where secrets may go."""
        for action in actions:
            held = everything_in(action)
            in_code_exchange = isinstance(action, SendTokenRequest) and action.form[0][1] == "authorization_code"
            assert VERIFIER not in held or in_code_exchange
            in_address = isinstance(action, OpenBrowser) or (
                isinstance(action, ReportProgress) and isinstance(action.phase, Listening)
            )
            assert STATE not in held or in_address
            assert REFRESH_TOKEN not in held or isinstance(action, SaveCredentials | Finish)
            assert OLD_REFRESH_TOKEN not in held or isinstance(action, RevokeToken)
            is_poll = isinstance(action, SendTokenRequest) and action.url == POLL_ENDPOINT
            shown = isinstance(action, ReportProgress) and isinstance(action.phase, DeviceCodeShown)
            assert USER_CODE not in held or is_poll or shown
            assert DEVICE_AUTH_ID not in held or is_poll
            assert DEVICE_VERIFIER not in held or in_code_exchange
            if isinstance(action, SaveCredentials):
                assert action.credentials.tokens is not None
                assert action.credentials.tokens.account_id == "acc-1"
                assert any(map(_allows, self.told))

    def _check_counts(self) -> None:
        """7: at most one code exchange. And one save, one deadline, ten attempts on a port."""
        requests = [action for action in self.ordered if isinstance(action, SendTokenRequest)]
        sent = [request.form[0][1] for request in requests if request.url not in (CODE_ENDPOINT, POLL_ENDPOINT)]
        assert sent.count("authorization_code") <= 1
        assert len(sent) <= 2
        assert sum(request.url == CODE_ENDPOINT for request in requests) <= 1
        assert sum(isinstance(action, SaveCredentials) for action in self.ordered) <= 1
        self._check_revocations()
        deadlines = [a for a in self.ordered if isinstance(a, StartTimer) and a.timer is Timer.DEADLINE]
        assert len(deadlines) <= 1
        assert all(action.attempt <= 10 for action in self.ordered if isinstance(action, Bind))

    def _check_revocations(self) -> None:
        """Nothing is revoked but once, after a success, when the caller has its result."""
        kinds = [type(action) for action in self.ordered]
        assert kinds.count(RevokeToken) <= 1
        if RevokeToken in kinds:
            assert kinds.index(Finish) < kinds.index(RevokeToken)
            assert isinstance(self.machine.outcome, LoginSuccess)
            assert CredentialsSaved(replaced=OLD) in self.told
