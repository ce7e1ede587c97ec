"""Callbacks that come twice, cancelling, and answers that come late."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio import LoginCancellation, LoginFailureStep, LoginState, LoginSuccess
from loginmachine.sansio.login.actions import (
    AbortTokenRequest,
    CloseListener,
    Finish,
    Respond,
    StartTimer,
    StopTimer,
    Timer,
)
from loginmachine.sansio.login.events import CancelRequested, CredentialsSaved, ResponseSent
from loginmachine.sansio.login.progress import Cancelled, Succeeded

from .. import samples
from ..playbook import AnyAction, AnyProblem, AnyResponse, Playbook, reported
from ..samples import STATE, answer, api_key_answer, callback, get, machine_in

if TYPE_CHECKING:
    from loginmachine.sansio.login.actions import Action

SUCCEEDED = reported(Succeeded(account_id="acc-1", email="ada@example.org", plan="pro"))
START_LINGER = StartTimer(timer=Timer.LINGER, seconds=2.0)
STOP_LINGER = StopTimer(timer=Timer.LINGER)
STOP_DEADLINE = StopTimer(timer=Timer.DEADLINE)
REDIRECT_FAILED = AnyProblem("redirect_back", "redirect_failed", fatal=False)


def cancelled(phase: str, message: str = "cancelled by the caller") -> Action:
    return reported(Cancelled(step=LoginFailureStep(phase), message=message))


# The same callback, and others


def test_the_same_callback_joins_the_wait_and_gets_the_same_answer() -> None:
    assert (
        Playbook(machine_in("exchanging_code"))
        >> callback(request_id=2)
        >> callback(request_id=3)
        >> samples.no_answer()
        << AnyProblem("exchange_token", "token_exchange_timeout", fatal=True)
        << AnyResponse(1, 504)
        << AnyResponse(2, 504)
        << AnyResponse(3, 504)
        << AnyAction(Finish)
        << START_LINGER
    )


@pytest.mark.parametrize("state", ["exchanging_code", "exchanging_api_key", "saving_credentials"])
@pytest.mark.parametrize("query", ["code=other", "error=access_denied", "", "code=other&iss=https://evil.example"])
def test_another_callback_with_the_right_state_gets_409(state: str, query: str) -> None:
    login = machine_in(state)
    (respond,) = login.handle(callback(f"{query}&state={STATE}", 2))
    assert isinstance(respond, Respond)
    assert (respond.request_id, respond.status, login.state) == (2, 409, state)
    assert b"This sign-in is already being completed" in respond.body


def test_after_success_the_same_callback_gets_the_redirect_again() -> None:
    assert Playbook(machine_in("succeeded")) >> callback(request_id=2) << AnyResponse(2, 302)


@pytest.mark.parametrize("query", ["code=other", "error=access_denied", "", "code=other&iss=https://evil.example"])
def test_after_success_another_callback_gets_409(query: str) -> None:
    (respond,) = machine_in("succeeded").handle(callback(f"{query}&state={STATE}", 2))
    assert isinstance(respond, Respond)
    assert (respond.request_id, respond.status) == (2, 409)
    assert b"This sign-in is already being completed" in respond.body


@pytest.mark.parametrize("state", ["failed", "cancelled"])
@pytest.mark.parametrize("query", [f"code={samples.CODE}", "code=other", "error=access_denied", "", "code=c&iss=x"])
def test_after_failure_or_cancel_a_callback_gets_the_page_that_it_is_over(state: str, query: str) -> None:
    login = machine_in(state)
    assert Playbook(login) >> callback(f"{query}&state={STATE}", 2) << AnyResponse(2, 410)
    assert login.state == state


EARLY_ENDS = {"failed": callback(f"error=access_denied&state={STATE}", 1), "cancelled": get("/cancel", 1)}


@pytest.mark.parametrize("state", EARLY_ENDS)
@pytest.mark.parametrize("query", ["code=c", "error=access_denied", "", "code=c&iss=https://evil.example"])
def test_a_login_that_ended_before_any_code_is_over_for_every_callback(state: str, query: str) -> None:
    login = machine_in("awaiting_callback")
    login.handle(EARLY_ENDS[state])
    assert Playbook(login) >> callback(f"{query}&state={STATE}", 2) << AnyResponse(2, 410)
    # The listener stays for the pages of both.
    assert Playbook(login) >> ResponseSent(request_id=1) >> ResponseSent(request_id=2) << STOP_LINGER << CloseListener()
    assert login.state == state


# Cancelling


@pytest.mark.parametrize("state", ["exchanging_code", "exchanging_api_key"])
def test_cancelled_by_the_caller_during_a_token_request(state: str) -> None:
    login = machine_in(state)
    exchange_id = {"exchanging_code": 1, "exchanging_api_key": 2}[state]
    assert (
        Playbook(login)
        >> CancelRequested(reason="Ctrl-C")
        << cancelled("exchange_token", "Ctrl-C")
        << AbortTokenRequest(exchange_id=exchange_id)
        << AnyResponse(1, 410)
        << AnyAction(Finish)
        << START_LINGER
        >> answer(exchange_id)
        >> samples.no_answer(exchange_id=exchange_id)
        >> ResponseSent(request_id=1)
        << STOP_LINGER
        << CloseListener()
    )
    assert isinstance(login.outcome, LoginCancellation)
    assert (login.outcome.failure.step, login.outcome.failure.category) == ("exchange_token", "login_cancelled")
    assert login.outcome.failure.message == "Ctrl-C"


def test_cancelled_by_the_caller_while_waiting_for_the_browser() -> None:
    assert (
        Playbook(machine_in("awaiting_callback"))
        >> CancelRequested()
        << cancelled("wait_for_callback")
        << STOP_DEADLINE
        << AnyAction(Finish)
        << CloseListener()
        >> samples.DEADLINE
        >> callback()
    )


def test_cancelled_by_another_login_server() -> None:
    login = machine_in("awaiting_callback")
    assert (
        Playbook(login)
        >> get("/cancel", 5)
        << cancelled("wait_for_callback", "another sign-in on this machine took over")
        << AnyResponse(5, 200)
        << STOP_DEADLINE
        << AnyAction(Finish)
        << START_LINGER
        >> ResponseSent(request_id=5)
        << STOP_LINGER
        << CloseListener()
    )
    assert login.state is LoginState.CANCELLED


def test_the_response_to_another_login_server() -> None:
    actions = machine_in("awaiting_callback").handle(get("/cancel", 5))
    (told,) = [action for action in actions if isinstance(action, Respond)]
    assert told.body == b"Login cancelled"
    assert (b"Content-Type", b"text/plain; charset=utf-8") in told.headers


@pytest.mark.parametrize(
    "state",
    ["awaiting_callback", "exchanging_code", "exchanging_api_key", "saving_credentials", "succeeded", "failed"],
)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Referer": "https://evil.example/"},
        {"Cookie": "a=b"},
        {"Sec-Fetch-Mode": "navigate"},
        {"sec-fetch-site": "none"},
        {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"},
    ],
)
def test_a_web_page_cannot_cancel(state: str, headers: dict[str, str]) -> None:
    login = machine_in(state)
    assert Playbook(login) >> get("/cancel", 5, headers=headers) << AnyResponse(5, 403)
    assert login.state == state


@pytest.mark.parametrize("state", ["saving_credentials", "succeeded", "failed", "cancelled"])
def test_too_late_to_cancel(state: str) -> None:
    login = machine_in(state)
    assert Playbook(login) >> CancelRequested() >> get("/cancel", 5) << AnyResponse(5, 409)
    assert login.state == state


def test_a_login_that_could_not_be_cancelled_completes() -> None:
    login = machine_in("saving_credentials")
    samples.drive(login, CancelRequested(), get("/cancel", 5), CredentialsSaved())
    assert isinstance(login.outcome, LoginSuccess)


# Late answers


def test_answers_to_earlier_exchanges_are_dropped() -> None:
    login = machine_in("exchanging_api_key")
    assert Playbook(login) >> answer(1) >> samples.no_answer(exchange_id=1)
    login.handle(api_key_answer())
    assert Playbook(login) >> answer(1) >> api_key_answer() >> samples.no_answer(exchange_id=2)


def test_a_deadline_that_was_stopped_by_the_callback_is_dropped() -> None:
    assert Playbook(machine_in("exchanging_code")) >> samples.DEADLINE
