"""What each event means in a state: the trigger and the interpretation, stated by hand.

Requests and pasted addresses are in test_interpret_callback, responses to token requests in test_interpret_tokens and
device_code/test_interpret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio import LoginFailureStep, LoginMachine, UnexpectedEvent
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import Timer
from loginmachine.sansio.login.events import (
    BindProblem,
    Bound,
    BrowserFailed,
    BrowserOpened,
    CallbackPasted,
    CancelRequested,
    ClientGone,
    CredentialsSaved,
    PreviousCancelled,
    ResponseSent,
    SaveFailed,
    Started,
    TimerFired,
)
from loginmachine.sansio.login.interpret import interpret
from loginmachine.sansio.login.interpretation import (
    AnsweredRequest,
    Cancellation,
    Interpretation,
    PortBound,
    Problem,
    SavedCredentials,
)
from loginmachine.sansio.login.states import Trigger

from ..samples import (
    CODE,
    DEADLINE,
    EXPIRY,
    FORBIDDEN,
    IN_USE,
    LINGER,
    OLD,
    OPTIONS,
    OTHER_PROVIDER,
    POLL_DUE,
    RETRY,
    SECRETS,
    STARTED_WITH_DEVICE_CODE,
    STATE,
    answer,
    bind_failed,
    callback,
    device_code_answer,
    drive,
    get,
    machine,
    machine_in,
    no_answer,
    pasted,
)

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import Event

T, Step = Trigger, LoginFailureStep
PREVIOUS_STAYS = "port 1455 is in use by another program"
LATE = None
"""The event is late, and means nothing any more."""

MEANINGS: dict[str, tuple[str, Event, Interpretation | None]] = {
    # The start
    "start": ("idle", Started(), Interpretation(trigger=T.STARTED)),
    "start with a device code": (
        "idle",
        STARTED_WITH_DEVICE_CODE,
        Interpretation(trigger=T.STARTED_WITH_DEVICE_CODE),
    ),
    # The port
    "bound": ("binding", Bound(port=1455), PortBound(trigger=T.BOUND, port=1455)),
    "port in use": ("binding", IN_USE, Problem(trigger=T.PORT_TAKEN, message="port 1455: address already in use")),
    "port forbidden": (
        "binding",
        FORBIDDEN,
        Problem(trigger=T.PORT_FORBIDDEN, message="port 1455: permission denied"),
    ),
    "other bind problem": (
        "binding",
        bind_failed(BindProblem.OTHER, f"no {STATE}\x1b"),
        Problem(trigger=T.BIND_FAILED, message="port 1455: no [redacted]\N{REPLACEMENT CHARACTER}"),
    ),
    "previous login stops": (
        "cancelling_previous",
        PreviousCancelled(accepted=True),
        Problem(trigger=T.PREVIOUS_CANCELLED, message=PREVIOUS_STAYS),
    ),
    "previous login stays": (
        "cancelling_previous",
        PreviousCancelled(accepted=False),
        Problem(trigger=T.PREVIOUS_REFUSED, message=PREVIOUS_STAYS),
    ),
    # The browser
    "browser opened": ("awaiting_callback", BrowserOpened(), Interpretation(trigger=T.BROWSER_OPENED)),
    "browser failed": (
        "awaiting_callback",
        BrowserFailed(message=f"no {STATE}"),
        Problem(trigger=T.BROWSER_FAILED, message="no [redacted]"),
    ),
    # Timers
    "retry": ("backing_off", RETRY, Interpretation(trigger=T.RETRY_DUE)),
    "deadline": (
        "awaiting_callback",
        DEADLINE,
        Problem(trigger=T.DEADLINE_PASSED, message="no callback came within 600 seconds"),
    ),
    "poll": ("polling_device_code", POLL_DUE, Interpretation(trigger=T.POLL_DUE)),
    "device code expired": (
        "polling_device_code",
        EXPIRY,
        Problem(trigger=T.DEVICE_CODE_EXPIRED, message="nobody used the code within 900 seconds"),
    ),
    "linger": ("succeeded", LINGER, Interpretation(trigger=T.LINGER_OVER)),
    "a deadline that was stopped": ("exchanging_code", DEADLINE, LATE),
    # Responses of the listener
    "last page sent": ("succeeded", ResponseSent(request_id=1), AnsweredRequest(trigger=T.PAGE_SENT, request_id=1)),
    "another page sent": ("awaiting_callback", ResponseSent(request_id=1), LATE),
    "a waiting client gone": (
        "exchanging_code",
        ClientGone(request_id=1),
        AnsweredRequest(trigger=T.CLIENT_GONE, request_id=1),
    ),
    "a client gone before its last page": (
        "succeeded",
        ClientGone(request_id=1),
        AnsweredRequest(trigger=T.CLIENT_GONE, request_id=1),
    ),
    "another client gone": ("exchanging_code", ClientGone(request_id=2), LATE),
    # The store
    "saved": ("saving_credentials", CredentialsSaved(), SavedCredentials(trigger=T.CREDENTIALS_SAVED, replaced=None)),
    "saved over other credentials": (
        "saving_credentials",
        CredentialsSaved(replaced=OLD),
        SavedCredentials(trigger=T.CREDENTIALS_SAVED, replaced=OLD),
    ),
    "not saved": (
        "saving_credentials",
        SaveFailed(message=f"no {CODE}"),
        Problem(trigger=T.SAVE_FAILED, message="no [redacted]"),
    ),
    # Late answers
    "a response to an earlier request": ("exchanging_api_key", answer(1), LATE),
    "a failure of an earlier request": ("exchanging_api_key", no_answer(TransportProblem.CONNECT, 1), LATE),
    "an address pasted after the outcome": ("succeeded", pasted(), LATE),
}


@pytest.mark.parametrize(("state", "event", "meaning"), MEANINGS.values(), ids=MEANINGS)
def test_what_an_event_means(state: str, event: Event, meaning: Interpretation | None) -> None:
    assert interpret(event, machine_in(state)._login) == meaning


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("idle", Step.WAIT_FOR_CALLBACK),
        ("requesting_device_code", Step.REQUEST_DEVICE_CODE),
        ("polling_device_code", Step.WAIT_FOR_DEVICE_CODE),
        ("binding", Step.BIND_LOCAL_SERVER),
        ("cancelling_previous", Step.BIND_LOCAL_SERVER),
        ("backing_off", Step.BIND_LOCAL_SERVER),
        ("awaiting_callback", Step.WAIT_FOR_CALLBACK),
        ("exchanging_code", Step.EXCHANGE_TOKEN),
        ("exchanging_api_key", Step.EXCHANGE_TOKEN),
    ],
)
def test_a_cancellation_names_the_step_of_the_login(state: str, step: LoginFailureStep) -> None:
    meaning = interpret(CancelRequested(reason=f"no {STATE}"), machine_in(state)._login)
    assert meaning == Cancellation(trigger=T.CANCEL_REQUESTED, step=step, message="no [redacted]")


def test_a_login_server_that_takes_over_cancels_the_login() -> None:
    assert interpret(get("/cancel", 3), machine_in("awaiting_callback")._login) == Cancellation(
        trigger=T.CANCEL_REQUESTED,
        step=Step.WAIT_FOR_CALLBACK,
        message="another sign-in on this machine took over",
        request_id=3,
    )


def test_the_deadline_of_a_login_with_a_device_code() -> None:
    login = machine(OPTIONS.__replace__(deadline=60.0))
    drive(login, STARTED_WITH_DEVICE_CODE, device_code_answer())
    assert interpret(DEADLINE, login._login) == Problem(
        trigger=T.DEADLINE_PASSED,
        message="nobody used the code within 60 seconds",
        step=Step.WAIT_FOR_DEVICE_CODE,
    )


def test_a_provider_without_device_codes_starts_in_the_browser_if_allowed() -> None:
    options = OPTIONS.__replace__(provider=OTHER_PROVIDER, device_code_fallback=True)
    login = LoginMachine(options, SECRETS)
    assert interpret(STARTED_WITH_DEVICE_CODE, login._login) == Interpretation(trigger=T.STARTED)


UNEXPECTED: dict[str, tuple[str, Event]] = {
    "another port": ("binding", Bound(port=1456)),
    "no port": ("binding", Bound(port=0)),
    "a port out of range": ("binding", Bound(port=65536)),
    "a browser before its address": ("binding", BrowserOpened()),
    "a browser that failed before its address": ("binding", BrowserFailed(message="no")),
    "a request before the port": ("binding", callback()),
    "a request that is waiting": ("exchanging_code", get("/", 1)),
    "a request that gets its last page": ("succeeded", get("/", 1)),
    "an address pasted before there is one": ("binding", CallbackPasted(text="hello")),
    "a timer that never ran": ("awaiting_callback", TimerFired(timer=Timer.LINGER)),
    "a response to a request that waits": ("exchanging_code", ResponseSent(request_id=1)),
    "a response to no request": ("exchanging_code", answer(2)),
    "a response to request 0": ("exchanging_code", answer(0)),
    "a failure of no request": ("exchanging_code", no_answer(TransportProblem.TIMEOUT, 2)),
    "a response at no time": ("exchanging_code", answer(1, received_at=float("nan"))),
}


@pytest.mark.parametrize(("state", "event"), UNEXPECTED.values(), ids=UNEXPECTED)
def test_an_event_that_no_host_may_post(state: str, event: Event) -> None:
    login = machine_in(state)._login
    with pytest.raises(UnexpectedEvent) as caught:
        interpret(event, login)
    assert (caught.value.state, caught.value.event) == (state, event)


def test_a_browser_that_was_not_asked_for() -> None:
    login = machine_in("awaiting_callback", OPTIONS.__replace__(open_browser=False))._login
    for event in (BrowserOpened(), BrowserFailed(message="no")):
        with pytest.raises(UnexpectedEvent):
            interpret(event, login)


def test_a_device_code_that_the_provider_does_not_have() -> None:
    login = LoginMachine(OPTIONS.__replace__(provider=OTHER_PROVIDER), SECRETS)
    with pytest.raises(UnexpectedEvent):
        interpret(STARTED_WITH_DEVICE_CODE, login._login)
