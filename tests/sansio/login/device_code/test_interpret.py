"""What the provider's responses mean in a login with a device code: trigger and interpretation, stated by hand.

How a response is read in each dialect is tested in oauth/test_device_code.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.sansio import LoginFailureStep, LoginMachine, LoginOptions
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.device_code.interpret import interpret_device_failure, interpret_device_response
from loginmachine.sansio.login.interpretation import (
    CheckedTokens,
    Interpretation,
    PostponedCode,
    Problem,
    ReceivedDeviceCode,
    ReceivedGrant,
)
from loginmachine.sansio.login.states import Trigger
from loginmachine.sansio.oauth.device_code import DeviceCode, DeviceGrant
from loginmachine.sansio.server.endpoints import DeviceCodeEndpoints

from ...samples import (
    DEVICE_AUTH_ID,
    DEVICE_AUTHORIZATION_CODE,
    DEVICE_URL,
    DEVICE_VERIFIER,
    NOW,
    OTHER_PROVIDER,
    POLL_DUE,
    STARTED_WITH_DEVICE_CODE,
    USER_CODE,
    answer,
    device_code_answer,
    drive,
    grant_answer,
    jwt,
    machine,
    machine_in,
    no_answer,
    pending,
    token_json,
)

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import TokenResponseReceived

T = Trigger


def code_problem(trigger: Trigger, message: str) -> Problem:
    """A problem with the request for a device code."""
    words = f"https://auth.openai.com/api/accounts/deviceauth/usercode: {message}"
    return Problem(trigger=trigger, message=words, step=LoginFailureStep.REQUEST_DEVICE_CODE)


def poll_problem(trigger: Trigger, message: str) -> Problem:
    """A problem with a poll."""
    words = f"https://auth.openai.com/api/accounts/deviceauth/token: {message}"
    return Problem(trigger=trigger, message=words, step=LoginFailureStep.WAIT_FOR_DEVICE_CODE)


def polling() -> LoginMachine:
    """A login with a poll outstanding, request 2."""
    login = machine_in("polling_device_code")
    login.handle(POLL_DUE)
    return login


CODE_REQUEST: dict[str, tuple[TokenResponseReceived, Interpretation]] = {
    "a code": (
        device_code_answer(),
        ReceivedDeviceCode(
            trigger=T.DEVICE_CODE_RECEIVED,
            device_code=DeviceCode(
                device_code=DEVICE_AUTH_ID,
                user_code=USER_CODE,
                verification_url=DEVICE_URL,
                expires_in=900.0,
                interval=5.0,
            ),
        ),
    ),
    "not enabled": (answer(1, 404, b""), code_problem(T.DEVICE_CODE_NOT_ENABLED, "status 404")),
    "refusal": (answer(1, 403, b"{}"), code_problem(T.DEVICE_CODE_REFUSED, "status 403")),
    "refusal with an error": (answer(1, 400, b'{"error": "e"}'), code_problem(T.DEVICE_CODE_REFUSED, "status 400: e")),
    "server error": (
        answer(1, 500, b""),
        code_problem(T.DEVICE_CODE_REFUSED, "status 500, the provider has a problem"),
    ),
    "too many requests": (
        answer(1, 429, b""),
        PostponedCode(**code_problem(T.DEVICE_CODE_POSTPONED, "status 429").values(), pause=5.0),
    ),
    "too many requests for a minute": (
        answer(1, 429, b"", ((b"Retry-After", b"60"),)),
        PostponedCode(**code_problem(T.DEVICE_CODE_POSTPONED, "status 429 (retry after: 60)").values(), pause=60.0),
    ),
    "too many requests for a day": (
        answer(1, 429, b"", ((b"Retry-After", b"86400"),)),
        code_problem(T.DEVICE_CODE_REFUSED, "status 429 (retry after: 86400)"),
    ),
    "no code": (
        answer(1, 200, b"{}"),
        code_problem(T.TOKEN_RESPONSE_MALFORMED, "no usable device code in the answer"),
    ),
}
POLL: dict[str, tuple[TokenResponseReceived, Interpretation]] = {
    "grant": (
        grant_answer(),
        ReceivedGrant(
            trigger=T.DEVICE_CODE_AUTHORIZED,
            grant=DeviceGrant(code=DEVICE_AUTHORIZATION_CODE, code_verifier=DEVICE_VERIFIER),
        ),
    ),
    "pending": (pending(), poll_problem(T.DEVICE_CODE_PENDING, "status 403")),
    "slow down": (
        answer(2, 400, b'{"error": "slow_down"}'),
        poll_problem(T.SLOW_DOWN_REQUESTED, "status 400: slow_down"),
    ),
    "denied": (
        answer(2, 400, b'{"error": "access_denied"}'),
        poll_problem(T.DEVICE_CODE_DENIED, "status 400: access_denied"),
    ),
    "refusal": (answer(2, 401, b""), poll_problem(T.DEVICE_CODE_DENIED, "status 401")),
    "expired": (
        answer(2, 400, b'{"error": "expired_token"}'),
        poll_problem(T.DEVICE_CODE_EXPIRED, "status 400: expired_token"),
    ),
    "server error": (answer(2, 503, b""), poll_problem(T.POLL_FAILED, "status 503, the provider has a problem")),
    "a web page": (
        answer(2, 200, b"<html>"),
        poll_problem(T.POLL_FAILED, "a web page instead of an answer: a sign-in page of the network?"),
    ),
    "no grant": (
        answer(2, 200, b"{}"),
        poll_problem(T.TOKEN_RESPONSE_MALFORMED, "no usable authorization_code in the answer"),
    ),
}


@pytest.mark.parametrize(("response", "meaning"), CODE_REQUEST.values(), ids=CODE_REQUEST)
def test_a_response_to_the_request_for_a_code(response: TokenResponseReceived, meaning: Interpretation) -> None:
    assert interpret_device_response(response, machine_in("requesting_device_code")._login) == meaning


@pytest.mark.parametrize(("response", "meaning"), POLL.values(), ids=POLL)
def test_a_response_to_a_poll(response: TokenResponseReceived, meaning: Interpretation) -> None:
    assert interpret_device_response(response, polling()._login) == meaning


@pytest.mark.parametrize(
    ("kind", "trigger"),
    [
        (TransportProblem.TIMEOUT, T.TOKEN_REQUEST_TIMED_OUT),
        (TransportProblem.CONNECT, T.TOKEN_ENDPOINT_UNREACHABLE),
        (TransportProblem.REQUEST, T.TOKEN_REQUEST_BROKEN),
    ],
)
def test_a_request_without_a_response(kind: TransportProblem, trigger: Trigger) -> None:
    requesting = machine_in("requesting_device_code")._login
    assert interpret_device_failure(no_answer(kind, 1), requesting) == code_problem(trigger, "gone")
    failed_poll = no_answer(kind, 2, f"no {USER_CODE}")
    assert interpret_device_failure(failed_poll, polling()._login) == poll_problem(T.POLL_FAILED, "no [redacted]")


@pytest.mark.parametrize(("claims", "trigger"), [({}, T.TOKENS_RECEIVED), ({"aud": "another"}, T.ID_TOKEN_REFUSED)])
def test_tokens_in_the_response_to_a_poll(claims: dict[str, Any], trigger: Trigger) -> None:
    """RFC 8628: there is no nonce to check, because there is no authorization request."""
    endpoints = DeviceCodeEndpoints(code_endpoint="https://id.example/device")
    login = machine(LoginOptions(provider=OTHER_PROVIDER.__replace__(device_code=endpoints, uses_nonce=True)))
    code = {"device_code": "d-1", "user_code": "WDJB-MJHT", "verification_uri": "https://id.example/device"}
    drive(login, STARTED_WITH_DEVICE_CODE, answer(1, body=json.dumps({**code, "expires_in": 600}).encode()), POLL_DUE)
    usual = {"iss": "https://id.example", "sub": "u", "aud": "client-1", "exp": NOW + 60, "iat": NOW}
    response = answer(2, body=token_json(id_token=jwt({**usual, **claims})))
    meaning = interpret_device_response(response, login._login)
    assert meaning.trigger is trigger
    assert isinstance(meaning, CheckedTokens) is (trigger is T.TOKENS_RECEIVED)
