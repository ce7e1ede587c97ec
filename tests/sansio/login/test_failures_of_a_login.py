"""Each failure of a login (docs/design/failures.md), through the machine alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio import LoginFailure, LoginMachine, LoginState
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import CloseListener, Finish, ReportProgress, Respond, SaveCredentials
from loginmachine.sansio.login.events import BrowserFailed, CredentialsSaved, SaveFailed
from loginmachine.sansio.login.progress import Failed

from .. import samples
from ..playbook import AnyProblem, AnyResponse, Playbook
from ..samples import STATE, TOKEN_ENDPOINT, answer, callback, no_answer

if TYPE_CHECKING:
    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.events import Event

MISMATCH = "the callback does not carry this sign-in's state"


def error(query: str) -> Event:
    return callback(f"{query}&state={STATE}")


def by_callback(query: str, phase_category: tuple[str, str], message: str, status: int, id: str) -> object:  # noqa: A002
    return pytest.param("awaiting_callback", error(query), (*phase_category, message), status, id=id)


def by_token_endpoint(event: Event, category: str, message: str, status: int, id: str) -> object:  # noqa: A002
    told = f"{TOKEN_ENDPOINT}: {message}"
    return pytest.param("exchanging_code", event, ("exchange_token", category, told), status, id=id)


VALIDATE = "validate_callback"
CASES = [
    by_callback(
        f"code={samples.CODE}&iss=https://evil.example",
        (VALIDATE, "issuer_mismatch"),
        "the callback names the issuer https://evil.example",
        400,
        "issuer",
    ),
    by_callback(
        "error=server_error&error_description=try+%3Cb%3Elater%3C/b%3E",
        (VALIDATE, "provider_callback_error"),
        "server_error: try <b>later</b>",
        403,
        "error",
    ),
    by_callback("error=access_denied", (VALIDATE, "provider_callback_error"), "access_denied", 403, "bare error"),
    by_callback(
        "error=access_denied&error_description=missing_codex_entitlement:42",
        (VALIDATE, "provider_callback_error"),
        "this workspace has no access; ask the workspace administrator to grant it",
        403,
        "entitlement",
    ),
    by_callback(
        "code=",
        (VALIDATE, "missing_authorization_code"),
        "the callback has neither a code nor an error",
        400,
        "no code",
    ),
    by_token_endpoint(
        no_answer(TransportProblem.TIMEOUT, message="30 s passed"),
        "token_exchange_timeout",
        "30 s passed",
        504,
        "time-out",
    ),
    by_token_endpoint(
        no_answer(TransportProblem.CONNECT, message="certificate unknown"),
        "token_exchange_connect",
        "certificate unknown",
        502,
        "no connection",
    ),
    by_token_endpoint(
        no_answer(TransportProblem.REQUEST, message="connection reset"),
        "token_exchange_request",
        "connection reset",
        502,
        "broken connection",
    ),
    by_token_endpoint(
        answer(1, 400, b'{"error": "invalid_grant", "error_description": "expired"}'),
        "token_endpoint_rejected",
        "status 400: invalid_grant: expired",
        502,
        "error status",
    ),
    by_token_endpoint(
        answer(1, 200, b'{"error": "invalid_grant"}'),
        "token_endpoint_rejected",
        "status 200: invalid_grant",
        502,
        "200 with error",
    ),
    by_token_endpoint(
        answer(1, 307, b"", ((b"Location", b"https://evil.example/token"),)),
        "token_response_malformed",
        "the endpoint answered with a redirect (307), which is never followed",
        502,
        "redirect",
    ),
    by_token_endpoint(
        answer(1, 200, b"<html>"),
        "token_response_malformed",
        "a web page instead of an answer: a sign-in page of the network?",
        502,
        "unusable body",
    ),
    pytest.param(
        "exchanging_code",
        answer(1, body=samples.token_json(id_token=samples.jwt({"iss": "https://evil.example"}))),
        ("exchange_token", "id_token_invalid", "the id token was refused: its issuer (iss) is another provider"),
        502,
        id="id token",
    ),
    pytest.param(
        "exchanging_code",
        answer(1, body=samples.token_json(id_token="opaque")),
        ("exchange_token", "id_token_invalid", "the id token was refused: it is not a JWT of a usable size"),
        502,
        id="opaque id token",
    ),
    pytest.param(
        "saving_credentials",
        SaveFailed(message="no space left on device"),
        ("persist_credentials", "persist_failed", "no space left on device"),
        500,
        id="not saved",
    ),
]


def check_the_end(login: LoginMachine, actions: list[Action], expected: tuple[str, str, str]) -> None:
    """Check that a failure is reported as fatal and handed to the caller, and that nothing is saved."""
    (problem,) = [a.phase for a in actions if isinstance(a, ReportProgress) and isinstance(a.phase, Failed)]
    assert (problem.step, problem.category, problem.message, problem.fatal) == (*expected, True)
    (finish,) = [a for a in actions if isinstance(a, Finish)]
    assert finish.outcome is login.outcome
    assert isinstance(login.outcome, LoginFailure)
    assert (login.outcome.step, login.outcome.category, login.outcome.message) == expected
    assert login.outcome.help_url == "https://developers.openai.com/codex/auth"
    assert not any(isinstance(a, SaveCredentials) for a in actions)
    assert login.state is LoginState.FAILED


@pytest.mark.parametrize(("state", "event", "expected", "status"), CASES)
def test_a_failure_with_a_browser_waiting(
    state: str, event: Event, expected: tuple[str, str, str], status: int
) -> None:
    login = samples.machine_in(state)
    actions = login.handle(event)
    check_the_end(login, actions, expected)
    (page,) = [a for a in actions if isinstance(a, Respond)]
    assert (page.request_id, page.status) == (1, status)
    assert f"<code>{expected[1]}</code>".encode() in page.body


def test_the_deadline() -> None:
    login = samples.machine_in("awaiting_callback", samples.OPTIONS.__replace__(deadline=90.0))
    actions = login.handle(samples.DEADLINE)
    check_the_end(login, actions, ("wait_for_callback", "login_timed_out", "no callback came within 90 seconds"))
    assert actions[-1] == CloseListener()


@pytest.mark.parametrize(
    ("claims", "whose"),
    [
        ({"chatgpt_account_id": "acc-2"}, "the workspace acc-2"),
        ({}, "an account without a workspace"),
        ({"chatgpt_account_id": " acc-1 "}, "an account without a workspace"),
        ({"chatgpt_account_id": ["acc-1"]}, "an account without a workspace"),
    ],
)
def test_an_account_outside_the_allowed_workspaces(claims: dict[str, object], whose: str) -> None:
    login = samples.machine_in("exchanging_code", samples.OPTIONS.__replace__(allowed_workspaces=("acc-0", "acc-1")))
    id_token = samples.jwt({samples.NAMESPACE: claims})
    actions = login.handle(answer(1, body=samples.token_json(id_token=id_token)))
    assert login.state == "failed", "an id that is not in the list, byte for byte, is refused"
    check_the_end(login, actions, ("validate_callback", "workspace_restriction", f"the sign-in was for {whose}"))
    (page,) = [a for a in actions if isinstance(a, Respond)]
    assert page.status == 403
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome.allowed_workspaces == ("acc-0", "acc-1")
    assert "Allowed: acc-0, acc-1\n" in login.outcome.describe()


def test_an_account_in_an_allowed_workspace() -> None:
    login = samples.machine_in("exchanging_code", samples.OPTIONS.__replace__(allowed_workspaces=("acc-0", "acc-1")))
    login.handle(answer(1))
    assert login.state == "exchanging_api_key"


def test_a_wrong_state_is_reported_once_and_ends_nothing() -> None:
    login = samples.machine_in("awaiting_callback")
    assert (
        Playbook(login)
        >> callback("code=c&state=other", 1)
        << AnyProblem("validate_callback", "callback_state_mismatch", fatal=False)
        << AnyResponse(1, 400)
        >> callback("code=c&state=", 2)
        << AnyResponse(2, 400)
        >> callback("error=access_denied", 3)
        << AnyResponse(3, 400)
    )
    assert login.state == "awaiting_callback"


def test_the_words_for_a_wrong_state() -> None:
    actions = samples.machine_in("awaiting_callback").handle(callback("code=c&state=other"))
    assert isinstance(actions[0], ReportProgress)
    assert isinstance(actions[0].phase, Failed)
    assert actions[0].phase.message == MISMATCH


def test_fifty_hostile_requests_then_the_login_completes() -> None:
    login = samples.machine_in("awaiting_callback")
    for request_id in range(100, 150):
        login.handle(callback(f"code=c&state={STATE}x", request_id))
        login.handle(samples.get(samples.SUCCESS, request_id + 100))
    samples.drive(login, callback(), answer(1), samples.api_key_answer(), CredentialsSaved())
    assert login.state == "succeeded"


@pytest.mark.parametrize("state", ["exchanging_code", "exchanging_api_key", "saving_credentials"])
def test_a_browser_that_fails_late_is_reported(state: str) -> None:
    report = AnyProblem("open_browser", "browser_launch_failed", fatal=False)
    assert Playbook(samples.machine_in(state)) >> BrowserFailed(message="no display") << report


def test_words_from_the_host_are_made_safe_to_show() -> None:
    actions = samples.machine_in("awaiting_callback").handle(BrowserFailed(message="no\x1b[31m display\u202e"))
    assert isinstance(actions[0], ReportProgress)
    assert isinstance(actions[0].phase, Failed)
    assert actions[0].phase.message == "no\ufffd[31m display\ufffd"


def test_words_from_the_provider_are_cut() -> None:
    login = samples.machine_in("awaiting_callback")
    login.handle(error("error=e&error_description=" + 300 * "x"))
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome.message == "e: " + 252 * "x" + "\u2026"
