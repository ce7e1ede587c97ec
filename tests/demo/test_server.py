"""The demo provider and its automatic browser, over real HTTP on loopback."""

from __future__ import annotations

import contextlib
import importlib
import json
import logging
import os
import re
import socket
import sys
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from loginmachine.demo.accounts import Signer
from loginmachine.demo.browser import BrowsingError, sign_in
from loginmachine.demo.server import DemoProvider

if TYPE_CHECKING:
    from collections.abc import Iterator

CLIENT = "app_EMoamEEZ73f0CkXaXp7hrann"
CALLBACK = "http://127.0.0.1:1455/auth/callback"
STATE = "st~ate &=%+/?#\u00e9"
EMAIL = "ada@example.com"
PASSWORD = "correct-horse-battery"
# RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
ACCOUNT = "https://api.openai.com/auth"
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:id_token"
REQUEST = {
    "response_type": "code",
    "client_id": CLIENT,
    "redirect_uri": CALLBACK,
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
    "state": STATE,
    "scope": "openid profile email offline_access api.connectors.read api.connectors.invoke",
    "id_token_add_organizations": "true",
    "codex_cli_simplified_flow": "true",
    "originator": "codex_cli_rs",
}


class Person:
    """A browser and a program, without the library: httpx and regular expressions."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def ask(self, **changes: str | None) -> httpx.Response:
        """Open the authorization request. None omits a parameter."""
        params = {name: value for name, value in {**REQUEST, **changes}.items() if value is not None}
        return self.client.get("/oauth/authorize", params=params)

    def decide(self, form: httpx.Response, **changes: str) -> httpx.Response:
        found = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
        assert found is not None
        fields = {"csrf_token": found[1], "email": EMAIL, "password": PASSWORD, "decision": "sign-in", **changes}
        return self.client.post(form.request.url, data=fields)

    def code(self, **changes: str) -> str:
        answer = callback(self.decide(self.ask(**changes)))
        return answer["code"]

    def token(self, **form: str) -> httpx.Response:
        return self.client.post("/oauth/token", data={"client_id": CLIENT, **form})

    def redeem(self, code: str, **changes: str) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
        return self.token(**{**form, **changes})

    def tokens(self) -> dict[str, Any]:
        answer = self.redeem(self.code())
        assert answer.status_code == 200
        content: dict[str, Any] = answer.json()
        return content

    def refresh(self, refresh_token: str) -> httpx.Response:
        return self.token(grant_type="refresh_token", refresh_token=refresh_token)

    def revoke(self, **form: str) -> httpx.Response:
        return self.client.post("/oauth/revoke", data={"client_id": CLIENT, **form})

    def exchange(self, subject_token: str, **changes: str) -> httpx.Response:
        form = {
            "grant_type": TOKEN_EXCHANGE,
            "requested_token": "openai-api-key",
            "subject_token": subject_token,
            "subject_token_type": ID_TOKEN_TYPE,
        }
        return self.token(**{**form, **changes})


def callback(answer: httpx.Response, uri: str = CALLBACK) -> dict[str, str]:
    """Return the parameters of a redirect to the callback. Each occurs once."""
    assert answer.status_code == 302
    base, _, query = answer.headers["Location"].partition("?")
    assert base == uri
    pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def assert_refused(answer: httpx.Response, error: str) -> None:
    assert (answer.status_code, answer.json()["error"]) == (400, error)
    assert answer.headers["Cache-Control"] == "no-store"


def claims(token: str) -> dict[str, Any]:
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


@pytest.fixture(scope="module")
def provider() -> Iterator[DemoProvider]:
    with DemoProvider() as running:
        yield running


def client_of(provider: DemoProvider) -> httpx.Client:
    """Return a client without proxies and certificates: reading a CA bundle takes longer than most requests."""
    return httpx.Client(base_url=provider.issuer, trust_env=False, timeout=10, verify=False)


@pytest.fixture
def person(provider: DemoProvider) -> Iterator[Person]:
    with client_of(provider) as client:
        yield Person(client)


# The whole login


def test_issuer_is_loopback_without_a_trailing_slash(provider: DemoProvider) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", provider.issuer)


def test_the_callback_carries_code_state_and_issuer(person: Person, provider: DemoProvider) -> None:
    answer = callback(person.decide(person.ask()))
    assert answer == {"code": answer["code"], "state": STATE, "iss": provider.issuer}
    assert len(answer["code"]) >= 32


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:1455/auth/callback",
        "http://127.0.0.1:1/auth/callback",
        "http://127.0.0.1:65535/auth/callback",
        "http://localhost:1457/auth/callback",
    ],
)
def test_any_loopback_port_is_a_callback(person: Person, uri: str) -> None:
    code = callback(person.decide(person.ask(redirect_uri=uri)), uri)["code"]
    assert person.redeem(code, redirect_uri=uri).status_code == 200


def test_token_response(person: Person) -> None:
    answer = person.redeem(person.code())
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    content = answer.json()
    assert content["token_type"] == "Bearer"
    assert content["expires_in"] == 3600
    assert content["scope"] == REQUEST["scope"]
    assert len({content["id_token"], content["access_token"], content["refresh_token"]}) == 3


def test_id_token_verifies_and_has_the_claims(person: Person, provider: DemoProvider) -> None:
    before = int(time.time())
    tokens = person.tokens()
    keys = person.client.get("/oauth/jwks").json()
    token = jwt.decode(tokens["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"])
    assert token.header == {"typ": "JWT", "alg": "RS256", "kid": keys["keys"][0]["kid"]}
    assert token.claims["iss"] == provider.issuer
    assert token.claims["aud"] == [CLIENT]
    assert token.claims["email"] == EMAIL
    assert token.claims["sub"].startswith("user-")
    assert before <= token.claims["iat"] <= time.time()
    assert token.claims["exp"] == token.claims["iat"] + 3600
    assert "nonce" not in token.claims
    account = token.claims[ACCOUNT]
    assert set(account) == {
        *("chatgpt_account_id", "chatgpt_plan_type", "chatgpt_user_id", "organization_id", "project_id"),
        *("completed_platform_onboarding", "is_org_owner"),
    }
    assert account["chatgpt_user_id"] == token.claims["sub"]
    assert account["chatgpt_plan_type"] == "plus"
    assert account["completed_platform_onboarding"] is True
    assert account["is_org_owner"] is False


def test_access_token_is_a_jwt_with_expiry_and_plan(person: Person, provider: DemoProvider) -> None:
    tokens = person.tokens()
    keys = KeySet.import_key_set(person.client.get("/oauth/jwks").json())
    token = jwt.decode(tokens["access_token"], keys, algorithms=["RS256"])
    assert token.header["typ"] == "at+jwt"
    assert token.claims["aud"] == [provider.issuer]
    assert token.claims["exp"] == token.claims["iat"] + 3600
    assert token.claims[ACCOUNT]["chatgpt_plan_type"] == "plus"


def test_the_nonce_comes_back_in_the_id_token(person: Person) -> None:
    answer = person.redeem(person.code(nonce="n-0S6_WzA2Mj"))
    assert claims(answer.json()["id_token"])["nonce"] == "n-0S6_WzA2Mj"


def test_account_ids_are_the_same_in_every_run(person: Person) -> None:
    first = claims(person.tokens()["id_token"])
    with DemoProvider() as other, client_of(other) as client:
        second = claims(Person(client).tokens()["id_token"])
    assert (first["sub"], first[ACCOUNT]) == (second["sub"], second[ACCOUNT])


def test_another_client_id() -> None:
    with DemoProvider(client_id="my-app") as other, client_of(other) as client:
        person = Person(client)
        assert person.ask().status_code == 400
        assert person.ask(client_id="my-app").status_code == 200


# The authorization endpoint


@pytest.mark.parametrize(
    "uri",
    [
        None,
        "",
        "http://127.0.0.1:1455/auth/callback/",
        "http://127.0.0.1:1455/auth/other",
        "http://127.0.0.1:1455/auth/callback?x=1",
        "http://127.0.0.1:1455/auth/callback#x",
        "http://127.0.0.1:1455/auth/callback\n",
        "http://127.0.0.1:1455/auth/%63allback",
        "http://127.0.0.1/auth/callback",
        "http://127.0.0.1:0/auth/callback",
        "http://127.0.0.1:65536/auth/callback",
        "http://127.0.0.2:1455/auth/callback",
        "http://[::1]:1455/auth/callback",
        "http://LOCALHOST:1455/auth/callback",
        "https://127.0.0.1:1455/auth/callback",
        "http://example.com:1455/auth/callback",
        "http://127.0.0.1.example.com:1455/auth/callback",
        "http://user@127.0.0.1:1455/auth/callback",
        "http://127.0.0.1:1455@example.com/auth/callback",
        'http://"><script>:1455/auth/callback',
        "javascript:alert(1)",
    ],
)
def test_an_invalid_redirect_uri_gets_a_page_and_no_redirect(person: Person, uri: str | None) -> None:
    answer = person.ask(redirect_uri=uri)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "<h1>This sign-in cannot go on</h1>" in answer.text
    assert "<script>" not in answer.text


@pytest.mark.parametrize("client_id", [None, "", "someone-else", '"><script>'])
def test_an_unknown_client_gets_a_page_and_no_redirect(person: Person, client_id: str | None) -> None:
    answer = person.ask(client_id=client_id)
    assert answer.status_code == 400
    assert "Location" not in answer.headers
    assert "<script>" not in answer.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": None, "code_challenge_method": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": "s256"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid everything"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
    ],
)
def test_errors_are_sent_to_the_callback(
    person: Person, provider: DemoProvider, changes: dict[str, str | None], error: str
) -> None:
    answer = callback(person.ask(**changes))
    answer.pop("error_description", None)
    assert answer == {"error": error, "state": STATE, "iss": provider.issuer}


@pytest.mark.parametrize("state", [None, ""])
def test_a_missing_state_is_sent_to_the_callback(person: Person, provider: DemoProvider, state: str | None) -> None:
    answer = callback(person.ask(state=state))
    answer.pop("error_description")
    assert answer == {"error": "invalid_request", "iss": provider.issuer}


@pytest.mark.parametrize("name", ["response_type", "client_id", "redirect_uri", "state", "scope"])
def test_a_repeated_parameter_gets_a_page(person: Person, name: str) -> None:
    query = urlencode([*REQUEST.items(), (name, REQUEST[name])])
    answer = person.client.get(f"/oauth/authorize?{query}")
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize("response_type", [None, "", 'co"de', "c\u00f6de"])
def test_an_odd_response_type_is_not_a_server_error(person: Person, response_type: str | None) -> None:
    assert person.ask(response_type=response_type).status_code in (302, 400)


# The form


def test_the_form_has_labels_and_a_notice(person: Person) -> None:
    page = person.ask().text
    for name in ("email", "password"):
        assert f'<label for="{name}">' in page
        assert f'<input id="{name}" name="{name}" type="{name}"' in page
    assert '<html lang="en">' in page
    assert "This is a demonstration." in page
    assert "127.0.0.1:1455" in page
    assert "<script" not in page


def test_headers_of_the_form(person: Person) -> None:
    headers = person.ask().headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert re.fullmatch(
        r"loginmachine_demo=[\w-]{43}; HttpOnly; Path=/oauth/authorize; SameSite=Lax", headers["Set-Cookie"]
    )


def test_a_second_form_keeps_the_session(person: Person) -> None:
    first = person.ask()
    assert "Set-Cookie" not in person.ask().headers
    assert person.decide(first).status_code == 302


def test_the_person_refuses(person: Person, provider: DemoProvider) -> None:
    answer = callback(person.decide(person.ask(), decision="refuse", email="", password=""))
    answer.pop("error_description")
    assert answer == {"error": "access_denied", "state": STATE, "iss": provider.issuer}


@pytest.mark.parametrize("token", ["", "wrong", "\u00e9"])
def test_a_bad_csrf_token_is_refused(person: Person, token: str) -> None:
    answer = person.decide(person.ask(), csrf_token=token)
    assert answer.status_code == 403
    assert "Location" not in answer.headers


def test_a_csrf_token_of_another_session_is_refused(person: Person, provider: DemoProvider) -> None:
    with client_of(provider) as other:
        form = Person(other).ask()
    person.ask()
    assert person.decide(form).status_code == 403


def test_a_form_without_cookie_is_refused(person: Person) -> None:
    form = person.ask()
    person.client.cookies.clear()
    assert person.decide(form).status_code == 403


def test_the_oldest_sessions_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loginmachine.demo.server._MAX_SESSIONS", 2)
    with DemoProvider() as other, contextlib.ExitStack() as stack:
        people = [Person(stack.enter_context(client_of(other))) for _ in range(3)]
        forms = [person.ask() for person in people]
        decisions = [person.decide(form).status_code for person, form in zip(people, forms, strict=True)]
    assert decisions == [403, 302, 302]


@pytest.mark.parametrize("changes", [{"email": ""}, {"email": "ada"}, {"email": "a@\x1b"}, {"password": ""}])
def test_an_empty_field_shows_the_form_again(person: Person, changes: dict[str, str]) -> None:
    again = person.decide(person.ask(), **changes)
    assert again.status_code == 422
    assert 'role="alert"' in again.text
    assert PASSWORD not in again.text
    assert person.decide(again).status_code == 302


def test_what_was_typed_is_escaped(person: Person) -> None:
    again = person.decide(person.ask(), email='"><script>@x', password="")
    assert "<script>" not in again.text
    assert "&quot;&gt;&lt;script&gt;@x" in again.text


def test_a_changed_request_is_checked_again(person: Person) -> None:
    form = person.ask()
    url = str(form.request.url).replace("code_challenge_method=S256", "code_challenge_method=plain")
    form.request.url = httpx.URL(url)
    assert callback(person.decide(form))["error"] == "invalid_request"


# The token endpoint


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


# Refresh


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


# The API key


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


# Discovery, and the rest of HTTP


def test_discovery_document(person: Person, provider: DemoProvider) -> None:
    found = person.client.get("/.well-known/openid-configuration").json()
    assert found["issuer"] == provider.issuer
    assert found["authorization_endpoint"] == f"{provider.issuer}/oauth/authorize"
    assert found["token_endpoint"] == f"{provider.issuer}/oauth/token"
    assert found["revocation_endpoint"] == f"{provider.issuer}/oauth/revoke"
    assert found["revocation_endpoint_auth_methods_supported"] == ["none"]
    assert found["jwks_uri"] == f"{provider.issuer}/oauth/jwks"
    assert found["response_types_supported"] == ["code"]
    assert found["grant_types_supported"] == ["authorization_code", "refresh_token", TOKEN_EXCHANGE]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["token_endpoint_auth_methods_supported"] == ["none"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["request_uri_parameter_supported"] is False
    assert set(found["scopes_supported"]) == set(REQUEST["scope"].split())
    issued = claims(person.redeem(person.code(nonce="n")).json()["id_token"])
    assert set(found["claims_supported"]) <= set(issued)


def test_the_published_key_is_public(person: Person) -> None:
    (key,) = person.client.get("/oauth/jwks").json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}


@pytest.mark.parametrize("path", ["/oauth/authorize", "/oauth/token", "/oauth/jwks"])
@pytest.mark.parametrize("host", ["rebound.example", "rebound.example:80", "127.0.0.1.example.com"])
def test_a_foreign_host_is_refused(person: Person, path: str, host: str) -> None:
    method = "POST" if path.endswith("token") else "GET"
    assert person.client.request(method, path, headers={"Host": host}).status_code == 400


# The automatic browser


class _Callback(BaseHTTPRequestHandler):
    server: _Program

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        if self.path == "/success":
            page = b"<!doctype html><title>x</title><h1>You are <em>signed</em> in</h1><h1>no</h1>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page)
            return
        status, location = self.server.answer
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class _Program(HTTPServer):
    """A program with a callback listener."""

    answer: tuple[int, str] = (302, "/success")

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Callback)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.callback = f"http://127.0.0.1:{self.server_port}/auth/callback"


@pytest.fixture
def program() -> Iterator[_Program]:
    with _Program() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def authorization_url(provider: DemoProvider, program: _Program, **changes: str) -> str:
    return f"{provider.issuer}/oauth/authorize?{urlencode({**REQUEST, 'redirect_uri': program.callback, **changes})}"


def test_the_automatic_browser_signs_in(provider: DemoProvider, program: _Program, person: Person) -> None:
    url = authorization_url(provider, program)
    assert sign_in(url, email=EMAIL, password=PASSWORD) == "You are signed in"
    (target, headers), (last, _) = program.requests
    assert urlsplit(target).path == "/auth/callback"
    assert last == "/success"
    query = parse_qs(urlsplit(target).query)
    assert query["state"] == [STATE]
    assert person.redeem(query["code"][0], redirect_uri=program.callback).status_code == 200
    assert headers["User-Agent"].startswith("Mozilla/5.0 ")
    assert headers["Accept"].startswith("text/html")
    assert headers["Sec-Fetch-Mode"] == "navigate"
    assert headers["Sec-Fetch-Dest"] == "document"
    assert headers["Sec-Fetch-Site"] == "same-site"
    assert "Cookie" not in headers


def test_the_automatic_browser_uses_no_proxy(
    provider: DemoProvider, program: _Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert sign_in(authorization_url(provider, program), email=EMAIL, password=PASSWORD)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((400, ""), r"/auth/callback answered with status 400$"),
        ((302, "http://example.com/?code=1"), "leads away from this computer$"),
        ((302, "https://127.0.0.1/"), "leads away from this computer$"),
        ((302, "/auth/callback"), "/auth/callback redirects without end$"),
        ((302, "http://127.0.0.1:1/x?code=secret"), r"no answer from 127\.0\.0\.1:1/x \(ConnectError\)$"),
    ],
)
def test_the_automatic_browser_reports_failures(
    provider: DemoProvider, program: _Program, answer: tuple[int, str], words: str
) -> None:
    program.answer = answer
    with pytest.raises(BrowsingError, match=words) as caught:
        sign_in(authorization_url(provider, program), email=EMAIL, password=PASSWORD)
    assert caught.value.__context__ is None
    assert PASSWORD not in str(caught.value)


def test_the_automatic_browser_does_not_resend_its_form(
    provider: DemoProvider, program: _Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = httpx.Client.request

    def moved(client: httpx.Client, method: str, url: str, **options: Any) -> httpx.Response:
        response = send(client, method, url, **options)
        response.status_code = 307 if response.status_code == 302 else response.status_code
        return response

    monkeypatch.setattr(httpx.Client, "request", moved)
    with pytest.raises(BrowsingError, match=r"/oauth/authorize asks to send the form elsewhere$"):
        sign_in(authorization_url(provider, program), email=EMAIL, password=PASSWORD)
    assert program.requests == []


def test_the_automatic_browser_needs_a_form(provider: DemoProvider, program: _Program) -> None:
    with pytest.raises(BrowsingError, match=r"^no login form at 127\.0\.0\.1:\d+/success$"):
        sign_in(f"{program.callback}?x=1", email=EMAIL, password=PASSWORD)
    with pytest.raises(BrowsingError, match=r"/oauth/authorize answered with status 400$"):
        sign_in(authorization_url(provider, program, client_id="other"), email=EMAIL, password=PASSWORD)


def test_no_secret_is_logged(
    provider: DemoProvider, program: _Program, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    state = "a-state-to-look-for"
    sign_in(authorization_url(provider, program, state=state), email=EMAIL, password=PASSWORD)
    code = parse_qs(urlsplit(program.requests[0][0]).query)["code"][0]
    with client_of(provider) as client:
        tokens = Person(client).redeem(code, redirect_uri=program.callback).json()
        renewed = Person(client).refresh(tokens["refresh_token"]).json()
        key = Person(client).exchange(renewed["id_token"]).json()["access_token"]
    assert "Issue token" in caplog.text  # Authlib logs them at DEBUG
    output = "".join((caplog.text, *capfd.readouterr()))
    names = ("access_token", "refresh_token", "id_token")
    secrets = [PASSWORD, code, state, VERIFIER, key, *(answer[name] for answer in (tokens, renewed) for name in names)]
    assert [secret for secret in secrets if secret in output] == []


# Start and stop


def test_no_thread_or_port_is_left_after_exit() -> None:
    threads, environment = set(threading.enumerate()), dict(os.environ)
    with contextlib.ExitStack() as stack:
        with DemoProvider() as provider:
            port = urlsplit(provider.issuer).port
            assert port is not None
            # A silent connection, an unfinished request, and a complete one.
            for sent in (b"", b"POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nx"):
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                connection.sendall(sent)
            assert httpx.get(f"{provider.issuer}/oauth/jwks", trust_env=False).status_code == 200
            started = time.monotonic()
        assert time.monotonic() - started < 3
        assert set(threading.enumerate()) <= threads  # threads of the other provider may be ending
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert dict(os.environ) == environment


def test_no_thread_is_left_after_an_exception() -> None:
    threads = set(threading.enumerate())
    with pytest.raises(KeyError), DemoProvider():
        raise KeyError
    assert set(threading.enumerate()) <= threads  # threads of the other provider may be ending


@pytest.mark.parametrize("name", ["authlib", "flask"])
def test_a_missing_dependency_is_explained(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for module in ("server", "grants", "accounts"):
        monkeypatch.delitem(sys.modules, f"loginmachine.demo.{module}")
    for module in [module for module in sys.modules if module.split(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"needs {name}, .* pip install 'loginmachine\[demo\]'"):
        importlib.import_module("loginmachine.demo.server")
