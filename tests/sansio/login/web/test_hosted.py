"""A login of a web host, which receives the callback itself: no port, no browser on this machine, no pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from loginmachine.sansio import LoginMachine, LoginOptions, LoginSuccess, UnexpectedEvent
from loginmachine.sansio.login.actions import (
    CloseListener,
    Finish,
    ReportProgress,
    SaveCredentials,
    SendTokenRequest,
    StartTimer,
    StopTimer,
    Timer,
)
from loginmachine.sansio.login.events import (
    BrowserOpened,
    CallbackArrived,
    CallbackPasted,
    CancelRequested,
    CredentialsSaved,
    HttpsAttempted,
    Started,
)
from loginmachine.sansio.login.progress import (
    AddressReady,
    CallbackReceived,
    ExchangingCode,
    SavingCredentials,
)
from loginmachine.sansio.login.server.progress import FetchingKeys, PushingRequest
from loginmachine.sansio.model.options import LoginMethod

from ...playbook import AnyAction, AnyProblem, Playbook, reply, reported
from ...samples import CODE, DEADLINE, SECRETS, STATE, answer, callback, drive, no_answer
from ...server_samples import (
    KEYS_URL,
    KNOWN,
    OPENID,
    PUSH_URL,
    PUSHED_ADDRESS,
    REGISTERING,
    TOKEN_URL,
    keys,
    metadata,
    tokens,
)
from ...server_samples import pushed as pushed_answer

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import Event

APP = "https://app.example/auth/callback"
FOUND = LoginOptions(
    provider=KNOWN.provider.__replace__(
        client_id="native",
        registration=None,
        jwks_uri=KEYS_URL,
        id_token_signing_alg_values_supported=("ES256",),
    ),
    redirect_uri=APP,
)
"""A provider with known endpoints."""
PUSHING = FOUND.__replace__(
    provider=FOUND.provider.__replace__(
        require_pushed_authorization_requests=True, pushed_authorization_request_endpoint=PUSH_URL
    )
)
DISCOVERED = OPENID.__replace__(redirect_uri=APP)


def hosted(*events: Event, options: LoginOptions = FOUND) -> LoginMachine:
    """Return a login of a web host, after these events."""
    login = LoginMachine(options, SECRETS)
    drive(login, *events)
    return login


def arrived(query: str = f"code={CODE}&state={STATE}") -> CallbackArrived:
    return CallbackArrived(query=query.encode())


def query_of(url: str | None) -> dict[str, list[str]]:
    assert url is not None
    return parse_qs(urlsplit(url).query)


def test_the_address_is_ready_at_once() -> None:
    """No port, no browser on this machine, and no keys ahead of time: the login may be suspended now."""
    login = hosted()
    first, second = login.handle(Started())
    assert login.state == "awaiting_callback"
    assert isinstance(first, ReportProgress)
    assert first.phase == AddressReady(url=str(login.auth_url))
    assert second == StartTimer(timer=Timer.DEADLINE, seconds=600.0)
    assert query_of(login.auth_url)["redirect_uri"] == [APP]
    assert login.port is None


def test_without_a_deadline_there_is_no_timer() -> None:
    assert [type(action) for action in hosted(options=FOUND.__replace__(deadline=None)).handle(Started())] == [
        ReportProgress
    ]


def test_the_callback_leads_to_stored_credentials() -> None:
    """The code is exchanged with the same redirect URI (RFC 6749 section 4.1.3), and the keys are fetched then."""
    login = hosted(Started())
    assert (
        Playbook(login)
        >> arrived()
        << StopTimer(timer=Timer.DEADLINE)
        << reported(CallbackReceived())
        << reported(ExchangingCode())
        << AnyAction(SendTokenRequest)
        >> reply(tokens)
        << reported(FetchingKeys())
        << SendTokenRequest(exchange_id=2, url=KEYS_URL, method="GET", timeout=15.0)
        >> reply(keys)
        << reported(SavingCredentials())
        << AnyAction(SaveCredentials)
        >> CredentialsSaved()
        << AnyAction(ReportProgress)
        << AnyAction(Finish)
        << CloseListener()
    )
    assert isinstance(login.outcome, LoginSuccess)


def test_the_exchange_names_the_address_of_the_host() -> None:
    sent = hosted(Started()).handle(arrived())[-1]
    assert isinstance(sent, SendTokenRequest)
    assert sent.url == TOKEN_URL
    assert ("redirect_uri", APP) in sent.form


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"code={CODE}",
        f"code={CODE}&state=other",
        "error=access_denied",
        f"code=a&code=b&state={STATE}",
        f"code=%zz&state={STATE}",
        f"code={CODE}&state={STATE}&x={'a' * 8192}",
    ],
)
def test_a_callback_of_another_sign_in_changes_nothing(query: str) -> None:
    """Any page can send a browser to the host's address. Only the first such callback is reported."""
    login = hosted(Started())
    assert (
        Playbook(login)
        >> arrived(query)
        << AnyProblem("validate_callback", "callback_state_mismatch", fatal=False)
        >> arrived(query)
        >> arrived()
        << StopTimer(timer=Timer.DEADLINE)
        << reported(CallbackReceived())
        << reported(ExchangingCode())
        << AnyAction(SendTokenRequest)
    )


