"""What is known about Google, GitHub, Microsoft and GitLab."""

from __future__ import annotations

import json

import pytest

from loginmachine.sansio import IdTokenPolicy, Provider, Secret
from loginmachine.sansio.model.claims import ClaimError
from loginmachine.sansio.oauth.id_token import check_id_token
from loginmachine.sansio.server.dialect import Dialect
from loginmachine.sansio.server.endpoints import ClientAuthentication, DeviceCodeEndpoints
from loginmachine.sansio.server.metadata import parse_metadata

from ..samples import NOW

INSTALLED = {
    "client_id": "1-a.apps.googleusercontent.com",
    "project_id": "my-project",
    "auth_uri": "https://accounts.google.com/o/oauth2/auth",
    "token_uri": "https://oauth2.googleapis.com/token",
    "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
    "client_secret": "canary-secret",
    "redirect_uris": ["http://localhost"],
}
"""A client file of a desktop app, as Google's console offers it."""
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"


@pytest.mark.parametrize("form", [dict, json.dumps, lambda document: json.dumps(document).encode()])
def test_google_with_a_client_file(form: type) -> None:
    provider = Provider.google(form({"installed": INSTALLED}))
    assert provider == Provider(
        name="google",
        issuer="https://accounts.google.com",
        authorization_endpoint="https://accounts.google.com/o/oauth2/auth",
        token_endpoint="https://oauth2.googleapis.com/token",
        client_id="1-a.apps.googleusercontent.com",
        client_secret=Secret("canary-secret"),
        token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_POST,
        scopes=("openid", "profile", "email"),
        authorization_parameters=(("access_type", "offline"),),
        dialect=Dialect(
            scope_names=(
                ("email", "https://www.googleapis.com/auth/userinfo.email"),
                ("profile", "https://www.googleapis.com/auth/userinfo.profile"),
            )
        ),
        callback_path="",
        uses_nonce=True,
        jwks_uri="https://www.googleapis.com/oauth2/v3/certs",
        id_token_signing_alg_values_supported=("RS256",),
        revocation_endpoint="https://oauth2.googleapis.com/revoke",
        device_code=DeviceCodeEndpoints(code_endpoint="https://oauth2.googleapis.com/device/code"),
        help_url="https://developers.google.com/identity/protocols/oauth2/native-app",
    )
    assert not provider.needs_discovery


def test_a_google_client_file_of_a_test_server_has_no_google_keys() -> None:
    ours = {"auth_uri": "http://127.0.0.1:9/auth", "token_uri": "http://127.0.0.1:9/token"}
    provider = Provider.google({"installed": {**INSTALLED, **ours}})
    assert (provider.authorization_endpoint, provider.token_endpoint) == (ours["auth_uri"], ours["token_uri"])
    assert (provider.jwks_uri, provider.revocation_endpoint, provider.device_code) == (None, None, None)


def test_google_without_endpoints_is_discovered() -> None:
    file = {"installed": {"client_id": "1-a", "client_secret": "canary-secret"}}
    provider = Provider.google(file)
    assert provider.needs_discovery
    assert provider.token_endpoint_auth_method is None
    assert Provider.google({"installed": {"client_id": "1-a"}}).client_secret is None


def test_fields_of_the_caller_come_before_those_of_a_preset() -> None:
    provider = Provider.google({"installed": INSTALLED}, scopes=["openid"], issuer="https://google.example")
    assert (provider.scopes, provider.issuer) == (("openid",), "https://google.example")


