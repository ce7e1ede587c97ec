"""Credentials for the tests of a store. Each of their secrets has the same mark, so that it is found where it leaks."""

from __future__ import annotations

from typing import Final

from ...sansio.base.secret import Secret
from ...sansio.model.credentials import AuthMode, Credentials
from ...sansio.model.provenance import Provenance
from ...sansio.model.tokens import Tokens

CANARY: Final = "canary-of-check-store"
"""A part of every secret here."""


def tokens_of(name: str, *, issuer: str = "https://id.example", account_id: str = "account-1") -> Credentials:
    """Return the credentials of a login.

    Args:
        name: Distinguishes their secrets from others.
        issuer: Who issued them.
        account_id: The id of the account.
    """
    return Credentials(
        tokens=Tokens(
            id_token=Secret(f"{CANARY}-id-{name}"),
            access_token=Secret(f"{CANARY}-access-{name}"),
            refresh_token=Secret(f"{CANARY}-refresh-{name}"),
            account_id=account_id,
            provenance=Provenance(issuer=issuer, client_id="client-1"),
        ),
        last_refresh="2026-01-02T03:04:05.678901Z",
    )


ONE: Final = tokens_of("one")
TWO: Final = tokens_of("two")
ELSEWHERE: Final = tokens_of("elsewhere", issuer="https://other.example")
KEY: Final = Credentials.from_api_key(Secret(f"{CANARY}-key"))

_OTHERS: Final = Secret(f'{{"of tomorrow": {{"value": "{CANARY}", "text": "\\u00e4 \\ud83d\\ude00 \\u0000"}}}}')


def with_unknown_members() -> Credentials:
    """Return credentials with members that a newer program has added."""
    tokens = ONE.tokens
    assert tokens is not None
    return ONE.__replace__(others=_OTHERS, tokens=tokens.__replace__(others=_OTHERS))


def with_long_tokens() -> Credentials:
    """Return credentials with tokens of the size that identity providers issue for a person in many groups."""
    tokens = ONE.tokens
    assert tokens is not None
    return ONE.__replace__(tokens=tokens.__replace__(access_token=Secret(CANARY + "x" * 12_000)))


def with_little() -> Credentials:
    """Return tokens without an id token or a refresh token, of a login that says when they end."""
    tokens = Tokens(access_token=Secret(f"{CANARY}-access"), id_token=None, refresh_token=None, expiry=1_800_000_000)
    return Credentials(tokens=tokens, last_refresh="2026-01-02T03:04:05.678901Z")


def of_an_older_program() -> Credentials:
    """Return tokens and an API key, without a mode and without a time."""
    return Credentials(auth_mode=None, api_key=Secret(f"{CANARY}-key"), tokens=ONE.tokens)


def samples() -> dict[str, Credentials]:
    """Return credentials of every kind, each with a description."""
    return {
        "the tokens of a login": ONE,
        "an API key": KEY,
        "members that are not known": with_unknown_members(),
        "an access token of 12,000 characters": with_long_tokens(),
        "an access token alone": with_little(),
        "an API key and tokens without a mode": of_an_older_program(),
        "a mode that only Codex uses": Credentials(auth_mode=AuthMode.AGENT_IDENTITY, others=_OTHERS),
    }
