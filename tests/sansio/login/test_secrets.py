"""No secret in a log, a repr, a page, a text, an exception or a traceback with locals."""

from __future__ import annotations

import json
import logging
import traceback
from base64 import b64encode, urlsafe_b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
import transitions

from loginmachine.sansio import CredentialsError, LoginFailure, LoginSecrets, LoginSuccess, UnexpectedEvent
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import OpenBrowser, ReportProgress, Respond, SaveCredentials, SendTokenRequest
from loginmachine.sansio.login.events import (
    Bound,
    CancelRequested,
    CredentialsSaved,
    RegistrationSaved,
    RegistrationSaveFailed,
    SaveFailed,
    Started,
)
from loginmachine.sansio.login.progress import DeviceCodeShown, Listening
from loginmachine.sansio.model.credentials import parse

from .. import samples
from .. import server_samples as server
from ..samples import (
    API_KEY,
    CANARIES,
    CLIENT_SECRET,
    CODE,
    PATHS,
    REFRESH_TOKEN,
    REGISTRATION_TOKEN,
    STATE,
    SUCCESS,
    SUCCESS_KEY,
    VERIFIER,
    callback,
    drive,
    everything_in,
    get,
    machine_in,
)
from .test_machine import EVENTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.events import Event

ECHO = f"{CODE} {STATE} {VERIFIER} {samples.NONCE} canary-code-4%2F0AbC.d~e"
ECHOES: dict[str, tuple[str, *tuple[Event, ...]]] = {
    "on the callback": (
        "awaiting_callback",
        callback(f"error=e&error_description={ECHO.replace(' ', '+')}&code={CODE}&state={STATE}"),
    ),
    "as the issuer": ("awaiting_callback", callback(f"code={CODE}&state={STATE}&iss={CODE}")),
    "by the token endpoint": ("exchanging_code", samples.answer(1, 400, f'{{"error": "{ECHO}"}}'.encode())),
    "by the API-key exchange": (
        "exchanging_api_key",
        samples.answer(2, 400, f'{{"error": "{ECHO} {samples.ID_TOKEN} {samples.ACCESS_TOKEN}"}}'.encode()),
    ),
    "the refresh token by the API-key exchange": (
        "exchanging_api_key",
        samples.answer(2, 400, f'{{"error": "{REFRESH_TOKEN}"}}'.encode()),
    ),
    "by the transport": ("exchanging_code", samples.no_answer(TransportProblem.REQUEST, 1, ECHO)),
    "by the store": ("saving_credentials", SaveFailed(message=f"{ECHO} {samples.ID_TOKEN} {samples.ACCESS_TOKEN}")),
    "the API key by the store": ("saving_credentials", SaveFailed(message=f"{API_KEY} {REFRESH_TOKEN}")),
    "by the poll": (
        "polling_device_code",
        samples.POLL_DUE,
        samples.answer(2, 400, f'{{"error": "{samples.DEVICE_AUTH_ID} {samples.USER_CODE}"}}'.encode()),
    ),
    "by the transport of the poll": (
        "polling_device_code",
        samples.POLL_DUE,
        samples.no_answer(TransportProblem.REQUEST, 2, f"{samples.DEVICE_AUTH_ID} {samples.USER_CODE}"),
    ),
    "the code of the device by the token endpoint": (
        "polling_device_code",
        samples.POLL_DUE,
        samples.grant_answer(2),
        samples.answer(
            3, 400, f'{{"error": "{samples.DEVICE_AUTHORIZATION_CODE} {samples.DEVICE_VERIFIER}"}}'.encode()
        ),
    ),
    "by the caller": ("exchanging_code", CancelRequested(reason=ECHO)),
}


def leaks(text: str) -> list[str]:
    return [canary for canary in CANARIES if canary in text]


def shown(actions: list[Action]) -> str:
    """Return all that reaches a log, a person or a browser."""
    texts = [repr(actions)]
    texts += [repr({**a.values(), "headers": _without_location(a)}) for a in actions if isinstance(a, Respond)]
    phases = [a.phase for a in actions if isinstance(a, ReportProgress)]
    texts += [f"{p.text} {p.values() if not isinstance(p, Listening | DeviceCodeShown) else ''}" for p in phases]
    return "\n".join(texts)


def _without_location(action: Respond) -> list[tuple[bytes, bytes]]:
    """The header fields but the one that sends the browser to the success page."""
    return [(name, value) for name, value in action.headers if name != b"Location"]


def told_by(error: BaseException) -> str:
    """Return a traceback with the locals of our frames. The first frame, the test's own, holds the secret."""
    inner = error.__traceback__ and error.__traceback__.tb_next
    told = traceback.TracebackException(type(error), error, inner, capture_locals=True)
    return f"{error} {error!r} {error.args!r} {error.__context__!r} {error.__cause__!r} {''.join(told.format())}"


