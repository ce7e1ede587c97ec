"""A login registers a client for this installation (RFC 7591), and stores it before it is used."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from loginmachine.sansio import LoginFailure, Secret, UnexpectedEvent
from loginmachine.sansio.base.http import Encoding, TransportProblem
from loginmachine.sansio.login.actions import (
    Bind,
    CloseListener,
    Finish,
    OpenBrowser,
    SaveRegistration,
    SendTokenRequest,
    StartTimer,
)
from loginmachine.sansio.login.events import RegistrationSaved, RegistrationSaveFailed, Started
from loginmachine.sansio.login.failures import LoginFailureCategory, LoginFailureStep
from loginmachine.sansio.login.progress import Binding, Listening, OpeningBrowser, RequestingDeviceCode
from loginmachine.sansio.login.server.progress import Discovering, PushingRequest, RegisteringClient
from loginmachine.sansio.login.states import Trigger
from loginmachine.sansio.model.options import LoginMethod

from ...playbook import AnyAction, AnyProblem, Playbook, reply, reported
from ...samples import (
    CLIENT_SECRET,
    REGISTRATION_TOKEN,
    STARTED_WITH_DEVICE_CODE,
    answer,
    callback,
    drive,
    everything_in,
    no_answer,
)
from ...server_samples import (
    ADDRESS,
    BOUND,
    CALLBACK,
    CONFIDENTIAL,
    ISSUER,
    KEYS_URL,
    KNOWN,
    METADATA_URL,
    PUSH_URL,
    REDIRECT_URI,
    REGISTERING,
    REGISTRATION,
    REGISTRATION_URL,
    device_code,
    metadata,
    pushed,
    registered,
    server_machine,
    server_machine_in,
)

REQUEST = SendTokenRequest(
    exchange_id=2,
    url=REGISTRATION_URL,
    form=(
        ("redirect_uris", (REDIRECT_URI,)),
        ("response_types", ("code",)),
        ("grant_types", ("authorization_code", "refresh_token")),
        ("application_type", "native"),
        ("token_endpoint_auth_method", "none"),
        ("client_name", "A program"),
    ),
    encoding=Encoding.JSON,
    timeout=30.0,
)
DEVICE_REQUEST = REQUEST.__replace__(
    form=(
        ("grant_types", ("urn:ietf:params:oauth:grant-type:device_code", "refresh_token")),
        ("application_type", "native"),
        ("token_endpoint_auth_method", "none"),
        ("client_name", "A program"),
    )
)
BASIC = f"Basic {b64encode(b'native:canary-client-secret').decode()}"
SECRET_ANSWER: dict[str, Any] = {"client_secret": CLIENT_SECRET, "registration_access_token": REGISTRATION_TOKEN}


def failed(category: str, message: str, trigger: Trigger) -> LoginFailure:
    return LoginFailure(
        step=LoginFailureStep.REGISTER_CLIENT,
        category=LoginFailureCategory(category),
        message=message,
        trigger=trigger,
    )


def test_a_client_is_registered_with_the_port_that_is_open() -> None:
    """No address is shown, and no token is asked for, before the client is stored."""
    assert (
        Playbook(server_machine(REGISTERING))
        >> Started()
        << reported(Discovering(url=METADATA_URL))
        << AnyAction(SendTokenRequest)
        >> reply(metadata)
        << reported(Binding(port=0, attempt=1))
        << Bind(port=0, attempt=1)
        >> BOUND
        << reported(RegisteringClient())
        << REQUEST
        >> reply(registered, redirect_uris=None)
        << SaveRegistration(registration=REGISTRATION.__replace__(others=Secret('{"redirect_uris": null}')))
        >> RegistrationSaved()
        << reported(Listening(url=ADDRESS, port=50000))
        << AnyAction(StartTimer)
        << reported(OpeningBrowser())
        << OpenBrowser(url=ADDRESS)
        << SendTokenRequest(exchange_id=3, url=KEYS_URL, method="GET", timeout=15.0)
    )


def test_the_client_is_used_for_the_code() -> None:
    login = server_machine_in("awaiting_callback of a registered client")
    sent = [action for action in login.handle(CALLBACK) if isinstance(action, SendTokenRequest)]
    assert dict(sent[0].form)["client_id"] == "native"
    assert sent[0].authorization is None


def test_a_client_with_a_secret_authenticates() -> None:
    login = server_machine(REGISTERING)
    drive(login, Started(), metadata(), BOUND, registered(**SECRET_ANSWER), RegistrationSaved())
    sent = [action for action in login.handle(CALLBACK) if isinstance(action, SendTokenRequest)]
    assert sent[0].authorization is not None
    assert sent[0].authorization.reveal() == BASIC
    assert [name for name, _ in sent[0].form] == ["grant_type", "code", "redirect_uri", "code_verifier"]


def test_the_client_of_an_earlier_login_is_used() -> None:
    login = server_machine(REGISTERING)
    actions = drive(login, Started(registration=REGISTRATION), metadata(), BOUND)
    assert login.auth_url == ADDRESS
    assert [action.url for action in actions if isinstance(action, SendTokenRequest)] == [METADATA_URL, KEYS_URL]
    assert not any(isinstance(action, SaveRegistration) for action in actions)


def test_the_secret_of_an_earlier_registration_is_used() -> None:
    login = server_machine(REGISTERING)
    drive(login, Started(registration=CONFIDENTIAL), metadata(), BOUND)
    sent = [action for action in login.handle(CALLBACK) if isinstance(action, SendTokenRequest)]
    assert sent[0].authorization is not None
    assert sent[0].authorization.reveal() == BASIC


def test_the_registration_at_another_provider_is_a_mistake() -> None:
    login = server_machine(REGISTERING)
    before = login.snapshot()
    with pytest.raises(UnexpectedEvent):
        login.handle(Started(registration=REGISTRATION.__replace__(issuer="https://evil.example")))
    assert login.snapshot() == before


def test_a_client_for_device_codes() -> None:
    assert (
        Playbook(server_machine(REGISTERING))
        >> STARTED_WITH_DEVICE_CODE
        << reported(Discovering(url=METADATA_URL))
        << AnyAction(SendTokenRequest)
        >> reply(metadata)
        << reported(RegisteringClient())
        << DEVICE_REQUEST
        >> reply(registered)
        << AnyAction(SaveRegistration)
        >> RegistrationSaved()
        << reported(RequestingDeviceCode())
        << SendTokenRequest(
            exchange_id=3,
            url="https://id.example/device",
            form=(("client_id", "native"), ("scope", "openid profile email offline_access")),
            timeout=30.0,
        )
    )


def test_the_client_of_an_earlier_login_gets_a_device_code() -> None:
    login = server_machine(REGISTERING)
    started = Started(method=LoginMethod.DEVICE_CODE, registration=REGISTRATION)
    drive(login, started, metadata(), device_code())
    assert login.state == "polling_device_code"


def test_without_discovery_a_client_is_registered_once_the_port_is_open() -> None:
    assert (
        Playbook(server_machine(KNOWN))
        >> Started()
        << reported(Binding(port=0, attempt=1))
        << Bind(port=0, attempt=1)
        >> BOUND
        << reported(RegisteringClient())
        << REQUEST.__replace__(exchange_id=1)
    )


def test_without_discovery_a_client_for_device_codes_is_registered_first() -> None:
    assert (
        Playbook(server_machine(KNOWN))
        >> STARTED_WITH_DEVICE_CODE
        << reported(RegisteringClient())
        << DEVICE_REQUEST.__replace__(exchange_id=1)
        >> reply(registered)
        << AnyAction(SaveRegistration)
        >> RegistrationSaved()
        << reported(RequestingDeviceCode())
        << AnyAction(SendTokenRequest)
    )


def test_the_browser_instead_of_a_device_code_registers_a_redirect_uri() -> None:
    login = server_machine(REGISTERING.__replace__(device_code_fallback=True))
    actions = drive(login, STARTED_WITH_DEVICE_CODE, metadata(device_authorization_endpoint=None), BOUND)
    assert actions[-1] == REQUEST


def test_after_the_registration_the_request_may_be_pushed() -> None:
    login = server_machine(REGISTERING)
    drive(login, Started(), metadata(require_pushed_authorization_requests=True), BOUND, registered(**SECRET_ANSWER))
    phase, request = login.handle(RegistrationSaved())
    assert phase == reported(PushingRequest())
    assert isinstance(request, SendTokenRequest)
    assert (request.url, dict(request.form)["client_id"]) == (PUSH_URL, "native")
    assert request.authorization is not None
    drive(login, pushed(3))
    assert login.state == "awaiting_callback"


REFUSED = answer(2, 400, b'{"error": "invalid_client_metadata", "error_description": "no native clients"}')


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (REFUSED, "status 400: invalid_client_metadata: no native clients"),
        (answer(2, 302, b""), "redirect (302), which is never followed"),
        (answer(2, 201, b"<html>"), "a web page instead of an answer"),
        (registered(client_id=""), "no usable client_id in the answer"),
        (registered(client_id=7), "no usable client_id in the answer"),
        (registered(token_endpoint_auth_method="private_key_jwt"), "token_endpoint_auth_method that is not known here"),
        (registered(redirect_uris=["https://evil.example/"]), "other redirect_uris than asked for"),
        (no_answer(TransportProblem.CONNECT, 2, "no route"), "no route"),
    ],
)
def test_a_registration_that_failed_ends_the_login(response: object, words: str) -> None:
    login = server_machine_in("registering")
    drive(login, response)  # type: ignore[arg-type]
    assert isinstance(login.outcome, LoginFailure)
    message = login.outcome.message
    assert login.outcome == failed("registration_failed", message, Trigger.REGISTRATION_FAILED)
    assert message.startswith(f"{REGISTRATION_URL}: ")
    assert words in message


def test_a_registration_that_could_not_be_stored_is_not_used() -> None:
    failure = failed("persist_failed", "disk full", Trigger.REGISTRATION_SAVE_FAILED)
    assert (
        Playbook(server_machine_in("saving_registration"))
        >> RegistrationSaveFailed(message="disk full")
        << AnyProblem("register_client", "persist_failed", fatal=True)
        << Finish(outcome=failure)
        << CloseListener()
    )


def test_a_message_of_the_store_does_not_show_the_secret() -> None:
    login = server_machine(REGISTERING)
    drive(login, Started(), metadata(), BOUND, registered(**SECRET_ANSWER))
    drive(login, RegistrationSaveFailed(message=f"cannot write {CLIENT_SECRET}"))
    assert isinstance(login.outcome, LoginFailure)
    assert CLIENT_SECRET not in login.outcome.message


def test_the_registration_holds_all_that_the_provider_said() -> None:
    login = server_machine_in("registering")
    (action,) = login.handle(registered(**SECRET_ANSWER, client_secret_expires_at=1_800_000_000))
    assert isinstance(action, SaveRegistration)
    assert action.registration.client_secret_expires_at == 1_800_000_000
    assert (action.registration.issuer, action.registration.redirect_uri) == (ISSUER, REDIRECT_URI)
    assert REGISTRATION_TOKEN in everything_in(action)
    assert REGISTRATION_TOKEN not in repr(action)
    assert CLIENT_SECRET not in repr(action)


@pytest.mark.parametrize("state", ["registering", "saving_registration", "pushing_request"])
def test_a_callback_before_the_address_is_known_is_no_callback(state: str) -> None:
    """No browser can have this login's state then. A code that came with it would be of another login."""
    login = server_machine_in(state)
    before = login.snapshot()
    (response,) = login.handle(CALLBACK)
    assert getattr(response, "status", None) == 404
    assert login.snapshot() == before
    drive(login, callback("error=access_denied", 2, port=50000))
    assert login.state == state
