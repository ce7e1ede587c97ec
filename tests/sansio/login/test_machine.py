"""Every event in every state: the new state and the actions, written by hand from docs/design/machine.md.

`server.test_cells` has the states of a login at a provider with metadata.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio import LoginMachine, LoginState, UnexpectedEvent
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import Respond
from loginmachine.sansio.login.events import (
    BindProblem,
    Bound,
    BrowserFailed,
    BrowserOpened,
    CallbackArrived,
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

from .. import samples
from ..samples import PATHS, STATE, SUCCESS, answer, callback, get, machine_in

if TYPE_CHECKING:
    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.events import Event

BEFORE_BOUND = (
    *("idle", "requesting_device_code", "polling_device_code"),
    *("binding", "cancelling_previous", "backing_off"),
)
WITH_CODE = ("exchanging_code", "exchanging_api_key", "saving_credentials")
FINAL = ("succeeded", "failed", "cancelled")
MOZILLA = {"User-Agent": "Mozilla/5.0", "Sec-Fetch-Site": "none"}

EVENTS: dict[str, Event] = {
    "started": Started(),
    "started with a device code": samples.STARTED_WITH_DEVICE_CODE,
    "bound": Bound(port=1455),
    "port in use": samples.IN_USE,
    "port forbidden": samples.FORBIDDEN,
    "bind failed": samples.bind_failed(BindProblem.OTHER),
    "previous gives way": PreviousCancelled(accepted=True),
    "previous does not": PreviousCancelled(accepted=False),
    "retry due": samples.RETRY,
    "deadline": samples.DEADLINE,
    "linger over": samples.LINGER,
    "poll due": samples.POLL_DUE,
    "device code expired": samples.EXPIRY,
    "browser opened": BrowserOpened(),
    "browser failed": BrowserFailed(message="no display"),
    "the callback": callback(request_id=7),
    "a callback with another code": callback(f"code=other&state={STATE}", 7),
    "a callback with another state": callback("code=other&state=other", 7),
    "a callback with an error": callback(f"error=access_denied&state={STATE}", 7),
    "a callback without code": callback(f"state={STATE}", 7),
    "a callback of another issuer": callback(f"code=c&state={STATE}&iss=https://evil.example", 7),
    "the callback by another user": samples.by_other_user(callback(request_id=7)),
    "a TLS handshake": HttpsAttempted(),
    "an unreadable callback": callback(f"code=c&code=c&state={STATE}", 7),
    "the callback at a web host": CallbackArrived(query=f"code=c&state={STATE}".encode()),
    "the pasted callback": samples.pasted(),
    "the pasted callback of another sign-in": samples.pasted("code=other&state=other"),
    "a pasted callback with another code": samples.pasted(f"code=other&state={STATE}"),
    "a pasted callback with an error": samples.pasted(f"error=access_denied&state={STATE}"),
    "the success page": get(SUCCESS, 7),
    "the success page without its key": get("/success", 7),
    "cancel by a login server": get("/cancel", 7),
    "cancel by a web page": get("/cancel", 7, headers=MOZILLA),
    "a favicon": get("/favicon.ico", 7),
    "a prefetch": get(f"/auth/callback?code=c&state={STATE}", 7, headers={"Sec-Purpose": "prefetch"}),
    "a request id that is open": get("/favicon.ico", 1),
    "request 1 answered": ResponseSent(request_id=1),
    "request 1 gone": ClientGone(request_id=1),
    "request 99 answered": ResponseSent(request_id=99),
    "request 99 gone": ClientGone(request_id=99),
    "a device code": samples.device_code_answer(),
    "no device codes here": answer(1, 404),
    "tokens": answer(1),
    "tokens refused": answer(1, 400, b'{"error": "invalid_grant"}'),
    "a redirect": answer(1, 307),
    "an id token of another issuer": answer(1, body=samples.token_json(id_token=samples.jwt({"iss": "other"}))),
    "token request timed out": samples.no_answer(TransportProblem.TIMEOUT, 1),
    "token endpoint unreachable": samples.no_answer(TransportProblem.CONNECT, 1),
    "token request broken": samples.no_answer(TransportProblem.REQUEST, 1),
    "API key": samples.api_key_answer(2),
    "API key refused": answer(2, 403, b"{}"),
    "API key timed out": samples.no_answer(TransportProblem.TIMEOUT, 2),
    "an exchange never begun": samples.no_answer(TransportProblem.TIMEOUT, 9),
    "registration saved": RegistrationSaved(),
    "registration not saved": RegistrationSaveFailed(message="disk full"),
    "saved": CredentialsSaved(),
    "not saved": SaveFailed(message="disk full"),
    "cancelled by the caller": CancelRequested(),
}

SERVER_STATES = (
    *("discovering_resource", "discovering", "registering", "saving_registration", "pushing_request"),
    *("saving_client", "fetching_keys"),
)
"""The states that a login at the default provider never has."""
RAISES = "UnexpectedEvent"
DROPPED = "dropped"


def row(**cells: str) -> dict[str, str]:
    """Return a row: the given cells. In the other states the event is unexpected, or late after the outcome."""
    return {state: cells.get(state, DROPPED if state in FINAL else RAISES) for state in PATHS}


def listening(cell: str, **cells: str) -> dict[str, str]:
    """Return a row with the same cell from the bound port to the outcome, apart from the given cells."""
    return row(**{**dict.fromkeys(("awaiting_callback", *WITH_CODE), cell), **cells})


def callback_row(awaiting: str, busy: str, succeeded: str = "stays: respond 409") -> dict[str, str]:
    """Return the row of a callback with this login's state. The first one decides, later ones get a response."""
    cells = {"succeeded": succeeded, "failed": "stays: respond 410", "cancelled": "stays: respond 410"}
    return listening(busy, awaiting_callback=awaiting, **cells)


