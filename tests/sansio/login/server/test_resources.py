"""A login for a protected resource, such as an MCP server: the resource names its provider (RFC 9728)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from loginmachine.sansio import LoginFailure, LoginOptions, LoginSuccess, Provider
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.actions import Bind, ReportProgress, SaveRegistration, SendTokenRequest
from loginmachine.sansio.login.events import BindProblem, Bound, CredentialsSaved, RegistrationSaved, Started
from loginmachine.sansio.login.failures import LoginFailureCategory, LoginFailureStep
from loginmachine.sansio.login.progress import Binding
from loginmachine.sansio.login.server.progress import Discovering, DiscoveringResource
from loginmachine.sansio.login.states import Trigger
from loginmachine.sansio.server.registration import ClientMetadata, Registration

from ...playbook import Playbook, reply, reported
from ...samples import STARTED_WITH_DEVICE_CODE, answer, bind_failed, drive, no_answer
from ...server_samples import (
    ACCESS_TOKEN,
    BOUND,
    CALLBACK,
    CONFIDENTIAL,
    ISSUER,
    METADATA_URL,
    OTHER_METADATA_URL,
    OTHER_RESOURCE_METADATA_URL,
    REGISTRATION,
    REGISTRATION_URL,
    RESOURCE,
    RESOURCE_METADATA_URL,
    RESOURCE_URL,
    TOKEN_URL,
    metadata,
    registered,
    resource_metadata,
    server_machine,
    tokens,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loginmachine.sansio import LoginMachine
    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.events import Event

NATIVE = LoginOptions(provider=Provider.for_resource(RESOURCE_URL, client_id="native"))


def failed(message: str, trigger: Trigger = Trigger.DISCOVERY_FAILED) -> LoginFailure:
    return LoginFailure(
        step=LoginFailureStep.READ_METADATA,
        category=LoginFailureCategory.DISCOVERY_FAILED,
        message=message,
        trigger=trigger,
    )


def urls(actions: Iterable[Action]) -> list[str]:
    """Return the addresses of the requests."""
    return [action.url for action in actions if isinstance(action, SendTokenRequest)]


def forms(actions: Iterable[Action]) -> list[dict[str, str]]:
    """Return the forms of the requests."""
    sent = [action.form for action in actions if isinstance(action, SendTokenRequest)]
    return [{name: str(value) for name, value in form} for form in sent if form]


def requested(options: LoginOptions, *events: Event) -> dict[str, str]:
    """Return the parameters of the authorization request after some events."""
    login = server_machine(options)
    drive(login, *events)
    assert login.auth_url is not None
    return dict(parse_qsl(urlsplit(login.auth_url).query))


def test_from_the_resource_to_the_port() -> None:
    first = SendTokenRequest(exchange_id=1, url=RESOURCE_METADATA_URL, method="GET", timeout=15.0)
    second = SendTokenRequest(exchange_id=2, url=METADATA_URL, method="GET", timeout=15.0)
    assert (
        Playbook(server_machine(NATIVE))
        >> Started()
        << reported(DiscoveringResource(url=RESOURCE_METADATA_URL))
        << first
        >> reply(resource_metadata)
        << reported(Discovering(url=METADATA_URL))
        << second
        >> reply(metadata)
        << reported(Binding(port=0, attempt=1))
        << Bind(port=0, attempt=1)
    )


def test_the_tokens_are_for_the_resource() -> None:
    login = server_machine(RESOURCE)
    actions = drive(login, Started(), resource_metadata(), metadata(2), BOUND, registered(3), RegistrationSaved())
    assert login.auth_url is not None
    assert "&resource=https%3A%2F%2Fapi.example%2Fmcp" in login.auth_url
    saved = [action.registration for action in actions if isinstance(action, SaveRegistration)]
    assert [(registration.issuer, registration.client_id) for registration in saved] == [(ISSUER, "native")]
    actions = drive(login, CALLBACK, tokens(5, None))
    (exchange,) = forms(actions)
    assert exchange["resource"] == RESOURCE_URL
    drive(login, CredentialsSaved())
    assert isinstance(login.outcome, LoginSuccess)
    found = login.outcome.credentials.tokens
    assert found is not None
    assert found.access_token.reveal() == ACCESS_TOKEN
    assert found.resource == (RESOURCE_URL,)
    assert found.provider is not None
    assert (found.provider.issuer, found.provider.client_id) == (ISSUER, "native")
    assert (found.provider.token_endpoint, found.provider.protected_resource) == (TOKEN_URL, RESOURCE_URL)


# The metadata of the resource


def test_the_addresses_are_tried_in_their_order() -> None:
    named = "https://docs.example/resource.json"
    options = LoginOptions(provider=Provider.for_resource(RESOURCE_URL, client_id="native", resource_metadata=named))
    login = server_machine(options)
    actions = drive(login, Started(), answer(1, 404), answer(2, 401), resource_metadata(3), answer(4, 404))
    assert urls(actions) == [
        *(named, RESOURCE_METADATA_URL, OTHER_RESOURCE_METADATA_URL),
        *(METADATA_URL, OTHER_METADATA_URL),
    ]


@pytest.mark.parametrize(
    "response",
    [
        answer(1, 404, b"not here"),
        answer(1, 302),
        answer(1, 401, b'{"error": "invalid_token"}'),
        answer(1, 405),
        answer(1, 200, b"<html>", ((b"Content-Type", b"text/html"),)),
        answer(1, 200, b"[]"),
        answer(1, 204),
    ],
)
def test_what_counts_as_missing(response: Event) -> None:
    login = server_machine(NATIVE)
    assert urls(drive(login, Started(), response)) == [RESOURCE_METADATA_URL, OTHER_RESOURCE_METADATA_URL]


@pytest.mark.parametrize(
    ("response", "words"),
    [
        (answer(1, 503), "status 503"),
        (answer(1, 429), "status 429"),
        (resource_metadata(resource=None), "the resource's metadata: resource is missing"),
        (resource_metadata(resource="https://evil.example/mcp"), "does not contain https://api.example/mcp"),
        (resource_metadata(authorization_servers=[]), "authorization_servers is missing"),
        (resource_metadata(authorization_servers=["http://id.example"]), "must be https (http only on loopback)"),
    ],
)
def test_metadata_that_cannot_be_used_ends_the_login(response: Event, words: str) -> None:
    login = server_machine(NATIVE)
    drive(login, Started(), response)
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome == failed(login.outcome.message)
    assert login.outcome.message.startswith(f"{RESOURCE_METADATA_URL}: ")
    assert words in login.outcome.message


@pytest.mark.parametrize("kind", TransportProblem)
def test_a_resource_that_does_not_answer_ends_the_login(kind: TransportProblem) -> None:
    login = server_machine(NATIVE)
    drive(login, Started(), no_answer(kind, message="no route"))
    assert login.outcome == failed(f"{RESOURCE_METADATA_URL}: no route")


def test_a_resource_without_metadata_is_its_own_provider() -> None:
    login = server_machine(NATIVE)
    actions = drive(login, Started(), answer(1, 404), answer(2, 404), answer(3, 404))
    assert urls(actions)[2:] == [
        "https://api.example/.well-known/openid-configuration",
        "https://api.example/.well-known/oauth-authorization-server",
    ]
    drive(login, metadata(4, issuer="https://api.example"), BOUND)
    assert login.auth_url is not None
    assert "&resource=https%3A%2F%2Fapi.example%2Fmcp" in login.auth_url


def test_the_provider_must_have_the_issuer_that_the_resource_names() -> None:
    login = server_machine(NATIVE)
    drive(login, Started(), resource_metadata(), metadata(2, issuer="https://evil.example"))
    assert isinstance(login.outcome, LoginFailure)
    assert login.outcome.message.startswith(f"{METADATA_URL}: the provider's metadata: issuer is https://evil.example")


def test_a_device_code_for_a_resource() -> None:
    login = server_machine(NATIVE)
    actions = drive(login, STARTED_WITH_DEVICE_CODE, resource_metadata(), metadata(2))
    assert login.state == "requesting_device_code"
    assert forms(actions) == [{"client_id": "native", "resource": RESOURCE_URL}]


# What is asked for


@pytest.mark.parametrize(
    ("provider", "options", "expected"),
    [
        # The scopes of the resource, with that for a refresh token.
        ({}, {}, "files:read files:write offline_access"),
        # Those that the program or a challenge names.
        ({"scopes": ("files:read",)}, {}, "files:read offline_access"),
        ({}, {"scopes": ("files:read",)}, "files:read"),
    ],
)
def test_the_scopes(provider: dict[str, Any], options: dict[str, Any], expected: str) -> None:
    login = LoginOptions(provider=Provider.for_resource(RESOURCE_URL, client_id="native", **provider), **options)
    resource = resource_metadata(scopes_supported=["files:read", "files:write"])
    listed = metadata(2, scopes_supported=["files:read", "files:write", "offline_access", "admin"])
    assert requested(login, Started(), resource, listed, BOUND)["scope"] == expected


def test_no_scopes() -> None:
    found = requested(NATIVE, Started(), resource_metadata(), metadata(2, scopes_supported=["offline_access"]), BOUND)
    assert "scope" not in found


@pytest.mark.parametrize(
    ("named", "options", "expected"),
    [
        # That of the metadata, which may be the whole server.
        ("https://api.example", {}, "https://api.example"),
        ("https://api.example/mcp/", {}, "https://api.example/mcp/"),
        ("https://api.example", {"resource": ("urn:other",)}, "urn:other"),
    ],
)
def test_the_identifier_of_the_resource(named: str, options: dict[str, Any], expected: str) -> None:
    login = NATIVE.__replace__(**options)
    found = requested(login, Started(), resource_metadata(resource=named), metadata(2), BOUND)
    assert found["resource"] == expected


# The client


def test_the_registration_of_an_earlier_login_is_used() -> None:
    login = server_machine(RESOURCE)
    actions = drive(login, Started(registration=CONFIDENTIAL), resource_metadata(), metadata(2), BOUND)
    assert login.auth_url is not None
    assert "&client_id=native&" in login.auth_url
    assert REGISTRATION_URL not in urls(actions)


def started(login_port: int | None = None, *, registered_port: int | None = 40000) -> tuple[LoginMachine, list[Action]]:
    """Return a login with an earlier registration, and its actions until it binds a port."""
    login = server_machine(RESOURCE.__replace__(port=login_port))
    first = Started(registration=REGISTRATION, registered_port=registered_port)
    return login, drive(login, first, resource_metadata(), metadata(2))


def bound_ports(actions: Iterable[Action]) -> list[int]:
    return [action.port for action in actions if isinstance(action, Bind)]


def test_the_port_that_was_registered_is_tried_first() -> None:
    login, actions = started()
    assert bound_ports(actions) == [40000]
    drive(login, Bound(port=40000))
    assert login.state == "awaiting_callback"
    assert login.auth_url is not None
    assert "127.0.0.1%3A40000%2F" in login.auth_url


def test_the_port_that_the_caller_chose_comes_before_the_registered_one() -> None:
    assert bound_ports(started(4321)[1]) == [4321]
    assert bound_ports(started(0)[1]) == [40000]
    assert bound_ports(started(registered_port=None)[1]) == [0]


def test_with_another_port_a_new_client_is_registered() -> None:
    """Many servers do not accept another port than the registered one."""
    login, _ = started()
    actions = drive(login, bind_failed(BindProblem.FORBIDDEN), BOUND)
    assert bound_ports(actions) == [0]
    assert login.state == "registering"
    (registration,) = forms(actions)
    assert registration["redirect_uris"] == "('http://127.0.0.1:50000/auth/callback',)"
    assert [action.phase.text for action in actions if isinstance(action, ReportProgress)] == [
        *("Going on with another port.", "Opening a callback port.", "Registering this program at the provider."),
    ]


def test_the_registration_of_another_provider_is_not_used() -> None:
    """The resource has moved to another provider, which must not get the client's secret."""
    elsewhere: Registration = CONFIDENTIAL.__replace__(issuer="https://old.example")
    login = server_machine(RESOURCE)
    actions = drive(login, Started(registration=elsewhere), resource_metadata(), metadata(2), BOUND)
    assert login.state == "registering"
    assert urls(actions)[-1] == REGISTRATION_URL
    assert login.provider.client_secret is None


