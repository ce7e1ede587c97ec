"""Whole logins with a device code, from the first event to the last action."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio import LoginFailure, LoginMachine, LoginOptions, LoginState, LoginSuccess, UnexpectedEvent
from loginmachine.sansio.base.http import Encoding, TransportProblem
from loginmachine.sansio.login.actions import (
    AbortTokenRequest,
    Bind,
    CloseListener,
    Finish,
    OpenBrowser,
    ReportProgress,
    SaveCredentials,
    SendTokenRequest,
    StartTimer,
    StopTimer,
    Timer,
)
from loginmachine.sansio.login.events import (
    Bound,
    BrowserOpened,
    CancelRequested,
    CredentialsSaved,
    Started,
    TimerFired,
)
from loginmachine.sansio.login.progress import (
    Binding,
    Cancelled,
    DeviceCodeAuthorized,
    DeviceCodeShown,
    ExchangingCode,
    OpeningBrowser,
    PollingDelayed,
    RequestingDeviceCode,
    SavingCredentials,
    UsingBrowserInstead,
)
from loginmachine.sansio.model.options import LoginMethod
from loginmachine.sansio.server.endpoints import DeviceCodeEndpoints

from ... import samples
from ...playbook import AnyAction, AnyProblem, Playbook, reply, reported
from ...samples import CLIENT_ID, DEVICE_URL, EXPIRY, POLL_DUE, STARTED_WITH_DEVICE_CODE, answer, machine_in, no_answer
from ..test_stories import ACCOUNT, CREDENTIALS, SUCCEEDED

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import Event

WITHOUT_KEY = CREDENTIALS.__replace__(api_key=None)
SHOWN = DeviceCodeShown(url=DEVICE_URL, user_code="CNRY-12345", complete_url=None, expires_in=900.0)
START_EXPIRY = StartTimer(timer=Timer.DEVICE_CODE_EXPIRY, seconds=900.0)
STOP_EXPIRY = StopTimer(timer=Timer.DEVICE_CODE_EXPIRY)
STOP_POLL = StopTimer(timer=Timer.POLL)
CODE_REQUEST = SendTokenRequest(
    exchange_id=1,
    url="https://auth.openai.com/api/accounts/deviceauth/usercode",
    form=(("client_id", CLIENT_ID),),
    encoding=Encoding.JSON,
    timeout=30.0,
)
RFC8628 = samples.OTHER_PROVIDER.__replace__(
    device_code=DeviceCodeEndpoints(code_endpoint="https://id.example/device"), uses_nonce=True
)


def poll(exchange_id: int) -> SendTokenRequest:
    return SendTokenRequest(
        exchange_id=exchange_id,
        url="https://auth.openai.com/api/accounts/deviceauth/token",
        form=(("device_auth_id", "canary-device-auth-id"), ("user_code", "CNRY-12345")),
        encoding=Encoding.JSON,
        timeout=15.0,
    )


def poll_after(seconds: float) -> StartTimer:
    return StartTimer(timer=Timer.POLL, seconds=seconds)


def delayed(words: str) -> ReportProgress:
    return reported(PollingDelayed(message=f"https://auth.openai.com/api/accounts/deviceauth/token: {words}"))


def polling(**changes: object) -> LoginMachine:
    """Return a login that shows its device code, with a poll outstanding: request 2."""
    login = samples.machine(samples.OPTIONS.__replace__(**changes))
    samples.drive(login, STARTED_WITH_DEVICE_CODE, samples.device_code_answer(), POLL_DUE)
    assert login.state is LoginState.POLLING_DEVICE_CODE
    return login


def failure_of(login: LoginMachine) -> LoginFailure:
    assert login.state == "failed"
    assert isinstance(login.outcome, LoginFailure)
    return login.outcome


def test_a_login_with_a_device_code() -> None:
    login = samples.machine()
    exchange = (
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("code", "canary-device-authorization-code"),
        ("redirect_uri", "https://auth.openai.com/deviceauth/callback"),
        ("code_verifier", "canary-device-verifier"),
    )
    assert (
        Playbook(login)
        >> STARTED_WITH_DEVICE_CODE
        << reported(RequestingDeviceCode())
        << CODE_REQUEST
        >> reply(samples.device_code_answer)
        << reported(SHOWN)
        << START_EXPIRY
        << poll_after(5.0)
        >> POLL_DUE
        << poll(2)
        >> reply(samples.pending)
        << poll_after(5.0)
        >> POLL_DUE
        << poll(3)
        >> reply(samples.grant_answer)
        << STOP_EXPIRY
        << reported(DeviceCodeAuthorized())
        << reported(ExchangingCode())
        << SendTokenRequest(exchange_id=4, url=samples.TOKEN_ENDPOINT, form=exchange, timeout=30.0)
        # There is no API-key exchange here.
        >> reply()
        << reported(SavingCredentials())
        << SaveCredentials(credentials=WITHOUT_KEY)
        >> CredentialsSaved()
        << reported(SUCCEEDED)
        << Finish(outcome=LoginSuccess(credentials=WITHOUT_KEY, account=ACCOUNT))
        << CloseListener()
    )
    assert (login.auth_url, login.port) == (None, None)


def test_the_code_for_the_person_is_known() -> None:
    login = samples.machine()
    login.handle(STARTED_WITH_DEVICE_CODE)
    assert login.device_code is None
    login.handle(samples.device_code_answer())
    assert login.device_code is not None
    assert (login.device_code.verification_url, login.device_code.user_code) == (DEVICE_URL, "CNRY-12345")


def test_a_provider_that_wants_to_be_asked_less_often() -> None:
    slow_down = b'{"error": "slow_down"}'
    assert (
        Playbook(polling())
        >> answer(2, 400, slow_down)
        << poll_after(10.0)
        >> POLL_DUE
        << poll(3)
        >> reply(samples.pending)
        << poll_after(10.0)
        >> POLL_DUE
        << poll(4)
        >> reply(status=400, body=slow_down)
        << poll_after(15.0)
    )


def test_an_outage_is_reported_once_and_the_login_goes_on() -> None:
    assert (
        Playbook(polling())
        >> no_answer(TransportProblem.CONNECT, 2, "no route")
        << delayed("no route")
        << poll_after(10.0)
        >> POLL_DUE
        << poll(3)
        >> reply(no_answer, kind=TransportProblem.TIMEOUT)
        << poll_after(20.0)
        >> POLL_DUE
        << poll(4)
        >> reply(status=503)
        << poll_after(30.0)
        >> POLL_DUE
        << poll(5)
        >> reply(status=429)
        << poll_after(30.0)
        >> POLL_DUE
        << poll(6)
        >> reply(samples.pending)
        << poll_after(5.0)
        >> POLL_DUE
        << poll(7)
        >> reply(no_answer, kind=TransportProblem.REQUEST, message="reset")
        << delayed("reset")
        << poll_after(10.0)
        >> POLL_DUE
        << poll(8)
        >> reply(samples.grant_answer)
        << STOP_EXPIRY
        << reported(DeviceCodeAuthorized())
        << reported(ExchangingCode())
        << AnyAction(SendTokenRequest)
    )


def test_a_long_interval_is_not_shortened_by_trouble() -> None:
    login = samples.machine()
    samples.drive(login, STARTED_WITH_DEVICE_CODE, samples.device_code_answer(interval=45), POLL_DUE)
    assert Playbook(login) >> no_answer(exchange_id=2) << delayed("gone") << poll_after(45.0)


def test_pauses_stay_limited_during_a_very_long_outage() -> None:
    login = polling()
    for exchange_id in range(2, 300):
        assert login.handle(no_answer(exchange_id=exchange_id))[-1].values()["seconds"] <= 30.0
        login.handle(POLL_DUE)


@pytest.mark.parametrize(
    ("event", "category", "message"),
    [
        (answer(2, 400, b'{"error": "access_denied"}'), "device_code_denied", "status 400: access_denied"),
        (answer(2, 401), "device_code_denied", "status 401"),
        (answer(2, 400, b'{"error": "expired_token"}'), "device_code_expired", "status 400: expired_token"),
        (
            answer(2, 206, b"{}"),
            "token_response_malformed",
            "the endpoint answered with status 206, and tokens come with 200",
        ),
    ],
)
def test_the_provider_says_no(event: Event, category: str, message: str) -> None:
    login = polling()
    assert (
        Playbook(login)
        >> event
        << AnyProblem("wait_for_device_code", category, fatal=True)
        << STOP_EXPIRY
        << AnyAction(Finish)
        << CloseListener()
    )
    assert failure_of(login).message == f"https://auth.openai.com/api/accounts/deviceauth/token: {message}"


def test_a_code_that_is_not_used_expires() -> None:
    login = polling()
    assert (
        Playbook(login)
        >> EXPIRY
        << AnyProblem("wait_for_device_code", "device_code_expired", fatal=True)
        << AbortTokenRequest(exchange_id=2)
        << AnyAction(Finish)
        << CloseListener()
        >> samples.grant_answer(2)
    )
    assert failure_of(login).message == "nobody used the code within 900 seconds"


def test_a_shorter_deadline_ends_the_login_earlier() -> None:
    login = samples.machine(samples.OPTIONS.__replace__(deadline=60.0))
    samples.drive(login, STARTED_WITH_DEVICE_CODE)
    assert (
        Playbook(login)
        >> samples.device_code_answer()
        << reported(SHOWN.__replace__(expires_in=60.0))
        << START_EXPIRY
        << StartTimer(timer=Timer.DEADLINE, seconds=60.0)
        << poll_after(5.0)
        >> samples.DEADLINE
        << AnyProblem("wait_for_device_code", "login_timed_out", fatal=True)
        << STOP_EXPIRY
        << STOP_POLL
        << AnyAction(Finish)
        << CloseListener()
    )
    assert failure_of(login).message == "nobody used the code within 60 seconds"


def test_the_timers_stop_once_the_code_is_used() -> None:
    login = polling(deadline=60.0)
    actions = login.handle(samples.grant_answer(2))
    assert {action.timer for action in actions if isinstance(action, StopTimer)} == {
        Timer.DEADLINE,
        Timer.DEVICE_CODE_EXPIRY,
    }
    assert Playbook(login) >> samples.DEADLINE >> EXPIRY


# No code


@pytest.mark.parametrize(
    ("event", "category", "message"),
    [
        (answer(1, 404), "device_code_unavailable", "status 404"),
        (answer(1, 403), "device_code_unavailable", "status 403"),
        (answer(1, 200, b"{}"), "token_response_malformed", "no usable device code in the answer"),
        (no_answer(TransportProblem.TIMEOUT), "token_exchange_timeout", "gone"),
        (no_answer(TransportProblem.CONNECT), "token_exchange_connect", "gone"),
        (no_answer(TransportProblem.REQUEST), "token_exchange_request", "gone"),
    ],
)
def test_the_provider_sends_no_device_code(event: Event, category: str, message: str) -> None:
    login = machine_in("requesting_device_code")
    assert (
        Playbook(login)
        >> event
        << AnyProblem("request_device_code", category, fatal=True)
        << AnyAction(Finish)
        << CloseListener()
    )
    assert failure_of(login).message == f"https://auth.openai.com/api/accounts/deviceauth/usercode: {message}"


CODE_REQUEST_DUE = TimerFired(timer=Timer.CODE_REQUEST)
LATER = answer(1, 429, b"", ((b"Retry-After", b"40"),))


def test_a_provider_with_too_many_requests_is_asked_again() -> None:
    told = "https://auth.openai.com/api/accounts/deviceauth/usercode: status 429 (retry after: 40)"
    login = samples.machine()
    assert (
        Playbook(login)
        >> STARTED_WITH_DEVICE_CODE
        << reported(RequestingDeviceCode())
        << CODE_REQUEST
        >> LATER
        << reported(PollingDelayed(message=told))
        << StartTimer(timer=Timer.CODE_REQUEST, seconds=40.0)
        >> CODE_REQUEST_DUE
        << reported(RequestingDeviceCode())
        << CODE_REQUEST.__replace__(exchange_id=2)
        >> answer(2, 429, b"")
        << StartTimer(timer=Timer.CODE_REQUEST, seconds=5.0)
        >> CODE_REQUEST_DUE
        << reported(RequestingDeviceCode())
        << CODE_REQUEST.__replace__(exchange_id=3)
        >> samples.device_code_answer(3)
        << reported(SHOWN)
        << START_EXPIRY
        << poll_after(5.0)
    )


def test_the_wait_for_a_code_ends_with_the_deadline() -> None:
    login = samples.machine(samples.OPTIONS.__replace__(deadline=60.0))
    samples.drive(login, STARTED_WITH_DEVICE_CODE, LATER, CODE_REQUEST_DUE)
    # After 40 of 60 seconds, another 40 would be too many.
    samples.drive(login, LATER.__replace__(exchange_id=2))
    assert failure_of(login).category == "device_code_unavailable"
    assert failure_of(login).message.endswith("status 429 (retry after: 40)")


def test_the_wait_for_a_code_can_be_cancelled() -> None:
    login = samples.machine()
    samples.drive(login, STARTED_WITH_DEVICE_CODE, LATER)
    assert (
        Playbook(login)
        >> CancelRequested()
        << AnyAction(ReportProgress)
        << StopTimer(timer=Timer.CODE_REQUEST)
        << AnyAction(Finish)
        << CloseListener()
    )


def test_without_device_codes_the_browser_is_used_if_allowed() -> None:
    login = machine_in("requesting_device_code", samples.OPTIONS.__replace__(device_code_fallback=True))
    told = "https://auth.openai.com/api/accounts/deviceauth/usercode: status 404"
    assert (
        Playbook(login)
        >> answer(1, 404)
        << reported(UsingBrowserInstead(message=told))
        << reported(Binding(port=1455, attempt=1))
        << Bind(port=1455, attempt=1)
        >> Bound(port=1455)
        << AnyAction(ReportProgress)
        << StartTimer(timer=Timer.DEADLINE, seconds=600.0)
        << reported(OpeningBrowser())
        << OpenBrowser(url=samples.AUTH_URL)
        >> BrowserOpened()
        << AnyAction(ReportProgress)
    )
    samples.drive(login, samples.callback())
    # It is a login by browser now, with all that belongs to it.
    samples.drive(login, answer(2))
    assert login.state is LoginState.EXCHANGING_API_KEY


def test_the_browser_is_not_used_after_other_problems() -> None:
    login = machine_in("requesting_device_code", samples.OPTIONS.__replace__(device_code_fallback=True))
    login.handle(answer(1, 503))
    assert failure_of(login).category == "device_code_unavailable"


def test_a_provider_without_device_codes() -> None:
    options = LoginOptions(provider=samples.OTHER_PROVIDER)
    with pytest.raises(UnexpectedEvent):
        samples.machine(options).handle(STARTED_WITH_DEVICE_CODE)
    login = samples.machine(options.__replace__(device_code_fallback=True))
    login.handle(STARTED_WITH_DEVICE_CODE)
    assert login.state is LoginState.BINDING


def test_the_browser_is_the_default() -> None:
    assert Started() == Started(method=LoginMethod.BROWSER)


# Cancelling


@pytest.mark.parametrize(
    ("state", "phase"),
    [("requesting_device_code", "request_device_code"), ("polling_device_code", "wait_for_device_code")],
)
def test_cancelled(state: str, phase: str) -> None:
    login = machine_in(state)
    (told, *_) = login.handle(CancelRequested(reason="Ctrl-C"))
    assert isinstance(told, ReportProgress)
    assert isinstance(told.phase, Cancelled)
    assert (told.phase.step, told.phase.message) == (phase, "Ctrl-C")
    assert Playbook(login) >> samples.device_code_answer() >> POLL_DUE >> EXPIRY


def test_cancelled_while_a_poll_is_under_way() -> None:
    assert (
        Playbook(polling())
        >> CancelRequested()
        << AnyAction(ReportProgress)
        << STOP_EXPIRY
        << AbortTokenRequest(exchange_id=2)
        << AnyAction(Finish)
        << CloseListener()
        >> samples.grant_answer(2)
    )


def test_a_browser_event_without_an_action_is_unexpected() -> None:
    login = polling()
    login.handle(samples.grant_answer(2))
    with pytest.raises(UnexpectedEvent):
        login.handle(BrowserOpened())


# RFC 8628

RFC_DEVICE = (
    b'{"device_code": "d-1", "user_code": "WDJB-MJHT", "verification_uri": "https://id.example/go", "expires_in": 300}'
)
RFC_ID_CLAIMS = {
    "iss": "https://id.example",
    "sub": "u",
    "aud": "client-1",
    "exp": samples.NOW + 60,
    "iat": samples.NOW,
}


def rfc_polling(**changes: object) -> LoginMachine:
    login = samples.machine(LoginOptions(provider=RFC8628).__replace__(**changes))
    samples.drive(login, STARTED_WITH_DEVICE_CODE, answer(1, body=RFC_DEVICE), POLL_DUE)
    return login


def rfc_tokens(**changes: object) -> bytes:
    id_token = samples.jwt({**RFC_ID_CLAIMS, **changes})
    return samples.token_json(id_token=id_token, access_token="opaque", refresh_token="refresh")


def test_the_last_poll_brings_the_tokens() -> None:
    login = rfc_polling()
    # No nonce was sent, so none is asked for, although this provider uses one in the browser.
    assert (
        Playbook(login)
        >> answer(2, 400, b'{"error": "authorization_pending"}')
        << poll_after(5.0)
        >> POLL_DUE
        << AnyAction(SendTokenRequest)
        >> answer(3, body=rfc_tokens())
        << STOP_EXPIRY
        << reported(SavingCredentials())
        << AnyAction(SaveCredentials)
        >> CredentialsSaved()
        << AnyAction(ReportProgress)
        << AnyAction(Finish)
        << CloseListener()
    )
    assert isinstance(login.outcome, LoginSuccess)


def test_the_id_token_is_checked() -> None:
    login = rfc_polling()
    login.handle(answer(2, body=rfc_tokens(aud="another")))
    assert (failure_of(login).step, failure_of(login).category) == ("exchange_token", "id_token_invalid")


def test_the_workspace_is_checked() -> None:
    login = rfc_polling(allowed_workspaces=("acc-1",))
    login.handle(answer(2, body=rfc_tokens()))
    assert failure_of(login).category == "workspace_restriction"


def test_the_endpoint_is_named() -> None:
    login = rfc_polling()
    login.handle(answer(2, 400, b'{"error": "access_denied", "error_description": "WDJB-MJHT d-1"}'))
    assert failure_of(login).message == ("https://id.example/token: status 400: access_denied: [redacted] [redacted]")
