"""A provider that is completed with its metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.sansio import Provider
from loginmachine.sansio.server.endpoints import ClientAuthentication, DeviceCodeEndpoints
from loginmachine.sansio.server.metadata import MetadataError, parse_metadata

if TYPE_CHECKING:
    from loginmachine.sansio.server.metadata import ServerMetadata

ISSUER = "https://id.example.com"
DOCUMENT: dict[str, object] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
}


def metadata(**members: object) -> ServerMetadata:
    return parse_metadata({**DOCUMENT, **members}, ISSUER)


def completed(fields: dict[str, Any] | None = None, **members: object) -> Provider:
    return Provider.openid(ISSUER, client_id="native", **(fields or {})).completed(metadata(**members))


def test_all_members_become_fields() -> None:
    provider = completed(
        device_authorization_endpoint=f"{ISSUER}/device",
        revocation_endpoint=f"{ISSUER}/revoke",
        jwks_uri=f"{ISSUER}/jwks",
        registration_endpoint=f"{ISSUER}/register",
        pushed_authorization_request_endpoint=f"{ISSUER}/par",
        require_pushed_authorization_requests=True,
        authorization_response_iss_parameter_supported=True,
        id_token_signing_alg_values_supported=["HS256", "ES256", "none", "RS256"],
        scopes_supported=["openid", "email", "admin"],
    )
    assert provider == Provider(
        name="openid",
        issuer=ISSUER,
        authorization_endpoint=f"{ISSUER}/authorize",
        token_endpoint=f"{ISSUER}/token",
        client_id="native",
        scopes=("openid", "email"),
        uses_nonce=True,
        revocation_endpoint=f"{ISSUER}/revoke",
        device_code=DeviceCodeEndpoints(code_endpoint=f"{ISSUER}/device"),
        jwks_uri=f"{ISSUER}/jwks",
        registration_endpoint=f"{ISSUER}/register",
        pushed_authorization_request_endpoint=f"{ISSUER}/par",
        require_pushed_authorization_requests=True,
        promises_iss=True,
        id_token_signing_alg_values_supported=("RS256", "ES256"),
    )
    assert not provider.needs_discovery


def test_what_the_metadata_does_not_say_stays_as_it_is() -> None:
    provider = completed()
    assert (provider.revocation_endpoint, provider.device_code, provider.jwks_uri) == (None, None, None)
    assert (provider.promises_iss, provider.require_pushed_authorization_requests) == (False, False)
    assert provider.scopes == ("openid", "profile", "email", "offline_access")
    # OpenID Connect Core section 15.1: every provider must support it.
    assert provider.id_token_signing_alg_values_supported == ("RS256",)


def test_what_the_caller_said_is_kept() -> None:
    device_code = DeviceCodeEndpoints(code_endpoint="https://device.example.com/code")
    fields = {
        "revocation_endpoint": "https://other.example.com/revoke",
        "device_code": device_code,
        "scopes": ["openid", "admin"],
        "promises_iss": True,
        "require_pushed_authorization_requests": True,
        "id_token_signing_alg_values_supported": ("ES256",),
    }
    provider = completed(
        fields,
        revocation_endpoint=f"{ISSUER}/revoke",
        device_authorization_endpoint=f"{ISSUER}/device",
        scopes_supported=["openid"],
    )
    assert provider.revocation_endpoint == "https://other.example.com/revoke"
    assert provider.device_code == device_code
    assert provider.scopes == ("openid", "admin")
    assert provider.promises_iss
    assert provider.require_pushed_authorization_requests
    assert provider.id_token_signing_alg_values_supported == ()


@pytest.mark.parametrize(
    ("listed", "method"),
    [
        (None, "client_secret_basic"),
        ([], "client_secret_basic"),
        (["client_secret_post", "client_secret_basic"], "client_secret_basic"),
        (["client_secret_post", "private_key_jwt"], "client_secret_post"),
        (["none"], "client_secret_post"),
    ],
)
def test_how_a_client_with_a_secret_authenticates(listed: list[str] | None, method: str) -> None:
    provider = completed({"client_secret": "canary-secret"}, token_endpoint_auth_methods_supported=listed)
    assert provider.token_endpoint_auth_method is ClientAuthentication(method)


def test_the_client_authentication_of_the_caller_is_kept() -> None:
    post = ClientAuthentication.CLIENT_SECRET_POST
    fields = {"client_secret": "canary-secret", "token_endpoint_auth_method": post}
    assert completed(fields).token_endpoint_auth_method is post
    public = completed(token_endpoint_auth_methods_supported=["client_secret_basic"])
    assert public.token_endpoint_auth_method is ClientAuthentication.NONE


def test_the_metadata_may_be_given_instead_of_read() -> None:
    provider = Provider.from_metadata(DOCUMENT, issuer=ISSUER, client_id="native", scopes=["openid"])
    assert provider == Provider.openid(ISSUER, client_id="native", scopes=["openid"]).completed(metadata())
    with pytest.raises(MetadataError, match="issuer is https://id"):
        Provider.from_metadata(DOCUMENT, issuer="https://other.example.com", client_id="native")
