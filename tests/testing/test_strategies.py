"""The strategies generate values that the machine takes, and reach what they are for."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from hypothesis import Phase, given, settings

from loginmachine import LoginMachine, LoginOptions, LoginSecrets, Provider
from loginmachine.sansio import UnexpectedEvent
from loginmachine.sansio.login import events
from loginmachine.testing import strategies

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from loginmachine.sansio.base.http import HttpResponse

    Value = TypeVar("Value")

OPTIONS = LoginOptions(provider=Provider.codex(), port=0)
SECRETS = LoginSecrets(state="played-state", code_verifier="verifier", nonce="nonce")


def examples_of(strategy: SearchStrategy[Value], count: int) -> list[Value]:
    """The same values in each run."""
    found: list[Value] = []

    @settings(max_examples=count, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
    @given(value=strategy)
    def collect(value: Value) -> None:
        found.append(value)

    collect()
    return found


def listening() -> LoginMachine:
    machine = LoginMachine(OPTIONS, SECRETS)
    machine.handle(events.Started())
    machine.handle(events.Bound(port=50000))
    return machine


def exchanging() -> LoginMachine:
    machine = listening()
    target = b"/auth/callback?code=any&state=played-state"
    headers = ((b"Host", b"127.0.0.1:50000"),)
    machine.handle(events.RequestReceived(request_id=7, method=b"GET", target=target, headers=headers))
    return machine


def meaning(event: events.Event, machine: LoginMachine) -> str:
    machine.handle(event)
    return str(machine.last_trigger)


def test_any_history_is_taken_or_refused() -> None:
    for history in examples_of(strategies.login_histories(), 20):
        machine = LoginMachine(OPTIONS, SECRETS)
        for event in history:
            try:
                machine.handle(event)
            except UnexpectedEvent:
                assert machine.last_trigger is None


def test_callbacks_of_each_kind() -> None:
    found = {meaning(event, listening()) for event in examples_of(strategies.callbacks(), 250)}
    assert found >= {"callback_accepted", "callback_mismatched", "callback_denied", "callback_from_other_user"}
    assert found >= {"callback_without_code", "request_refused"}


def test_requests_of_each_kind() -> None:
    found = {meaning(event, listening()) for event in examples_of(strategies.requests(), 120)}
    assert found >= {"request_refused", "cancel_requested"}


def test_pasted_texts_of_each_kind() -> None:
    texts = examples_of(strategies.pasted_texts(), 50)
    found = {meaning(events.CallbackPasted(text=text), listening()) for text in texts}
    assert found >= {"callback_accepted", "paste_refused"}


def answered(answer: HttpResponse) -> str:
    return meaning(events.TokenResponseReceived(exchange_id=1, **answer.values()), exchanging())


def test_token_answers_of_each_kind() -> None:
    found = {answered(answer) for answer in examples_of(strategies.token_answers(), 100)}
    assert found >= {"token_endpoint_rejected", "token_response_malformed"}


def test_every_event_is_among_the_events() -> None:
    found = {type(event).__name__ for event in examples_of(strategies.login_events(), 200)}
    assert {each.__name__ for each in events.Event.__args__} - found == set()