def test_the_scopes_of_a_preset_are_no_text() -> None:
    with pytest.raises(ValueError, match=r"^the scopes are a tuple of texts$"):
        Provider.google({"installed": INSTALLED}, scopes="openid email")


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("{", "^the client file is not JSON$"),
        ("null", "^the client file is not JSON$"),
        (json.dumps({"web": INSTALLED}), 'no object "installed". Create an OAuth client of the type "Desktop app"'),
        ({"installed": "canary"}, 'no object "installed"'),
        ("[1]", 'no object "installed"'),
        ({"installed": {"client_id": ""}}, "client_id is missing"),
        ({"installed": {**INSTALLED, "client_id": 1}}, "client_id is not a text"),
        ({"installed": {**INSTALLED, "auth_uri": ["x"]}}, "auth_uri is not a text"),
        ({"installed": {**INSTALLED, "token_uri": None}}, "one of auth_uri and token_uri, but not the other"),
        ({"installed": {**INSTALLED, "client_secret": 7}}, "client_secret is not a text"),
    ],
)
def test_a_client_file_that_cannot_be_used(document: object, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        Provider.google(document)  # type: ignore[arg-type]
    assert "canary" not in str(caught.value)


def test_github_has_no_id_tokens_and_separates_scopes_by_commas() -> None:
    provider = Provider.github("Iv1.0", client_secret="canary-secret", scopes=["read:user"])
    assert provider == Provider(
        name="github",
        issuer=None,
        authorization_endpoint="https://github.com/login/oauth/authorize",
        token_endpoint="https://github.com/login/oauth/access_token",
        device_code=DeviceCodeEndpoints(code_endpoint="https://github.com/login/device/code"),
        client_id="Iv1.0",
        client_secret=Secret("canary-secret"),
        token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_POST,
        scopes=("read:user",),
        scope_separator=",",
        has_form_answers=True,
        id_token_policy=IdTokenPolicy.COMPAT,
        help_url="https://docs.github.com/apps/oauth-apps",
    )


def test_github_at_another_host_without_a_secret() -> None:
    provider = Provider.github("Iv1.0", host="https://git.example.com")
    assert provider.token_endpoint_auth_method is ClientAuthentication.NONE
    assert provider.token_endpoint == "https://git.example.com/login/oauth/access_token"


@pytest.mark.parametrize("tenant", ["common", "contoso.onmicrosoft.com", TENANT])
def test_microsoft_names_the_tenant_in_the_issuer(tenant: str) -> None:
    provider = Provider.microsoft("app-1", tenant=tenant)
    assert (provider.name, provider.client_id) == ("microsoft", "app-1")
    assert provider.issuer == f"https://login.microsoftonline.com/{tenant}/v2.0"
    assert provider.needs_discovery
    assert provider.issuer_has_tenant


@pytest.mark.parametrize("tenant", ["", "a/b", "common?x", "tenänt", "{tenantid}"])
def test_a_tenant_is_an_id_or_a_domain(tenant: str) -> None:
    with pytest.raises(ValueError, match=r"^the tenant is an id, a domain, common, organizations or consumers$"):
        Provider.microsoft("app-1", tenant=tenant)


def test_the_issuer_of_a_microsoft_token_has_its_tenant() -> None:
    asked = Provider.microsoft("app-1")
    document = {
        "issuer": "https://login.microsoftonline.com/{tenantid}/v2.0",
        "authorization_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
        "token_endpoint": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
    }
    assert asked.issuer is not None
    provider = asked.completed(parse_metadata(document, asked.issuer, tenant_template=True))
    issuer = f"https://login.microsoftonline.com/{TENANT}/v2.0"
    claims = {"iss": issuer, "tid": TENANT, "sub": "s", "aud": "app-1", "exp": NOW + 60, "iat": NOW}
    check_id_token(dict(claims), provider, nonce=None, headers=(), received_at=NOW)
    for change in ({"tid": "00000000-0000-0000-0000-000000000000"}, {"tid": None}, {"tid": "{tenantid}"}):
        with pytest.raises(ClaimError, match="issuer"):
            check_id_token({**claims, **change}, provider, nonce=None, headers=(), received_at=NOW)
    # No other provider has a template.
    other = provider.__replace__(issuer_has_tenant=False)
    with pytest.raises(ClaimError, match="issuer"):
        check_id_token(dict(claims), other, nonce=None, headers=(), received_at=NOW)


@pytest.mark.parametrize("host", ["https://gitlab.example.com", "https://gitlab.example.com/"])
def test_gitlab_is_discovered_at_its_host(host: str) -> None:
    provider = Provider.gitlab("app-2", host=host)
    assert (provider.name, provider.issuer, provider.client_id) == ("gitlab", "https://gitlab.example.com", "app-2")
    assert provider.needs_discovery
    assert Provider.gitlab("app-2").issuer == "https://gitlab.com"