def always(cell: str) -> dict[str, str]:
    """Return a row with the same cell in each state in which requests arrive."""
    return listening(cell, **dict.fromkeys(FINAL, cell))


ACCEPTED = "exchanging_code: stop progress progress send"
CANCELLED_IN_EXCHANGE = "cancelled: progress respond 200 abort respond 410 finish start"
LATE = dict.fromkeys(WITH_CODE, DROPPED)
TO_DEVICE_CODE = "failed: progress finish close"


def exchange_row(cell: str, requesting: str = TO_DEVICE_CODE) -> dict[str, str]:
    """Return the row of a response to the first token request. Later it is ignored."""
    return row(
        **{**LATE, "exchanging_code": cell, "requesting_device_code": requesting, "polling_device_code": DROPPED}
    )


# A cell reads: new state, then the kinds of actions in order. "stays" changes no state, "dropped" changes nothing.
EXPECTED: dict[str, dict[str, str]] = {
    "started": row(idle="binding: progress bind"),
    "started with a device code": row(idle="requesting_device_code: progress send"),
    "bound": row(binding="awaiting_callback: progress start progress browser"),
    "port in use": row(binding="cancelling_previous: progress ask"),
    "port forbidden": row(binding="stays: progress progress bind"),
    "bind failed": row(binding="failed: progress finish close"),
    "previous gives way": row(cancelling_previous="backing_off: start"),
    "previous does not": row(cancelling_previous="binding: progress progress bind"),
    "retry due": row(backing_off="binding: progress bind"),
    "deadline": row(awaiting_callback="failed: progress finish close", **LATE),
    "linger over": row(succeeded="stays: close", failed="stays: close", cancelled="stays: close"),
    "poll due": row(polling_device_code="stays: send"),
    "device code expired": row(polling_device_code="failed: progress stop finish close"),
    "browser opened": listening("stays: progress"),
    "browser failed": listening("stays: progress"),
    "the callback": callback_row(ACCEPTED, "stays:", "stays: respond 302"),
    "a callback with another code": callback_row(ACCEPTED, "stays: respond 409"),
    "a callback with another state": listening(
        "stays: progress respond 400", **dict.fromkeys(FINAL, "stays: respond 400")
    ),
    "a callback with an error": callback_row("failed: progress stop respond 403 finish start", "stays: respond 409"),
    "a callback without code": callback_row("failed: progress stop respond 400 finish start", "stays: respond 409"),
    "a callback of another issuer": callback_row(
        "failed: progress stop respond 400 finish start", "stays: respond 409"
    ),
    "the callback by another user": listening(
        "stays: progress respond 403", **dict.fromkeys(FINAL, "stays: respond 403")
    ),
    "a TLS handshake": listening("stays: progress"),
    "an unreadable callback": always("stays: respond 400"),
    # This login has a listener. `web.test_hosted` has those of web hosts.
    "the callback at a web host": row(),
    "the pasted callback": listening(DROPPED, awaiting_callback=ACCEPTED),
    "the pasted callback of another sign-in": listening("stays: progress"),
    "a pasted callback with another code": listening("stays: progress", awaiting_callback=ACCEPTED),
    "a pasted callback with an error": listening(
        "stays: progress", awaiting_callback="failed: progress stop finish close"
    ),
    "the success page": listening(
        "stays: respond 404",
        succeeded="stays: respond 200",
        failed="stays: respond 404",
        cancelled="stays: respond 404",
    ),
    "the success page without its key": always("stays: respond 404"),
    "cancel by a login server": row(
        awaiting_callback="cancelled: progress respond 200 stop finish start",
        exchanging_code=CANCELLED_IN_EXCHANGE,
        exchanging_api_key=CANCELLED_IN_EXCHANGE,
        saving_credentials="stays: respond 409",
        **dict.fromkeys(FINAL, "stays: respond 409"),
    ),
    "cancel by a web page": always("stays: respond 403"),
    "a favicon": always("stays: respond 404"),
    "a prefetch": always("stays: respond 503"),
    "a request id that is open": row(awaiting_callback="stays: respond 404"),
    "request 1 answered": row(
        **dict.fromkeys((*BEFORE_BOUND, "awaiting_callback"), DROPPED),
        succeeded="stays:",
        failed="stays: stop close",
        cancelled="stays: stop close",
    ),
    "request 1 gone": row(
        **dict.fromkeys((*BEFORE_BOUND, "awaiting_callback"), DROPPED),
        **dict.fromkeys(WITH_CODE, "stays:"),
        succeeded="stays: progress",
        failed="stays: stop close",
        cancelled="stays: stop close",
    ),
    "request 99 answered": dict.fromkeys(PATHS, DROPPED),
    "request 99 gone": dict.fromkeys(PATHS, DROPPED),
    "a device code": exchange_row(
        "failed: progress respond 502 finish start", "polling_device_code: progress start start"
    ),
    "no device codes here": exchange_row("failed: progress respond 502 finish start"),
    "tokens": exchange_row("exchanging_api_key: progress send"),
    "tokens refused": exchange_row("failed: progress respond 502 finish start"),
    "a redirect": exchange_row("failed: progress respond 502 finish start"),
    "an id token of another issuer": exchange_row("failed: progress respond 502 finish start"),
    "token request timed out": exchange_row("failed: progress respond 504 finish start"),
    "token endpoint unreachable": exchange_row("failed: progress respond 502 finish start"),
    "token request broken": exchange_row("failed: progress respond 502 finish start"),
    "API key": row(exchanging_api_key="saving_credentials: progress save", saving_credentials=DROPPED),
    "API key refused": row(exchanging_api_key="saving_credentials: progress progress save", saving_credentials=DROPPED),
    "API key timed out": row(
        exchanging_api_key="saving_credentials: progress progress save", saving_credentials=DROPPED
    ),
    "an exchange never begun": row(),
    "registration saved": row(),
    "registration not saved": row(),
    "saved": row(saving_credentials="succeeded: progress respond 302 finish start"),
    "not saved": row(saving_credentials="failed: progress respond 500 finish start"),
    "cancelled by the caller": row(
        idle="cancelled: progress finish close",
        requesting_device_code="cancelled: progress abort finish close",
        polling_device_code="cancelled: progress stop stop finish close",
        binding="cancelled: progress finish close",
        cancelling_previous="cancelled: progress finish close",
        backing_off="cancelled: progress stop finish close",
        awaiting_callback="cancelled: progress stop finish close",
        exchanging_code="cancelled: progress abort respond 410 finish start",
        exchanging_api_key="cancelled: progress abort respond 410 finish start",
        saving_credentials=DROPPED,
    ),
}

