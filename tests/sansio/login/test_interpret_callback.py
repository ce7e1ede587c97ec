"""What a request to the listener or a pasted address means: the trigger and the interpretation, stated by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio.callback.pasted import PasteProblem
from loginmachine.sansio.login.interpret_callback import describe_callback, interpret_paste, interpret_request
from loginmachine.sansio.login.interpretation import (
    AcceptedCallback,
    FromRequest,
    Interpretation,
    Problem,
    Refusal,
    RefusedCallback,
    RefusedPaste,
)
from loginmachine.sansio.login.progress import CallbackReceived
from loginmachine.sansio.login.states import Trigger

from ..samples import CODE, STATE, SUCCESS, by_other_user, callback, get, machine_in, request

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import RequestReceived

T = Trigger
URL = "http://127.0.0.1:1455/auth/callback"
THE_CALLBACK = f"code={CODE}&state={STATE}"
ANOTHER_CODE = f"code=other&state={STATE}"

CALLBACKS: dict[str, tuple[str, str, Interpretation]] = {
    "accepted": (
        "awaiting_callback",
        THE_CALLBACK,
        AcceptedCallback(trigger=T.CALLBACK_ACCEPTED, request_id=1, code=CODE),
    ),
    "denied": (
        "awaiting_callback",
        f"error=access_denied&state={STATE}",
        Problem(trigger=T.CALLBACK_DENIED, request_id=1, message="access_denied"),
    ),
    "of another issuer": (
        "awaiting_callback",
        f"{THE_CALLBACK}&iss=https://evil.example",
        Problem(
            trigger=T.CALLBACK_ISSUER_MISMATCHED,
            request_id=1,
            message="the callback names the issuer https://evil.example",
        ),
    ),
    "repeated": ("exchanging_code", THE_CALLBACK, FromRequest(trigger=T.CALLBACK_REPEATED, request_id=1)),
    "with another code": ("exchanging_code", ANOTHER_CODE, FromRequest(trigger=T.CALLBACK_CONFLICTED, request_id=1)),
    "repeated after the outcome": ("failed", THE_CALLBACK, FromRequest(trigger=T.CALLBACK_REPEATED, request_id=1)),
}
"""Callbacks that mean the same as a request and as a pasted address."""


@pytest.mark.parametrize(("state", "query", "meaning"), CALLBACKS.values(), ids=CALLBACKS)
def test_a_callback(state: str, query: str, meaning: FromRequest) -> None:
    login = machine_in(state)._login
    assert interpret_request(callback(query), login) == meaning
    assert interpret_paste(f"{URL}?{query}", login) == meaning.__replace__(request_id=None)


def test_a_callback_without_a_code() -> None:
    """As a pasted address it may have been cut off."""
    login = machine_in("awaiting_callback")._login
    query = f"code=&state={STATE}"
    assert interpret_request(callback(query), login) == Problem(
        trigger=T.CALLBACK_WITHOUT_CODE, request_id=1, message="the callback has neither a code nor an error"
    )
    assert interpret_paste(f"{URL}?{query}", login) == RefusedPaste(
        trigger=T.PASTE_REFUSED, problem=PasteProblem.INCOMPLETE
    )


@pytest.mark.parametrize("state", ["awaiting_callback", "exchanging_code", "succeeded"])
def test_a_callback_of_another_login(state: str) -> None:
    meaning = interpret_request(callback("code=c&state=other", 2), machine_in(state)._login)
    assert isinstance(meaning, RefusedCallback)
    assert (meaning.trigger, meaning.request_id, meaning.response.status) == (T.CALLBACK_MISMATCHED, 2, 400)
    assert meaning.message == "the callback does not carry this sign-in's state"


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (get("/favicon.ico"), 404),
        (request("/auth/callback", method=b"POST"), 405),
        (callback(f"code=a&code=b&state={STATE}"), 400),
        (request("/auth/callback", headers=((b"Host", b"evil.example"),)), 403),
    ],
)
def test_a_request_that_is_refused(event: RequestReceived, status: int) -> None:
    meaning = interpret_request(event, machine_in("awaiting_callback")._login)
    assert isinstance(meaning, Refusal)
    assert (meaning.trigger, meaning.request_id, meaning.response.status) == (T.REQUEST_REFUSED, 1, status)


def test_the_success_page() -> None:
    meaning = interpret_request(get(SUCCESS, 3), machine_in("succeeded")._login)
    assert meaning == FromRequest(trigger=T.SUCCESS_PAGE_REQUESTED, request_id=3)


def test_another_login_server_that_wants_the_port() -> None:
    assert interpret_request(get("/cancel"), machine_in("awaiting_callback")._login) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("hello", PasteProblem.NOT_AN_ADDRESS),
        ("https://example.org/", PasteProblem.OTHER_ADDRESS),
        (f"{URL}?code={CODE}&state={'o' * 43}", PasteProblem.OTHER_SIGN_IN),
    ],
)
def test_a_pasted_text_that_does_not_finish_the_login(text: str, problem: PasteProblem) -> None:
    meaning = interpret_paste(text, machine_in("awaiting_callback")._login)
    assert meaning == RefusedPaste(trigger=T.PASTE_REFUSED, problem=problem)


@pytest.mark.parametrize(
    ("event", "carried"),
    [
        (callback(f"error=access_denied&state={STATE}"), (False, True, True, True)),
        (callback(f"code={CODE}&error=e&state={STATE}"), (True, True, True, True)),
        (callback(f"state={STATE}"), (False, True, False, True)),
        (callback(f"code=&state={STATE}"), (False, True, False, True)),
        (callback(f"{THE_CALLBACK}&iss=https://evil.example"), (True, True, False, True)),
        (callback("code=canary&state=canary"), (True, True, False, False)),
        (callback("code=canary"), (True, False, False, False)),
        (callback("error=canary"), (False, False, True, False)),
        (callback(""), (False, False, False, False)),
        (by_other_user(callback()), (True, True, False, True)),
    ],
)
def test_what_a_callback_carried_that_is_not_accepted(
    event: RequestReceived, carried: tuple[bool, bool, bool, bool]
) -> None:
    login = machine_in("awaiting_callback")
    before = login.snapshot()
    phase = login.describe_callback(event)
    assert isinstance(phase, CallbackReceived)
    assert (phase.has_code, phase.has_state, phase.has_error, phase.state_valid) == carried
    assert (phase.accepted, phase.is_user_visible) == (False, False)
    assert "canary" not in f"{phase!r} {phase.text}"
    assert login.snapshot() == before


@pytest.mark.parametrize("state", ["exchanging_code", "exchanging_api_key", "saving_credentials"])
@pytest.mark.parametrize("query", [THE_CALLBACK, ANOTHER_CODE])
def test_a_callback_after_the_accepted_one_is_not_accepted(state: str, query: str) -> None:
    phase = machine_in(state).describe_callback(callback(query, 5))
    assert phase == CallbackReceived(accepted=False)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        ("awaiting_callback", callback()),
        ("awaiting_callback", get("/favicon.ico")),
        ("awaiting_callback", get("/cancel")),
        ("awaiting_callback", get("/cancel?/auth/callback")),
        ("awaiting_callback", get(SUCCESS)),
        ("awaiting_callback", request(f"/auth/callback?{THE_CALLBACK}", method=b"POST")),
        ("awaiting_callback", callback(f"code=a&code=b&state={STATE}")),
        ("succeeded", callback("", 5)),
        ("failed", callback("", 5)),
        ("cancelled", callback("", 5)),
        ("idle", callback()),
        ("polling_device_code", callback()),
    ],
)
def test_nothing_to_report(state: str, event: RequestReceived) -> None:
    """The machine itself reports the accepted callback. A request that is refused is none."""
    login = machine_in(state)
    assert login.describe_callback(event) is None
    assert describe_callback(event, login._login) is None
