"""The index of the accounts: which is the default of each provider, and which is used."""

from __future__ import annotations

import pytest

from loginmachine.sansio import CredentialsError
from loginmachine.sansio.accounts.index import AccountIndex, parse_index, serialise_index

from .samples import account

A, B = account("a"), account("b")
OTHER = account("other", "google", "https://accounts.google.com")
ALL = [A, B, OTHER]
BYTES = b"""{
  "chosen": {
    "provider": "openid",
    "issuer": "https://id.example.com"
  },
  "order": [
    "b",
    "a"
  ]
}"""


def defaults(index: AccountIndex) -> set[str]:
    return {each.key for each in index.marked(ALL) if each.is_default}


def chosen(index: AccountIndex) -> list[str]:
    return [each.key for each in index.marked(ALL) if each.is_chosen]


def test_the_bytes() -> None:
    index = AccountIndex().signed_in("b").used(A)
    assert serialise_index(index) == BYTES
    assert parse_index(BYTES) == index
    assert serialise_index(AccountIndex()) == b'{\n  "chosen": null,\n  "order": []\n}'
    assert parse_index(b"{}") == AccountIndex()


def test_members_of_a_newer_version_are_kept() -> None:
    newer = b'{\n  "chosen": null,\n  "order": [],\n  "newer": [\n    1\n  ]\n}'
    assert serialise_index(parse_index(newer)) == newer


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"[]", "not a JSON object"),
        (b'{"order": "canary"}', "order is not a list of strings"),
        (b'{"order": [1]}', "order is not a list of strings"),
        (b'{"chosen": "canary"}', "chosen does not name a provider and an issuer"),
        (b'{"chosen": {"provider": "canary"}}', "chosen does not name a provider and an issuer"),
    ],
)
def test_what_is_wrong_is_named(data: bytes, problem: str) -> None:
    with pytest.raises(CredentialsError, match=problem) as raised:
        parse_index(data)
    assert "canary" not in str(raised.value)


def test_the_latest_sign_in_is_the_default_of_its_provider() -> None:
    index = AccountIndex().signed_in("b").signed_in("other").signed_in("a")
    assert defaults(index) == {"a", "other"}
    assert defaults(index.signed_in("b")) == {"b", "other"}
    assert chosen(index) == []


def test_use_makes_the_account_the_default_and_chooses_it() -> None:
    index = AccountIndex().signed_in("b").signed_in("other").signed_in("a").used(B)
    assert defaults(index) == {"b", "other"}
    assert chosen(index) == ["b"]
    assert chosen(index.used(None)) == []
    assert defaults(index.used(None)) == {"b", "other"}


def test_a_sign_in_after_use() -> None:
    index = AccountIndex().signed_in("other").signed_in("a").signed_in("b").used(A)
    # At the same provider and issuer it takes the place of the chosen account, as with gh and gcloud.
    assert chosen(index.signed_in("b")) == ["b"]
    # At another provider it does not.
    assert chosen(index.signed_in("other")) == ["a"]


def test_accounts_that_the_index_does_not_know_are_older() -> None:
    old = account("old", last_refresh="2026-01-01T00:00:00.000000Z")
    new = account("new", last_refresh="2026-02-01T00:00:00.000000Z")
    assert [each.key for each in AccountIndex().marked([old, new])] == ["new", "old"]
    assert [each.key for each in AccountIndex().signed_in("old").marked([new, old])] == ["old", "new"]


def test_an_account_that_is_gone_chooses_nothing() -> None:
    index = AccountIndex().signed_in("a").signed_in("gone").used(OTHER)
    assert [each.key for each in index.marked([A]) if each.is_chosen] == []
    assert [each.key for each in index.marked([A]) if each.is_default] == ["a"]
