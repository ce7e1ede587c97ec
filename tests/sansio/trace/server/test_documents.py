"""Metadata, registrations, pushed requests and keys as a trace shows them, expected by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loginmachine.sansio import Provider
from loginmachine.sansio.trace.placeholders import Placeholders
from loginmachine.sansio.trace.server.documents import Documents
from loginmachine.sansio.trace.server.kinds import RequestKind
from loginmachine.sansio.trace.server.public import public
from loginmachine.sansio.trace.server.signatures import Signatures

from ...samples import SECRETS, answer

ISSUER = "https://id.example"
OPENID = Provider.openid(ISSUER, client_id="client-1")
REDIRECT_URI = "http://127.0.0.1:1455/auth/callback"


def shown(kind: RequestKind, content: object, provider: Provider = OPENID, uri: str | None = None) -> Any:
    placeholders = Placeholders(SECRETS)
    signatures = Signatures(placeholders)
    signatures.algorithms = provider.id_token_signing_alg_values_supported
    documents = Documents(provider, public(provider, placeholders), placeholders, signatures)
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    told = documents.body(kind, answer(body=body), uri)
    return json.loads(told) if told.startswith(b"{") and len(told) > 1 else told


@pytest.mark.parametrize(
    ("member", "value", "told"),
    [
        ("token_endpoint", f"{ISSUER}/token", f"{ISSUER}/token"),
        ("token_endpoint", f"{ISSUER}/token?secret", f"{ISSUER}/token?redacted-query-1"),
        ("token_endpoint", "http://127.0.0.1:9/token", "http://127.0.0.1:9/token"),
        ("token_endpoint", "http://id.example/token", "other"),
        ("token_endpoint", "https://secret@id.example/token", "other"),
        ("token_endpoint", f"{ISSUER}/{'a' * 2048}", "other"),
        ("token_endpoint", "", ""),
        ("token_endpoint", ["secret"], []),
        ("jwks_uri", None, None),
        ("userinfo_endpoint", f"{ISSUER}/secret", None),
        ("require_pushed_authorization_requests", True, True),
        ("require_pushed_authorization_requests", "secret", "other"),
        ("scopes_supported", ["openid", "secret", "email", "secret"], ["openid", "email", "other"]),
        ("scopes_supported", [], []),
        ("scopes_supported", ["openid", 4711], [0]),
        ("scopes_supported", "secret", "other"),
        ("code_challenge_methods_supported", ["plain"], ["plain"]),
        ("token_endpoint_auth_methods_supported", ["none", "secret"], ["none", "other"]),
        ("error", "secret", "redacted-error-1"),
        ("error_description", "no Ada", "no [...]"),
    ],
)
def test_metadata(member: str, value: object, told: object) -> None:
    told_all = shown(RequestKind.METADATA, {member: value, "secret": "secret"})
    assert told_all == ({} if member == "userinfo_endpoint" else {member: told})


RESOURCE = Provider.for_resource("https://api.example/mcp?tenant=secret", client_id="client-1")


@pytest.mark.parametrize(
    ("member", "value", "told"),
    [
        ("resource", "https://api.example/mcp?tenant=secret", "https://api.example/mcp?redacted-query-1"),
        ("resource", "https://api.example/", "https://api.example/"),
        ("resource", "https://secret.example/mcp", "https://other.invalid/"),
        ("resource", "secret", "other"),
        ("resource", 4711, 0),
        ("resource", None, None),
        ("authorization_servers", [ISSUER, f"{ISSUER}/"], [ISSUER, f"{ISSUER}/"]),
        ("authorization_servers", ["secret"], ["other"]),
        ("authorization_servers", [f"{ISSUER}/{'a' * 2048}"], ["other"]),
        ("authorization_servers", [4711], [0]),
        ("authorization_servers", [], []),
        ("scopes_supported", ["files:read", "", "files:write"], ["files:read", "files:write"]),
        ("scopes_supported", [4711], [0]),
        ("scopes_supported", "secret", "other"),
        ("resource_name", "secret", None),
    ],
)
def test_the_metadata_of_a_resource(member: str, value: object, told: object) -> None:
    told_all = shown(RequestKind.RESOURCE_METADATA, {member: value, "secret": "secret"}, RESOURCE)
    assert told_all == ({} if member == "resource_name" else {member: told})


@pytest.mark.parametrize(
    ("issuer", "told"),
    [
        (ISSUER, ISSUER),
        (f"{ISSUER}/", f"{ISSUER}/"),
        ("https://secret.example", "redacted-issuer-1"),
        (4711, 0),
        (None, None),
        ("", ""),
    ],
)
def test_a_wrong_issuer_stays_wrong(issuer: object, told: object) -> None:
    assert shown(RequestKind.METADATA, {"issuer": issuer})["issuer"] == told


@pytest.mark.parametrize("tenant", ["{tenantid}", "11111111-2222-3333-4444-555555555555"])
def test_the_issuer_of_a_tenant(tenant: str) -> None:
    issuer = f"https://login.microsoftonline.com/{tenant}/v2.0"
    told = shown(RequestKind.METADATA, {"issuer": issuer}, Provider.microsoft("client-1"))
    assert told["issuer"] == issuer


@pytest.mark.parametrize(
    ("accepted", "listed", "told"),
    [
        (("RS256", "ES256"), None, ["RS256", "EdDSA"]),
        (("RS256", "ES256"), [], ["RS256", "EdDSA"]),
        (("RS256", "ES256"), ["ES256", "secret"], ["ES256", "redacted-algorithm-1", "EdDSA"]),
        (("RS256", "EdDSA"), ["EdDSA"], ["EdDSA"]),
        # None of the real ones is accepted, so that of a trace is not either.
        (("RS256",), ["ES256", "EdDSA"], ["ES256"]),
        (("RS256",), ["EdDSA"], ["other"]),
        (("ES256",), None, ["RS256"]),
        (("RS256",), "secret", "other"),
        (("RS256",), [4711], [0]),
    ],
)
def test_the_algorithm_of_a_trace_is_listed_if_any_is_accepted(
    accepted: tuple[str, ...], listed: object, told: object
) -> None:
    provider = OPENID.__replace__(id_token_signing_alg_values_supported=accepted)
    name = "id_token_signing_alg_values_supported"
    members = {"issuer": ISSUER} if listed is None else {"issuer": ISSUER, name: listed}
    assert shown(RequestKind.METADATA, members, provider)[name] == told


@pytest.mark.parametrize(
    ("member", "value", "told"),
    [
        ("client_id", "secret", "redacted-client-1"),
        ("client_id", "sec\x00ret", "redacted-client-1\x00"),
        ("client_id", "a" * 2049, "redacted-client-1\x00"),
        ("client_id", 4711, 0),
        ("client_secret", "secret", "redacted-client-secret-1"),
        ("client_secret", "", ""),
        ("registration_access_token", "secret", "redacted-registration-access-token-1"),
        ("token_endpoint_auth_method", "client_secret_post", "client_secret_post"),
        ("token_endpoint_auth_method", "secret", "other"),
        ("client_secret_expires_at", 1_800_000_000, 1_800_000_000),
        ("client_secret_expires_at", 10**300, 1e12),
        ("client_secret_expires_at", "secret", "other"),
        ("redirect_uris", ["https://secret.example/", "http://127.0.0.1/auth/callback"], [REDIRECT_URI]),
        ("redirect_uris", ["https://secret.example/"], ["https://other.invalid/"]),
        ("redirect_uris", [], []),
        ("redirect_uris", "secret", "other"),
    ],
)
def test_a_registration(member: str, value: object, told: object) -> None:
    content = {member: value, "contacts": ["secret"], "registration_client_uri": "https://secret.example/"}
    assert shown(RequestKind.REGISTRATION, content, uri=REDIRECT_URI) == {member: told}


def test_a_registration_for_device_codes_has_no_redirect_uri() -> None:
    told = shown(RequestKind.REGISTRATION, {"redirect_uris": ["https://secret.example/"]})
    assert told == {"redirect_uris": ["https://other.invalid/"]}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            {"request_uri": "urn:secret", "expires_in": 60, "x": 1},
            {"request_uri": "redacted-request-uri-1", "expires_in": 60},
        ),
        ({"request_uri": "urn secret"}, {"request_uri": "redacted-request-uri-1 unusable"}),
        ({"request_uri": "a" * 2049}, {"request_uri": "redacted-request-uri-1 unusable"}),
        ({"expires_in": "60"}, {"expires_in": "other"}),
        (b"secret", b"{"),
        (b"[]", b"[]"),
    ],
)
def test_a_pushed_request(content: object, told: object) -> None:
    assert shown(RequestKind.PUSHED_REQUEST, content) == told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"keys": "secret", "x": 1}, {"keys": "other"}),
        ({"keys": [], "error": "invalid_request"}, {"keys": [], "error": "invalid_request"}),
        ({"keys": ["secret", {"kty": "oct", "k": "secret"}]}, {"keys": []}),
        ({}, {}),
        (b"secret", b"{"),
    ],
)
def test_keys_that_verify_nothing(content: object, told: object) -> None:
    assert shown(RequestKind.KEYS, content) == told
