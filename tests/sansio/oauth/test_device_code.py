"""The requests for a device code, and for its tokens, in both dialects."""

from __future__ import annotations

from loginmachine.sansio import LoginOptions, Secret
from loginmachine.sansio.base.http import Encoding
from loginmachine.sansio.oauth.device_code import DeviceCode, DeviceGrant, code_request, grant_exchange, poll_request
from loginmachine.sansio.server.endpoints import ClientAuthentication, DeviceCodeEndpoints

from ..callback.asking import CHATGPT
from ..samples import CLIENT_ID, CODE_ENDPOINT, OTHER_PROVIDER, POLL_ENDPOINT, TOKEN_ENDPOINT

RFC8628 = OTHER_PROVIDER.__replace__(
    scopes=("openid", "profile"), device_code=DeviceCodeEndpoints(code_endpoint="https://id.example/device")
)
DEVICE = DeviceCode(
    device_code="d-1", user_code="WDJB-MJHT", verification_url="https://id.example/go", expires_in=900.0, interval=5.0
)


def test_the_requests_of_codex() -> None:
    first, poll = code_request(LoginOptions(provider=CHATGPT)), poll_request(CHATGPT, DEVICE)
    assert (first.url, first.encoding, first.form) == (CODE_ENDPOINT, Encoding.JSON, (("client_id", CLIENT_ID),))
    assert (poll.url, poll.encoding) == (POLL_ENDPOINT, Encoding.JSON)
    assert poll.form == (("device_auth_id", "d-1"), ("user_code", "WDJB-MJHT"))


def test_the_token_request_of_codex() -> None:
    request = grant_exchange(CHATGPT, DeviceGrant(code="ac-1", code_verifier="v-1"))
    assert (request.url, request.encoding, request.timeout) == (TOKEN_ENDPOINT, Encoding.FORM, 30)
    assert request.form == (
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("code", "ac-1"),
        ("redirect_uri", "https://auth.openai.com/deviceauth/callback"),
        ("code_verifier", "v-1"),
    )


def test_the_requests_of_rfc_8628() -> None:
    first, poll = code_request(LoginOptions(provider=RFC8628)), poll_request(RFC8628, DEVICE)
    assert (first.url, first.encoding) == ("https://id.example/device", Encoding.FORM)
    assert first.form == (("client_id", "client-1"), ("scope", "openid profile"))
    assert (poll.url, poll.encoding) == ("https://id.example/token", Encoding.FORM)
    assert poll.form == (
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", "d-1"),
        ("client_id", "client-1"),
    )


def test_the_client_id_is_sent_by_a_client_that_authenticates_too() -> None:
    method = ClientAuthentication.CLIENT_SECRET_BASIC
    provider = RFC8628.__replace__(client_secret=Secret("s-1"), token_endpoint_auth_method=method)
    first = code_request(LoginOptions(provider=provider))
    assert first.form == (("client_id", "client-1"), ("scope", "openid profile"))
    assert first.authorization == Secret("Basic Y2xpZW50LTE6cy0x")


def test_nothing_secret_is_shown() -> None:
    shown = repr((DEVICE, DeviceGrant(code="ac-1", code_verifier="v-1"), poll_request(CHATGPT, DEVICE)))
    assert not any(secret in shown for secret in ("d-1", "WDJB", "ac-1", "v-1"))


def test_the_scopes_and_resources_of_a_login_with_a_device_code() -> None:
    options = LoginOptions(provider=RFC8628, scopes=("api",), resource=("https://api.example",))
    expected = (("client_id", "client-1"), ("scope", "api"), ("resource", "https://api.example"))
    assert code_request(options).form == expected
    assert code_request(options.__replace__(scopes=())).form == (expected[0], expected[2])
