"""The token and revocation endpoints of the demo provider: codes, refresh tokens, API keys."""

from __future__ import annotations

import json
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from loginmachine.demo.accounts import Signer
from loginmachine.demo.server import DemoProvider

from .support import (
    CHALLENGE,
    CLIENT,
    VERIFIER,
    Person,
    assert_refused,
    claims,
    client_of,
)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": VERIFIER[:-1] + "j"}, "invalid_grant"),
        ({"code_verifier": CHALLENGE}, "invalid_grant"),
        ({"code_verifier": "short"}, "invalid_request"),
        ({"code_verifier": ""}, "invalid_request"),
        ({"client_id": "someone-else"}, "invalid_client"),
        ({"client_id": ""}, "invalid_client"),
        ({"client_secret": "secret"}, "invalid_client"),
        ({"redirect_uri": "http://127.0.0.1:1457/auth/callback"}, "invalid_grant"),
        ({"redirect_uri": "http://localhost:1455/auth/callback"}, "invalid_grant"),
        ({"redirect_uri": ""}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_a_wrong_token_request_is_refused(person: Person, changes: dict[str, str], error: str) -> None:
    assert_refused(person.redeem(person.code(), **changes), error)


def test_an_unknown_code_is_refused(person: Person) -> None:
    assert_refused(person.redeem("wrong"), "invalid_grant")


def test_a_wrong_verifier_uses_the_code_up(person: Person) -> None:
    code = person.code()
    assert_refused(person.redeem(code, code_verifier=VERIFIER[:-1] + "j"), "invalid_grant")
    assert_refused(person.redeem(code), "invalid_grant")


def test_a_replayed_code_is_refused_and_ends_the_sign_in(person: Person) -> None:
    code = person.code()
    tokens = person.redeem(code).json()
    assert_refused(person.redeem(code), "invalid_grant")
    assert_refused(person.refresh(tokens["refresh_token"]), "invalid_grant")


def test_only_one_of_concurrent_requests_gets_the_tokens(person: Person) -> None:
    code = person.code()
    with ThreadPoolExecutor(8) as pool:
        answers = [answer.status_code for answer in pool.map(lambda _: person.redeem(code), range(8))]
    assert sorted(answers) == [200, *[400] * 7]


def test_an_old_code_is_refused() -> None:
    with (
        DemoProvider(code_lifetime=0.0) as provider,
        client_of(provider) as client,
    ):
        assert_refused(Person(client).redeem(Person(client).code()), "invalid_grant")


def test_the_token_endpoint_accepts_only_post(person: Person) -> None:
    assert person.client.get("/oauth/token").status_code == 405


def test_a_body_that_is_too_large_is_refused(person: Person) -> None:
    assert person.token(grant_type="authorization_code", code="x" * 70_000).status_code == 413


# Refresh and revocation


def test_a_refresh_rotates(person: Person) -> None:
    first = person.tokens()
    second = person.refresh(first["refresh_token"])
    assert second.status_code == 200
    content = second.json()
    assert content["refresh_token"] != first["refresh_token"]
    assert content["access_token"] != first["access_token"]
    assert claims(content["id_token"])["sub"] == claims(first["id_token"])["sub"]
    assert claims(content["id_token"])["auth_time"] == claims(first["id_token"])["auth_time"]
    assert person.refresh(content["refresh_token"]).status_code == 200


def test_a_replayed_refresh_token_ends_the_sign_in(person: Person) -> None:
    first = person.tokens()
    second = person.refresh(first["refresh_token"]).json()
    assert_refused(person.refresh(first["refresh_token"]), "invalid_grant")
    assert_refused(person.refresh(second["refresh_token"]), "invalid_grant")


def test_another_sign_in_is_not_affected(person: Person) -> None:
    mine, other = person.tokens(), person.tokens()
    person.refresh(mine["refresh_token"])
    assert_refused(person.refresh(mine["refresh_token"]), "invalid_grant")
    assert person.refresh(other["refresh_token"]).status_code == 200


@pytest.mark.parametrize("kind", ["form", "json"])
def test_a_revoked_refresh_token_ends_the_sign_in(person: Person, kind: str) -> None:
    mine, other = person.tokens(), person.tokens()
    body = {"client_id": CLIENT, "token": mine["refresh_token"], "token_type_hint": "refresh_token"}
    answer = person.revoke(**body) if kind == "form" else person.client.post("/oauth/revoke", json=body)
    assert (answer.status_code, answer.json()) == (200, {})
    assert_refused(person.refresh(mine["refresh_token"]), "invalid_grant")
    assert person.refresh(other["refresh_token"]).status_code == 200
    # Revoking it again, or an unknown token, is not an error (RFC 7009 section 2.2).
    assert person.revoke(token=mine["refresh_token"]).status_code == 200
    assert person.revoke(token="unknown").status_code == 200


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({}, 400, "invalid_request"),
        ({"token": "t", "client_id": "unknown"}, 400, "invalid_client"),
        # RFC 7009 section 2.2.1 implies 400; Authlib responds with 401.
        ({"token": "t", "token_type_hint": "access_token"}, 401, "unsupported_token_type"),
    ],
)
def test_a_wrong_revocation_is_refused(person: Person, form: dict[str, str], status: int, error: str) -> None:
    answer = person.revoke(**form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_refresh_as_json(person: Person) -> None:
    body = {
        "client_id": CLIENT,
        "grant_type": "refresh_token",
        "refresh_token": person.tokens()["refresh_token"],
        "scope": "openid profile email",
    }
    answer = person.client.post("/oauth/token", json=body)
    assert answer.status_code == 200
    assert answer.json()["scope"] == "openid profile email"
    assert_refused(person.client.post("/oauth/token", json=body), "invalid_grant")


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"grant_type": 1}', b"null", b"\xff"])
def test_odd_json_is_refused(person: Person, body: bytes) -> None:
    answer = person.client.post("/oauth/token", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_codes_and_refresh_tokens_are_not_interchangeable(person: Person) -> None:
    assert_refused(person.refresh(person.code()), "invalid_grant")
    assert_refused(person.redeem(person.tokens()["refresh_token"]), "invalid_grant")


# API keys


def test_api_key(person: Person) -> None:
    answer = person.exchange(person.tokens()["id_token"])
    assert answer.status_code == 200
    assert set(answer.json()) == {"access_token"}
    assert re.fullmatch(r"sk-demo-[0-9a-f]{32}", answer.json()["access_token"])
    assert answer.headers["Cache-Control"] == "no-store"


def test_api_key_for_a_forged_id_token(person: Person) -> None:
    token = person.tokens()["id_token"]
    head, body, signature = token.split(".")
    kid = json.loads(urlsafe_b64decode(head + "=="))["kid"]
    stranger = RSAKey.generate_key()
    changed = claims(token) | {"email": "eve@example.com"}
    other_body = urlsafe_b64encode(json.dumps(changed).encode()).rstrip(b"=").decode()
    no_alg = urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    for forged in (
        jwt.encode({"alg": "RS256", "kid": kid}, claims(token), stranger),
        f"{head}.{other_body}.{signature}",
        f"{head}.{body}.",
        f"{no_alg}.{body}.",
        f"{head}.{body}",
        "",
        "nonsense",
        "\u00e9.\u00e9.\u00e9",
    ):
        assert_refused(person.exchange(forged), "invalid_request")


def test_api_key_for_an_access_token(person: Person) -> None:
    assert_refused(person.exchange(person.tokens()["access_token"]), "invalid_request")


def test_api_key_of_another_provider(person: Person) -> None:
    with DemoProvider() as other, client_of(other) as client:
        foreign = Person(client).tokens()["id_token"]
    assert_refused(person.exchange(foreign), "invalid_request")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": "someone-else"}, "invalid_client"),
        ({"requested_token": "something"}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "invalid_request"),
    ],
)
def test_a_wrong_api_key_request_is_refused(person: Person, changes: dict[str, str], error: str) -> None:
    assert_refused(person.exchange(person.tokens()["id_token"], **changes), error)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"aud": "app"}, True),
        ({"aud": ["other", "app"]}, True),
        ({"aud": ["other"]}, False),
        ({"iss": "http://127.0.0.1:2"}, False),
        ({"exp": 1}, False),
        ({"exp": None}, False),
        ({"sub": ""}, False),
    ],
)
def test_own_id_token(changes: dict[str, object], expected: bool) -> None:  # noqa: FBT001
    signer = Signer("http://127.0.0.1:1", "app")
    good: dict[str, object] = {"iss": "http://127.0.0.1:1", "aud": ["app"], "sub": "u", "exp": int(time.time()) + 60}
    token = jwt.encode(signer.header, {**good, **changes}, signer.key)
    assert signer.is_own_id_token(token) is expected
