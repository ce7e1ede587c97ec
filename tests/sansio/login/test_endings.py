"""The last pages, browsers that leave, and when the listener closes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio import LoginFailureStep
from loginmachine.sansio.login.actions import CloseListener, Finish, Respond, StartTimer, StopTimer, Timer
from loginmachine.sansio.login.events import ClientGone, CredentialsSaved, ResponseSent
from loginmachine.sansio.login.progress import Cancelled, Succeeded

from .. import samples
from ..playbook import AnyAction, AnyProblem, AnyResponse, Playbook, reported
from ..samples import LINGER, SUCCESS, answer, api_key_answer, callback, get, machine_in

if TYPE_CHECKING:
    from loginmachine.sansio.login.actions import Action

SUCCEEDED = reported(Succeeded(account_id="acc-1", email="ada@example.org", plan="pro"))
START_LINGER = StartTimer(timer=Timer.LINGER, seconds=2.0)
STOP_LINGER = StopTimer(timer=Timer.LINGER)
STOP_DEADLINE = StopTimer(timer=Timer.DEADLINE)
REDIRECT_FAILED = AnyProblem("redirect_back", "redirect_failed", fatal=False)


def cancelled(phase: str, message: str = "cancelled by the caller") -> Action:
    return reported(Cancelled(step=LoginFailureStep(phase), message=message))


# The browser leaves


def test_a_browser_gone_while_waiting_is_reported_once_after_success() -> None:
    assert (
        Playbook(machine_in("saving_credentials"))
        >> ClientGone(request_id=1)
        >> CredentialsSaved()
        << SUCCEEDED
        << REDIRECT_FAILED
        << AnyAction(Finish)
        << START_LINGER
        >> callback(request_id=2)
        << AnyResponse(2, 302)
        >> ClientGone(request_id=2)
        >> LINGER
        << CloseListener()
    )


@pytest.mark.parametrize("state", ["exchanging_code", "exchanging_api_key", "saving_credentials"])
def test_a_browser_gone_while_waiting_gets_no_answer(state: str) -> None:
    login = machine_in(state)
    assert Playbook(login) >> ClientGone(request_id=1)
    steps = {"exchanging_code": 0, "exchanging_api_key": 1, "saving_credentials": 2}[state]
    actions = samples.drive(login, *(answer(), api_key_answer(), CredentialsSaved())[steps:])
    assert login.state == "succeeded"
    assert not any(isinstance(action, Respond) for action in actions)


def test_a_browser_gone_before_its_redirect_was_sent_is_reported_once() -> None:
    login = machine_in("saving_credentials")
    login.handle(callback(request_id=2))
    login.handle(CredentialsSaved())
    assert Playbook(login) >> ClientGone(request_id=1) << REDIRECT_FAILED >> ClientGone(request_id=2)


def test_one_of_two_browsers_gone_is_not_reported() -> None:
    assert (
        Playbook(machine_in("saving_credentials"))
        >> callback(request_id=2)
        >> ClientGone(request_id=1)
        >> CredentialsSaved()
        << SUCCEEDED
        << AnyResponse(2, 302)
        << AnyAction(Finish)
        << START_LINGER
    )


def test_a_browser_gone_while_waiting_does_not_disturb_the_login() -> None:
    login = machine_in("exchanging_code")
    assert Playbook(login) >> ClientGone(request_id=1) >> callback(request_id=2)
    samples.drive(login, answer(1), api_key_answer(), CredentialsSaved())
    assert login.state == "succeeded"


@pytest.mark.parametrize("state", ["exchanging_code", "exchanging_api_key", "saving_credentials"])
def test_a_second_tab_that_leaves_changes_nothing(state: str) -> None:
    login = machine_in(state)
    before = login.snapshot()
    # No token request is sent again, for this tab or for one that comes afterwards.
    assert Playbook(login) >> callback(request_id=2) >> ClientGone(request_id=2)
    assert login.snapshot() == before
    assert Playbook(login) >> callback(request_id=3) >> ClientGone(request_id=2)
    assert login.state == state


def test_a_failure_without_a_browser_closes_at_once() -> None:
    assert (
        Playbook(machine_in("exchanging_code"))
        >> ClientGone(request_id=1)
        >> samples.no_answer()
        << AnyProblem("exchange_token", "token_exchange_timeout", fatal=True)
        << AnyAction(Finish)
        << CloseListener()
    )


# The last pages


def test_two_tabs_both_get_their_success_page_before_the_listener_closes() -> None:
    login = machine_in("saving_credentials")
    assert (
        Playbook(login)
        >> callback(request_id=2)
        >> CredentialsSaved()
        << SUCCEEDED
        << AnyResponse(1, 302)
        << AnyResponse(2, 302)
        << AnyAction(Finish)
        << START_LINGER
        >> ResponseSent(request_id=1)
        >> get(SUCCESS, 3)
        << AnyResponse(3, 200)
        >> ResponseSent(request_id=3)
        >> ResponseSent(request_id=2)
        >> get(SUCCESS, 4)
        << AnyResponse(4, 200)
        >> ResponseSent(request_id=4)
        << STOP_LINGER
        << CloseListener()
        >> get(SUCCESS, 5)
        >> LINGER
    )


def test_the_listener_does_not_close_on_the_redirect_alone() -> None:
    assert Playbook(machine_in("succeeded")) >> ResponseSent(request_id=1) >> LINGER << CloseListener() >> LINGER


def test_a_success_page_that_did_not_arrive_is_waited_for_again() -> None:
    assert (
        Playbook(machine_in("succeeded"))
        >> ResponseSent(request_id=1)
        >> get(SUCCESS, 2)
        << AnyResponse(2, 200)
        >> ClientGone(request_id=2)
        >> get(SUCCESS, 3)
        << AnyResponse(3, 200)
        >> ResponseSent(request_id=3)
        << STOP_LINGER
        << CloseListener()
    )


def test_a_tab_that_left_is_not_waited_for() -> None:
    login = machine_in("saving_credentials")
    samples.drive(login, callback(request_id=2), CredentialsSaved(), ResponseSent(request_id=1), get(SUCCESS, 3))
    login.handle(ResponseSent(request_id=3))
    assert Playbook(login) >> ClientGone(request_id=2) << REDIRECT_FAILED << STOP_LINGER << CloseListener()


def test_after_failure_the_listener_closes_when_every_page_was_sent() -> None:
    assert (
        Playbook(machine_in("failed"))
        >> callback(request_id=2)
        << AnyResponse(2, 410)
        >> ResponseSent(request_id=1)
        >> ClientGone(request_id=2)
        << STOP_LINGER
        << CloseListener()
    )


def test_a_page_that_is_never_sent_does_not_hold_the_listener_open() -> None:
    assert Playbook(machine_in("failed")) >> LINGER << CloseListener()


def test_other_pages_are_not_waited_for() -> None:
    assert (
        Playbook(machine_in("failed"))
        >> get("/favicon.ico", 2)
        << AnyResponse(2, 404)
        >> ResponseSent(request_id=1)
        << STOP_LINGER
        << CloseListener()
        >> ResponseSent(request_id=2)
    )


def test_a_wrong_state_after_the_outcome_is_answered_but_not_reported() -> None:
    assert Playbook(machine_in("succeeded")) >> callback("code=c&state=other", 2) << AnyResponse(2, 400)
