"""The options of a login at any provider, as a trace shows them, expected by hand."""

from __future__ import annotations

import pytest

from loginmachine.sansio import LoginOptions, Provider, Secret
from loginmachine.sansio.login.events import Started
from loginmachine.sansio.model.account import KnownAccount
from loginmachine.sansio.server.endpoints import ClientAuthentication, DeviceCodeEndpoints
from loginmachine.sansio.server.registration import ClientMetadata, Registration
from loginmachine.sansio.trace.redaction import Redactor

from ...samples import OTHER_PROVIDER, SECRETS

OPENID = Provider.openid("https://id.example", client_id="client-1")


def told(options: LoginOptions) -> LoginOptions:
    return Redactor(options, SECRETS).options


def test_the_options_of_a_request() -> None:
    options = LoginOptions(
        provider=OPENID,
        scopes=("openid", "files"),
        login_hint="ada@example.org",
        audience="secret",
        resource=("https://api.example/v1", "urn:secret", "https://api.example/?secret"),
        prompt="login consent",
        max_age=60,
        parameters=(("acr_values", "secret"), ("access_type", "offline"), ("access_type", "secret")),
        listen_address="10.1.2.3",
        app_name="secret",
        success_page="<p>secret</p>",
    )
    assert told(options) == options.__replace__(
        login_hint="redacted-person-1",
        audience="redacted-audience-1",
        resource=("https://api.example/v1", "urn:redacted-resource-1", "urn:redacted-resource-2"),
        parameters=(("redacted-parameter-1", "redacted"), ("access_type", "offline"), ("access_type", "redacted")),
        listen_address=None,
        app_name=None,
        success_page=None,
    )


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("audience", "https://api.example/", "https://api.example/"),
        ("audience", "", ""),
        ("prompt", "none", "none"),
        ("prompt", "login secret", "redacted"),
        ("login_hint", "", ""),
    ],
)
def test_an_option(name: str, value: str, shown: str) -> None:
    assert getattr(told(LoginOptions(provider=OPENID).__replace__(**{name: value})), name) == shown


def test_the_secret_and_the_queries_of_a_provider() -> None:
    provider = OTHER_PROVIDER.__replace__(
        client_secret=Secret("secret"),
        token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_POST,
        token_endpoint="https://id.example/token?secret-1",
        revocation_endpoint="https://id.example/revoke?secret-1",
        jwks_uri="https://id.example/keys?secret-2",
        device_code=DeviceCodeEndpoints(code_endpoint="https://id.example/device?secret-2"),
        id_token_signing_alg_values_supported=("RS256", "secret-3"),
    )
    assert told(LoginOptions(provider=provider)).provider == provider.__replace__(
        client_secret=Secret("redacted-client-secret-1"),
        token_endpoint="https://id.example/token?redacted-query-2",
        revocation_endpoint="https://id.example/revoke?redacted-query-2",
        jwks_uri="https://id.example/keys?redacted-query-1",
        device_code=DeviceCodeEndpoints(code_endpoint="https://id.example/device?redacted-query-1"),
        # The second machine verifies the signatures of the trace.
        id_token_signing_alg_values_supported=("RS256", "redacted-algorithm-1", "EdDSA"),
    )


def test_without_keys_no_algorithm_is_added() -> None:
    provider = OTHER_PROVIDER.__replace__(id_token_signing_alg_values_supported=("RS256",))
    assert told(LoginOptions(provider=provider)).provider == provider


def test_what_a_program_tells_about_itself() -> None:
    metadata = ClientMetadata(
        client_name="secret",
        client_uri="https://id.example/?secret",
        logo_uri="https://id.example/logo",
        contacts=("ada@example.org",),
        software_id="secret",
        scope="openid",
    )
    provider = Provider.openid("https://id.example", client_id="secret", registration=metadata)
    assert told(LoginOptions(provider=provider)).provider == provider.__replace__(
        client_id="redacted-client-1",
        registration=ClientMetadata(
            client_name="redacted",
            client_uri="https://redacted.invalid/",
            logo_uri="https://id.example/logo",
            contacts=("redacted-contact-1",),
            software_id="redacted",
            scope="openid",
        ),
    )


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, {}),
        ({"issuer": "https://secret.example"}, {"issuer": "https://redacted.invalid/"}),
        ({"redirect_uri": "https://secret.example/"}, {"redirect_uri": "https://redacted.invalid/"}),
        ({"redirect_uri": "http://localhost/cb"}, {"redirect_uri": "http://localhost/cb"}),
        ({"client_secret": None}, {"client_secret": None}),
    ],
)
def test_a_client_that_was_registered_earlier(changes: dict[str, object], shown: dict[str, object]) -> None:
    registration = Registration(
        issuer="https://id.example",
        client_id="secret-1",
        client_secret=Secret("secret-2"),
        client_secret_expires_at=5.0,
        others=Secret('{"registration_access_token": "secret-3"}'),
    )
    event = Started(registration=registration.__replace__(**changes))
    assert Redactor(LoginOptions(provider=OPENID), SECRETS).event(event) == Started(
        registration=Registration(
            issuer="https://id.example",
            client_id="redacted-client-1",
            client_secret=Secret("redacted-client-secret-1"),
            client_secret_expires_at=5.0,
        ).__replace__(**shown)
    )


@pytest.mark.parametrize(
    ("email", "shown"),
    [("ada@example.org", "redacted-person-1"), ("", ""), (None, None)],
    ids=["some", "empty", "none"],
)
def test_the_account_that_is_to_be_renewed(email: str | None, shown: str | None) -> None:
    account = KnownAccount(subject="secret-1", email=email, id_token=Secret("secret-2"))
    redactor = Redactor(LoginOptions(provider=OPENID), SECRETS)
    assert redactor.event(Started(account=account, host_id="secret-3")) == Started(
        account=KnownAccount(subject="redacted-user-1", email=shown, id_token=Secret("redacted-id-token-hint-1")),
        host_id="redacted-host-1",
    )
