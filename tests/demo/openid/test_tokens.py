"""The OpenID provider's token, revocation and userinfo endpoints."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc.errors import BadSignatureError
from joserfc.jwk import OKPKey, RSAKey

from ..support import CALLBACK, VERIFIER, claims
from .support import NONCE, SCOPE, Program, error_of

if TYPE_CHECKING:
    from loginmachine.demo.shared.signing import Algorithm

CLIENTS = ["client", "confidential_client", "post_client"]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_code_is_redeemed(program: Program, name: str) -> None:
    program.client = getattr(program.provider, name)
    answer = program.redeem(program.code())
    assert answer.headers["Cache-Control"] == "no-store"
    tokens = answer.json()
    assert set(tokens) == {"access_token", "token_type", "expires_in", "refresh_token", "id_token", "scope"}
    assert (tokens["token_type"], tokens["expires_in"], tokens["scope"]) == ("Bearer", 3600, SCOPE)
    assert program.refresh(tokens["refresh_token"]).status_code == 200


# The form


def test_json_is_refused(program: Program) -> None:
    code = program.code()
    body = {"client_id": "native", "grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
    answer = program.http.post(program.url("token_endpoint"), json={**body, "code_verifier": VERIFIER})
    assert error_of(answer) == (400, "invalid_request")
    assert program.provider.is_active(code)


@pytest.mark.parametrize("member", ["token_endpoint", "revocation_endpoint", "device_authorization_endpoint"])
def test_every_endpoint_takes_forms_only(program: Program, member: str) -> None:
    assert error_of(program.http.post(program.url(member), json={"client_id": "native"})) == (400, "invalid_request")


def test_parameters_in_the_query_are_refused(program: Program) -> None:
    form = {"client_id": "native", "grant_type": "refresh_token", "refresh_token": "x"}
    answer = program.http.post(program.url("token_endpoint"), params={"x": "1"}, data=form)
    assert error_of(answer) == (400, "invalid_request")


def test_the_query_of_the_endpoint_is_kept(program: Program) -> None:
    code = program.code()
    program.provider.switches.endpoint_query = "p=b2c_1_in"
    assert program.url("token_endpoint").endswith("/token?p=b2c_1_in")
    bare = program.http.post(f"{program.provider.issuer}/token", data={"client_id": "native"})
    assert error_of(bare) == (400, "invalid_request")
    assert program.redeem(code).status_code == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ["refresh_token", "refresh_token"]}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": ""}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "unknown"}, "invalid_grant"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
    ],
)
def test_wrong_requests_are_refused(program: Program, form: dict[str, Any], error: str) -> None:
    assert error_of(program.post("token_endpoint", form)) == (400, error)


# Codes


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code": "unknown"}, "invalid_grant"),
        ({"redirect_uri": "http://127.0.0.1:1456/auth/callback"}, "invalid_grant"),
        ({"redirect_uri": None}, "invalid_request"),
        ({"code_verifier": "x" * 43}, "invalid_grant"),
        ({"code_verifier": "x" * 42}, "invalid_request"),
        ({"code_verifier": "x" * 129}, "invalid_request"),
        ({"code_verifier": None}, "invalid_request"),
    ],
)
def test_a_code_is_bound_to_its_request(program: Program, changes: dict[str, Any], error: str) -> None:
    code = program.code()
    assert error_of(program.redeem(**{"code": code, **changes})) == (400, error)


def test_a_wrong_verifier_uses_up_the_code(program: Program) -> None:
    code = program.code()
    program.redeem(code, code_verifier="x" * 43)
    assert error_of(program.redeem(code)) == (400, "invalid_grant")


def test_a_code_belongs_to_its_client(program: Program) -> None:
    code = program.code()
    other = Program(program.provider, program.http, program.provider.confidential_client)
    assert error_of(other.redeem(code)) == (400, "invalid_grant")
    assert program.redeem(code).status_code == 200


def test_a_second_use_of_a_code_revokes_its_tokens(program: Program) -> None:
    code = program.code()
    tokens = program.redeem(code).json()
    assert program.provider.is_active(tokens["access_token"])
    assert error_of(program.redeem(code)) == (400, "invalid_grant")
    assert not program.provider.is_active(tokens["access_token"])
    assert error_of(program.refresh(tokens["refresh_token"])) == (400, "invalid_grant")


def test_a_code_expires(program: Program) -> None:
    code = program.code()
    program.provider.advance(60)
    assert error_of(program.redeem(code)) == (400, "invalid_grant")


# Refresh tokens


def test_refresh_tokens_rotate(program: Program) -> None:
    first = program.tokens()["refresh_token"]
    second = program.refresh(first).json()["refresh_token"]
    assert first != second
    assert program.refresh(second).status_code == 200


def test_a_second_use_of_a_refresh_token_revokes_the_family(program: Program) -> None:
    first = program.tokens()["refresh_token"]
    renewed = program.refresh(first).json()
    assert error_of(program.refresh(first)) == (400, "invalid_grant")
    assert error_of(program.refresh(renewed["refresh_token"])) == (400, "invalid_grant")
    assert not program.provider.is_active(renewed["access_token"])


def test_a_refresh_token_belongs_to_its_client(program: Program) -> None:
    token = program.tokens()["refresh_token"]
    other = Program(program.provider, program.http, program.provider.post_client)
    for rotate in (True, False):
        program.provider.switches.rotate_refresh_tokens = rotate
        assert error_of(other.refresh(token)) == (400, "invalid_grant")
    assert program.provider.is_active(token)


def test_refresh_tokens_need_not_rotate(program: Program) -> None:
    program.provider.switches.rotate_refresh_tokens = False
    token = program.tokens()["refresh_token"]
    for _ in range(2):
        assert "refresh_token" not in program.refresh(token).json()


def test_a_refresh_may_ask_for_fewer_scopes(program: Program) -> None:
    token = program.tokens()["refresh_token"]
    narrow = program.refresh(token, scope="email").json()
    assert narrow["scope"] == "email"
    assert "id_token" not in narrow
    # The refresh token keeps all scopes (RFC 6749 section 6).
    assert program.refresh(narrow["refresh_token"]).json()["scope"] == SCOPE


def test_a_refresh_cannot_ask_for_more(program: Program) -> None:
    token = program.tokens(scope="openid")["refresh_token"]
    assert error_of(program.refresh(token, scope="openid email")) == (400, "invalid_scope")
    assert program.refresh(token).status_code == 200


def test_an_access_token_is_no_refresh_token(program: Program) -> None:
    assert error_of(program.refresh(program.tokens()["access_token"])) == (400, "invalid_grant")


# Resources (RFC 8707)


def test_resources_are_the_audience(program: Program) -> None:
    program.provider.switches.access_tokens = "jwt"
    granted = ["https://a.example/", "https://b.example/"]
    code = program.code(resource=granted)
    tokens = program.redeem(code, resource="https://a.example/").json()
    assert claims(tokens["access_token"])["aud"] == ["https://a.example/"]
    renewed = program.refresh(tokens["refresh_token"]).json()
    assert claims(renewed["access_token"])["aud"] == granted
    refused = program.refresh(renewed["refresh_token"], resource="https://c.example/")
    assert error_of(refused) == (400, "invalid_target")
    again = program.refresh(renewed["refresh_token"], resource=granted)
    assert claims(again.json()["access_token"])["aud"] == granted


# Switches of the answer


@pytest.mark.parametrize(
    ("switch", "value", "member", "expected"),
    [
        ("expires_in", "300", "expires_in", "300"),
        ("expires_in", 300, "expires_in", 300),
        ("expires_in", "soon", "expires_in", "soon"),
        ("expires_in", None, "expires_in", None),
        ("token_type", "DPoP", "token_type", "DPoP"),
        ("token_type", None, "token_type", None),
        ("refresh_tokens", "never", "refresh_token", None),
        ("id_tokens", "never", "id_token", None),
        ("scope_in_answer", False, "scope", None),
        ("scope_separator", ",", "scope", "openid,profile,email,offline_access"),
        ("withheld_scopes", {"email", "offline_access"}, "scope", "openid profile"),
        ("extra_members", {"instance_url": "https://x.example"}, "instance_url", "https://x.example"),
    ],
)
def test_switches_of_the_token_response(
    program: Program, switch: str, value: object, member: str, expected: object
) -> None:
    setattr(program.provider.switches, switch, value)
    assert program.tokens().get(member) == expected


def test_form_encoded_answers(program: Program) -> None:
    program.provider.switches.form_encoded_answers = True
    answer = program.redeem(program.code())
    assert answer.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(answer.text))["scope"] == SCOPE


@pytest.mark.parametrize(("scope", "given"), [("openid", False), ("openid offline_access", True)])
def test_a_refresh_token_for_offline_access_only(program: Program, scope: str, *, given: bool) -> None:
    program.provider.switches.refresh_tokens = "offline_access"
    assert ("refresh_token" in program.tokens(scope=scope)) is given


def test_an_id_token_needs_the_scope_openid(program: Program) -> None:
    assert "id_token" not in program.tokens(scope="email")
    program.provider.switches.id_tokens = "always"
    assert "id_token" in program.tokens(scope="email")


def test_access_tokens_expire(program: Program) -> None:
    program.provider.switches.expires_in = "300"
    token = program.tokens()["access_token"]
    program.provider.advance(299)
    assert program.provider.is_active(token)
    program.provider.advance(1)
    assert not program.provider.is_active(token)


def test_an_access_token_can_be_a_jwt(program: Program) -> None:
    assert "." not in program.tokens()["access_token"]
    program.provider.switches.access_tokens = "jwt"
    found = program.verified(program.tokens()["access_token"])
    assert (found["iss"], found["aud"]) == (program.provider.issuer, [program.provider.issuer])
    assert (found["client_id"], found["scope"]) == ("native", SCOPE)
    assert found["exp"] == found["iat"] + 3600


# Id tokens


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "PS256"])
def test_id_tokens_are_signed(program: Program, algorithm: Algorithm) -> None:
    program.provider.switches.signing_algorithm = algorithm
    found = program.verified(program.tokens()["id_token"], algorithm)
    assert set(found) == {"iss", "aud", "iat", "exp", "auth_time", "nonce", "sub", "email", "email_verified", "name"}
    assert (found["iss"], found["aud"], found["nonce"]) == (program.provider.issuer, "native", NONCE)
    assert (found["email"], found["name"]) == ("ada@example.com", "Ada")
    assert found["exp"] == found["iat"] + 3600


def test_an_id_token_signed_with_ed25519(program: Program) -> None:
    program.provider.switches.signing_algorithm = "EdDSA"
    header, payload, signature = program.tokens()["id_token"].split(".")
    (key,) = program.keys().keys
    signed = f"{header}.{payload}".encode()
    assert isinstance(key, OKPKey)
    assert isinstance(key.public_key, Ed25519PublicKey)
    key.public_key.verify(from_base64(signature), signed)
    assert claims(f"{header}.{payload}.{signature}")["nonce"] == NONCE


def test_a_refreshed_id_token_has_the_same_person_and_no_nonce(program: Program) -> None:
    tokens = program.tokens()
    first = program.verified(tokens["id_token"])
    second = program.verified(program.refresh(tokens["refresh_token"]).json()["id_token"])
    assert "nonce" not in second
    for name in ("iss", "sub", "aud", "auth_time"):
        assert first[name] == second[name]


def test_a_refresh_may_return_no_id_token(program: Program) -> None:
    program.provider.switches.id_token_at_refresh = False
    assert "id_token" not in program.refresh(program.tokens()["refresh_token"]).json()


def test_the_claims_depend_on_the_scopes(program: Program) -> None:
    found = claims(program.tokens(scope="openid", nonce=None)["id_token"])
    assert set(found) == {"iss", "aud", "iat", "exp", "auth_time", "sub"}


def test_claims_can_be_replaced_and_removed(program: Program) -> None:
    program.provider.switches.id_token_claims = {"aud": ["other"], "nonce": "other", "iss": None}
    found = program.verified(program.tokens()["id_token"])
    assert (found["aud"], found["nonce"], "iss" in found) == (["other"], "other", False)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_a_wrong_signature(program: Program, algorithm: Algorithm) -> None:
    program.provider.switches.signing_algorithm = algorithm
    program.provider.switches.id_token_fault = "signature"
    token = program.tokens()["id_token"]
    with pytest.raises(BadSignatureError):
        program.verified(token, algorithm)


def test_an_unknown_kid(program: Program) -> None:
    program.provider.switches.id_token_fault = "unknown_kid"
    assert header_of(program.tokens()["id_token"])["kid"] not in {key.kid for key in program.keys().keys}


def test_a_token_without_kid_is_valid(program: Program) -> None:
    program.provider.switches.id_token_fault = "no_kid"
    token = program.tokens()["id_token"]
    assert set(header_of(token)) == {"alg", "typ"}
    assert program.verified(token)["sub"]


def test_the_algorithm_none(program: Program) -> None:
    program.provider.switches.id_token_fault = "alg_none"
    token = program.tokens()["id_token"]
    assert header_of(token)["alg"] == "none"
    assert token.endswith(".")


def test_a_token_signed_with_the_public_key_as_secret(program: Program) -> None:
    program.provider.switches.id_token_fault = "alg_hs256"
    signed, _, signature = program.tokens()["id_token"].rpartition(".")
    assert header_of(signed)["alg"] == "HS256"
    (key,) = program.keys().keys
    assert isinstance(key, RSAKey)
    pem = key.as_pem(private=False)
    assert hmac.compare_digest(from_base64(signature), hmac.digest(pem, signed.encode(), "sha256"))


def header_of(token: str) -> dict[str, Any]:
    header: dict[str, Any] = json.loads(from_base64(token.partition(".")[0]))
    return header


def from_base64(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


# Revocation (RFC 7009)


@pytest.mark.parametrize("name", CLIENTS)
def test_revoking_a_refresh_token_ends_the_grant(program: Program, name: str) -> None:
    program.client = getattr(program.provider, name)
    tokens = program.tokens()
    answer = program.revoke(tokens["refresh_token"], token_type_hint="refresh_token")
    assert (answer.status_code, answer.content) == (200, b"")
    assert not program.provider.is_active(tokens["refresh_token"])
    assert not program.provider.is_active(tokens["access_token"])


def test_revoking_an_access_token_leaves_the_refresh_token(program: Program) -> None:
    tokens = program.tokens()
    assert program.revoke(tokens["access_token"], token_type_hint="any").status_code == 200
    assert not program.provider.is_active(tokens["access_token"])
    assert program.provider.is_active(tokens["refresh_token"])


def test_revoking_one_grant_leaves_the_others(program: Program) -> None:
    first, second = program.tokens(), program.tokens()
    program.revoke(first["refresh_token"])
    assert program.provider.is_active(second["refresh_token"])


def test_an_unknown_token_is_no_error(program: Program) -> None:
    assert program.revoke("unknown").status_code == 200
    assert error_of(program.post("revocation_endpoint", {})) == (400, "invalid_request")


def test_a_token_of_another_client_is_not_revoked(program: Program) -> None:
    token = program.tokens()["refresh_token"]
    other = Program(program.provider, program.http, program.provider.post_client)
    assert error_of(other.revoke(token)) == (400, "invalid_grant")
    assert program.provider.is_active(token)


# Userinfo


def test_userinfo_has_the_claims_of_the_access_token(program: Program) -> None:
    tokens = program.tokens()
    answer = program.userinfo(tokens["access_token"])
    assert answer.json()["sub"] == claims(tokens["id_token"])["sub"]
    assert (answer.json()["email"], answer.json()["name"]) == ("ada@example.com", "Ada")


def test_userinfo_refuses_other_tokens(program: Program) -> None:
    tokens = program.tokens()
    for token in ("unknown", tokens["refresh_token"]):
        answer = program.userinfo(token)
        assert error_of(answer) == (401, "invalid_token")
        assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    answer = program.http.get(program.url("userinfo_endpoint"))
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    weak = program.userinfo(program.tokens(scope="email")["access_token"])
    assert error_of(weak) == (403, "insufficient_scope")
