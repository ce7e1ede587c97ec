"""Each event, as a trace has it: expectations by hand."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest

from loginmachine.sansio import LoginOptions, Provider
from loginmachine.sansio.base.http import TransportProblem
from loginmachine.sansio.login.events import (
    BrowserFailed,
    CancelRequested,
    Event,
    HttpsAttempted,
    RequestReceived,
    SaveFailed,
    Started,
    TokenRequestFailed,
    TokenResponseReceived,
)
from loginmachine.sansio.trace.redaction import Redactor

from ..samples import API_KEY, CODE, NAMESPACE, NONCE, OPTIONS, OTHER_PROVIDER, SECRETS, STATE, answer, jwt, request

ISSUER = "https://auth.openai.com"


def redacted(event: Event, options: LoginOptions = OPTIONS) -> Any:
    return Redactor(options, SECRETS).event(event)


def target(raw: str, options: LoginOptions = OPTIONS) -> str:
    told = redacted(request(raw), options)
    assert isinstance(told, RequestReceived)
    return told.target.decode()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (f"/auth/callback?code={CODE}&state={STATE}", "code=redacted-code-1&state=redacted-state"),
        ("/auth/callback?state=other&x=secret&y", "state=redacted-foreign-state-1"),
        ("/auth/callback?state=redacted-state", "state=redacted-foreign-state-1"),
        ("/auth/callback?code=a&code=secret", "state=a&state=a"),
        ("/auth/callback?code=%zz", "state=a&state=a"),
        ("/auth/callback?code=s%65cret&error=secret", "code=redacted-code-1&error=redacted-code-1"),
        ("/auth/callback?code=a+b", "code=redacted-code-1+unusable"),
        (f"/auth/callback?code={'a' * 4097}", "code=redacted-code-1+unusable"),
        ("/auth/callback?code=&error=", "code=&error="),
        (f"/auth/callback?iss={ISSUER}", "iss=https%3A%2F%2Fauth.openai.com"),
        (f"/auth/callback?iss={ISSUER}/", "iss=https%3A%2F%2Fauth.openai.com%2F"),
        (f"/auth/callback?iss=+{ISSUER}", "iss=redacted-issuer-1"),
        (
            "/auth/callback?error=access_denied&error_description=no+Ada",
            "error=access_denied&error_description=no+[...]",
        ),
        (
            "/auth/callback?error_description=Ada+missing_codex_entitlement",
            "error_description=missing_codex_entitlement",
        ),
    ],
)
def test_callbacks(raw: str, shown: str) -> None:
    told = target(raw)
    assert told.startswith("/auth/callback?")
    assert told.replace("%5B...%5D", "[...]") == f"/auth/callback?{shown}"


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("/favicon.ico?token=secret", "/favicon.ico"),
        ("/success?id_token=secret", "/success"),
        ("/secret/path", "/other"),
        ("//auth/callback?code=a", "/other"),
        ("http://127.0.0.1:1455/success", "http://127.0.0.1:1455/success"),
        ("HTTP://LOCALHOST:1455?secret", "http://localhost:1455/other"),
        ("http://secret.example/success", "http://other.invalid/success"),
        ("http://user:secret@localhost:1455/success", "http://other.invalid/success"),
        ("http:///success", "http:///success"),
    ],
)
def test_other_targets(raw: str, shown: str) -> None:
    assert target(raw) == shown


def test_a_callback_path_that_is_called_other() -> None:
    options = LoginOptions(provider=OTHER_PROVIDER.__replace__(callback_path="/other"))
    assert target("/secret", options) == "/another"
    assert target("/other?code=", options) == "/other?code="


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ((b"Host", b" LocalHost:1455 "), (b"host", b"localhost:1455")),
        ((b"Host", b"[::1]:80"), (b"host", b"[::1]:80")),
        ((b"Host", b"secret:1455"), (b"host", b"other.invalid")),
        ((b"Host", b"127.0.0.1:145500"), (b"host", b"other.invalid")),
        ((b"Host", b""), (b"host", b"")),
        ((b"Cookie", b"secret"), (b"cookie", b"other")),
        ((b"Referer", b"https://secret"), (b"referer", b"other")),
        ((b"Origin", b"null"), (b"origin", b"other")),
        ((b"User-Agent", b"Mozilla/5.0 (secret)"), (b"user-agent", b"Mozilla/5.0")),
        ((b"User-Agent", b"secret"), (b"user-agent", b"other")),
        ((b"Sec-Purpose", b"secret;Prefetch"), (b"sec-purpose", b"prefetch")),
        ((b"X-Moz", b"secret"), (b"x-moz", b"other")),
        ((b"Sec-Fetch-Site", b"secret"), (b"sec-fetch-site", b"other")),
        ((b"Sec-Fetch-Secret", b"secret"), (b"sec-fetch-other", b"other")),
        ((b"Authorization", b"secret"), None),
        ((b"X-Secret", b"secret"), None),
    ],
)
def test_request_headers(header: tuple[bytes, bytes], shown: tuple[bytes, bytes] | None) -> None:
    assert redacted(request("/", headers=(header,))).headers == (() if shown is None else (shown,))


@pytest.mark.parametrize(("method", "shown"), [(b"POST", b"POST"), (b"secret", b"OTHER"), (b"get", b"OTHER")])
def test_methods(method: bytes, shown: bytes) -> None:
    assert redacted(request("/", method=method)).method == shown


@pytest.mark.parametrize(
    ("header", "shown"),
    [
        ((b"Retry-After", b" 120 "), (b"retry-after", b"120")),
        ((b"Retry-After", b"secret"), (b"retry-after", b"other")),
        ((b"Retry-After", b"471147114711"), (b"retry-after", b"other")),
        ((b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT"), (b"date", b"Sun, 06 Nov 1994 08:49:37 GMT")),
        ((b"Content-Type", b"application/json; secret"), (b"content-type", b"application/json")),
        ((b"Content-Type", b"secret/secret"), (b"content-type", b"other")),
        ((b"Content-Encoding", b"GZIP"), (b"content-encoding", b"GZIP")),
        ((b"Content-Encoding", b"secret"), (b"content-encoding", b"other")),
        ((b"Set-Cookie", b"secret"), None),
        ((b"Location", b"secret"), None),
    ],
)
def test_answer_headers(header: tuple[bytes, bytes], shown: tuple[bytes, bytes] | None) -> None:
    assert redacted(answer(headers=(header,))).headers == (() if shown is None else (shown,))


def body(content: object, options: LoginOptions = OPTIONS) -> Any:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    told = redacted(answer(body=raw), options)
    assert isinstance(told, TokenResponseReceived)
    return json.loads(told.body) if told.body.startswith(b"{") and len(told.body) > 1 else told.body


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ({"error": "invalid_grant", "secret": "secret"}, {"error": "invalid_grant"}),
        ({"error": "sk-secret"}, {"error": "redacted-error-1"}),
        (
            {"error": {"code": "secret", "message": "no secret", "x": 1}},
            {"error": {"code": "redacted-error-1", "message": "no [redacted]"}},
        ),
        ({"error": {"message": {"secret": 1}}}, {"error": {"message": {}}}),
        ({"error": ["secret"], "code": 4711, "message": None}, {"error": [], "code": 0, "message": None}),
        ({"token_type": "bEARER"}, {"token_type": "Bearer"}),
        ({"token_type": "secret"}, {"token_type": "other"}),
        ({"access_token": API_KEY}, {"access_token": "redacted-access-token-1"}),
        (
            {"access_token": "", "refresh_token": "a\x7f"},
            {"access_token": "", "refresh_token": "redacted-refresh-token-1\x00"},
        ),
        ({"id_token": "a.!.c"}, {"id_token": "redacted-id-token-1.!."}),
        ({"id_token": True}, {"id_token": True}),
        (b'{"a":1,"a":"secret"}', {"a": 0}),
        (b"secret", b"{"),
        (b"\xffsecret", b"\xff"),
        (b'"secret"', b"[]"),
        (b"x" * (1024 * 1024 + 1), b" " * (1024 * 1024 + 1)),
        (b"[" * 100_000, b"[" * 200_000),
    ],
)
def test_bodies(content: object, shown: object) -> None:
    assert body(content) == shown


def claims(content: dict[str, Any], options: LoginOptions = OPTIONS) -> Any:
    header, payload, signature = body({"id_token": jwt(content, "secret")}, options)["id_token"].split(".")
    assert (header, signature) == ("eyJhbGciOiJub25lIn0", "")
    told = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert told.pop("placeholder") == "redacted-id-token-1"
    return told


CLIENT = "app_EMoamEEZ73f0CkXaXp7hrann"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ({"secret": "secret"}, {}),
        ({"iss": ISSUER, "aud": CLIENT, "azp": "x"}, {"iss": ISSUER, "aud": CLIENT, "azp": "redacted-party-1"}),
        ({"aud": ["secret", CLIENT, ["secret"]]}, {"aud": [CLIENT, "redacted-other-party"]}),
        ({"aud": [CLIENT]}, {"aud": [CLIENT]}),
        ({"aud": ["secret"] * 5000}, {"aud": ["redacted-other-party"]}),
        ({"exp": 5, "iat": 1.5, "nbf": True}, {"exp": 5, "iat": 1.5, "nbf": True}),
        ({"exp": 10**300, "iat": "secret"}, {"exp": 1e12, "iat": "other"}),
        ({"email": "ada@example.org", "sub": "ada"}, {"email": "redacted-person-1", "sub": "redacted-user-1"}),
        ({"email": "", "sub": " "}, {"email": "", "sub": " "}),
        ({"email_verified": 4711, "nonce": NONCE}, {"email_verified": 0, "nonce": "redacted-nonce"}),
        ({"nonce": "secret"}, {"nonce": "redacted-foreign-nonce-1"}),
        ({NAMESPACE: {"chatgpt_plan_type": "pro", "secret": 1}}, {NAMESPACE: {"chatgpt_plan_type": "pro"}}),
        ({NAMESPACE: {"chatgpt_plan_type": "secret"}}, {NAMESPACE: {"chatgpt_plan_type": "redacted-plan-1"}}),
        ({NAMESPACE: {"chatgpt_account_id": "a\x00"}}, {NAMESPACE: {"chatgpt_account_id": "redacted-account-1\x00"}}),
        (
            {NAMESPACE: {"is_org_owner": True, "project_id": ["secret"]}},
            {NAMESPACE: {"is_org_owner": True, "project_id": []}},
        ),
        ({NAMESPACE: "secret"}, {}),
    ],
)
def test_claims(content: dict[str, Any], shown: dict[str, Any]) -> None:
    assert claims(content) == shown


def test_claims_of_a_provider_without_a_namespace() -> None:
    content = {"organization_id": "org-1", NAMESPACE: {"project_id": "x"}}
    assert claims(content, LoginOptions(provider=OTHER_PROVIDER)) == {"organization_id": "redacted-organization-1"}


@pytest.mark.parametrize("moment", [-1.0, float("nan"), float("inf"), 1e12])
def test_moments_that_are_none(moment: float) -> None:
    assert redacted(answer(received_at=moment)).received_at == -1.0


@pytest.mark.parametrize(
    ("event", "shown"),
    [
        (BrowserFailed(message="no Ada"), BrowserFailed(message="no [...]")),
        (SaveFailed(message="/home/ada: full"), SaveFailed(message="[...]: full")),
        (
            TokenRequestFailed(exchange_id=1, kind=TransportProblem.CONNECT, message="proxy ada:secret refused"),
            TokenRequestFailed(exchange_id=1, kind=TransportProblem.CONNECT, message="proxy [...] refused"),
        ),
        (CancelRequested(reason=f"secret {STATE}"), CancelRequested(reason="[...] [redacted]")),
        (Started(), Started()),
        (HttpsAttempted(), HttpsAttempted()),
    ],
)
def test_other_events(event: Event, shown: Event) -> None:
    assert redacted(event) == shown


def test_options() -> None:
    provider = OTHER_PROVIDER.__replace__(
        authorization_parameters=(
            ("originator", "codex_exec"),
            ("originator", "4711-secret"),
            ("prompt", "login"),
            ("prompt", "secret"),
            ("secret", "secret"),
        ),
        help_url="https://id.example/help?secret",
        platform_url="https://platform.example/a",
    )
    told = Redactor(LoginOptions(provider=provider, allowed_workspaces=("acc-1", "acc-2", "acc-1")), SECRETS).options
    assert told.allowed_workspaces == ("redacted-account-1", "redacted-account-2", "redacted-account-1")
    assert told.provider == OTHER_PROVIDER.__replace__(
        authorization_parameters=(
            ("originator", "codex_exec"),
            ("originator", "redacted"),
            ("prompt", "login"),
            ("prompt", "redacted"),
            ("redacted-parameter-5", "redacted"),
        ),
        help_url="https://redacted.invalid/",
        platform_url="https://platform.example/a",
    )
    assert Redactor(LoginOptions(provider=Provider.chatgpt()), SECRETS).options == OPTIONS
