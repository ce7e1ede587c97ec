"""Each rule can fail: a doctored step breaks it, and only it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.sansio import LoginCancellation, LoginFailure, LoginMachine, LoginState, LoginSuccess, Secret
from loginmachine.sansio.login.actions import (
    AbortTokenRequest,
    Bind,
    CloseListener,
    Finish,
    ReportProgress,
    Respond,
    RevokeToken,
    SaveCredentials,
    SaveRegistration,
    SendTokenRequest,
    StartTimer,
    StopTimer,
    Timer,
)
from loginmachine.sansio.login.events import BrowserOpened, CredentialsSaved, Started, TimerFired
from loginmachine.sansio.login.failures import LoginFailureCategory, LoginFailureStep
from loginmachine.sansio.login.progress import (
    Cancelled,
    DeviceCodeAuthorized,
    DeviceCodeShown,
    Failed,
    Listening,
    Succeeded,
    UsingBrowserInstead,
)
from loginmachine.sansio.model.account import Account

from .chatgpt_samples import BOOTSTRAP
from .chatgpt_samples import PROVIDER as CHATGPT
from .rules import (
    RULES,
    BrokenRuleError,
    EventKind,
    Ledger,
    Step,
    check_refused,
    checked,
    misplaced_secrets,
    sentence,
)
from .samples import (
    CLIENT_SECRET,
    CODE_ENDPOINT,
    DEVICE_AUTH_ID,
    DEVICE_VERIFIER,
    OLD,
    OLD_REFRESH_TOKEN,
    OPTIONS,
    POLL_ENDPOINT,
    REFRESH_TOKEN,
    SECRETS,
    STATE,
    TOKEN_ENDPOINT,
    USER_CODE,
    VERIFIER,
    answer,
    callback,
    get,
)
from .server_samples import REGISTRATION

if TYPE_CHECKING:
    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.progress import LoginPhase

S, K = LoginState, EventKind

CREDENTIALS = OLD.__replace__(tokens=OLD.tokens.__replace__(refresh_token=Secret("new")) if OLD.tokens else None)
FAILURE = LoginFailure(
    step=LoginFailureStep.EXCHANGE_TOKEN, category=LoginFailureCategory.LOGIN_CANCELLED, message="no"
)
SUCCESS = LoginSuccess(credentials=CREDENTIALS, account=Account())
CANCELLATION = LoginCancellation(failure=FAILURE)
SAVE = SaveCredentials(credentials=CREDENTIALS)
RESPOND = Respond(request_id=1, status=200, headers=(), body=b"")
REVOKE = RevokeToken(url=f"{TOKEN_ENDPOINT}/revoke", form=(("token", OLD_REFRESH_TOKEN),), timeout=5.0)
SUCCEEDED = ReportProgress(phase=Succeeded(account_id=None, email=None, plan=None))
FAILED = ReportProgress(phase=Failed(step=FAILURE.step, category=FAILURE.category, message=FAILURE.message, fatal=True))
CANCELLED = ReportProgress(phase=Cancelled(step=FAILURE.step, message=FAILURE.message))
LINGER = StartTimer(timer=Timer.LINGER, seconds=2.0)
DEADLINE = StartTimer(timer=Timer.DEADLINE, seconds=600.0)
ALLOWED = Ledger(allowed=True, codes=1)
SAVING = Ledger(allowed=True, tokens=True, codes=1, saves=1)


def token_request(grant_type: str = "", url: str = TOKEN_ENDPOINT, number: int = 1, **form: str) -> SendTokenRequest:
    fields = (("grant_type", grant_type), *form.items())
    return SendTokenRequest(exchange_id=number, url=url, form=fields, timeout=30.0)


CODE_EXCHANGE = token_request("authorization_code")
API_KEY_EXCHANGE = token_request("urn:ietf:params:oauth:grant-type:token-exchange", number=2)


def step(*actions: Action, **changes: Any) -> Step:
    """A step that keeps every rule, but for these changes."""
    usual = Step(
        options=OPTIONS,
        kind=K.FACT,
        event=BrowserOpened(),
        actions=list(actions),
        before=S.AWAITING_CALLBACK,
        after=S.AWAITING_CALLBACK,
        outcome=None,
        known=Ledger(),
    )
    return usual._replace(**changes)


def saving(**changes: Any) -> Step:
    """Good tokens come, and the credentials are saved."""
    usual: dict[str, Any] = {
        "kind": K.TOKENS,
        "event": answer(),
        "before": S.EXCHANGING_CODE,
        "after": S.SAVING_CREDENTIALS,
        "known": ALLOWED._replace(pending=frozenset({1})),
    }
    return step(SAVE, **{**usual, **changes})


def success(*actions: Action, **changes: Any) -> Step:
    """The credentials are saved, and the login succeeds."""
    usual: dict[str, Any] = {
        "event": CredentialsSaved(),
        "before": S.SAVING_CREDENTIALS,
        "after": S.SUCCEEDED,
        "outcome": SUCCESS,
        "known": SAVING,
    }
    return step(*(actions or (SUCCEEDED, Finish(outcome=SUCCESS), LINGER)), **{**usual, **changes})


def cancelling(*actions: Action, **changes: Any) -> Step:
    """The login is cancelled."""
    usual = {"after": S.CANCELLED, "outcome": CANCELLATION}
    return step(*(actions or (CANCELLED, Finish(outcome=CANCELLATION), CloseListener())), **{**usual, **changes})


def tokens_for_an_api_key(*actions: Action, **changes: Any) -> Step:
    """Good tokens come, and are exchanged for an API key."""
    return saving(actions=list(actions or (API_KEY_EXCHANGE,)), after=S.EXCHANGING_API_KEY, **changes)


OTHER_WORKSPACE = OPTIONS.__replace__(allowed_workspaces=("acc-1",))
SIGNED_IN: dict[str, Any] = {"kind": K.CALLBACK, "event": callback(), "after": S.EXCHANGING_CODE}

GOOD = {
    "nothing happens": step(),
    "a request is answered": step(RESPOND, event=get("/favicon.ico"), kind=K.STRANGER),
    "the callback": step(CODE_EXCHANGE, **SIGNED_IN),
    "tokens are saved": saving(),
    "tokens are exchanged for an API key": tokens_for_an_api_key(),
    "a success": success(),
    "a success that revokes the replaced tokens": success(
        SUCCEEDED, Finish(outcome=SUCCESS), REVOKE, LINGER, event=CredentialsSaved(replaced=OLD)
    ),
    "a cancellation": cancelling(),
    "a cancellation by another login server": cancelling(kind=K.RIVAL),
    "after the listener is closed": cancelling(
        actions=[], before=S.CANCELLED, known=Ledger(finishes=1, closings=1, cancellations=1)
    ),
}

BROKEN: dict[str, tuple[str, Step]] = {
    # The rules with a number
    "saved without consent": ("rule 1", saving(known=Ledger(codes=1, pending=frozenset({1})))),
    "saved without tokens": ("rule 1", saving(kind=K.FACT)),
    "saved with tokens that nothing asked for": ("rule 1", saving(known=ALLOWED)),
    "saved twice": ("rule 1", saving(known=SAVING._replace(pending=frozenset({1})))),
    "saved for another workspace": ("rule 1", saving(options=OTHER_WORKSPACE)),
    "saved without credentials": (
        "rule 1",
        saving(actions=[SaveCredentials(credentials=CREDENTIALS.__replace__(tokens=None))]),
    ),
    "a final state is left": (
        "rule 2",
        cancelling(actions=[], before=S.FAILED, known=Ledger(finishes=1, cancellations=1)),
    ),
    "a request without a response": ("rule 3", step(event=get("/favicon.ico"), kind=K.STRANGER)),
    "a request that waits after the outcome": ("rule 3", success(known=SAVING._replace(unanswered=frozenset({1})))),
    "a request that waits before the callback": ("rule 3", step(known=ALLOWED._replace(unanswered=frozenset({1})))),
    "two responses": ("rule 3", step(RESPOND, RESPOND, event=get("/favicon.ico"), kind=K.STRANGER)),
    "a response to no request": ("rule 3", step(RESPOND)),
    "an action after the end": (
        "rule 4",
        cancelling(LINGER, before=S.CANCELLED, known=Ledger(finishes=1, closings=1, cancellations=1)),
    ),
    "an end without an outcome": ("rule 4", cancelling(CANCELLED, CloseListener())),
    "two outcomes": ("rule 4", cancelling(CANCELLED, *[Finish(outcome=CANCELLATION)] * 2, CloseListener())),
    "an outcome before the end": ("rule 4", step(Finish(outcome=CANCELLATION))),
    "another outcome": ("rule 4", cancelling(CANCELLED, Finish(outcome=FAILURE), CloseListener())),
    "an action after CloseListener": (
        "rule 4",
        cancelling(CANCELLED, CloseListener(), Finish(outcome=CANCELLATION)),
    ),
    "the listener closes before the outcome": ("rule 4", step(CloseListener())),
    "success, but nothing was saved": ("rule 5", success(event=BrowserOpened())),
    "saved, but no success": ("rule 5", step(event=CredentialsSaved(), before=S.SAVING_CREDENTIALS, known=SAVING)),
    "success without a report": ("rule 5", success(Finish(outcome=SUCCESS), LINGER)),
    "success with two reports": ("rule 5", success(SUCCEEDED, SUCCEEDED, Finish(outcome=SUCCESS), LINGER)),
    "success is reported before the outcome": ("rule 5", step(SUCCEEDED)),
    "a failure is reported before the outcome": ("rule 5", step(FAILED)),
    "a cancellation is reported before the outcome": ("rule 5", step(CANCELLED)),
    "a failure that is reported as a cancellation": (
        "rule 5",
        cancelling(CANCELLED, Finish(outcome=FAILURE), CloseListener(), outcome=FAILURE, after=S.FAILED),
    ),
    "a state that contradicts the outcome": ("rule 5", cancelling(after=S.FAILED)),
    "a secret in the wrong place": (
        "rule 6",
        step(Bind(port=1455, attempt=1), StartTimer(timer=Timer.POLL, seconds=5.0), token_request(state=STATE)),
    ),
    "two code exchanges": ("rule 7", step(CODE_EXCHANGE, known=ALLOWED, **SIGNED_IN)),
    "two device codes": (
        "rule 7",
        step(
            token_request(url=CODE_ENDPOINT),
            event=Started(),
            after=S.REQUESTING_DEVICE_CODE,
            known=Ledger(device_codes=1),
        ),
    ),
    "a device code after another was postponed": (
        "rule 7",
        step(
            token_request(url=CODE_ENDPOINT),
            event=TimerFired(timer=Timer.CODE_REQUEST),
            before=S.REQUESTING_DEVICE_CODE,
            after=S.REQUESTING_DEVICE_CODE,
            known=Ledger(device_codes=1, running=frozenset({Timer.CODE_REQUEST})),
        ),
    ),
    "an API key without tokens": ("rule 7", tokens_for_an_api_key(kind=K.FACT)),
    "a second API key": (
        "rule 7",
        tokens_for_an_api_key(known=ALLOWED._replace(tokens=True, api_keys=1, pending=frozenset({1}))),
    ),
    "a request of a stranger moves the login": ("rule 8", step(kind=K.STRANGER, after=S.BINDING)),
    "another login server moves the login": ("rule 8", step(kind=K.RIVAL, after=S.EXCHANGING_CODE)),
    # The others
    "an id token without keys": (
        "rule keys",
        saving(options=OPTIONS.__replace__(provider=OPTIONS.provider.__replace__(jwks_uri="https://id.example/keys"))),
    ),
    "a client that is not durable": (
        "rule registration",
        step(token_request(client_id="new"), known=Ledger(registrations=1)),
    ),
    "two registrations": (
        "rule registration",
        step(SaveRegistration(registration=REGISTRATION), known=Ledger(registrations=1, registered=True)),
    ),
    "an address without a client": (
        "rule client",
        step(ReportProgress(phase=Listening(url="https://u?client_id=&x=1", port=1))),
    ),
    "the bootstrap client at a token endpoint": (
        "rule bootstrap",
        step(token_request(client_id=BOOTSTRAP), options=OPTIONS.__replace__(provider=CHATGPT)),
    ),
    "cancelled while saving": ("rule too late", cancelling(known=SAVING)),
    "a token request after the outcome": ("rule left over", cancelling(known=Ledger(pending=frozenset({1})))),
    "a timer after the outcome": ("rule left over", cancelling(known=Ledger(running=frozenset({Timer.POLL})))),
    "a linger without a listener": (
        "rule left over",
        cancelling(LINGER, CANCELLED, Finish(outcome=CANCELLATION), CloseListener()),
    ),
    "a second deadline": ("rule deadline", step(DEADLINE, known=Ledger(deadlines=1))),
    "a deadline after the outcome": ("rule left over", success(SUCCEEDED, Finish(outcome=SUCCESS), DEADLINE)),
    "an eleventh attempt": ("rule ports", step(Bind(port=1455, attempt=11))),
    "tokens are revoked before the outcome": (
        "rule revocation",
        success(SUCCEEDED, REVOKE, Finish(outcome=SUCCESS), event=CredentialsSaved(replaced=OLD)),
    ),
    "tokens are revoked twice": (
        "rule revocation",
        success(SUCCEEDED, Finish(outcome=SUCCESS), REVOKE, REVOKE, event=CredentialsSaved(replaced=OLD)),
    ),
    "tokens are revoked that were not replaced": (
        "rule revocation",
        success(SUCCEEDED, Finish(outcome=SUCCESS), REVOKE),
    ),
    "tokens are revoked later": ("rule revocation", step(REVOKE)),
    "tokens are revoked after a failure": (
        "rule revocation",
        cancelling(
            *(CANCELLED, Finish(outcome=CANCELLATION), REVOKE, CloseListener()), event=CredentialsSaved(replaced=OLD)
        ),
    ),
    # The ledger
    "a timer that runs is started": ("rule timers", step(LINGER, known=Ledger(running=frozenset({Timer.LINGER})))),
    "a timer that does not run is stopped": ("rule timers", step(StopTimer(timer=Timer.POLL))),
    "two token requests": ("rule token requests", step(token_request(), known=Ledger(pending=frozenset({2})))),
    "a token request that is not outstanding is aborted": (
        "rule token requests",
        step(AbortTokenRequest(exchange_id=1)),
    ),
}


@pytest.mark.parametrize("good", GOOD.values(), ids=GOOD)
def test_a_good_step_breaks_no_rule(good: Step) -> None:
    checked(good)


@pytest.mark.parametrize(("rule", "broken"), BROKEN.values(), ids=BROKEN)
def test_a_doctored_step_breaks_its_rule(rule: str, broken: Step) -> None:
    with pytest.raises(BrokenRuleError, match=f"^{rule}: "):
        checked(broken)


def test_each_rule_has_a_step_that_breaks_it() -> None:
    assert {sentence(rule).split(":")[0] for rule in RULES} <= {rule for rule, _ in BROKEN.values()}


@pytest.mark.parametrize(
    ("secret", "places"),
    [
        (VERIFIER, ["code exchange"]),
        (DEVICE_VERIFIER, ["code exchange"]),
        (STATE, ["authorization URL", "pushed request"]),
        (CLIENT_SECRET, ["save", "outcome"]),
        (USER_CODE, ["poll", "device code"]),
        (DEVICE_AUTH_ID, ["poll"]),
        (REFRESH_TOKEN, ["save", "outcome"]),
        (OLD_REFRESH_TOKEN, ["revocation"]),
    ],
)
def test_a_secret_is_misplaced_everywhere_but_in_its_places(secret: str, places: list[str]) -> None:
    tokens = CREDENTIALS.__replace__(api_key=Secret(secret))
    phases: dict[str, LoginPhase] = {
        "authorization URL": Listening(url=f"https://id.example/authorize?x={secret}", port=1455),
        "device code": DeviceCodeShown(url="", user_code=secret, complete_url=None, expires_in=1.0),
        "message": UsingBrowserInstead(message=secret),
    }
    actions: dict[str, Action] = {
        **{name: ReportProgress(phase=phase) for name, phase in phases.items()},
        "code exchange": token_request("authorization_code", x=secret),
        "API-key exchange": token_request("urn:ietf:params:oauth:grant-type:token-exchange", x=secret),
        "device code request": token_request(url=CODE_ENDPOINT, x=secret),
        "pushed request": token_request(url="https://id.example/par", x=secret),
        "poll": token_request(url=POLL_ENDPOINT, x=secret),
        "save": SaveCredentials(credentials=tokens),
        "outcome": Finish(outcome=LoginSuccess(credentials=tokens, account=Account())),
        "revocation": REVOKE.__replace__(form=(("token", secret),)),
        "page": Respond(request_id=1, status=200, headers=(), body=secret.encode()),
        "header": Respond(request_id=1, status=302, headers=((b"Location", secret.encode()),), body=b""),
    }
    assert {name for name, action in actions.items() if misplaced_secrets(action)} == set(actions) - set(places)
    assert misplaced_secrets(ReportProgress(phase=DeviceCodeAuthorized())) == ()


def test_a_refused_event_must_change_nothing() -> None:
    machine = LoginMachine(OPTIONS, SECRETS)
    before = machine.snapshot()
    check_refused(S.IDLE, before, machine.snapshot())
    machine.handle(Started())
    with pytest.raises(BrokenRuleError, match="changes nothing"):
        check_refused(S.IDLE, before, machine.snapshot())


@pytest.mark.parametrize("state", [S.SUCCEEDED, S.FAILED, S.CANCELLED])
def test_after_the_outcome_no_event_may_be_refused(state: LoginState) -> None:
    snapshot = LoginMachine(OPTIONS, SECRETS).snapshot()
    with pytest.raises(BrokenRuleError, match="After the outcome"):
        check_refused(state, snapshot, snapshot)
