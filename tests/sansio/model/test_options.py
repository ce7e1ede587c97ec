"""Options, secrets and providers: what is refused, and that the text of a refusal holds no secret."""

from __future__ import annotations

import pytest

from loginmachine.sansio import IdTokenPolicy, LoginMachine, LoginOptions, LoginSecrets, Provider
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


def test_a_string_is_no_list_of_workspaces() -> None:
    with pytest.raises(ValueError, match=r"^the allowed workspaces are a tuple of ids$"):
        LoginOptions(provider=CHATGPT, allowed_workspaces="acc-1")  # type: ignore[arg-type]


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


# Options


def test_the_defaults() -> None:
    options = LoginOptions(provider=CHATGPT)
    assert (options.port, options.redirect_host, options.open_browser) == (None, "127.0.0.1", True)
    assert (options.deadline, options.allowed_workspaces) == (600, ())


@pytest.mark.parametrize(
    ("port", "first", "fallback"),
    [
        (None, 1455, 1457),
        (1455, 1455, 1457),
        (1457, 1457, None),
        (8080, 8080, None),
        (0, 0, None),
        (65535, 65535, None),
    ],
)
def test_only_the_default_port_has_a_fallback(port: int | None, first: int, fallback: int | None) -> None:
    options = LoginOptions(provider=CHATGPT, port=port)
    assert (options.first_port, options.fallback_port) == (first, fallback)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_out_of_range(port: int) -> None:
    with pytest.raises(ValueError, match=f"^a port is a number from 0 to 65535, not {port}$"):
        LoginOptions(provider=CHATGPT, port=port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::1", "evil.example", "LOCALHOST", ""])
def test_a_redirect_host_beyond_loopback(host: str) -> None:
    with pytest.raises(ValueError, match="redirect host"):
        LoginOptions(provider=CHATGPT, redirect_host=host)


@pytest.mark.parametrize("deadline", [0, -1, float("inf"), float("nan")])
def test_a_deadline_that_is_none(deadline: float) -> None:
    with pytest.raises(ValueError, match="deadline"):
        LoginOptions(provider=CHATGPT, deadline=deadline)


@pytest.mark.parametrize(("deadline", "for_a_device_code"), [(600, None), (None, None), (60, 60), (700.0, 700.0)])
def test_the_default_deadline_is_not_for_device_codes(deadline: float | None, for_a_device_code: float | None) -> None:
    assert LoginOptions(provider=CHATGPT, deadline=deadline).device_deadline == for_a_device_code


@pytest.mark.parametrize("workspaces", [("",), ("a", ""), ("a,b",)])
def test_a_workspace_that_is_none(workspaces: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="workspace"):
        LoginOptions(provider=CHATGPT, allowed_workspaces=workspaces)


# Secrets


@pytest.mark.parametrize("value", ["", "a b", "a/b", "a+b", "a=", "\u00e9", "a\n"])
@pytest.mark.parametrize("name", ["state", "code_verifier"])
def test_secrets_are_made_of_unreserved_characters(name: str, value: str) -> None:
    good = {"state": "Az09-._~", "code_verifier": "Az09-._~"}
    LoginSecrets(**good)
    with pytest.raises(ValueError, match=f"^the {name} must be letters, digits"):
        LoginSecrets(**{**good, name: value})


def test_secrets_do_not_show() -> None:
    assert repr(LoginSecrets(state="canary", code_verifier="canary", nonce="canary")) == "LoginSecrets()"


def test_a_provider_that_uses_a_nonce_needs_one() -> None:
    options = LoginOptions(provider=CHATGPT.__replace__(uses_nonce=True))
    with pytest.raises(ValueError, match=r"^this provider uses a nonce, and the secrets hold none$"):
        LoginMachine(options, LoginSecrets(state="s", code_verifier="v"))
    assert LoginMachine(options, LoginSecrets(state="s", code_verifier="v", nonce="n")).state == "idle"


def test_a_policy_that_is_misspelt_is_not_the_laxer_one() -> None:
    with pytest.raises(ValueError, match="strict or compat"):
        OTHER_PROVIDER.__replace__(id_token_policy="Strict")
    # As read from a configuration.
    provider = OTHER_PROVIDER.__replace__(id_token_policy="strict")
    with pytest.raises(ClaimError, match="it has no iss"):
        check_id_token({}, provider, nonce=None, headers=(), received_at=NOW)
