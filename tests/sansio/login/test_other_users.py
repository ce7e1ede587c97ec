"""Callbacks that another user of the machine sends, and browsers that insist on https."""

from __future__ import annotations

import pytest

from loginmachine.sansio.callback.requests import MAX_PARAMETERS
from loginmachine.sansio.login.actions import ReportProgress, Respond
from loginmachine.sansio.login.events import BrowserOpened, CredentialsSaved, HttpsAttempted, ResponseSent
from loginmachine.sansio.login.progress import BrowserLaunched, Failed, HttpsRefused

from .. import samples
from ..playbook import AnyProblem, AnyResponse, Playbook, reported
from ..samples import CODE, OPTIONS, STATE, answer, by_other_user, callback, get, machine_in

REPORT = AnyProblem("validate_callback", "callback_from_other_user", fatal=False)
ANY_USER = OPTIONS.__replace__(any_user=True)
HTTPS = reported(HttpsRefused())


def test_another_users_callback_is_refused_and_reported_once() -> None:
    login = machine_in("awaiting_callback")
    assert (
        Playbook(login)
        >> by_other_user(callback(request_id=1))
        << REPORT
        << AnyResponse(1, 403)
        >> by_other_user(callback(f"code=other&state={STATE}", 2))
        << AnyResponse(2, 403)
    )
    assert login.state == "awaiting_callback"
    samples.drive(login, callback(request_id=3), answer(1), samples.api_key_answer(), CredentialsSaved())
    assert login.state == "succeeded"


@pytest.mark.parametrize(
    "query", [f"error=access_denied&state={STATE}", f"state={STATE}", f"code=c&state={STATE}&iss=https://evil.example"]
)
def test_another_users_callback_ends_no_login(query: str) -> None:
    login = machine_in("awaiting_callback")
    assert Playbook(login) >> by_other_user(callback(query)) << REPORT << AnyResponse(1, 403)
    assert login.state == "awaiting_callback"


@pytest.mark.parametrize("state", ["exchanging_code", "exchanging_api_key", "saving_credentials"])
def test_another_user_cannot_wait_for_the_outcome(state: str) -> None:
    login = machine_in(state)
    assert Playbook(login) >> by_other_user(callback(request_id=7)) << REPORT << AnyResponse(7, 403)
    assert login.snapshot().data["waiting"] == (1,)
    assert Playbook(login) >> by_other_user(callback(request_id=8)) << AnyResponse(8, 403)
    assert login.state == state


@pytest.mark.parametrize("state", ["awaiting_callback", "exchanging_code", "exchanging_api_key", "saving_credentials"])
def test_each_kind_of_stranger_is_reported_once(state: str) -> None:
    mismatch = AnyProblem("validate_callback", "callback_state_mismatch", fatal=False)
    for first, second in ((True, False), (False, True)):
        login = machine_in(state)
        story = Playbook(login)
        for request_id, is_foreign in enumerate((first, second, first, second), 10):
            event = by_other_user(callback(request_id=request_id))
            story >>= event if is_foreign else callback("code=c&state=other", request_id)
            if request_id < 12:
                story <<= REPORT if is_foreign else mismatch
            story <<= AnyResponse(request_id, 403 if is_foreign else 400)
        assert story
        assert login.state == state


@pytest.mark.parametrize("state", ["awaiting_callback", "exchanging_code", "exchanging_api_key", "saving_credentials"])
def test_a_browser_that_opens_late_is_reported_as_opened(state: str) -> None:
    assert Playbook(machine_in(state)) >> BrowserOpened() << reported(BrowserLaunched()) >> HttpsAttempted() << HTTPS


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_another_user_is_not_told_the_outcome(state: str) -> None:
    login = machine_in(state)
    before = login.snapshot()
    assert Playbook(login) >> by_other_user(callback(request_id=7)) << AnyResponse(7, 403)
    assert login.snapshot() == before


def test_the_page_says_what_to_do_and_holds_no_secret() -> None:
    actions = machine_in("awaiting_callback").handle(by_other_user(callback()))
    report, page = actions
    assert isinstance(report, ReportProgress)
    assert isinstance(report.phase, Failed)
    assert report.phase.message == "a program of another user on this machine, or one that left at once, sent it"
    assert isinstance(page, Respond)
    assert b"--any-user" in page.body
    assert b"callback_from_other_user" in page.body
    for secret in (STATE, CODE):
        assert secret not in samples.everything_in(report) + page.body.decode()


def test_any_user_may_be_allowed() -> None:
    login = machine_in("awaiting_callback", ANY_USER)
    login.handle(by_other_user(callback()))
    assert login.state == "exchanging_code"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (callback("code=c&state=other"), 400),
        (callback(f"code=c&code=d&state={STATE}"), 400),
        (get("/favicon.ico"), 404),
        (get("/cancel", headers={"Origin": "https://evil.example"}), 403),
    ],
)
def test_other_requests_of_another_user_are_answered_as_anyones(request_: object, status: int) -> None:
    login = machine_in("awaiting_callback")
    (response,) = [each for each in login.handle(by_other_user(request_)) if isinstance(each, Respond)]  # type: ignore[arg-type]
    assert response.status == status
    assert login.snapshot().data["other_user_reported"] is False


@pytest.mark.parametrize(
    ("target", "is_asked"),
    [
        (f"/auth/callback?code=c&state={STATE}", True),
        (f"/auth/callback?state={STATE}", True),
        (f"http://127.0.0.1:1455/auth/callback?code=c&state={STATE}", True),
        ("/auth/callback?code=c&state=" + "".join(f"%{ord(letter):02x}" for letter in STATE), True),
        (f"/auth/callback?code=c&st%61te={STATE}", True),
        (f"/auth/callback?code=c&state={STATE}x", False),
        ("/auth/callback?code=c", False),
        ("/auth/callback", False),
        ("/favicon.ico", False),
        (f"/auth/callback?state={STATE}&state={STATE}", False),
        (f"/auth/callback?{'a&' * MAX_PARAMETERS}state={STATE}", False),
    ],
)
def test_the_sender_matters_only_for_callbacks_with_the_state(target: str, *, is_asked: bool) -> None:
    assert machine_in("awaiting_callback").asks_for_sender(target.encode()) is is_asked
    assert machine_in("awaiting_callback", ANY_USER).asks_for_sender(target.encode()) is False


@pytest.mark.parametrize("state", ["awaiting_callback", "exchanging_code", "exchanging_api_key", "saving_credentials"])
def test_https_is_reported_once(state: str) -> None:
    login = machine_in(state)
    assert Playbook(login) >> HttpsAttempted() << HTTPS >> HttpsAttempted()
    assert login.state == state


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_https_after_the_outcome_is_ignored(state: str) -> None:
    login = machine_in(state)
    assert login.handle(HttpsAttempted()) == []
    assert login.last_trigger is None


def test_after_the_refusal_the_listener_closes_as_usual() -> None:
    login = machine_in("failed")
    login.handle(by_other_user(callback(request_id=7)))
    login.handle(ResponseSent(request_id=7))
    assert not login.snapshot().data["closed"]
    login.handle(ResponseSent(request_id=1))
    assert login.snapshot().data["closed"]
