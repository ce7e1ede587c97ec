"""What must hold on every step (DESIGN section 6), by a ledger of what was seen so far and a rule for each sentence.

The ledger knows only what went in and what came out. The machine is asked for its state, and for nothing else.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from loginmachine.sansio import LoginFailure, LoginSuccess
from loginmachine.sansio.login.actions import (
    AbortTokenRequest,
    Action,
    CloseListener,
    Finish,
    OpenBrowser,
    ReportProgress,
    Respond,
    SaveCredentials,
    SendTokenRequest,
    StartTimer,
    StopTimer,
    Timer,
)
from loginmachine.sansio.login.events import (
    ClientGone,
    CredentialsSaved,
    RequestReceived,
    TimerFired,
    TokenRequestFailed,
    TokenResponseReceived,
)
from loginmachine.sansio.login.progress import Cancelled, DeviceCodeShown, Failed, Listening, Succeeded
from loginmachine.sansio.login.states import FINAL_STATES, LoginState
from tests.sansio.samples import (
    DEVICE_AUTH_ID,
    DEVICE_VERIFIER,
    REFRESH_TOKEN,
    STATE,
    USER_CODE,
    VERIFIER,
    everything_in,
)

from .alphabet import Kind

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import Event
    from loginmachine.sansio.login.outcome import LoginOutcome

    from .alphabet import Letter
    from .worlds import World


class Ledger(NamedTuple):
    """What was seen of a login so far."""

    unanswered: frozenset[int] = frozenset()
    """Requests that have no answer, and a client who waits for it."""
    allowed: bool = False
    """The person signed in: a callback with this login's state and a code came, or their device code was used."""
    tokens: bool = False
    """Good tokens came, of a workspace that may sign in, for a request that was out."""
    saved: bool = False
    """The credentials that were to be saved are durable."""
    codes: int = 0
    """Exchanges of an authorization code."""
    device_codes: int = 0
    """Requests for a device code."""
    pending: frozenset[int] = frozenset()
    """Token requests that are out."""
    running: frozenset[Timer] = frozenset()
    saves: int = 0
    finishes: int = 0
    closings: int = 0
    good_news: int = 0
    """`Succeeded` reports."""
    bad_news: int = 0
    """Reports of a `Failed` that ends the login."""
    cancellations: int = 0
    """`Cancelled` reports."""

    def key(self) -> tuple[object, ...]:
        """The ledger without the numbers of requests, which mean nothing."""
        plain = self._replace(unanswered=frozenset(), pending=frozenset())
        return (len(self.unanswered), len(self.pending), *plain)


class Step(NamedTuple):
    """One event, told to a login in some state, and all that came of it."""

    world: World
    letter: Letter
    event: Event
    actions: list[Action]
    before: LoginState
    after: LoginState
    outcome: LoginOutcome | None
    known: Ledger
    """The ledger before it."""


class BrokenRuleError(AssertionError):
    """A rule does not hold."""


def note(step: Step) -> Ledger:
    """The ledger after a step.

    Raises:
        BrokenRuleError: The step cannot be entered: a request answered twice, a timer stopped that does not run.
    """
    known, event = step.known, step.event
    if known.closings:
        _insist("after CloseListener nothing is ordered", holds=not step.actions)
        return known
    unanswered, running, pending, saved = set(known.unanswered), set(known.running), set(known.pending), known.saved
    tokens = known.tokens
    match event:
        case RequestReceived() if step.letter.kind is not Kind.MISTAKE:
            unanswered.add(event.request_id)
        case ClientGone():
            unanswered.discard(event.request_id)
        case TimerFired():
            running.discard(event.timer)
        case TokenResponseReceived() | TokenRequestFailed():
            tokens = tokens or (step.letter.kind is Kind.TOKENS and event.exchange_id in pending)
            pending.discard(event.exchange_id)
        case CredentialsSaved():
            saved = saved or (known.saves > 0 and step.before not in FINAL_STATES)
    for action in step.actions:
        _enter(action, unanswered, running, pending)
    phases = [action.phase for action in step.actions if isinstance(action, ReportProgress)]
    counts = Counter(map(type, step.actions))
    return known._replace(
        unanswered=frozenset(unanswered),
        allowed=known.allowed or _lets_in(step),
        tokens=tokens,
        saved=saved,
        codes=known.codes + sum(_grant_type(action) == "authorization_code" for action in step.actions),
        device_codes=known.device_codes + sum(map(_asks_for_device_code, step.actions)),
        pending=frozenset(pending),
        running=frozenset(running),
        saves=known.saves + counts[SaveCredentials],
        finishes=known.finishes + counts[Finish],
        closings=known.closings + counts[CloseListener],
        good_news=known.good_news + sum(isinstance(phase, Succeeded) for phase in phases),
        bad_news=known.bad_news + sum(isinstance(phase, Failed) and phase.fatal for phase in phases),
        cancellations=known.cancellations + sum(isinstance(phase, Cancelled) for phase in phases),
    )


def _lets_in(step: Step) -> bool:
    """The person has said yes, as far as this event shows."""
    polled = step.before is LoginState.POLLING_DEVICE_CODE and bool(step.known.pending)
    kind = step.letter.kind
    return kind is Kind.CALLBACK or (polled and kind in (Kind.GRANT, Kind.TOKENS))


def _grant_type(action: Action) -> str:
    return dict(action.form).get("grant_type", "") if isinstance(action, SendTokenRequest) else ""


def _endpoint(action: Action) -> str:
    return action.url if isinstance(action, SendTokenRequest) else ""


