"""The token requests, literally."""

from __future__ import annotations

import pytest

from loginmachine.sansio import LoginSecrets, Provider, Secret
from loginmachine.sansio.base.http import Encoding
from loginmachine.sansio.oauth import authorization, responses, token_requests

from ..samples import OPTIONS, SECRETS


def test_the_time_outs() -> None:
    assert (token_requests.TOKEN_EXCHANGE_TIMEOUT, token_requests.API_KEY_EXCHANGE_TIMEOUT) == (30, 10)
    assert responses.MAX_TOKEN_RESPONSE == 1_048_576


def test_the_code_exchange() -> None:
    assert token_requests.code_exchange(OPTIONS, SECRETS, 1457, "c/o d").form == (
        ("grant_type", "authorization_code"),
        ("client_id", "app_EMoamEEZ73f0CkXaXp7hrann"),
        ("code", "c/o d"),
        ("redirect_uri", "http://127.0.0.1:1457/auth/callback"),
        ("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
    )


def test_the_api_key_exchange() -> None:
    assert token_requests.api_key_exchange(Provider.codex(), Secret("the.id.token")).form == (
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("client_id", "app_EMoamEEZ73f0CkXaXp7hrann"),
        ("requested_token", "openai-api-key"),
        ("subject_token", "the.id.token"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
    )


@pytest.mark.parametrize("port", [1, 1455, 65535])
def test_both_requests_name_the_same_redirect_uri(port: int) -> None:
    uri = authorization.redirect_uri(OPTIONS, port)
    assert uri == f"http://127.0.0.1:{port}/auth/callback"
    assert dict(token_requests.code_exchange(OPTIONS, SECRETS, port, "c").form)["redirect_uri"] == uri


def test_generated_secrets_have_the_sizes_of_codex() -> None:
    one, other = LoginSecrets.generate(), LoginSecrets.generate()
    assert (len(one.state), len(one.code_verifier), len(one.nonce)) == (43, 86, 43)
    assert len({one.state, other.state, one.code_verifier, other.code_verifier, one.nonce, other.nonce}) == 6


PLAIN = Provider.oauth(
    authorization_endpoint="https://id.example/authorize",
    token_endpoint="https://id.example/token",
    client_id="client-1",
)


def test_a_refresh_is_a_form_and_json_for_codex() -> None:
    """RFC 6749 section 6."""
    form = (("client_id", "client-1"), ("grant_type", "refresh_token"), ("refresh_token", "r-1"))
    request = token_requests.refresh_request(PLAIN, Secret("r-1"))
    assert (request.url, request.form, request.encoding) == ("https://id.example/token", form, Encoding.FORM)
    assert token_requests.refresh_request(Provider.codex(), Secret("r-1")).encoding is Encoding.JSON


def test_the_resource_is_in_each_token_request() -> None:
    """RFC 8707 section 2.2."""
    resources = (("resource", "https://api.example"), ("resource", "urn:b"))
    options = OPTIONS.__replace__(resource=("https://api.example", "urn:b"))
    assert token_requests.code_exchange(options, SECRETS, 1455, "c").form[-2:] == resources
    assert token_requests.refresh_request(PLAIN, Secret("r-1"), ("https://api.example", "urn:b")).form[-2:] == resources
