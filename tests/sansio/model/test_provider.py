"""Providers, their endpoints, and the URLs that may be opened or shown."""

from __future__ import annotations

import pytest

from loginmachine.sansio import IdTokenPolicy, LoginOptions, Provider
from loginmachine.sansio.base.http import Encoding
from loginmachine.sansio.model.claims import ClaimError
from loginmachine.sansio.model.provider import (
    DeviceCodeDialect,
    DeviceCodeEndpoints,
    check_provider_url,
    is_verification_url,
)
from loginmachine.sansio.oauth.id_token import check_id_token

from ..samples import NOW, OTHER_PROVIDER

CHATGPT = Provider.chatgpt()
GOOD_URLS = [
    "https://auth.openai.com",
    "https://auth.openai.com/",
    "https://auth.openai.com:8443/tenant-1/v2.0",
    "HTTPS://auth.openai.com",
    "https://10.0.0.1/",
    "https://[2001:db8::1]/",
    "http://127.0.0.1:9000",
    "http://[::1]:9000/path",
]
HOSTILE_URLS = [
    "",
    "auth.openai.com",
    "//auth.openai.com",
    "https:auth.openai.com",
    "https://",
    "https:///path",
    "https://:443/",
    "http://auth.openai.com",
    "http://127.0.0.1.evil.example",
    "http://127.0.0.2",
    "http://localhost:9000",
    "http://localhost.evil.example",
    "http://0.0.0.0",
    "http://evil.example/127.0.0.1",
    "ftp://auth.openai.com",
    "file:///etc/passwd",
    "javascript:alert(1)",
    "data:text/html,x",
    "ms-settings://x",
    "https://user@auth.openai.com",
    "https://user:canary@auth.openai.com",
    "https://@auth.openai.com",
    "https://auth.openai.com@evil.example",
    "https://auth.openai.com?x=canary",
    "https://auth.openai.com/?",
    "https://auth.openai.com#canary",
    "https://auth.openai.com/#",
    "https://auth.openai.com:99999",
    "https://auth.openai.com:port",
    "https://[::1",
    "https://[x]/",
    "https://auth.openai.com/a b",
    " https://auth.openai.com",
    "https://auth.openai.com\n",
    "https://auth.openai.com/\x00",
    "https://auth.openai.com/\t",
    "https://auth.openai.com/\x7f",
    "https://auth.\u043epenai.com",
    "https://auth.openai.com/\u202e",
    *(f"https://auth.openai.com/{character}calc" for character in "\"'`\\^|<>"),
]


@pytest.mark.parametrize("url", GOOD_URLS)
def test_urls_that_may_be_opened(url: str) -> None:
    check_provider_url(url)


@pytest.mark.parametrize("url", HOSTILE_URLS)
def test_urls_that_may_not_be_opened(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the provider's URL ") as caught:
        check_provider_url(url)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("name", ["issuer", "authorization_endpoint", "token_endpoint"])
def test_every_endpoint_of_a_provider_is_checked(name: str) -> None:
    with pytest.raises(ValueError, match="must be https"):
        OTHER_PROVIDER.__replace__(**{name: "http://evil.example"})


def test_the_issuer_of_a_mirror_is_checked() -> None:
    with pytest.raises(ValueError, match="user name, a query or a fragment"):
        Provider.chatgpt(issuer="https://mirror.example?x=")


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


@pytest.mark.parametrize("url", [*GOOD_URLS, "https://id.example/device?user_code=WDJB-MJHT"])
def test_addresses_that_may_be_shown(url: str) -> None:
    assert is_verification_url(url)


@pytest.mark.parametrize(
    "url", [*(url for url in HOSTILE_URLS if "?" not in url), None, 5, ["https://id.example"], f"https://{'a' * 2041}"]
)
def test_addresses_that_may_not_be_shown(url: object) -> None:
    assert not is_verification_url(url)


@pytest.mark.parametrize("path", ["auth/callback", "", "/success", "/cancel"])
def test_the_callback_path_starts_with_a_slash_and_is_not_one_of_ours(path: str) -> None:
    with pytest.raises(ValueError, match=r"^the callback path must start with a slash, and be neither"):
        CHATGPT.__replace__(callback_path=path)


def test_the_provider_of_chatgpt_accounts() -> None:
    assert (
        Provider(
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
            claims_namespace="https://api.openai.com/auth",
            workspace_parameter="allowed_workspace_id",
            exchanges_api_key=True,
            no_entitlement_marker="missing_codex_entitlement",
            platform_url="https://platform.openai.com",
            help_url="https://developers.openai.com/codex/auth",
            revocation_endpoint="https://auth.openai.com/oauth/revoke",
            revocation_encoding=Encoding.JSON,
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
    trimmed = Provider.chatgpt(issuer="https://auth.openai.com/")
    assert trimmed == CHATGPT
    assert Provider.chatgpt(issuer="https://mirror.example/base/").token_endpoint == (
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
