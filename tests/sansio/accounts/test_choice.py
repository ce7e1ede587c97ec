"""Which stored credentials apply if no account is named, and which account a person means."""

from __future__ import annotations

import pytest

from loginmachine.sansio.accounts.choice import AccountChoice, choose, matching
from loginmachine.sansio.accounts.index import AccountIndex

from .samples import account

A = account("a", subject="u-1", email="ada@example.com", last_refresh="2026-01-01")
B = account("b", subject="u-2", email="bob@example.com", last_refresh="2026-02-01")
GOOGLE = account("g", "google", "https://accounts.google.com", email="ada@example.com", client_id="g-client")
LOCAL = account("l", "openid", "http://localhost/realms/x")


@pytest.mark.parametrize(
    ("accounts", "used", "has_codex", "expected"),
    [
        # Nothing is stored.
        ([], None, False, None),
        ([], None, True, "codex"),
        # One provider and issuer: Codex first, else the latest sign-in.
        ([A], None, False, "a"),
        ([A], None, True, "codex"),
        ([A, B], None, False, "b"),
        ([A, B], None, True, "codex"),
        # Two kinds of provider, or two issuers: nothing decides, except for Codex.
        ([A, GOOGLE], None, False, {"a", "g"}),
        ([A, LOCAL], None, False, {"a", "l"}),
        ([A, GOOGLE], None, True, "codex"),
        # `use` comes first.
        ([A, B], A, False, "a"),
        ([A, B], A, True, "a"),
        ([A, B, GOOGLE], A, True, "a"),
        ([A, B, GOOGLE], GOOGLE, False, "g"),
        # What was chosen is not stored any more.
        ([A], GOOGLE, False, "a"),
        ([A], GOOGLE, True, "codex"),
        ([A, LOCAL], GOOGLE, False, {"a", "l"}),
        # Another account of the chosen provider is.
        ([B, GOOGLE], A, True, "b"),
    ],
)
def test_which_credentials_apply(accounts: list, used: object, has_codex: bool, expected: object) -> None:  # type: ignore[type-arg]  # noqa: FBT001
    index = AccountIndex().used(used)  # type: ignore[arg-type]
    choice = choose(index.marked(accounts), has_codex=has_codex)
    found = {each.key for each in choice.candidates} or ("codex" if choice.is_codex else None)
    assert (choice.account.key if choice.account else found) == expected
    assert not (choice.account and choice.is_codex)


def test_among_some_accounts_of_a_provider() -> None:
    marked = AccountIndex().signed_in("a").signed_in("b").marked([A, B, account("c")])
    assert marked[0].key == "b"
    # Those of one client perhaps, without the default.
    assert choose(marked[1:], has_codex=False) == AccountChoice(candidates=tuple(marked[1:]))
    assert choose(marked[2:], has_codex=False).account == marked[2]


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("u-1", ["a"]),
        ("u-1 ", []),
        ("U-1", []),
        ("ADA@example.com", ["a", "g"]),
        ("bob@example.com", ["b"]),
        ("g-client", ["g"]),
        ("native", ["a", "b", "l"]),
        ("l", ["l"]),
        ("", []),
        ("example.com", []),
    ],
)
def test_the_account_that_a_person_means(text: str, keys: list[str]) -> None:
    assert [each.key for each in matching([A, B, GOOGLE, LOCAL], text)] == keys
