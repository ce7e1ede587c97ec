"""The accounts of entries, and the names of the entries."""

from __future__ import annotations

import pytest

from loginmachine.sansio import Credentials, Provider, Secret, Tokens
from loginmachine.sansio.accounts.stored import StoredAccount, account_of, is_key, key_of, name_for

from ..model.test_entry import CREDENTIALS, ENTRY, PROVIDER
from ..samples import jwt
from .samples import account


def signed_in(provider: Provider = PROVIDER, **claims: str) -> Credentials:
    token = Secret(jwt(claims)) if claims else None
    return Credentials(
        auth_mode="oauth", tokens=Tokens(id_token=token, access_token=Secret("canary"), provider=provider)
    )


def test_the_account_of_an_entry() -> None:
    assert account_of("k", CREDENTIALS) == StoredAccount(
        key="k",
        provider="openid",
        issuer="https://id.example.com",
        origin="https://id.example.com",
        client_id="native",
        subject="u-1",
        email="ada@example.com",
        name="Ada",
        scopes=("openid", "email"),
        expires_at=1_800_000_000.0,
        has_refresh_token=True,
        last_refresh="2026-11-18T11:06:40.000000Z",
    )


def test_no_token_is_in_an_account() -> None:
    assert "canary" not in repr(account_of("k", CREDENTIALS))
    assert b"canary" in ENTRY


def test_each_issuer_client_and_person_has_an_entry() -> None:
    other = PROVIDER.__replace__(issuer="https://id.example.org")
    client = PROVIDER.__replace__(client_id="other")
    keys = [
        key_of(signed_in(sub="u-1")),
        key_of(signed_in(sub="u-2")),
        key_of(signed_in()),
        key_of(signed_in(other, sub="u-1")),
        key_of(signed_in(client, sub="u-1")),
        # Two parts never run into each other.
        key_of(signed_in(PROVIDER.__replace__(client_id="nativeu"), sub="-1")),
    ]
    assert len(set(keys)) == 6
    assert all(map(is_key, keys))


def test_the_entry_of_an_account_keeps_its_name() -> None:
    # Its endpoints, its e-mail address and its secret may change. (The name is fixed: entries are found by it.)
    moved = PROVIDER.__replace__(token_endpoint="https://id.example.com/t2", client_secret=Secret("other"))
    expected = "id.example.com-223d415646277178d07ecac21f138f6d"
    names = {key_of(signed_in(sub="u-1", email="a@x")), key_of(signed_in(moved, sub="u-1", email="b@x"))}
    assert names == {expected}


@pytest.mark.parametrize(
    ("origin", "start"),
    [
        ("https://ID.Example.com/realms/x", "id.example.com-"),
        ("http://[::1]:8080", "1-"),
        ("http://127.0.0.1:80/token", "127.0.0.1-"),
        (f"https://{'a' * 60}.example", f"{'a' * 40}-"),
        ("https://..", "provider-"),
    ],
)
def test_a_name_can_be_the_name_of_a_file(origin: str, start: str) -> None:
    name = name_for(origin, "client")
    assert name.startswith(start)
    assert len(name) == len(start) + 32
    assert is_key(name)


@pytest.mark.parametrize("name", ["accounts", "x", "../x-" + "0" * 32, "x-" + "0" * 32 + ".refused", "X-" + "0" * 32])
def test_other_names_are_those_of_no_entry(name: str) -> None:
    assert not is_key(name)


def test_codex_has_no_entry() -> None:
    codex = Tokens(access_token=Secret("at"), provider=Provider.codex())
    with pytest.raises(ValueError, match=r"stored in auth\.json"):
        key_of(Credentials(tokens=codex))
    for credentials in (Credentials(), Credentials(tokens=Tokens(access_token=Secret("at")))):
        with pytest.raises(ValueError, match="do not name the provider"):
            key_of(credentials)


def test_the_text_of_an_account() -> None:
    person = account("k", email="ada@example.com", subject="u-1")
    assert str(person) == "ada@example.com at https://id.example.com (client native)"
    assert str(account("k", subject="u-1")).startswith("u-1 at ")
    assert str(account("k")).startswith("one account at ")
