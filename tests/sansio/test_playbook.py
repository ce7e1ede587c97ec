"""Stories that are not true fail, and the difference shows why."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import (
    Bind,
    Finish,
    ReportProgress,
    Respond,
    SaveCredentials,
    SendTokenRequest,
    StopTimer,
    Timer,
)
from loginmachine.sansio.login.events import Started
from loginmachine.sansio.login.progress import ApiKeyUnavailable, Binding, ExchangingApiKey, SavingCredentials

from .playbook import AnyAction, AnyProblem, AnyResponse, Playbook, reply, reported
from .samples import callback, get, machine, machine_in, no_answer

if TYPE_CHECKING:
    from .playbook import Expected

BINDING = reported(Binding(port=1455, attempt=1))
BIND = Bind(port=1455, attempt=1)


def test_a_true_story() -> None:
    assert Playbook(machine()) >> Started() << BINDING << BIND


@pytest.mark.parametrize(
    ("expected", "difference"),
    [
        ((BINDING,), "+    << Bind(port=1455, attempt=1)"),
        ((BINDING, BIND, BIND), "-    << Bind(port=1455, attempt=1)"),
        ((BIND, BINDING), "-    << ReportProgress(phase=Binding(port=1455, attempt=1))"),
        ((BINDING, Bind(port=1455, attempt=2)), "-    << Bind(port=1455, attempt=2)"),
        ((BINDING, AnyAction(Finish)), "-    << AnyAction(type="),
        ((BINDING, AnyResponse(1, 200)), "-    << AnyResponse(request_id=1, status=200)"),
        ((AnyProblem("open_browser", "other", fatal=True), BIND), "-    << AnyProblem(step='open_browser'"),
    ],
)
def test_a_story_that_is_not_true(expected: tuple[Expected, ...], difference: str) -> None:
    story = Playbook(machine()) >> Started()
    for action in expected:
        story << action
    with pytest.raises(AssertionError) as caught:
        bool(story)
    assert difference in str(caught.value)


@pytest.mark.parametrize(
    "expected",
    [
        (AnyResponse(1, 404), True),
        (AnyResponse(2, 404), False),
        (AnyResponse(1, 200), False),
        (AnyAction(Respond), True),
        (AnyAction(Finish), False),
        (AnyProblem("open_browser", "other", fatal=True), False),
    ],
)
def test_placeholders_for_a_response(expected: tuple[Expected, bool]) -> None:
    action, matches = expected
    story = Playbook(machine_in("awaiting_callback")) >> get("/favicon.ico") << action
    if matches:
        assert story
    else:
        with pytest.raises(AssertionError):
            bool(story)


@pytest.mark.parametrize(
    ("step", "category", "fatal", "matches"),
    [
        ("exchange_token", "token_exchange_timeout", True, True),
        ("persist_credentials", "token_exchange_timeout", True, False),
        ("exchange_token", "token_exchange_connect", True, False),
        ("exchange_token", "token_exchange_timeout", False, False),
    ],
)
def test_a_placeholder_for_a_problem(step: str, category: str, *, fatal: bool, matches: bool) -> None:
    report = machine_in("exchanging_code").handle(no_answer())[0]
    assert AnyProblem(step, category, fatal).matches(report) is matches


def test_a_difference_in_a_hidden_field_is_shown() -> None:
    request = machine_in("awaiting_callback").handle(callback())[-1]
    assert isinstance(request, SendTokenRequest)
    other = request.__replace__(form=(*request.form, ("x", "y")))
    story = Playbook(machine_in("awaiting_callback")) >> callback()
    for action in (*machine_in("awaiting_callback").handle(callback())[:-1], other):
        story << action
    with pytest.raises(AssertionError, match="'x', 'y'"):
        bool(story)


def test_a_reply_has_the_number_of_the_last_token_request() -> None:
    assert (
        Playbook(machine_in("awaiting_callback"))
        >> callback()
        << StopTimer(timer=Timer.DEADLINE)
        << AnyAction(ReportProgress)
        << AnyAction(ReportProgress)
        << AnyAction(SendTokenRequest)
        >> reply()
        << reported(ExchangingApiKey())
        << AnyAction(SendTokenRequest)
        >> reply(no_answer, kind=TransportProblem.CONNECT, message="no route")
        << reported(ApiKeyUnavailable(message="https://auth.openai.com/oauth/token: no route"))
        << reported(SavingCredentials())
        << AnyAction(SaveCredentials)
    )


def test_a_reply_needs_a_token_request_in_the_story() -> None:
    story = Playbook(machine_in("exchanging_code")) >> reply()
    with pytest.raises(AssertionError, match="no token request"):
        bool(story)