def test_the_client_is_registered_for_all_scopes_of_the_resource() -> None:
    provider = Provider.for_resource(RESOURCE_URL, scopes=("files:read", "mail"))
    login = server_machine(LoginOptions(provider=provider))
    resource = resource_metadata(scopes_supported=["files:read", "files:write"])
    actions = drive(login, Started(), resource, metadata(2, scopes_supported=["offline_access"]), BOUND)
    (registration,) = forms(actions)
    assert registration["scope"] == "files:read files:write mail offline_access"


def test_a_provider_that_registers_no_clients() -> None:
    login = server_machine(RESOURCE)
    drive(login, Started(), resource_metadata(), metadata(2, registration_endpoint=None))
    advice = "register a client there by hand, and give its client_id"
    assert login.outcome == failed(f"{METADATA_URL}: the provider's metadata has no registration_endpoint: {advice}")


# The provider before the login


def test_the_provider_of_a_resource() -> None:
    provider = Provider.for_resource(RESOURCE_URL)
    assert (provider.name, provider.issuer, provider.token_endpoint) == ("resource", None, "")
    assert provider.needs_resource_metadata
    assert provider.needs_discovery
    assert provider.origin == RESOURCE_URL
    assert provider.registration == ClientMetadata(client_name="loginmachine")
    program = ClientMetadata(client_name="A program")
    assert Provider.for_resource(RESOURCE_URL, registration=program).registration == program
    assert Provider.for_resource(RESOURCE_URL, client_id="native").registration is None
    assert not Provider.openid(ISSUER, client_id="native").needs_resource_metadata


@pytest.mark.parametrize(
    ("url", "fields", "words"),
    [
        ("", {}, "resource: the provider's URL is empty"),
        ("http://api.example/mcp", {}, "resource: the provider's URL must be https"),
        ("https://api.example/mcp#a", {}, "must not have a user name or a fragment"),
        (RESOURCE_URL, {"resource_metadata": "file:///etc"}, "resource_metadata: the provider's URL has no valid host"),
        (RESOURCE_URL, {"scopes": "files:read"}, "the scopes are a tuple of texts"),
    ],
)
def test_a_resource_that_is_refused(url: str, fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=r"resource|scopes|user name") as caught:
        Provider.for_resource(url, **fields)
    assert words in str(caught.value)
