"""What the result of a token request means: the trigger and the interpretation, stated by hand.

How a response is read is tested in oauth/test_token_responses, the checks of an ID token in oauth/test_id_token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio import Credentials, LoginOptions, Secret, Tokens
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.events import Bound, Started
from loginmachine.sansio.login.interpret_tokens import interpret_token_failure, interpret_token_response
from loginmachine.sansio.login.interpretation import CheckedTokens, Interpretation, Problem, ReceivedApiKey
from loginmachine.sansio.login.states import Trigger
from loginmachine.sansio.model.account import Account

from ..samples import (
    ACCESS_TOKEN,
    CODE,
    ID_CLAIMS,
    ID_TOKEN,
    NONCE,
    NOW,
    OPTIONS,
    OTHER_PROVIDER,
    PROVENANCE,
    REFRESH_TOKEN,
    answer,
    api_key_answer,
    callback,
    drive,
    jwt,
    machine,
    machine_in,
    no_answer,
    token_json,
)

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import TokenResponseReceived

T = Trigger
ENDPOINT = "https://auth.openai.com/oauth/token"
REDIRECT = "the endpoint answered with a redirect (302), which is never followed"
CREDENTIALS = Credentials(
    auth_mode="chatgpt",
    tokens=Tokens(
        id_token=Secret(ID_TOKEN),
        access_token=Secret(ACCESS_TOKEN),
        refresh_token=Secret(REFRESH_TOKEN),
        account_id="acc-1",
        provenance=PROVENANCE,
    ),
    last_refresh="2026-11-18T11:06:40.000000Z",
)
ACCOUNT = Account(account_id="acc-1", email="ada@example.org", plan="pro", shown_plan="plus")


def problem(trigger: Trigger, message: str) -> Problem:
    """A problem at the token endpoint."""
    return Problem(trigger=trigger, message=f"{ENDPOINT}: {message}")


CODE_EXCHANGE: dict[str, tuple[TokenResponseReceived, Interpretation]] = {
    "tokens": (answer(), CheckedTokens(trigger=T.TOKENS_RECEIVED, credentials=CREDENTIALS, account=ACCOUNT)),
    "refusal": (
        answer(1, 400, b'{"error": "invalid_grant"}'),
        problem(T.TOKEN_ENDPOINT_REJECTED, "status 400: invalid_grant"),
    ),
    "refusal that echoes the code": (
        answer(1, 400, f'{{"error": "{CODE}"}}'.encode()),
        problem(T.TOKEN_ENDPOINT_REJECTED, "status 400: [redacted]"),
    ),
    "a web page": (
        answer(1, 200, b"<html>"),
        problem(T.TOKEN_RESPONSE_MALFORMED, "a web page instead of an answer: a sign-in page of the network?"),
    ),
    "redirect": (answer(1, 302, b""), problem(T.TOKEN_RESPONSE_MALFORMED, REDIRECT)),
    "ID token of another client": (
        answer(body=token_json(id_token=jwt({**ID_CLAIMS, "aud": "another"}))),
        Problem(trigger=T.ID_TOKEN_REFUSED, message="the id token was refused: it was made for another client (aud)"),
    ),
    "unreadable ID token": (
        answer(body=token_json(id_token="x")),
        Problem(trigger=T.ID_TOKEN_REFUSED, message="the id token was refused: it is not a JWT of a usable size"),
    ),
    "opaque access token": (
        answer(body=token_json(access_token="opaque")),
        CheckedTokens(
            trigger=T.TOKENS_RECEIVED,
            credentials=CREDENTIALS.__replace__(
                tokens=CREDENTIALS.tokens.__replace__(access_token=Secret("opaque")) if CREDENTIALS.tokens else None
            ),
            account=ACCOUNT.__replace__(shown_plan=None),
        ),
    ),
}


@pytest.mark.parametrize(("response", "meaning"), CODE_EXCHANGE.values(), ids=CODE_EXCHANGE)
def test_a_response_to_the_code_exchange(response: TokenResponseReceived, meaning: Interpretation) -> None:
    assert interpret_token_response(response, machine_in("exchanging_code")._login) == meaning


API_KEY_EXCHANGE: dict[str, tuple[TokenResponseReceived, Interpretation]] = {
    "API key": (api_key_answer(), ReceivedApiKey(trigger=T.API_KEY_RECEIVED, api_key=Secret("sk-canary-api-key"))),
    "refusal": (
        answer(2, 403, b'{"error": "insufficient_permissions"}'),
        problem(T.API_KEY_UNAVAILABLE, "status 403: insufficient_permissions"),
    ),
    "a web page": (
        answer(2, 200, b"<html>"),
        problem(T.API_KEY_UNAVAILABLE, "a web page instead of an answer: a sign-in page of the network?"),
    ),
    "redirect": (answer(2, 302, b""), problem(T.API_KEY_UNAVAILABLE, REDIRECT)),
}


@pytest.mark.parametrize(("response", "meaning"), API_KEY_EXCHANGE.values(), ids=API_KEY_EXCHANGE)
def test_a_response_to_the_api_key_exchange(response: TokenResponseReceived, meaning: Interpretation) -> None:
    assert interpret_token_response(response, machine_in("exchanging_api_key")._login) == meaning


@pytest.mark.parametrize(
    ("kind", "trigger"),
    [
        (TransportProblem.TIMEOUT, T.TOKEN_REQUEST_TIMED_OUT),
        (TransportProblem.CONNECT, T.TOKEN_ENDPOINT_UNREACHABLE),
        (TransportProblem.REQUEST, T.TOKEN_REQUEST_BROKEN),
    ],
)
def test_a_request_without_a_response(kind: TransportProblem, trigger: Trigger) -> None:
    login = machine_in("exchanging_code")._login
    assert interpret_token_failure(no_answer(kind, 1, f"no {CODE}"), login) == problem(trigger, "no [redacted]")
    login = machine_in("exchanging_api_key")._login
    assert interpret_token_failure(no_answer(kind, 2), login) == problem(T.API_KEY_UNAVAILABLE, "gone")


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        (ID_CLAIMS, "the workspace acc-1"),
        ({**ID_CLAIMS, "https://api.openai.com/auth": {}}, "an account without a workspace"),
    ],
)
def test_a_workspace_that_is_not_allowed(claims: dict[str, object], words: str) -> None:
    login = machine_in("exchanging_code", OPTIONS.__replace__(allowed_workspaces=("acc-2",)))._login
    meaning = interpret_token_response(answer(body=token_json(id_token=jwt(claims))), login)
    assert meaning == Problem(trigger=T.WORKSPACE_REFUSED, message=f"the sign-in was for {words}")


@pytest.mark.parametrize(
    ("nonce", "trigger"), [(NONCE, T.TOKENS_RECEIVED), ("another", T.ID_TOKEN_REFUSED), (None, T.ID_TOKEN_REFUSED)]
)
def test_the_nonce_of_the_authorization_request_is_checked(nonce: str | None, trigger: Trigger) -> None:
    login = machine(LoginOptions(provider=OTHER_PROVIDER.__replace__(uses_nonce=True)))
    drive(login, Started(), Bound(port=40000), callback(port=40000))
    claims = {"iss": "https://id.example", "sub": "u", "aud": "client-1", "exp": NOW + 60, "iat": NOW, "nonce": nonce}
    meaning = interpret_token_response(answer(body=token_json(id_token=jwt(claims))), login._login)
    assert meaning.trigger is trigger
