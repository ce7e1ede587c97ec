"""Token responses and credentials as a trace shows them, expected by hand."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from typing import Any

import pytest

from loginmachine.sansio import LoginOptions, Provider
from loginmachine.sansio.base.secret import Secret
from loginmachine.sansio.login.events import (
    CredentialsSaved,
    Event,
    TokenResponseReceived,
)
from loginmachine.sansio.model.credentials import Credentials
from loginmachine.sansio.model.tokens import Tokens
from loginmachine.sansio.trace.redaction import Redactor

from ..samples import API_KEY, NAMESPACE, NONCE, OPTIONS, OTHER_PROVIDER, PROVENANCE, SECRETS, answer, jwt

ISSUER = "https://auth.openai.com"


def redacted(event: Event, options: LoginOptions = OPTIONS) -> Any:
    return Redactor(options, SECRETS).event(event)


def body(content: object, options: LoginOptions = OPTIONS) -> Any:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    shown = redacted(answer(body=raw), options)
    assert isinstance(shown, TokenResponseReceived)
    return json.loads(shown.body) if shown.body.startswith(b"{") and len(shown.body) > 1 else shown.body


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


TEMPLATE = "https://login.microsoftonline.com/{tenantid}/v2.0"
MICROSOFT = Provider.microsoft("client-1").__replace__(id_token_issuer=TEMPLATE)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (
            {"iss": TEMPLATE.replace("{tenantid}", "secret"), "tid": "secret"},
            {"iss": TEMPLATE.replace("{tenantid}", "redacted-tenant-1"), "tid": "redacted-tenant-1"},
        ),
        ({"iss": TEMPLATE, "aud": "client-1"}, {"iss": TEMPLATE, "aud": "client-1"}),
        (
            {"iss": TEMPLATE.replace("{tenantid}", "secret-1"), "tid": "secret-2"},
            {"iss": "redacted-party-1", "tid": "redacted-tenant-1"},
        ),
    ],
)
def test_the_issuer_of_a_tenant(content: dict[str, Any], shown: dict[str, Any]) -> None:
    """The machine puts the tenant into the issuer that it expects."""
    assert claims(content, LoginOptions(provider=MICROSOFT)) == shown


@pytest.mark.parametrize(
    ("scope", "shown"),
    [
        ("openid secret files", "openid redacted-scope-1 files"),
        ("secret secret", "redacted-scope-1 redacted-scope-1"),
        ("openid,secret", "openid redacted-scope-1"),
        (",", " "),
        ("", ""),
        ("sec\x00ret", "\x00"),
        (["secret"], []),
    ],
)
def test_scopes_that_were_asked_for_are_kept(scope: object, shown: object) -> None:
    provider = OTHER_PROVIDER.__replace__(scope_separator=",")
    options = LoginOptions(provider=provider, scopes=("openid",), required_scopes=("files",))
    assert body({"scope": scope}, options) == {"scope": shown}


@pytest.mark.parametrize(("kind", "shown"), [("MAC", "mac"), ("Bearer", "Bearer"), ("secret", "other")])
def test_a_type_of_token_that_is_accepted_is_kept(kind: str, shown: str) -> None:
    options = LoginOptions(provider=OTHER_PROVIDER.__replace__(token_types=("mac",)))
    assert body({"token_type": kind}, options) == {"token_type": shown}


def test_a_device_code() -> None:
    assert body(
        {
            "device_auth_id": "secret-1",
            "device_code": "secret-2",
            "user_code": "ABCD-1234",
            "usercode": "A" * 65,
            "interval": "5",
            "expires_in": 900,
            "verification_uri": "https://auth.openai.com/codex/device",
            "verification_uri_complete": "https://auth.openai.com/codex/device?user_code=ABCD-1234",
            "secret": "secret",
        }
    ) == {
        "device_auth_id": "redacted-device-code-1",
        "device_code": "redacted-device-code-2",
        "user_code": "redacted-user-code-1",
        "usercode": "redacted-user-code-2 unusable\x00",
        "interval": "5",
        "expires_in": 900,
        "verification_uri": "https://auth.openai.com/codex/device",
        "verification_uri_complete": "https://auth.openai.com/codex/device",
    }


@pytest.mark.parametrize(
    ("member", "value", "shown"),
    [
        ("verification_uri", "https://auth.openai.com.evil.example/", "https://other.invalid/"),
        ("verification_uri", "https://id.example/secret", "https://other.invalid/"),
        ("verification_uri", "javascript:secret", "other"),
        ("interval", "secret", "other"),
        ("interval", ["secret"], []),
        ("interval", None, None),
        ("expires_in", "900", "900"),
        ("expires_in", "4711471147114711", "other"),
        ("authorization_code", "secret", "redacted-code-1"),
        ("authorization_code", "sec ret", "redacted-code-1"),
        ("authorization_code", "sec\x00ret", "redacted-code-1\x00"),
        ("code_verifier", "sec ret", "redacted-code-verifier-1 unusable"),
        ("user_code", "", ""),
    ],
)
def test_members_of_an_answer(member: str, value: object, shown: object) -> None:
    assert body({member: value}) == {member: shown}


@pytest.mark.parametrize(
    ("id_token", "shown"),
    [
        ("secret", "redacted-id-token-1"),
        ("secret.sec/ret.secret", "redacted-id-token-1.!."),
        ("secret.c2VjcmV0.secret", "redacted-id-token-1.ew."),
        ("secret._w.secret", "redacted-id-token-1._w."),
    ],
)
def test_an_id_token_that_cannot_be_read(id_token: str, shown: str) -> None:
    """Its placeholder cannot be read for the same reason."""
    assert body({"id_token": id_token}) == {"id_token": shown}


def test_replaced_credentials() -> None:
    old = Credentials(
        auth_mode="secret",
        api_key=Secret("sk-secret"),
        tokens=Tokens(
            id_token=Secret("secret-id"),
            access_token=Secret(""),
            refresh_token=Secret("secret-refresh"),
            account_id="secret-account",
            others=Secret('{"a": "secret"}'),
        ),
        last_refresh="secret",
        others=Secret('{"b": "secret"}'),
    )
    event = Redactor(OPTIONS, SECRETS).event(CredentialsSaved(replaced=old))
    assert isinstance(event, CredentialsSaved)
    assert event.replaced == Credentials(
        auth_mode="other",
        api_key=Secret("redacted-api-key-1"),
        tokens=Tokens(
            id_token=Secret("redacted-id-token-1"),
            access_token=Secret(""),
            refresh_token=Secret("redacted-refresh-token-1"),
            provenance=PROVENANCE,
        ),
    )
    assert Redactor(OPTIONS, SECRETS).event(CredentialsSaved()) == CredentialsSaved()
