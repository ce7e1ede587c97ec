"""Providers, their endpoints, and the URLs that may be opened or shown."""

from __future__ import annotations

from typing import Any

import pytest

from loginmachine.sansio import IdTokenPolicy, LoginOptions, Provider
from loginmachine.sansio.base.http import Encoding
from loginmachine.sansio.base.secret import Secret
from loginmachine.sansio.model.claims import ClaimError
from loginmachine.sansio.oauth.id_token import check_id_token
from loginmachine.sansio.server.dialect import Dialect
from loginmachine.sansio.server.endpoints import ClientAuthentication, DeviceCodeDialect, DeviceCodeEndpoints

from ..samples import NOW, OTHER_PROVIDER

CHATGPT = Provider.codex()


@pytest.mark.parametrize("name", ["issuer", "authorization_endpoint", "token_endpoint"])
def test_every_endpoint_of_a_provider_is_checked(name: str) -> None:
    with pytest.raises(ValueError, match="must be https"):
        OTHER_PROVIDER.__replace__(**{name: "http://evil.example"})


def test_the_issuer_of_a_mirror_is_checked() -> None:
    with pytest.raises(ValueError, match="user name, a query or a fragment"):
        Provider.codex(issuer="https://mirror.example?x=")


@pytest.mark.parametrize("name", ["code_endpoint", "poll_endpoint", "verification_url", "redirect_uri"])
def test_every_endpoint_for_device_codes_is_checked(name: str) -> None:
    endpoints = DeviceCodeEndpoints(code_endpoint="https://id.example/device")
    with pytest.raises(ValueError, match="must be https"):
        endpoints.__replace__(**{name: "http://evil.example"})


@pytest.mark.parametrize("name", ["poll_endpoint", "verification_url", "redirect_uri"])
def test_the_dialect_of_codex_needs_every_endpoint(name: str) -> None:
    assert CHATGPT.device_code is not None
    with pytest.raises(
        ValueError, match=r"^this dialect needs a poll endpoint, a verification URL and a redirect URI$"
    ):
        CHATGPT.device_code.__replace__(**{name: None})


def test_an_ordinary_provider_speaks_rfc_8628() -> None:
    endpoints = DeviceCodeEndpoints(code_endpoint="https://id.example/device")
    assert (endpoints.dialect, endpoints.poll_endpoint) == (DeviceCodeDialect.RFC8628, None)
    assert OTHER_PROVIDER.device_code is None


@pytest.mark.parametrize("path", ["auth/callback", "?x", "/success", "/cancel"])
def test_the_callback_path_is_empty_or_a_path_that_is_not_one_of_ours(path: str) -> None:
    with pytest.raises(ValueError, match=r"^the callback path is empty or starts with a slash, and is neither"):
        CHATGPT.__replace__(callback_path=path)


def test_the_provider_of_chatgpt_accounts() -> None:
    assert (
        Provider(
            name="codex",
            issuer="https://auth.openai.com",
            authorization_endpoint="https://auth.openai.com/oauth/authorize",
            token_endpoint="https://auth.openai.com/oauth/token",
            client_id="app_EMoamEEZ73f0CkXaXp7hrann",
            scopes=("openid", "profile", "email", "offline_access", "api.connectors.read", "api.connectors.invoke"),
            authorization_parameters=(
                ("id_token_add_organizations", "true"),
                ("codex_cli_simplified_flow", "true"),
                ("originator", "codex_cli_rs"),
            ),
            port=1455,
            fallback_port=1457,
            callback_path="/auth/callback",
            id_token_policy=IdTokenPolicy.COMPAT,
            dialect=Dialect(
                claims_namespace="https://api.openai.com/auth",
                workspace_parameter="allowed_workspace_id",
                exchanges_api_key=True,
                no_entitlement_marker="missing_codex_entitlement",
                platform_url="https://platform.openai.com",
                encoding=Encoding.JSON,
                gives_all_tokens=True,
                stores_in_auth_json=True,
                revokes_replaced_tokens=True,
            ),
            help_url="https://developers.openai.com/codex/auth",
            revocation_endpoint="https://auth.openai.com/oauth/revoke",
            device_code=DeviceCodeEndpoints(
                dialect=DeviceCodeDialect.CODEX,
                code_endpoint="https://auth.openai.com/api/accounts/deviceauth/usercode",
                poll_endpoint="https://auth.openai.com/api/accounts/deviceauth/token",
                verification_url="https://auth.openai.com/codex/device",
                redirect_uri="https://auth.openai.com/deviceauth/callback",
            ),
        )
        == CHATGPT
    )


def test_the_trailing_slash_of_an_issuer_is_trimmed() -> None:
    trimmed = Provider.codex(issuer="https://auth.openai.com/")
    assert trimmed == CHATGPT
    assert Provider.codex(issuer="https://mirror.example/base/").token_endpoint == (
        "https://mirror.example/base/oauth/token"
    )


def test_an_ordinary_provider_is_strict_and_takes_any_port() -> None:
    options = LoginOptions(provider=OTHER_PROVIDER)
    assert OTHER_PROVIDER.id_token_policy is IdTokenPolicy.STRICT
    assert (options.first_port, options.fallback_port) == (0, None)


def test_a_misspelt_policy_is_refused() -> None:
    with pytest.raises(ValueError, match="strict or compat"):
        OTHER_PROVIDER.__replace__(id_token_policy="Strict")
    # As read from a configuration.
    provider = OTHER_PROVIDER.__replace__(id_token_policy="strict")
    with pytest.raises(ClaimError, match="it has no iss"):
        check_id_token({}, provider, nonce=None, headers=(), received_at=NOW)


def test_device_codes_need_no_authorization_endpoint() -> None:
    codes = DeviceCodeEndpoints(code_endpoint="https://id.example/device")
    endpoints = {"authorization_endpoint": "", "token_endpoint": "https://id.example/token"}
    assert Provider.oauth(**endpoints, client_id="c", device_code=codes).authorization_endpoint == ""
    with pytest.raises(ValueError, match="empty"):
        Provider.oauth(**endpoints, client_id="c")


@pytest.mark.parametrize(
    ("client", "words"),
    [
        ({"client_id": ""}, "the provider needs a client id, or the metadata of a client to register"),
        (
            {"client_secret": Secret("canary"), "token_endpoint_auth_method": ClientAuthentication.NONE},
            "the client has a secret, but its authentication is none",
        ),
        (
            {"token_endpoint_auth_method": ClientAuthentication.CLIENT_SECRET_BASIC},
            "the authentication client_secret_basic needs a client secret",
        ),
        ({"scopes": "openid"}, "the scopes are a tuple of texts"),
    ],
)
def test_a_client_that_cannot_be_used(client: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=f"^{words}$"):
        OTHER_PROVIDER.__replace__(**client)
