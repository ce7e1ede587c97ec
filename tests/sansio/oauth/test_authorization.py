"""The authorization request, literally."""

from __future__ import annotations

from loginmachine.sansio import LoginOptions, Provider
from loginmachine.sansio.oauth import authorization

from .. import samples
from ..samples import OPTIONS, OTHER_PROVIDER, SECRETS

RFC_7636_B = ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")


def test_the_vector_of_rfc_7636_appendix_b() -> None:
    verifier, challenge = RFC_7636_B
    assert authorization.code_challenge(verifier) == challenge


def test_the_authorization_request() -> None:
    assert authorization.authorization_url(OPTIONS, SECRETS, 1455) == (
        "https://auth.openai.com/oauth/authorize"
        "?response_type=code"
        "&client_id=app_EMoamEEZ73f0CkXaXp7hrann"
        "&redirect_uri=http%3A%2F%2F127.0.0.1%3A1455%2Fauth%2Fcallback"
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        "&code_challenge_method=S256"
        "&state=canary-state-Xk3vQ9"
        "&scope=openid+profile+email+offline_access+api.connectors.read+api.connectors.invoke"
        "&id_token_add_organizations=true"
        "&codex_cli_simplified_flow=true"
        "&originator=codex_cli_rs"
    )


def test_forced_workspaces_come_last() -> None:
    options = OPTIONS.__replace__(allowed_workspaces=("ws-1", "ws 2"))
    assert (
        authorization.authorization_url(options, SECRETS, 1455)
        == samples.AUTH_URL + "&allowed_workspace_id=ws-1%2Cws+2"
    )


def test_a_provider_without_a_workspace_parameter_gets_none() -> None:
    options = LoginOptions(provider=OTHER_PROVIDER, allowed_workspaces=("ws-1",))
    assert "ws-1" not in authorization.authorization_url(options, SECRETS, 1)


def test_the_authorization_request_of_a_mirror() -> None:
    provider = Provider.codex(issuer="https://mirror.example/", client_id="me", originator="my app")
    url = authorization.authorization_url(LoginOptions(provider=provider), SECRETS, 1455)
    assert url.startswith("https://mirror.example/oauth/authorize?response_type=code&client_id=me&redirect_uri=")
    assert url.endswith("&originator=my+app")


def test_the_authorization_request_of_a_provider_with_a_nonce() -> None:
    options = LoginOptions(provider=OTHER_PROVIDER.__replace__(uses_nonce=True), redirect_host="localhost")
    assert authorization.authorization_url(options, SECRETS, 50000) == (
        "https://id.example/authorize?response_type=code&client_id=client-1"
        "&redirect_uri=http%3A%2F%2Flocalhost%3A50000%2Fauth%2Fcallback"
        "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        "&state=canary-state-Xk3vQ9&scope=openid&nonce=canary-nonce-7Zp2"
    )


def test_no_nonce_for_a_provider_that_does_not_use_it() -> None:
    assert "nonce" not in samples.AUTH_URL
    assert "nonce" not in authorization.authorization_url(OPTIONS, SECRETS, 1455)


def test_without_scopes_the_parameter_is_left_out() -> None:
    url = authorization.authorization_url(OPTIONS.__replace__(scopes=()), SECRETS, 1455)
    assert "scope=" not in url
    assert "&state=canary-state-Xk3vQ9&id_token_add_organizations=true&" in url
