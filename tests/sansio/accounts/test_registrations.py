"""The bytes of a stored registration."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loginmachine.sansio import ClientAuthentication, CredentialsError, Secret
from loginmachine.sansio.accounts.registrations import (
    StoredRegistration,
    may_ask_for,
    parse_registration,
    registration_key,
    serialise_registration,
)
from loginmachine.sansio.accounts.stored import is_key
from loginmachine.sansio.server.registration import Registration

REGISTRATION = Registration(
    issuer="https://id.example.com",
    client_id="given-1",
    client_secret=Secret("canary-secret"),
    client_secret_expires_at=1_800_000_000.0,
    token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_BASIC,
    redirect_uri="http://127.0.0.1/auth/callback",
    others=Secret('{"registration_access_token": "canary-token"}'),
)
STORED = StoredRegistration(
    registration=REGISTRATION, software="my_program", subject="u-1", email="ada@example.com", saved_at="2026-11-18"
)
BYTES = b"""{
  "issuer": "https://id.example.com",
  "client_id": "given-1",
  "client_secret": "canary-secret",
  "client_secret_expires_at": 1800000000.0,
  "token_endpoint_auth_method": "client_secret_basic",
  "redirect_uri": "http://127.0.0.1/auth/callback",
  "response": {
    "registration_access_token": "canary-token"
  },
  "software": "my_program",
  "subject": "u-1",
  "email": "ada@example.com",
  "saved_at": "2026-11-18"
}"""


def members(**changes: Any) -> bytes:
    return json.dumps({**json.loads(BYTES), **changes}).encode()


def test_the_bytes() -> None:
    assert serialise_registration(STORED) == BYTES
    assert parse_registration(BYTES) == STORED
    assert "canary" not in repr(STORED)


def test_a_public_client() -> None:
    plain = StoredRegistration(registration=Registration(issuer="https://id.example.com", client_id="c"))
    data = serialise_registration(plain)
    assert json.loads(data) == {
        "issuer": "https://id.example.com",
        "client_id": "c",
        "token_endpoint_auth_method": "none",
    }
    assert parse_registration(data) == plain


def test_members_of_a_newer_version_are_kept() -> None:
    read = parse_registration(members(label="work"))
    assert json.loads(serialise_registration(read)) == json.loads(members(label="work"))
    assert json.loads(serialise_registration(STORED, previous={"label": "home", "subject": "u-2"})) == json.loads(
        members(label="home")
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"[]", "the file cannot be used: not a JSON object"),
        (members(issuer=None), "issuer is missing"),
        (members(client_id=""), "client_id is missing"),
        (members(client_id=["canary"]), "client_id is not a string"),
        (members(client_id="canary\n"), "client_id holds a character that is not allowed in it"),
        (members(client_secret="canary\n"), "client_secret holds a character that is not allowed in it"),
        (members(response="canary"), "response is not an object"),
        (members(client_secret_expires_at="canary"), "client_secret_expires_at is not a time"),
        (
            members(token_endpoint_auth_method="canary"),
            "token_endpoint_auth_method is not one of none, client_secret_basic, client_secret_post",
        ),
        (members(issuer="canary"), "issuer: the provider's URL has no valid host"),
    ],
)
def test_what_is_wrong_is_named_and_not_shown(data: bytes, problem: str) -> None:
    with pytest.raises(CredentialsError) as raised:
        parse_registration(data)
    assert str(raised.value) == problem


def test_each_issuer_and_client_has_a_file() -> None:
    keys = {
        registration_key(issuer, client) for issuer in ("https://a.example", "https://b.example") for client in "xy"
    }
    assert len(keys) == 4
    assert all(map(is_key, keys))
    assert STORED.key == registration_key("https://id.example.com", "given-1")


TEXTS = st.text(st.characters(codec="ascii", min_codepoint=33, max_codepoint=126), min_size=1, max_size=9)


@given(
    st.builds(
        StoredRegistration,
        registration=st.builds(
            Registration,
            issuer=st.sampled_from(["https://a.example", "http://localhost:1"]),
            client_id=TEXTS,
            client_secret=st.none() | TEXTS.map(Secret),
            client_secret_expires_at=st.none() | st.floats(1, 1e11),
            token_endpoint_auth_method=st.sampled_from(ClientAuthentication),
            redirect_uri=st.none() | TEXTS,
            others=st.none() | st.just(Secret('{"a": [1]}')),
        ),
        software=st.just("") | TEXTS,
        subject=st.just("") | TEXTS,
        email=st.none() | TEXTS,
        saved_at=st.just("") | TEXTS,
        others=st.none() | st.just(Secret('{"newer": 1}')),
    )
)
def test_what_was_written_is_read_again(stored: StoredRegistration) -> None:
    assert parse_registration(serialise_registration(stored)) == stored


@pytest.mark.parametrize(
    ("response", "scopes", "expected"),
    [
        ({"scope": "read write"}, ("read",), True),
        ({"scope": "read write"}, (), True),
        ({"scope": "read"}, ("read", "write"), False),
        # Nothing was said about scopes.
        ({}, ("read",), True),
        ({"scope": ["read"]}, ("write",), True),
    ],
)
def test_the_scopes_of_a_client(response: dict[str, object], scopes: tuple[str, ...], *, expected: bool) -> None:
    others = Secret(json.dumps(response)) if response else None
    client = Registration(issuer="https://id.example", client_id="c", others=others)
    assert may_ask_for(client, scopes) is expected
