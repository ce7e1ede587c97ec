"""Clients of the OpenID provider: authentication (RFC 6749 section 2.3) and registration (RFC 7591)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

import pytest

from loginmachine.demo.openid.clients import Client

from ..support import CALLBACK
from .support import DEVICE_CODE, Program, callback_error, error_of

if TYPE_CHECKING:
    import httpx

# Authentication


def ask_with(program: Program, form: dict[str, str], auth: tuple[str, str] | None = None) -> httpx.Response:
    data = {"grant_type": "refresh_token", "refresh_token": "unknown", **form}
    return program.http.post(program.url("token_endpoint"), data=data, auth=auth or httpx_none())


def httpx_none() -> Any:
    """Return what leaves out the Authorization header."""
    return lambda request: request


ACCEPTED = (400, "invalid_grant")
REFUSED = (401, "invalid_client")


def secret_of(client: Client) -> str:
    assert client.client_secret is not None
    return client.client_secret


def test_each_client_has_one_method(program: Program) -> None:
    basic, post = program.provider.confidential_client, program.provider.post_client
    basic_secret, post_secret = secret_of(basic), secret_of(post)
    assert error_of(ask_with(program, {"client_id": "native"})) == ACCEPTED
    assert error_of(ask_with(program, {"client_id": "native-post", "client_secret": post_secret})) == ACCEPTED
    assert error_of(ask_with(program, {}, ("native-basic", quote_plus(basic_secret)))) == ACCEPTED
    same = {"client_id": "native-basic"}
    assert error_of(ask_with(program, same, ("native-basic", quote_plus(basic_secret)))) == ACCEPTED

    assert error_of(ask_with(program, {"client_id": "native", "client_secret": "x"})) == REFUSED
    assert error_of(ask_with(program, {}, ("native", ""))) == REFUSED
    assert error_of(ask_with(program, {"client_id": "native-post"})) == REFUSED
    assert error_of(ask_with(program, {}, ("native-post", quote_plus(post_secret)))) == REFUSED
    assert error_of(ask_with(program, {"client_id": "native-basic"})) == REFUSED
    assert error_of(ask_with(program, {"client_id": "native-basic", "client_secret": basic_secret})) == REFUSED


@pytest.mark.parametrize(
    ("form", "auth"),
    [
        ({}, None),
        ({"client_id": "another"}, None),
        ({"client_id": "native-post", "client_secret": "wrong"}, None),
        ({}, ("native-basic", "wrong")),
        ({}, ("another", "wrong")),
    ],
)
def test_a_refused_client_is_asked_to_authenticate(
    program: Program, form: dict[str, str], auth: tuple[str, str] | None
) -> None:
    answer = ask_with(program, form, auth)
    assert error_of(answer) == REFUSED
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="loginmachine-demo"'


def test_the_parts_of_a_basic_header_are_form_encoded(program: Program) -> None:
    secret = secret_of(program.provider.confidential_client)
    assert "%" in secret
    assert error_of(ask_with(program, {}, ("native-basic", secret))) == REFUSED


@pytest.mark.parametrize("header", ["Basic", "Basic ???", "Basic Zm9v", "Bearer token", "Basic /w=="])
def test_a_broken_header_is_refused(program: Program, header: str) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": "x"}
    answer = program.http.post(program.url("token_endpoint"), data=form, headers={"Authorization": header})
    assert error_of(answer) == REFUSED


def test_two_methods_at_once_are_refused(program: Program) -> None:
    auth = "native-basic", quote_plus(secret_of(program.provider.confidential_client))
    assert error_of(ask_with(program, {"client_secret": auth[1]}, auth)) == (400, "invalid_request")
    assert error_of(ask_with(program, {"client_id": "native"}, auth)) == (400, "invalid_request")


# Registration


def register(program: Program, **metadata: Any) -> httpx.Response:
    return program.http.post(program.url("registration_endpoint"), json={"redirect_uris": [CALLBACK], **metadata})


@pytest.mark.parametrize("method", ["none", "client_secret_basic", "client_secret_post"])
def test_a_registered_client_can_sign_in(program: Program, method: Any) -> None:
    answer = register(
        program,
        token_endpoint_auth_method=method,
        grant_types=["authorization_code", "refresh_token"],
        response_types=["code"],
        application_type="native",
        client_name="My program",
        software_version="1",
    )
    assert answer.status_code == 201
    found = answer.json()
    assert isinstance(found["client_id_issued_at"], int)
    assert (found["client_name"], found["token_endpoint_auth_method"]) == ("My program", method)
    assert ("client_secret" in found, found.get("client_secret_expires_at")) == (
        (False, None) if method == "none" else (True, 0)
    )
    program.client = Client(
        client_id=found["client_id"], client_secret=found.get("client_secret"), token_endpoint_auth_method=method
    )
    assert "My program at 127.0.0.1:1455" in program.ask().text
    assert program.refresh(program.tokens()["refresh_token"]).status_code == 200
    assert error_of(program.device(scope="openid")) == (400, "unauthorized_client")
    assert error_of(program.poll("x")) == (400, "unauthorized_client")


def test_the_defaults_of_a_registration(program: Program) -> None:
    found = register(program).json()
    assert found["token_endpoint_auth_method"] == "client_secret_basic"
    assert found["grant_types"] == ["authorization_code"]
    assert found["response_types"] == ["code"]
    assert "client_name" not in found
    program.client = Client(
        client_id=found["client_id"],
        client_secret=found["client_secret"],
        token_endpoint_auth_method="client_secret_basic",
    )
    # Without the grant type, a client gets no refresh token.
    assert "refresh_token" not in program.tokens()


def test_a_registration_for_device_codes_needs_no_redirect_uri(program: Program) -> None:
    found = register(program, redirect_uris=[], grant_types=[DEVICE_CODE], token_endpoint_auth_method="none").json()
    program.client = Client(client_id=found["client_id"])
    assert program.device().status_code == 200
    assert program.ask().status_code == 400


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": CALLBACK}, "invalid_redirect_uri"),
        ({"redirect_uris": [1]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://app.example/cb"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["https://app.example/cb#a"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://127.0.0.1/cb#a"]}, "invalid_redirect_uri"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"token_endpoint_auth_method": 1}, "invalid_client_metadata"),
        ({"grant_types": ["password"]}, "invalid_client_metadata"),
        ({"grant_types": "authorization_code"}, "invalid_client_metadata"),
        ({"response_types": ["token"]}, "invalid_client_metadata"),
        ({"application_type": "tv"}, "invalid_client_metadata"),
        ({"client_name": 1}, "invalid_client_metadata"),
        ({"client_name": "a\nb"}, "invalid_client_metadata"),
    ],
)
def test_wrong_metadata_is_refused(program: Program, metadata: dict[str, Any], error: str) -> None:
    assert error_of(register(program, **metadata)) == (400, error)


def test_a_registration_must_be_json(program: Program) -> None:
    url = program.url("registration_endpoint")
    assert error_of(program.http.post(url, data={"redirect_uris": CALLBACK})) == (400, "invalid_client_metadata")
    assert error_of(program.http.post(url, json=[1])) == (400, "invalid_client_metadata")
    broken = program.http.post(url, content=b"{", headers={"Content-Type": "application/json"})
    assert error_of(broken) == (400, "invalid_client_metadata")


def test_a_registration_may_need_a_token(program: Program) -> None:
    program.provider.switches.initial_access_token = "first-token"
    answer = register(program)
    assert error_of(answer) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    url, metadata = program.url("registration_endpoint"), {"redirect_uris": [CALLBACK]}
    accepted = program.http.post(url, json=metadata, headers={"Authorization": "Bearer first-token"})
    assert accepted.status_code == 201


def test_registration_can_be_off(program: Program) -> None:
    url = program.url("registration_endpoint")
    program.provider.switches.registration = False
    assert program.http.post(url, json={"redirect_uris": [CALLBACK]}).status_code == 404
    metadata = program.http.get(f"{program.provider.issuer}/.well-known/openid-configuration").json()
    assert "registration_endpoint" not in metadata


def test_a_client_for_device_codes_cannot_use_the_browser(program: Program) -> None:
    metadata = {"grant_types": [DEVICE_CODE], "token_endpoint_auth_method": "none"}
    program.client = Client(client_id=register(program, **metadata).json()["client_id"])
    assert callback_error(program.ask()) == "unauthorized_client"
