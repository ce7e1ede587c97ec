"""Traces as text."""

from __future__ import annotations

import json

import pytest

from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login import actions, events
from loginmachine.sansio.login.actions import RevokeToken
from loginmachine.sansio.login.events import BindProblem, CallbackPasted, Event, Started
from loginmachine.sansio.model.options import LoginMethod
from loginmachine.sansio.trace import read_trace, replay
from loginmachine.sansio.trace.story import action_words, event_words, outcome_words, tell

from ...traces.record import FOLDER


def story(name: str, until: int | None = None) -> list[str]:
    return tell(replay(read_trace((FOLDER / f"{name}.jsonl").read_bytes().splitlines())), until=until)


def test_a_story() -> None:
    assert story("login_cancelled_while_waiting") == [
        "    0.250 s the host starts the login  [started]",
        "            report binding",
        "            open port 1455, attempt 1",
        "            => binding",
        "    0.500 s port 1455 is open  [bound]",
        "            report listening",
        "            start the timer deadline: 600 s",
        "            report opening_browser",
        "            open the browser",
        "            => awaiting_callback",
        "    0.750 s a browser was launched  [browser_opened]",
        "            report browser_launched",
        "    1.000 s the host cancels: cancelled by the caller  [cancel_requested]",
        "            report cancelled",
        "            stop the timer deadline",
        "            finish: cancelled",
        "            close the listener",
        "            => cancelled",
        "The login was cancelled: login_cancelled - cancelled by the caller",
        "Advice for the person: Start it again when you are ready.",
    ]


def test_what_the_requests_are_about() -> None:
    lines = [line.strip() for line in story("succeeded_with_registration")]
    metadata = "https://id.example/.well-known/openid-configuration"
    told = [line for line in lines if "request for" in line or "registration" in line or "token request" in line]
    assert [line.partition(": status")[0] for line in told] == [
        f"send the request for the provider's metadata to {metadata}, within 15 s",
        "0.500 s the request for the provider's metadata is answered",
        "send the registration to https://id.example/register, within 30 s",
        "1.000 s the registration is answered",
        "store the registration",
        "=> saving_registration",
        "1.250 s the registration is stored  [registration_saved]",
        "send the request for the provider's keys to https://id.example/keys, within 15 s",
        "1.750 s the request for the provider's keys is answered",
        "send token request 4 to https://id.example/token, within 30 s",
        "2.250 s token request 4 is answered",
    ]
    assert "send the pushed request to https://id.example/par, within 15 s" in "\n".join(
        story("succeeded_with_pushed_request")
    )
    assert "abort the request for the provider's keys" in "\n".join(story("succeeded_with_late_keys"))
    assert "the request for the provider's metadata got no answer (timeout): no answer in time" in "\n".join(
        story("discovery_failed_timeout")
    )


def test_a_part_of_a_story() -> None:
    assert story("login_cancelled_while_waiting", until=1)[-2:] == ["            => binding", "(3 more events)"]
    assert story("login_cancelled_while_waiting", until=4) == story("login_cancelled_while_waiting")


def test_how_stories_end() -> None:
    assert story("succeeded")[-1] == "The login succeeded."
    assert story("unfinished")[-1] == "The trace stops while the login is exchanging code."
    assert story("persist_failed")[-2] == "The login failed: persist_failed - [...]: No space left on device"
    nothing = (FOLDER / "unfinished.jsonl").read_bytes().splitlines()[:1]
    result = replay(read_trace(nothing))
    assert result.states == ()
    assert tell(result) == ["The trace stops while the login is idle."]
    assert outcome_words(None) == ("unfinished", None)


def test_what_was_unexpected_or_too_late() -> None:
    assert story("unexpected")[4] == "    0.500 s the credentials are stored  [unexpected: a mistake of the host]"
    late = "    1.750 s token request 2 is answered: status 200, application/json, 678 bytes  [too late, dropped]"
    assert late in story("login_cancelled_while_exchanging_api_key")


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (
            events.BindFailed(kind=BindProblem.IN_USE, message="busy"),
            "the port could not be opened (in_use): busy",
        ),
        (events.PreviousCancelled(accepted=True), "the program that holds the port agrees to stop"),
        (events.PreviousCancelled(accepted=False), "the program that holds the port does not stop"),
        (events.TimerFired(timer=actions.Timer.DEADLINE), "the timer deadline runs out"),
        (events.BrowserFailed(message="none"), "no browser could be launched: none"),
        (events.ClientGone(request_id=3), "the client of request 3 has left"),
        (
            events.TokenRequestFailed(exchange_id=1, kind=TransportProblem.CONNECT, message="no route"),
            "token request 1 got no answer (connect): no route",
        ),
        (
            events.RequestReceived(request_id=1, method=b"GET", target=b"/a?b", headers=(), from_other_user=True),
            "request 1: GET /a by another user",
        ),
        (events.HttpsAttempted(), "a client begins a TLS handshake"),
        (events.SaveFailed(message="full"), "the credentials could not be stored: full"),
    ],
)
def test_events_in_words(event: Event, words: str) -> None:
    assert event_words(event) == words


@pytest.mark.parametrize(
    ("action", "words"),
    [
        (actions.Bind(port=0, attempt=1), "open any free port, attempt 1"),
        (actions.CancelPrevious(port=1455), "ask the program that holds port 1455 to stop"),
        (actions.AbortTokenRequest(exchange_id=2), "abort token request 2"),
        (actions.StopTimer(timer=actions.Timer.LINGER), "stop the timer linger"),
    ],
)
def test_actions_in_words(action: actions.Action, words: str) -> None:
    assert action_words(action) == words


def test_control_characters_are_not_shown() -> None:
    lines = (FOLDER / "unfinished.jsonl").read_bytes().splitlines()
    step = json.loads(lines[4])
    step["event"]["target"] = "/\x1b[2J\x9b31m"
    step["state"], step["actions"] = "idle", ["\x1b]0;x\x07\u202e"]
    result = replay(read_trace([*lines[:4], json.dumps(step).encode()]))
    assert "request 1: GET /\ufffd[2J\ufffd31m" in "\n".join(tell(result))
    assert result.difference is not None
    assert all(line.isascii() and line.isprintable() for line in result.difference.diff().splitlines())


def test_device_codes_pastes_and_revocations_in_words() -> None:
    assert event_words(Started()) == "the host starts the login"
    assert event_words(Started(method=LoginMethod.DEVICE_CODE)) == "the host starts the login with a device code"
    assert event_words(CallbackPasted(text="secret")) == "the person pastes an address"
    revoke = RevokeToken(url="https://id.example/revoke", form=(("token", "secret"),), timeout=5.0)
    assert action_words(revoke) == "revoke the old tokens at https://id.example/revoke, within 5 s"