KINDS = {
    "Bind": "bind",
    "CancelPrevious": "ask",
    "StartTimer": "start",
    "StopTimer": "stop",
    "OpenBrowser": "browser",
    "SendTokenRequest": "send",
    "AbortTokenRequest": "abort",
    "SaveCredentials": "save",
    "SaveRegistration": "keep",
    "ReportProgress": "progress",
    "Finish": "finish",
    "CloseListener": "close",
}


def kind(action: Action) -> str:
    return f"respond {action.status}" if isinstance(action, Respond) else KINDS[type(action).__name__]


def seen(login: LoginMachine, event: Event) -> str:
    """Return what an event does to a login, as a cell of the table above."""
    before, state = login.snapshot(), login.state
    try:
        actions = login.handle(event)
    except UnexpectedEvent:
        return RAISES if login.snapshot() == before else "UnexpectedEvent, but something has changed"
    if login.snapshot() == before and not actions:
        return DROPPED
    return " ".join((f"{'stays' if login.state == state else login.state}:", *map(kind, actions)))


def test_the_table_has_every_event_and_every_state() -> None:
    assert EXPECTED.keys() == EVENTS.keys()
    assert list(PATHS) == [state for state in LoginState if state not in SERVER_STATES]
    assert all(list(cells) == list(PATHS) for cells in EXPECTED.values())