@pytest.mark.parametrize(
    ("query", "step", "category"),
    [
        (f"error=access_denied&state={STATE}", "validate_callback", "provider_callback_error"),
        (f"state={STATE}", "validate_callback", "missing_authorization_code"),
        (f"code=c&state={STATE}&iss=https://evil.example", "validate_callback", "issuer_mismatch"),
    ],
)
def test_a_callback_without_a_usable_code_ends_the_login(query: str, step: str, category: str) -> None:
    assert (
        Playbook(hosted(Started()))
        >> arrived(query)
        << AnyProblem(step, category, fatal=True)
        << StopTimer(timer=Timer.DEADLINE)
        << AnyAction(Finish)
        << CloseListener()
        >> arrived()
    )


def test_later_callbacks_are_ignored() -> None:
    """The host has the outcome of the first. It decides itself what it answers to the others."""
    assert Playbook(hosted(Started(), arrived())) >> arrived() >> arrived(f"code=other&state={STATE}")


def test_the_deadline_and_the_host_can_end_it() -> None:
    timed_out, cancelled = hosted(Started(), DEADLINE), hosted(Started(), CancelRequested())
    assert (timed_out.state, cancelled.state) == ("failed", "cancelled")


def test_a_failed_exchange_ends_it_without_a_page() -> None:
    actions = hosted(Started(), arrived()).handle(no_answer())
    assert [type(action) for action in actions] == [ReportProgress, Finish, CloseListener]


# Endpoints in the metadata, and pushed requests


def test_the_metadata_is_read_before_the_address_is_known() -> None:
    login = hosted(options=DISCOVERED)
    assert [type(action) for action in login.handle(Started())] == [ReportProgress, SendTokenRequest]
    assert login.auth_url is None
    assert [type(action) for action in login.handle(metadata())] == [ReportProgress, StartTimer]
    assert login.state == "awaiting_callback"
    assert query_of(login.auth_url)["redirect_uri"] == [APP]


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (PUSHING, ()),
        (DISCOVERED, (metadata(require_pushed_authorization_requests=True),)),
        (
            DISCOVERED.__replace__(
                provider=DISCOVERED.provider.__replace__(require_pushed_authorization_requests=True)
            ),
            (metadata(),),
        ),
    ],
)
def test_the_request_is_pushed_with_the_address_of_the_host(options: LoginOptions, found: tuple[Event, ...]) -> None:
    login = hosted(options=options)
    *_, reported_push, sent = drive(login, Started(), *found)
    assert login.state == "pushing_request"
    assert reported_push == reported(PushingRequest())
    assert isinstance(sent, SendTokenRequest)
    assert (sent.url, ("redirect_uri", APP) in sent.form) == (PUSH_URL, True)
    assert login.handle(pushed_answer(sent.exchange_id)) == [
        reported(AddressReady(url=PUSHED_ADDRESS)),
        StartTimer(timer=Timer.DEADLINE, seconds=600.0),
    ]


# Mistakes of the host


@pytest.mark.parametrize(
    "event",
    [
        callback(),
        HttpsAttempted(),
        BrowserOpened(),
        CallbackPasted(text=f"{APP}?code={CODE}&state={STATE}"),
        Started(),
        answer(),
    ],
)
def test_events_of_a_listener_are_unexpected(event: Event) -> None:
    login = hosted(Started())
    before = login.snapshot()
    with pytest.raises(UnexpectedEvent):
        login.handle(event)
    assert login.snapshot() == before


@pytest.mark.parametrize(("options", "events"), [(FOUND, ()), (DISCOVERED, (Started(),)), (PUSHING, (Started(),))])
def test_a_callback_before_the_address_is_known_is_unexpected(options: LoginOptions, events: tuple[Event, ...]) -> None:
    with pytest.raises(UnexpectedEvent):
        hosted(*events, options=options).handle(arrived())


def test_a_device_code_needs_no_address() -> None:
    with pytest.raises(UnexpectedEvent):
        hosted(options=DISCOVERED).handle(Started(method=LoginMethod.DEVICE_CODE))
    with pytest.raises(ValueError, match="a login with a device code has no redirect URI"):
        DISCOVERED.check_method(LoginMethod.DEVICE_CODE)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"redirect_uri": "http://app.example/callback"}, "the redirect URI is https"),
        ({"redirect_uri": "https://app.example/callback#here"}, "no fragment"),
        ({"redirect_uri": "https://ada@app.example/callback"}, "no user name"),
        ({"redirect_uri": ""}, "the redirect URI is https"),
        ({"redirect_uri": "app:/callback"}, "the redirect URI is https"),
        ({"port": 8080}, "a port of its own or a redirect URI, not both"),
        ({"listen_address": "0.0.0.0"}, "a port of its own or a redirect URI, not both"),
        ({"provider": REGISTERING.provider}, "needs a client that is registered already"),
    ],
)
def test_options_that_cannot_be(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        FOUND.__replace__(**changes)


def test_an_address_on_loopback_may_be_http() -> None:
    assert FOUND.__replace__(redirect_uri="http://127.0.0.1:8000/callback").redirect_uri is not None