def logged(caplog: pytest.LogCaptureFixture) -> str:
    return "\n".join(f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records)


@pytest.mark.parametrize("state", PATHS)
def test_no_secret_in_what_is_logged_or_shown(state: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name, event in EVENTS.items():
        login = samples.machine()
        actions = drive(login, *PATHS[state])
        refusal = ""
        try:
            actions += login.handle(event)
        except UnexpectedEvent as error:
            refusal = f"{told_by(error)} {error.event!r} {error.state!r}"
        told = f"{refusal} {shown(actions)} {login!r} {login.snapshot()!r} {login.outcome!r} {login._login!r} {event!r}"
        assert leaks(told) == [], name
    assert leaks(logged(caplog)) == []


def test_our_engine_logs_nothing_but_a_hosts_own_does(caplog: pytest.LogCaptureFixture) -> None:
    # A handler that raises in the middle of a transition would leave a login half moved.
    caplog.set_level(logging.DEBUG)
    machine_in("succeeded")
    assert [record for record in caplog.records if record.name.startswith("transitions")] == []
    machine = transitions.Machine(model="self", states=["idle", "busy"], initial="idle", name="of a host")
    machine.add_transition("start", "idle", "busy")
    machine.events["start"].trigger(machine)
    assert any(record.name.startswith("transitions") for record in caplog.records)


@pytest.mark.parametrize("where", ECHOES)
def test_an_echo_of_a_secret_is_masked(where: str) -> None:
    state, *told = ECHOES[where]
    login = machine_in(state)
    actions = drive(login, *told)
    assert leaks(shown(actions)) == []
    assert leaks(repr(login.outcome)) == []
    if isinstance(login.outcome, LoginFailure):
        assert leaks(login.outcome.describe()) == []


TEXT = ((b"Content-Type", b"text/plain"),)
PARTS: dict[str, Callable[[str], str]] = {
    "halves": lambda secret: f"{secret[: len(secret) // 2]} and {secret[len(secret) // 2 :]}",
    "base64": lambda secret: b64encode(secret.encode()).decode(),
    "base64url, in a form": lambda secret: urlsafe_b64encode(f"code={secret}&x=".encode()).decode(),
    "percent": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "hexadecimal": lambda secret: secret.encode().hex(),
}
SENT: dict[str, tuple[str, str, Callable[[str], Event]]] = {
    "the code, on the callback": (
        "awaiting_callback",
        CODE,
        lambda echo: callback(urlencode({"error": "e", "error_description": echo, "code": CODE, "state": STATE})),
    ),
    "the state, on the callback": (
        "awaiting_callback",
        STATE,
        lambda echo: callback(urlencode({"error": echo, "state": STATE})),
    ),
    "the code, by the token endpoint": ("exchanging_code", CODE, lambda echo: described(1, echo)),
    "the verifier, by the token endpoint": ("exchanging_code", VERIFIER, lambda echo: described(1, echo)),
    "the code, as text": (
        "exchanging_code",
        CODE,
        lambda echo: samples.answer(1, 400, echo.encode(), TEXT),
    ),
    "the code, by the transport": ("exchanging_code", CODE, lambda echo: samples.no_answer(message=echo)),
    "the id token, by the API-key exchange": (
        "exchanging_api_key",
        samples.ID_TOKEN,
        lambda echo: described(2, echo),
    ),
    "the key, by the store": ("saving_credentials", API_KEY, lambda echo: SaveFailed(message=echo)),
    "the device code": ("polling_device_code", samples.DEVICE_AUTH_ID, lambda echo: described(2, echo)),
    "the state, by the device code endpoint": ("requesting_device_code", STATE, lambda echo: described(1, echo)),
}
"""Where the machine is, the secret, and the event that repeats it."""


def described(exchange_id: int, echo: str) -> Event:
    return samples.answer(exchange_id, 400, json.dumps({"error": "e", "error_description": echo}).encode())


@pytest.mark.parametrize("form", PARTS)
@pytest.mark.parametrize("where", SENT)
def test_an_echo_in_parts_or_encoded_is_masked(where: str, form: str) -> None:
    state, secret, event = SENT[where]
    echo = PARTS[form](secret)
    login = machine_in(state)
    due = [samples.POLL_DUE] if state == "polling_device_code" else []
    told = f"{shown(drive(login, *due, event(f'no {echo} here')))}{login.outcome!r}"
    if isinstance(login.outcome, LoginFailure):
        told += login.outcome.describe()
    for part in echo.split(" and "):
        assert [part[first : first + 8] for first in range(len(part) - 8) if part[first : first + 8] in told] == []
    assert "no [redacted]" in told


KNOWN = f"{STATE} {VERIFIER} {samples.NONCE}"
"""What every login knows."""
SERVER_EVENTS: tuple[Event, ...] = (
    server.metadata(),
    server.registered(2, client_secret=CLIENT_SECRET, registration_access_token=REGISTRATION_TOKEN),
    server.pushed(2),
    server.keys(2),
    server.tokens(3),
    server.keys(4),
    *(samples.answer(number, 400, f'{{"error": "{KNOWN}"}}'.encode()) for number in (1, 2, 3)),
    samples.answer(4, 400, f'{{"error": "{KNOWN} {server.ACCESS_TOKEN} {REFRESH_TOKEN}"}}'.encode()),
    *(samples.no_answer(TransportProblem.REQUEST, number, KNOWN) for number in (1, 2, 3)),
    samples.no_answer(TransportProblem.REQUEST, 4, f"{KNOWN} {server.ACCESS_TOKEN} {REFRESH_TOKEN}"),
    callback(f"error={KNOWN.replace(' ', '+')}&state={STATE}", 7, port=50000),
    callback(request_id=7, port=50000),
    RegistrationSaved(),
    RegistrationSaveFailed(message=KNOWN),
    Started(registration=server.CONFIDENTIAL),
    CancelRequested(reason=KNOWN),
)


@pytest.mark.parametrize("state", server.SERVER_PATHS)
def test_no_secret_of_a_provider_with_metadata_is_logged_or_shown(state: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    options, path = server.SERVER_PATHS[state]
    for event in SERVER_EVENTS:
        login = server.server_machine(options)
        actions = drive(login, *path)
        refusal = ""
        try:
            actions += login.handle(event)
        except UnexpectedEvent as error:
            # The words of a driver have no secrets, and are shown. Here they have some.
            refusal = "" if hasattr(event, "message") else f"{told_by(error)} {error.event!r} {error.state!r}"
        told = f"{refusal} {shown(actions)} {login!r} {login.snapshot()!r} {login.outcome!r} {login._login!r}"
        assert leaks(told) == [], event
        assert [each for each in (server.ACCESS_TOKEN, server.signed()) if each in told] == [], event
    assert leaks(logged(caplog)) == []


def test_secrets_of_a_registered_client_go_only_where_they_must() -> None:
    login = server.server_machine(server.REGISTERING)
    secret: dict[str, Any] = {"client_secret": CLIENT_SECRET, "registration_access_token": REGISTRATION_TOKEN}
    requiring = server.metadata(require_pushed_authorization_requests=True)
    actions = drive(
        login,
        *(Started(), requiring, server.BOUND, server.registered(**secret), RegistrationSaved(), server.pushed(3)),
        *(server.keys(4), server.CALLBACK, server.tokens(5), CredentialsSaved()),
    )
    assert isinstance(login.outcome, LoginSuccess)

    def where(*canaries: str) -> list[str]:
        return [
            action.url.rpartition("/")[2] if isinstance(action, SendTokenRequest) else type(action).__name__
            for action in actions
            if any(canary in everything_in(action) for canary in canaries)
        ]

    basic = b64encode(b"native:canary-client-secret").decode()
    assert where(CLIENT_SECRET, basic) == ["SaveRegistration", "par", "token", "SaveCredentials", "Finish"]
    assert where(REGISTRATION_TOKEN) == ["SaveRegistration"]
    assert where(STATE) == ["par"]
    assert where(VERIFIER) == ["token"]
    assert where("canary-reference") == ["ReportProgress", "OpenBrowser"]
    assert where(server.ACCESS_TOKEN) == ["SaveCredentials", "Finish"]


def test_the_records_of_a_provider_with_metadata_show_nothing() -> None:
    login = server.server_machine_in("fetching_keys")
    assert leaks(repr(login._login.unverified)) == []
    assert server.ACCESS_TOKEN not in repr(login._login.unverified)
    assert leaks(repr(server.CONFIDENTIAL)) == leaks(repr(server.CONFIDENTIAL.values())) == []
    pushed = server.server_machine_in("awaiting_callback with a pushed request")
    assert "canary-reference" not in repr(pushed.snapshot())
    assert "canary-reference" in pushed._login.request_uri


def test_the_tests_would_see_a_leak() -> None:
    login = machine_in("succeeded")
    assert leaks(repr(login.snapshot().data["code"])) == [CODE]
    assert leaks(samples.AUTH_URL) == [STATE]


# Where each secret may go


def all_orders() -> list[Action]:
    login = samples.machine()
    return [*drive(login, *PATHS["succeeded"]), *login.handle(get(SUCCESS, 2))]


def holders(canary: str) -> set[str]:
    """Return the types of actions that hold a secret, in hidden fields too."""
    return {type(action).__name__ for action in all_orders() if canary in everything_in(action)}


def test_every_secret_goes_where_it_must_and_nowhere_else() -> None:
    assert holders(VERIFIER) == {"SendTokenRequest"}
    assert holders(CODE) == {"SendTokenRequest"}
    assert holders(STATE) == {"OpenBrowser", "ReportProgress"}
    assert holders(SUCCESS_KEY) == {"Respond"}
    assert holders("canary-id-token") == {"SendTokenRequest", "SaveCredentials", "Finish"}
    assert holders("canary-access-token") == {"SaveCredentials", "Finish"}
    assert holders(REFRESH_TOKEN) == {"SaveCredentials", "Finish"}
    assert holders(API_KEY) == {"SaveCredentials", "Finish"}


def test_the_secrets_of_a_device_code_go_where_they_must_and_nowhere_else() -> None:
    login = machine_in("polling_device_code")
    later = (samples.POLL_DUE, samples.grant_answer(2), samples.answer(3), CredentialsSaved())
    actions = [*drive(samples.machine(), *PATHS["polling_device_code"]), *drive(login, *later)]

    def where(canary: str) -> list[str]:
        return [
            action.url if isinstance(action, SendTokenRequest) else type(action).__name__
            for action in actions
            if canary in everything_in(action)
        ]

    assert where(samples.USER_CODE) == ["ReportProgress", samples.POLL_ENDPOINT]
    assert where(samples.DEVICE_AUTH_ID) == [samples.POLL_ENDPOINT]
    assert where(samples.DEVICE_AUTHORIZATION_CODE) == [samples.TOKEN_ENDPOINT]
    assert where(samples.DEVICE_VERIFIER) == [samples.TOKEN_ENDPOINT]
    assert where(STATE) == where(VERIFIER) == []


def test_a_pasted_address_is_not_in_the_traceback_of_a_mistake() -> None:
    login = machine_in("polling_device_code")
    with pytest.raises(UnexpectedEvent) as caught:
        login.handle(samples.pasted())
    assert leaks(told_by(caught.value)) == []


def test_the_state_is_in_the_address_only() -> None:
    holding = [a for a in all_orders() if isinstance(a, OpenBrowser | ReportProgress)]
    told = [a.phase.url for a in holding if isinstance(a, ReportProgress) and isinstance(a.phase, Listening)]
    opened = [a.url for a in holding if isinstance(a, OpenBrowser)]
    assert told == opened == [samples.AUTH_URL]


def test_the_verifier_is_in_the_code_exchange_only() -> None:
    first, second = [a for a in all_orders() if isinstance(a, SendTokenRequest)]
    assert dict(first.form)["code_verifier"] == VERIFIER
    assert VERIFIER not in repr(second.values())
    assert sum(isinstance(a, SaveCredentials) for a in all_orders()) == 1


# Exceptions


@pytest.mark.parametrize(
    "event", [callback(), samples.answer(), Bound(port=1), CredentialsSaved(), samples.no_answer()]
)
def test_a_mistake_of_the_host_shows_no_secret_in_its_traceback(event: Event) -> None:
    login = machine_in("idle")
    with pytest.raises(UnexpectedEvent) as caught:
        login.handle(event)
    assert leaks(told_by(caught.value)) == []


@pytest.mark.parametrize("state", ["exchanging_code", "exchanging_api_key", "saving_credentials"])
def test_a_mistake_during_a_login_shows_no_secret_in_its_traceback(state: str) -> None:
    login = machine_in(state)
    with pytest.raises(UnexpectedEvent) as caught:
        login.handle(Started())
    assert leaks(told_by(caught.value)) == []


@pytest.mark.parametrize(
    "data",
    [
        b'{"OPENAI_API_KEY": "sk-canary-api-key", "tokens": 5}',
        b'{"OPENAI_API_KEY": "sk-canary-api-key", "auth_mode": 5}',
        b'{"tokens": {"id_token": "canary-id-token", "access_token": 5}}',
        b'{"tokens": {"id_token": "canary-id-token"}, ',
        b'"sk-canary-api-key \xff"',
    ],
)
def test_a_broken_credentials_file_shows_no_secret_in_a_traceback(data: bytes) -> None:
    with pytest.raises(CredentialsError) as caught:
        parse(data)
    assert leaks(told_by(caught.value)) == []


def test_refused_secrets_are_not_in_the_traceback() -> None:
    with pytest.raises(ValueError, match="code_verifier must be") as caught:
        LoginSecrets(state=STATE, code_verifier=f"{VERIFIER} ")
    assert leaks(told_by(caught.value)) == []