@pytest.mark.parametrize(
    ("state", "event", "expected"),
    [pytest.param(s, e, cell, id=f"{s}-{e}") for e, cells in EXPECTED.items() for s, cell in cells.items()],
)
def test_every_state_times_every_event(state: str, event: str, expected: str) -> None:
    assert seen(machine_in(state), EVENTS[event]) == expected


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", FINAL)
def test_after_the_listener_is_closed_every_event_is_dropped(state: str, event: str) -> None:
    login = machine_in(state)
    login.handle(samples.LINGER)
    assert seen(login, EVENTS[event]) == DROPPED


@pytest.mark.parametrize("state", ["awaiting_callback", *WITH_CODE])
@pytest.mark.parametrize("event", ["browser opened", "browser failed"])
def test_a_browser_event_without_an_action_is_unexpected(state: str, event: str) -> None:
    options = samples.OPTIONS.__replace__(open_browser=False)
    assert seen(machine_in(state, options), EVENTS[event]) == RAISES


@pytest.mark.parametrize("state", FINAL)
def test_after_the_outcome_a_browser_event_without_an_action_is_ignored(state: str) -> None:
    options = samples.OPTIONS.__replace__(open_browser=False)
    assert seen(machine_in(state, options), BrowserOpened()) == DROPPED


@pytest.mark.parametrize("received_at", [float("inf"), float("nan"), 1e20])
def test_a_time_without_a_date_is_a_mistake_of_the_host(received_at: float) -> None:
    assert seen(machine_in("exchanging_code"), answer(received_at=received_at)) == RAISES


def test_the_address_and_port_are_known_once_bound() -> None:
    login = samples.machine()
    samples.drive(login, Started())
    assert (login.auth_url, login.port, login.outcome) == (None, None, None)
    login.handle(Bound(port=1455))
    assert (login.auth_url, login.port, login.outcome) == (samples.AUTH_URL, 1455, None)


@pytest.mark.parametrize("attribute", ["state", "outcome", "auth_url", "port"])
def test_the_properties_of_a_login_are_read_only(attribute: str) -> None:
    with pytest.raises(AttributeError):
        setattr(samples.machine(), attribute, None)


def test_the_repr_names_the_state() -> None:
    assert repr(machine_in("binding")) == "<LoginMachine binding>"
