"""A login pushes its authorization request to the provider (RFC 9126), and the browser gets a reference to it."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from loginmachine.sansio import LoginFailure, LoginOptions, Provider, Secret
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import CloseListener, Finish, OpenBrowser, SendTokenRequest, StartTimer, Timer
from loginmachine.sansio.login.events import Started
from loginmachine.sansio.login.failures import LoginFailureCategory, LoginFailureStep
from loginmachine.sansio.login.progress import Listening, OpeningBrowser
from loginmachine.sansio.login.server.progress import PushingRequest
from loginmachine.sansio.login.states import Trigger
from loginmachine.sansio.server.endpoints import ClientAuthentication

from ...playbook import AnyProblem, Playbook, reply, reported
from ...samples import CHALLENGE, NONCE, REQUEST_URI, STATE, VERIFIER, answer, callback, drive, everything_in, no_answer
from ...server_samples import (
    BOUND,
    CALLBACK,
    ISSUER,
    KEYS_URL,
    OPENID,
    PUSH_URL,
    PUSHED_ADDRESS,
    PUSHING,
    REDIRECT_URI,
    metadata,
    pushed,
    server_machine,
    server_machine_in,
)

PARAMETERS = (
    ("response_type", "code"),
    ("client_id", "native"),
    ("redirect_uri", REDIRECT_URI),
    ("code_challenge", CHALLENGE),
    ("code_challenge_method", "S256"),
    ("state", STATE),
    ("scope", "openid profile email offline_access"),
    ("nonce", NONCE),
)
REQUEST = SendTokenRequest(exchange_id=2, url=PUSH_URL, form=PARAMETERS, timeout=15.0)


def ready(options: LoginOptions, **changes: Any) -> Playbook[object]:
    """Return the story of a login that is about to open its port."""
    login = server_machine(options)
    drive(login, Started(), metadata(**changes))
    return Playbook(login)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "changes"), [(PUSHING, {}), (OPENID, {"require_pushed_authorization_requests": True})]
)
def test_the_request_is_pushed_if_the_caller_or_the_provider_asks(
    options: LoginOptions, changes: dict[str, Any]
) -> None:
    assert (
        ready(options, **changes)
        >> BOUND
        << reported(PushingRequest())
        << REQUEST
        >> reply(pushed)
        << reported(Listening(url=PUSHED_ADDRESS, port=50000))
        << StartTimer(timer=Timer.DEADLINE, seconds=600.0)
        << reported(OpeningBrowser())
        << OpenBrowser(url=PUSHED_ADDRESS)
        << SendTokenRequest(exchange_id=3, url=KEYS_URL, method="GET", timeout=15.0)
    )


def test_without_such_a_wish_nothing_is_pushed() -> None:
    login = server_machine()
    actions = drive(login, Started(), metadata(), BOUND)
    assert [action.url for action in actions if isinstance(action, SendTokenRequest)][1:] == [KEYS_URL]


def test_all_parameters_of_the_caller_are_pushed() -> None:
    options = PUSHING.__replace__(login_hint="ada@example.org", resource=("https://api.example",), max_age=60)
    login = server_machine(options)
    drive(login, Started(), metadata())
    sent = login.handle(BOUND)[-1]
    assert isinstance(sent, SendTokenRequest)
    assert sent.form[len(PARAMETERS) :] == (
        ("login_hint", "ada@example.org"),
        ("max_age", "60"),
        ("resource", "https://api.example"),
    )
    login.handle(pushed())
    assert login.auth_url == PUSHED_ADDRESS


def test_the_client_authenticates_and_its_id_stays_a_parameter() -> None:
    """RFC 9126 section 2.1: it is a parameter of the authorization request too."""
    provider = PUSHING.provider.__replace__(
        client_secret=Secret("s"), token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_BASIC
    )
    login = server_machine(LoginOptions(provider=provider))
    drive(login, Started(), metadata())
    sent = login.handle(BOUND)[-1]
    assert isinstance(sent, SendTokenRequest)
    assert sent.form == PARAMETERS
    assert sent.authorization is not None
    assert sent.authorization.reveal() == f"Basic {b64encode(b'native:s').decode()}"


def test_a_secret_as_a_parameter_stays_out_of_the_address() -> None:
    provider = PUSHING.provider.__replace__(
        client_secret=Secret("canary"), token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_POST
    )
    login = server_machine(LoginOptions(provider=provider))
    drive(login, Started(), metadata())
    sent = login.handle(BOUND)[-1]
    assert isinstance(sent, SendTokenRequest)
    assert sent.form == (*PARAMETERS, ("client_secret", "canary"))
    drive(login, pushed())
    assert login.auth_url == PUSHED_ADDRESS


def test_the_state_is_checked_although_the_address_does_not_have_it() -> None:
    login = server_machine_in("awaiting_callback with a pushed request")
    drive(login, callback("code=c&state=other", 1, port=50000))
    assert login.state == "awaiting_callback"
    drive(login, callback(request_id=2, port=50000))
    assert login.state == "exchanging_code"


def test_the_code_is_exchanged_with_the_verifier_of_the_pushed_request() -> None:
    login = server_machine_in("awaiting_callback with a pushed request")
    (sent,) = [action for action in login.handle(CALLBACK) if isinstance(action, SendTokenRequest)]
    assert dict(sent.form)["code_verifier"] == VERIFIER
    assert dict(sent.form)["redirect_uri"] == REDIRECT_URI


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (answer(2, 400, b'{"error": "invalid_request"}'), "status 400: invalid_request"),
        (answer(2, 401, b'{"error": "invalid_client"}'), "status 401: invalid_client"),
        (answer(2, 307, b""), "redirect (307), which is never followed"),
        (answer(2, 201, b"<html>"), "a web page instead of an answer"),
        (answer(2, 413, b""), "status 413"),
        (pushed(request_uri=""), "no usable request_uri in the answer"),
        (pushed(request_uri="a b"), "no usable request_uri in the answer"),
        (no_answer(TransportProblem.TIMEOUT, 2, "15 s passed"), "15 s passed"),
    ],
)
def test_a_request_that_was_not_taken_ends_the_login(response: object, words: str) -> None:
    login = server_machine_in("pushing_request")
    drive(login, response)  # type: ignore[arg-type]
    assert isinstance(login.outcome, LoginFailure)
    message = login.outcome.message
    assert login.outcome == LoginFailure(
        step=LoginFailureStep.PUSH_REQUEST,
        category=LoginFailureCategory.PROVIDER_CALLBACK_ERROR,
        message=message,
        trigger=Trigger.PUSH_FAILED,
    )
    assert message.startswith(f"{PUSH_URL}: ")
    assert words in message


def test_the_end_of_such_a_login_in_actions() -> None:
    login = server_machine_in("pushing_request")
    assert (
        Playbook(login)
        >> answer(2, 400, b"{}")
        << AnyProblem("push_request", "provider_callback_error", fatal=True)
        << Finish(
            outcome=LoginFailure(
                step=LoginFailureStep.PUSH_REQUEST,
                category=LoginFailureCategory.PROVIDER_CALLBACK_ERROR,
                message=f"{PUSH_URL}: status 400",
                trigger=Trigger.PUSH_FAILED,
            )
        )
        << CloseListener()
    )


def test_an_error_does_not_repeat_the_secrets_of_the_request() -> None:
    body = f'{{"error": "invalid_request", "error_description": "{STATE} {NONCE}"}}'.encode()
    login = server_machine_in("pushing_request")
    drive(login, answer(2, 400, body))
    assert isinstance(login.outcome, LoginFailure)
    assert not {STATE, NONCE} & set(login.outcome.message.split())


def test_an_error_of_the_callback_does_not_repeat_the_reference() -> None:
    login = server_machine_in("awaiting_callback with a pushed request")
    drive(login, callback(f"error=invalid_request_uri&error_description={REQUEST_URI}&state={STATE}", port=50000))
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome.category == "provider_callback_error"
    assert "canary-reference" not in everything_in(login.outcome)


def test_the_provider_may_not_require_what_it_does_not_have() -> None:
    provider = Provider.openid(ISSUER, client_id="native", require_pushed_authorization_requests=True)
    login = server_machine(LoginOptions(provider=provider))
    drive(login, Started(), metadata(pushed_authorization_request_endpoint=None))
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome.category == "discovery_failed"