def _asks_for_device_code(action: Action) -> bool:
    return _endpoint(action).endswith(("/deviceauth/usercode", "/device"))


def _polls(action: Action) -> bool:
    return _endpoint(action).endswith("/deviceauth/token") or _grant_type(action).endswith(":device_code")


def _enter(action: Action, unanswered: set[int], running: set[Timer], pending: set[int]) -> None:
    match action:
        case Respond(request_id=number):
            _insist(f"3: request {number} is answered, and nobody waits for an answer", holds=number in unanswered)
            unanswered.remove(number)
        case StartTimer(timer=timer):
            _insist(f"the timer {timer} runs already", holds=timer not in running)
            running.add(timer)
        case StopTimer(timer=timer):
            _insist(f"the timer {timer} does not run", holds=timer in running)
            running.remove(timer)
        case SendTokenRequest(exchange_id=number):
            _insist("a token request goes out while another one is", holds=not pending)
            pending.add(number)
        case AbortTokenRequest(exchange_id=number):
            _insist(f"token request {number} is not out", holds=number in pending)
            pending.remove(number)


def _insist(words: str, *, holds: bool) -> None:
    if not holds:
        raise BrokenRuleError(words)


def check(step: Step, now: Ledger) -> None:
    """Hold every rule against one step.

    Raises:
        BrokenRuleError: With the rule's number and sentence.
    """
    for rule in RULES:
        _insist(f"{rule.__name__}: {rule.__doc__}", holds=rule(step, now))


def rule_1(step: Step, now: Ledger) -> bool:
    """Credentials are saved only when the person signed in, with good tokens of a workspace that may, and once."""
    saved = [action.credentials.tokens for action in step.actions if isinstance(action, SaveCredentials)]
    allowed = step.world.options.allowed_workspaces
    right = all(tokens is not None and (not allowed or tokens.account_id in allowed) for tokens in saved)
    return not saved or (now.allowed and now.tokens and now.saves == 1 and right)


def rule_2(step: Step, _: Ledger) -> bool:
    """A final state is never left. (That one is always within reach is asked of the whole graph.)"""
    return step.before not in FINAL_STATES or step.after is step.before


def rule_3(step: Step, now: Ledger) -> bool:
    """Each request gets one answer; only between the callback and the outcome does one wait for it."""
    return not now.unanswered or (now.allowed and step.after not in FINAL_STATES)


def rule_4(step: Step, now: Ledger) -> bool:
    """Finish comes exactly once, with the outcome; CloseListener once and last."""
    over = step.after in FINAL_STATES
    outcomes = [action.outcome for action in step.actions if isinstance(action, Finish)]
    last = not any(isinstance(action, CloseListener) for action in step.actions[:-1])
    return (
        now.finishes == over
        and now.closings <= over
        and last
        and all(outcome == step.outcome for outcome in outcomes)
        and (step.outcome is not None) == over
    )


def rule_5(step: Step, now: Ledger) -> bool:
    """Success if and only if the credentials are saved and said so; the same for failures and cancellations."""
    good, bad = isinstance(step.outcome, LoginSuccess), isinstance(step.outcome, LoginFailure)
    cancelled = step.outcome is not None and not good and not bad
    return (good, bad, cancelled) == (
        step.after is LoginState.SUCCEEDED,
        step.after is LoginState.FAILED,
        step.after is LoginState.CANCELLED,
    ) == (now.good_news, now.bad_news, now.cancellations) and good == now.saved


def rule_6(step: Step, _: Ledger) -> bool:
    """Verifier, state and tokens leave only where they have to."""
    return not any(map(_spills, step.actions))


def rule_7(_: Step, now: Ledger) -> bool:
    """At most one code exchange, whatever arrives how often; and one device code."""
    return now.codes <= 1 and now.device_codes <= 1


def rule_8(step: Step, _: Ledger) -> bool:
    """No stranger's request changes the state; another login server can only cancel."""
    if step.letter.kind is Kind.STRANGER:
        return step.after is step.before
    return step.letter.kind is not Kind.RIVAL or step.after in (step.before, LoginState.CANCELLED)


def rule_too_late(step: Step, now: Ledger) -> bool:
    """Once the credentials are being saved, nothing but the store's answer ends the login."""
    return step.after is not LoginState.CANCELLED or not now.saves


def rule_left_over(step: Step, now: Ledger) -> bool:
    """An outcome leaves no token request out and no timer but the linger; a closed listener leaves none."""
    if step.after not in FINAL_STATES:
        return True
    return not now.pending and now.running <= ({Timer.LINGER} if not now.closings else set())


RULES: Final = (rule_1, rule_2, rule_3, rule_4, rule_5, rule_6, rule_7, rule_8, rule_too_late, rule_left_over)


@lru_cache(maxsize=4096)
def _spills(action: Action) -> bool:
    """Whether a secret is in an action where it has no business."""
    held = everything_in(action)
    phase = action.phase if isinstance(action, ReportProgress) else None
    code_exchange = _grant_type(action) == "authorization_code"
    address = isinstance(action, OpenBrowser) or isinstance(phase, Listening)
    stored = isinstance(action, SaveCredentials | Finish)
    return (
        (USER_CODE in held and not _polls(action) and not isinstance(phase, DeviceCodeShown))
        or (DEVICE_AUTH_ID in held and not _polls(action))
        or (DEVICE_VERIFIER in held and not code_exchange)
        or (VERIFIER in held and not code_exchange)
        or (STATE in held and not address)
        or (REFRESH_TOKEN in held and not stored)
    )
