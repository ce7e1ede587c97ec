"""Every event in every state of a login at a provider with metadata: the new state and the actions, written by hand.

`login.test_machine` has the other states, and explains the cells.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.callback.pasted import PasteProblem
from loginmachine.sansio.login.events import (
    BrowserFailed,
    BrowserOpened,
    CancelRequested,
    ClientGone,
    CredentialsSaved,
    HttpsAttempted,
    PreviousCancelled,
    RegistrationSaved,
    RegistrationSaveFailed,
    ResponseSent,
    SaveFailed,
    Started,
)
from loginmachine.sansio.login.progress import BrowserLaunched, HttpsRefused, PasteRefused

from ... import samples
from ...playbook import AnyProblem, AnyResponse, Playbook, reported
from ...samples import OPTIONS, STATE, answer, callback, drive, get, no_answer
from ...server_samples import (
    BOUND,
    CALLBACK,
    KEYS_URL,
    KNOWN,
    OPENID,
    REGISTERING,
    RESOURCE,
    SERVER_PATHS,
    device_code,
    keys,
    metadata,
    other_keys,
    pushed,
    registered,
    resource_metadata,
    server_machine,
    server_machine_in,
    signed,
    tokens,
)
from ..test_machine import DROPPED, MOZILLA, RAISES, seen

if TYPE_CHECKING:
    from loginmachine.sansio import LoginOptions
    from loginmachine.sansio.login.events import Event

STATES = (
    *("discovering_resource", "discovering_resource with a device code"),
    *("discovering", "registering", "saving_registration", "pushing_request"),
    *("awaiting_callback", "exchanging_code", "fetching_keys"),
    *("discovering with a device code", "registering with a device code", "polling_device_code"),
)
ARRANGING = ("registering", "saving_registration", "pushing_request")
"""The port is open, and the address for the person is not known yet."""
BUSY = ("exchanging_code", "fetching_keys")
LAST = {
    **dict.fromkeys(("discovering", "discovering with a device code"), 1),
    **dict.fromkeys(("discovering_resource", "discovering_resource with a device code"), 1),
    **dict.fromkeys(("registering", "pushing_request", "registering with a device code"), 2),
    **dict.fromkeys(("awaiting_callback", "saving_registration", "polling_device_code"), 2),
    "exchanging_code": 3,
    "fetching_keys": 4,
}
"""The number of the last request. In `saving_registration` and `polling_device_code` it is answered."""

EVENTS: dict[str, Event] = {
    "started": Started(),
    "started with a device code": samples.STARTED_WITH_DEVICE_CODE,
    "bound": BOUND,
    "port in use": samples.IN_USE,
    "previous gives way": PreviousCancelled(accepted=True),
    "retry due": samples.RETRY,
    "deadline": samples.DEADLINE,
    "linger over": samples.LINGER,
    "poll due": samples.POLL_DUE,
    "browser opened": BrowserOpened(),
    "browser failed": BrowserFailed(message="no display"),
    "the callback": callback(request_id=7, port=50000),
    "a callback with another code": callback(f"code=other&state={STATE}", 7, port=50000),
    "a callback with another state": callback("code=other&state=other", 7, port=50000),
    "a callback with an error": callback(f"error=access_denied&state={STATE}", 7, port=50000),
    "a callback without code": callback(f"state={STATE}", 7, port=50000),
    "a callback of another issuer": callback(f"code=c&state={STATE}&iss=https://evil.example", 7, port=50000),
    "the callback by another user": samples.by_other_user(callback(request_id=7, port=50000)),
    "a TLS handshake": HttpsAttempted(),
    "the pasted callback": samples.pasted(port=50000),
    "the pasted callback of another sign-in": samples.pasted("code=other&state=other", port=50000),
    "the success page": get(samples.SUCCESS, 7, port=50000),
    "cancel by a login server": get("/cancel", 7, port=50000),
    "cancel by a web page": get("/cancel", 7, port=50000, headers=MOZILLA),
    "a favicon": get("/favicon.ico", 7, port=50000),
    "request 1 answered": ResponseSent(request_id=1),
    "request 1 gone": ClientGone(request_id=1),
    "registration saved": RegistrationSaved(),
    "registration not saved": RegistrationSaveFailed(message="disk full"),
    "saved": CredentialsSaved(),
    "not saved": SaveFailed(message="disk full"),
    "cancelled by the caller": CancelRequested(),
}


def row(**cells: str) -> dict[str, str]:
    return {state: cells.get(state, RAISES) for state in STATES}


def arranging(cell: str, awaiting: str, busy: str) -> dict[str, str]:
    """Return the row of something that arrives at the listener."""
    return row(**{**dict.fromkeys(ARRANGING, cell), "awaiting_callback": awaiting, **dict.fromkeys(BUSY, busy)})


ACCEPTED = "exchanging_code: stop progress progress abort send"
CANCELLED_BUSY = "cancelled: progress respond 200 abort respond 410 finish start"
EXPECTED: dict[str, dict[str, str]] = {
    "started": row(),
    "started with a device code": row(),
    "bound": row(),
    "port in use": row(),
    "previous gives way": row(),
    "retry due": row(),
    "deadline": row(
        awaiting_callback="failed: progress abort finish close", exchanging_code=DROPPED, fetching_keys=DROPPED
    ),
    "linger over": row(),
    "poll due": row(polling_device_code="stays: send"),
    "browser opened": arranging(RAISES, "stays: progress", "stays: progress"),
    "browser failed": arranging(RAISES, "stays: progress", "stays: progress"),
    "the callback": arranging("stays: respond 404", ACCEPTED, "stays:"),
    "a callback with another code": arranging("stays: respond 404", ACCEPTED, "stays: respond 409"),
    "a callback with another state": arranging(*("stays: progress respond 400",) * 3),
    "a callback with an error": arranging(
        "stays: respond 404", "failed: progress stop abort respond 403 finish start", "stays: respond 409"
    ),
    "a callback without code": arranging(
        "stays: respond 404", "failed: progress stop abort respond 400 finish start", "stays: respond 409"
    ),
    "a callback of another issuer": arranging(
        "stays: respond 404", "failed: progress stop abort respond 400 finish start", "stays: respond 409"
    ),
    "the callback by another user": arranging(*("stays: progress respond 403",) * 3),
    "a TLS handshake": arranging(*("stays: progress",) * 3),
    "the pasted callback": arranging(RAISES, ACCEPTED, DROPPED),
    "the pasted callback of another sign-in": arranging(RAISES, "stays: progress", "stays: progress"),
    "the success page": arranging(*("stays: respond 404",) * 3),
    "cancel by a login server": row(
        registering="cancelled: progress respond 200 abort finish start",
        saving_registration="cancelled: progress respond 200 finish start",
        pushing_request="cancelled: progress respond 200 abort finish start",
        awaiting_callback="cancelled: progress respond 200 stop abort finish start",
        exchanging_code=CANCELLED_BUSY,
        fetching_keys=CANCELLED_BUSY,
    ),
    "cancel by a web page": arranging(*("stays: respond 403",) * 3),
    "a favicon": arranging(*("stays: respond 404",) * 3),
    "request 1 answered": {state: RAISES if state in BUSY else DROPPED for state in STATES},
    "request 1 gone": {state: "stays:" if state in BUSY else DROPPED for state in STATES},
    "registration saved": row(saving_registration="awaiting_callback: progress start progress browser send"),
    "registration not saved": row(saving_registration="failed: progress finish close"),
    "saved": row(),
    "not saved": row(),
    "cancelled by the caller": {
        **dict.fromkeys(STATES, "cancelled: progress abort finish close"),
        "saving_registration": "cancelled: progress finish close",
        "awaiting_callback": "cancelled: progress stop abort finish close",
        **dict.fromkeys(BUSY, "cancelled: progress abort respond 410 finish start"),
        "polling_device_code": "cancelled: progress stop stop finish close",
    },
}


def test_the_table_has_every_event_and_state() -> None:
    assert EXPECTED.keys() == EVENTS.keys()
    assert all(set(cells) == set(STATES) <= set(SERVER_PATHS) for cells in EXPECTED.values())


@pytest.mark.parametrize(
    ("state", "event", "expected"),
    [pytest.param(s, e, cell, id=f"{s}-{e}") for e, cells in EXPECTED.items() for s, cell in cells.items()],
)
def test_every_state_times_every_event(state: str, event: str, expected: str) -> None:
    assert seen(server_machine_in(state), EVENTS[event]) == expected


FAILS = "failed: progress finish close"
FAILS_IN_BROWSER = "failed: progress respond 502 finish start"
RESPONSES: dict[tuple[str, str], tuple[Event, str]] = {
    ("discovering_resource", "metadata"): (resource_metadata(), "discovering: progress send"),
    ("discovering_resource", "no metadata here"): (answer(1, 404), "stays: progress send"),
    ("discovering_resource", "metadata of the provider"): (metadata(), FAILS),
    ("discovering_resource", "a problem of the server"): (answer(1, 503), FAILS),
    ("discovering_resource with a device code", "metadata"): (resource_metadata(), "discovering: progress send"),
    ("discovering", "metadata"): (metadata(), "binding: progress bind"),
    ("discovering", "no metadata here"): (answer(1, 404), "stays: progress send"),
    ("discovering", "metadata of another issuer"): (metadata(issuer="https://evil.example"), FAILS),
    ("discovering", "a refusal"): (answer(1, 400, b'{"error": "e"}'), FAILS),
    ("discovering with a device code", "metadata"): (metadata(), "requesting_device_code: progress send"),
    ("discovering with a device code", "metadata without device codes"): (
        metadata(device_authorization_endpoint=None),
        FAILS,
    ),
    ("registering", "a client"): (registered(), "saving_registration: keep"),
    ("registering", "a refusal"): (answer(2, 400, b'{"error": "invalid_client_metadata"}'), FAILS),
    ("registering", "tokens"): (tokens(2), FAILS),
    ("registering with a device code", "a client"): (registered(), "saving_registration: keep"),
    ("pushing_request", "a reference"): (
        pushed(),
        "awaiting_callback: progress start progress browser send",
    ),
    ("pushing_request", "a refusal"): (answer(2, 400, b'{"error": "invalid_request"}'), FAILS),
    ("awaiting_callback", "keys"): (keys(), "stays:"),
    ("awaiting_callback", "no keys"): (answer(2, 503), "stays: progress"),
    ("awaiting_callback", "tokens"): (tokens(2), "stays: progress"),
    ("exchanging_code", "tokens"): (tokens(3), "fetching_keys: progress send"),
    ("exchanging_code", "tokens of another issuer"): (tokens(3, signed(iss="https://evil.example")), FAILS_IN_BROWSER),
    ("exchanging_code", "a refusal"): (answer(3, 400, b'{"error": "invalid_grant"}'), FAILS_IN_BROWSER),
    ("exchanging_code", "late keys"): (keys(2), DROPPED),
    ("exchanging_code", "no late keys"): (no_answer(exchange_id=2), DROPPED),
    ("fetching_keys", "keys"): (keys(4), "saving_credentials: progress save"),
    ("fetching_keys", "other keys"): (other_keys(4), FAILS_IN_BROWSER),
    ("fetching_keys", "no keys"): (answer(4, 503), FAILS_IN_BROWSER),
    ("fetching_keys", "late tokens"): (tokens(3), DROPPED),
    ("polling_device_code", "late metadata"): (metadata(), DROPPED),
    ("saving_registration", "a second client"): (registered(), DROPPED),
}


@pytest.mark.parametrize(("state", "what"), RESPONSES)
def test_a_response_in_each_state(state: str, what: str) -> None:
    event, expected = RESPONSES[state, what]
    assert seen(server_machine_in(state), event) == expected


FALLBACK = OPENID.__replace__(device_code_fallback=True)
REQUIRING = metadata(require_pushed_authorization_requests=True)
NO_CODES = metadata(device_authorization_endpoint=None)
DEVICE = samples.STARTED_WITH_DEVICE_CODE
KEYS = OPTIONS.__replace__(
    provider=OPTIONS.provider.__replace__(jwks_uri=KEYS_URL, id_token_signing_alg_values_supported=("ES256",))
)
CODEX_TOKENS = answer(
    2, body=samples.token_json(id_token=signed(iss="https://auth.openai.com", aud=OPTIONS.provider.client_id))
)
_TO_POLL: tuple[Event, ...] = (DEVICE, metadata(), device_code(), samples.POLL_DUE)
_NEEDS = {"required_scopes": ("repo",)}
PATHS: dict[str, tuple[LoginOptions, tuple[Event, ...], Event, str]] = {
    "the resource's metadata is needed": (RESOURCE, (), Started(), "discovering_resource: progress send"),
    "the resource's metadata is needed for a device code": (
        RESOURCE,
        (),
        DEVICE,
        "discovering_resource: progress send",
    ),
    "the resource has no metadata": (
        RESOURCE,
        (Started(), answer(1, 404)),
        answer(2, 404),
        "discovering: progress send",
    ),
    "the provider that the resource names": (
        RESOURCE,
        (Started(), resource_metadata()),
        metadata(2),
        "binding: progress bind",
    ),
    "the provider that the resource names, with a device code": (
        RESOURCE,
        (DEVICE, resource_metadata()),
        metadata(2),
        "registering: progress send",
    ),
    "metadata is needed": (OPENID, (), Started(), "discovering: progress send"),
    "metadata is needed for a device code": (OPENID, (), DEVICE, "discovering: progress send"),
    "a client is needed for a device code": (KNOWN, (), DEVICE, "registering: progress send"),
    "metadata for a client with device codes": (REGISTERING, (DEVICE,), metadata(), "registering: progress send"),
    "the browser instead of a device code": (FALLBACK, (DEVICE,), NO_CODES, "binding: progress progress bind"),
    "the port for a client": (REGISTERING, (Started(), metadata()), BOUND, "registering: progress send"),
    "the port for a pushed request": (OPENID, (Started(), REQUIRING), BOUND, "pushing_request: progress send"),
    "the port": (OPENID, (Started(), metadata()), BOUND, "awaiting_callback: progress start progress browser send"),
    "a client with device codes": (
        REGISTERING,
        (DEVICE, metadata(), registered()),
        RegistrationSaved(),
        "requesting_device_code: progress send",
    ),
    "a client and a pushed request": (
        REGISTERING,
        (Started(), REQUIRING, BOUND, registered()),
        RegistrationSaved(),
        "pushing_request: progress send",
    ),
    "a client with device codes, where requests are pushed": (
        REGISTERING,
        (DEVICE, REQUIRING, registered()),
        RegistrationSaved(),
        "requesting_device_code: progress send",
    ),
    "a device code was used": (OPENID, _TO_POLL, tokens(3), "fetching_keys: stop progress send"),
    "keys for a device code": (OPENID, (*_TO_POLL, tokens(3)), keys(4), "saving_credentials: progress save"),
    "a scope is missing with a device code": (
        OPENID.__replace__(scopes=(), **_NEEDS),
        _TO_POLL,
        tokens(3, None, scope="other"),
        "failed: progress stop finish close",
    ),
    "a scope is missing": (
        OPENID.__replace__(**_NEEDS),
        (Started(), metadata(), BOUND, keys(), CALLBACK),
        tokens(3, scope="openid"),
        FAILS_IN_BROWSER.replace("502", "403"),
    ),
    "a scope is missing after the keys": (
        OPENID.__replace__(**_NEEDS),
        (Started(), metadata(), BOUND, CALLBACK, tokens(3, scope="openid")),
        keys(4),
        FAILS_IN_BROWSER.replace("502", "403"),
    ),
    "a workspace after the keys": (
        OPENID.__replace__(allowed_workspaces=("acc-1",)),
        (Started(), metadata(), BOUND, CALLBACK, tokens(3)),
        keys(4),
        FAILS_IN_BROWSER.replace("502", "403"),
    ),
    "keys, and then an API key": (
        KEYS,
        (Started(), BOUND.__replace__(port=1455), callback(), CODEX_TOKENS),
        keys(3),
        "exchanging_api_key: progress send",
    ),
    "keys for tokens": (
        OPENID,
        (Started(), metadata(), BOUND, CALLBACK, tokens(3)),
        keys(4),
        "saving_credentials: progress save",
    ),
}


@pytest.mark.parametrize("what", PATHS)
def test_the_state_after_each_way_through_the_table(what: str) -> None:
    options, before, event, expected = PATHS[what]
    login = server_machine(options)
    drive(login, *before)
    assert seen(login, event) == expected


@pytest.mark.parametrize("state", [*ARRANGING, "fetching_keys"])
def test_what_is_reported_of_a_stranger(state: str) -> None:
    assert (
        Playbook(server_machine_in(state))
        >> EVENTS["a callback with another state"]
        << AnyProblem("validate_callback", "callback_state_mismatch", fatal=False)
        << AnyResponse(7, 400)
        >> samples.by_other_user(callback(request_id=8, port=50000))
        << AnyProblem("validate_callback", "callback_from_other_user", fatal=False)
        << AnyResponse(8, 403)
        >> HttpsAttempted()
        << reported(HttpsRefused())
        >> HttpsAttempted()
    )


def test_what_is_reported_while_the_keys_are_fetched() -> None:
    uri = "http://127.0.0.1:50000/auth/callback"
    assert (
        Playbook(server_machine_in("fetching_keys"))
        >> BrowserOpened()
        << reported(BrowserLaunched())
        >> BrowserFailed(message="no display")
        << AnyProblem("open_browser", "browser_launch_failed", fatal=False)
        >> samples.pasted(f"code=other&state={STATE[:-1]}x", port=50000)
        << reported(PasteRefused(problem=PasteProblem.OTHER_SIGN_IN, redirect_uri=uri))
        >> samples.pasted(f"code=other&state={STATE}", port=50000)
        << reported(PasteRefused(problem=PasteProblem.ALREADY_ANSWERED, redirect_uri=uri))
        >> get("/favicon.ico", 7, port=50000)
        << AnyResponse(7, 404)
    )


@pytest.mark.parametrize("kind", TransportProblem)
@pytest.mark.parametrize("state", STATES)
def test_no_response_in_each_state(state: str, kind: TransportProblem) -> None:
    expected = {
        **dict.fromkeys(STATES, FAILS),
        **dict.fromkeys(("saving_registration", "polling_device_code"), DROPPED),
        "awaiting_callback": "stays: progress",
        "exchanging_code": FAILS_IN_BROWSER.replace("502", "504") if kind == "timeout" else FAILS_IN_BROWSER,
        "fetching_keys": FAILS_IN_BROWSER,
    }
    assert seen(server_machine_in(state), no_answer(kind, LAST[state])) == expected[state]


@pytest.mark.parametrize("state", STATES)
def test_the_answer_to_a_request_that_was_never_sent_is_a_mistake(state: str) -> None:
    for event in (metadata(9), no_answer(exchange_id=9), metadata(0)):
        assert seen(server_machine_in(state), event) == RAISES


@pytest.mark.parametrize("state", STATES)
def test_an_answer_after_the_login_was_cancelled_changes_nothing(state: str) -> None:
    for event in (metadata(), *map(RESPONDING.get, STATES)):
        login = server_machine_in(state)
        login.handle(CancelRequested())
        assert event is not None
        assert seen(login, event) == DROPPED


RESPONDING = {state: metadata(number) for state, number in LAST.items()}


@pytest.mark.parametrize(
    ("state", "step"),
    [
        ("discovering", "read_metadata"),
        ("discovering with a device code", "read_metadata"),
        ("registering", "register_client"),
        ("saving_registration", "register_client"),
        ("pushing_request", "push_request"),
        ("awaiting_callback", "wait_for_callback"),
        ("exchanging_code", "exchange_token"),
        ("fetching_keys", "fetch_keys"),
    ],
)
def test_a_cancellation_names_the_step(state: str, step: str) -> None:
    login = server_machine_in(state)
    login.handle(CancelRequested(reason="enough"))
    assert login.outcome is not None
    failure = login.outcome.failure  # type: ignore[union-attr]
    assert (failure.step, failure.category, failure.message) == (step, "login_cancelled", "enough")


@pytest.mark.parametrize("state", STATES)
def test_the_address_is_known_once_the_login_waits_for_the_browser(state: str) -> None:
    login = server_machine_in(state)
    known = state in ("awaiting_callback", *BUSY)
    assert (login.auth_url is not None, login.port) == (known, 50000 if known else None)


@pytest.mark.parametrize("state", ["discovering", "discovering with a device code"])
def test_no_metadata_at_the_second_address(state: str) -> None:
    login = server_machine_in(state)
    login.handle(answer(1, 404))
    assert seen(login, answer(2, 404)) == FAILS


def test_no_metadata_with_the_browser_to_fall_back_on() -> None:
    """The fallback is for a provider without device codes, not for one without metadata."""
    login = server_machine_in("discovering with a device code", device_code_fallback=True)
    login.handle(answer(1, 404))
    assert seen(login, answer(2, 404)) == FAILS


def test_after_the_tokens_have_come_the_keys_cannot_be_late() -> None:
    login = server_machine_in("awaiting_callback")
    login.handle(CALLBACK)
    assert seen(login, keys(2)) == DROPPED


def test_a_registration_that_is_saved_too_late_changes_nothing() -> None:
    for event in (RegistrationSaved(), RegistrationSaveFailed(message="full")):
        login = server_machine_in("saving_registration")
        login.handle(CancelRequested())
        assert seen(login, event) == DROPPED
