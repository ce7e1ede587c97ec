"""The accounts of a folder: what a login stores, which account is the default, and how one is found."""

from __future__ import annotations

import json
import os
import pickle
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from loginmachine import (
    AccountNotFound,
    AccountStore,
    AmbiguousAccount,
    Credentials,
    FileStore,
    Provider,
    Secret,
    StoreError,
    Tokens,
)

from .samples import OTHER, PROVIDER, SECOND, credentials, names, opened

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "accounts"


@pytest.fixture
def store(folder: Path) -> AccountStore:
    return opened(folder)


def keys(store: AccountStore) -> dict[str, str]:
    """Return the keys of the accounts by their subjects."""
    return {account.subject: account.key for account in store.accounts()}


def default(store: AccountStore) -> str:
    found = store.default_for(PROVIDER)
    assert found is not None
    return found.subject


# What a login stores


def test_a_login_stores_an_entry(store: AccountStore, folder: Path) -> None:
    login = store.login_store(PROVIDER)
    login.check()
    assert login.save(credentials()) is None
    (account,) = store.accounts()
    assert (account.provider, account.issuer, account.client_id) == ("openid", "https://id.example.com", "native")
    assert (account.subject, account.email, account.scopes) == ("u-1", "u-1@example.com", ("openid",))
    assert account.is_default
    assert not account.is_chosen
    assert store.open(account).load() == credentials()
    assert names(folder) == {"accounts.json", f"{account.key}.json"}


def test_only_the_owner_may_read_whatever_the_umask(
    store: AccountStore, folder: Path, umask: Callable[[int], int]
) -> None:
    umask(0)
    store.check()
    store.save(credentials())
    umask(0o022)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {0o600}


def test_a_second_login_of_an_account_replaces_it(store: AccountStore) -> None:
    store.save(credentials())
    assert store.save(credentials(token="new", at=SECOND)) == credentials()
    (account,) = store.accounts()
    assert store.open(account).load() == credentials(token="new", at=SECOND)


def test_no_login_touches_another_entry(store: AccountStore, folder: Path) -> None:
    client = PROVIDER.__replace__(client_id="other")
    plain = Provider.oauth(
        authorization_endpoint="https://id.example.com/a",
        token_endpoint="https://id.example.com/token",
        client_id="native",
    )
    logins = [
        credentials(),
        credentials("u-2"),
        credentials("u-1", OTHER),
        credentials("u-1", client),
        credentials("", plain),
    ]
    contents: dict[str, bytes] = {}
    for login in logins:
        assert store.save(login) is None
        for name, content in contents.items():
            assert (folder / name).read_bytes() == content
        contents = {name: (folder / name).read_bytes() for name in names(folder) - {"accounts.json"}}
    assert len(contents) == len(store.accounts()) == 5
    found = [store.open(account).load() for account in store.accounts()]
    assert all(login in found for login in logins)


def test_a_provider_without_id_tokens_has_one_account_for_each_client(store: AccountStore) -> None:
    store.save(credentials(""))
    assert store.save(credentials("", token="new")) == credentials("")
    assert [account.subject for account in store.accounts()] == [""]


@pytest.mark.parametrize(
    "wrong",
    [
        Credentials(auth_mode="apikey", api_key=Secret("canary")),
        Credentials(tokens=Tokens(access_token=Secret("canary"))),
        credentials(provider=Provider.codex()),
    ],
)
def test_credentials_that_belong_elsewhere_are_refused(store: AccountStore, folder: Path, wrong: Credentials) -> None:
    with pytest.raises(StoreError) as raised:
        store.save(wrong)
    assert "canary" not in str(raised.value)
    assert not folder.exists()


def test_codex_has_no_login_here(store: AccountStore) -> None:
    with pytest.raises(ValueError, match=r"stored in auth\.json"):
        store.login_store(Provider.codex())


def test_auth_json_holds_no_entry(store: AccountStore, tmp_path: Path) -> None:
    store.save(credentials())
    assert not (tmp_path / "codex").exists()
    # And what is in auth.json is no account.
    codex = FileStore(store.folder)
    codex.save(Credentials.from_api_key(Secret("sk-1")))
    assert len(store.accounts()) == 1


# The default


def test_the_latest_login_is_the_default(store: AccountStore) -> None:
    for subject in ("u-1", "u-2", "u-1"):
        store.save(credentials(subject))
        assert default(store) == subject
    store.save(credentials("u-9", OTHER))
    assert default(store) == "u-1"
    assert store.default_for(PROVIDER.__replace__(name="google")) is None


def test_use(store: AccountStore) -> None:
    for subject in ("u-1", "u-2"):
        store.save(credentials(subject))
    store.use(store.find("u-1"))
    assert default(store) == "u-1"
    choice = store.choose(has_codex=True)
    assert choice.account is not None
    assert choice.account.subject == "u-1"
    # The latest login at the same provider takes its place, and one at another provider does not.
    store.save(credentials("u-9", OTHER))
    assert (choice := store.choose()).account == store.find("u-1"), choice
    store.save(credentials("u-2"))
    assert store.choose(has_codex=True).account == store.find("u-2")
    store.use(None)
    assert store.choose(has_codex=True).is_codex
    assert {account.subject for account in store.choose().candidates} == {"u-1", "u-2", "u-9"}


def test_a_login_that_cannot_be_stored_changes_nothing(
    store: AccountStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(credentials("u-1"))
    store.save(credentials("u-2"))
    before = {name: (folder / name).read_bytes() for name in names(folder)}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreError, match="No space left"):
            store.save(credentials("u-1", token="new"))
    assert {name: (folder / name).read_bytes() for name in names(folder)} == before


def test_an_account_that_is_gone_cannot_be_used(store: AccountStore) -> None:
    store.save(credentials())
    account = store.find("u-1")
    assert store.open(account).remove() == credentials()
    with pytest.raises(
        AccountNotFound, match=r"^u-1@example\.com at https://id\.example\.com .* is not stored any more$"
    ):
        store.use(account)
    assert store.accounts() == []
    assert store.choose().account is None


def test_after_a_sign_out_the_login_before_it_is_the_default(store: AccountStore) -> None:
    for subject in ("u-1", "u-2", "u-3"):
        store.save(credentials(subject))
    store.use(store.find("u-2"))
    store.open(store.find("u-2")).remove()
    assert default(store) == "u-3"


# Finding an account


def test_filters(store: AccountStore) -> None:
    google = PROVIDER.__replace__(name="google", issuer="https://accounts.google.com", client_id="g")
    for each in (credentials(), credentials("u-2", OTHER), credentials("u-3", google)):
        store.save(each)
    assert [a.subject for a in store.accounts("google")] == ["u-3"]
    assert [a.subject for a in store.accounts(issuer="https://id.example.org")] == ["u-2"]
    assert [a.subject for a in store.accounts(client_id="g")] == ["u-3"]
    assert [a.subject for a in store.accounts("openid", client_id="g")] == []
    choice = store.choose(store.accounts("google"))
    assert choice.account is not None
    assert choice.account.subject == "u-3"


def test_an_account_is_found_by_what_a_person_knows(store: AccountStore) -> None:
    store.save(credentials())
    store.save(credentials("u-2", OTHER))
    for text in ("u-2", "U-2@example.com", keys(store)["u-2"]):
        assert store.find(text).subject == "u-2"
    with pytest.raises(AccountNotFound, match="no stored account is called nobody"):
        store.find("nobody")
    with pytest.raises(AmbiguousAccount) as raised:
        store.find("native")
    assert {account.subject for account in raised.value.accounts} == {"u-1", "u-2"}
    assert "u-1@example.com at https://id.example.com (client native)" in str(raised.value)
    assert store.find("native", store.accounts(issuer="https://id.example.org")).subject == "u-2"
    copy = pickle.loads(pickle.dumps(raised.value))
    assert (str(copy), copy.accounts) == (str(raised.value), raised.value.accounts)


# What cannot be read


def test_an_entry_that_cannot_be_read_is_left_out_and_said(store: AccountStore, folder: Path) -> None:
    store.save(credentials())
    store.save(credentials("u-2"))
    bad = folder / f"{keys(store)['u-2']}.json"
    bad.write_bytes(b'{"tokens": "canary"}')
    warnings: list[str] = []
    other = opened(folder, warnings)
    for _ in range(2):
        assert [account.subject for account in other.accounts()] == ["u-1"]
    assert warnings == [f"an account is left out: {bad}: tokens is not an object"]
    # If there is no other, it is an error: "not signed in" would be wrong.
    (folder / f"{keys(other)['u-1']}.json").unlink()
    with pytest.raises(StoreError, match="tokens is not an object"):
        other.accounts()
    # The next login replaces it.
    other.check(PROVIDER)
    other.save(credentials("u-2"))
    assert [account.subject for account in other.accounts()] == ["u-2"]


def test_a_missing_folder_has_no_accounts_and_is_not_created(store: AccountStore, folder: Path) -> None:
    assert store.accounts() == []
    assert store.open("id-" + "0" * 32).remove() is None
    assert store.open("id-" + "0" * 32).load() is None
    assert store.registrations() == []
    assert not folder.exists()


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    store = opened(tmp_path / "file")
    with pytest.raises(StoreError, match="Not a directory"):
        store.accounts()
    with pytest.raises(StoreError, match="its folder is a file"):
        store.check()


def test_the_index_is_rebuilt(folder: Path) -> None:
    store = opened(folder)
    store.save(credentials("u-1", at=SECOND))
    store.save(credentials("u-2"))
    store.use(store.find("u-2"))
    for broken in (None, b"{", b'{"order": "u-1"}'):
        index = folder / "accounts.json"
        index.unlink()
        if broken is not None:
            index.write_bytes(broken)
        warnings: list[str] = []
        for _ in range(2):
            # No credentials are lost. The tokens that were received last are the default.
            again = opened(folder, warnings)
            assert [account.subject for account in again.accounts()] == ["u-1", "u-2"]
        said = [text for text in warnings if "The default accounts are those with the latest tokens" in text]
        assert len(said) == 1
        assert json.loads(index.read_bytes())["order"] == [keys(again)["u-2"], keys(again)["u-1"]]
    store.save(credentials("u-2"))
    assert default(store) == "u-2"


def test_an_index_that_cannot_be_stored_ends_no_login(folder: Path) -> None:
    warnings: list[str] = []
    store = opened(folder, warnings)
    store.save(credentials("u-1"))
    (folder / "accounts.json").unlink()
    (folder / "accounts.json").mkdir()
    store.save(credentials("u-2"))
    assert [text.partition(":")[0] for text in warnings] == [
        "the sign-in is stored, but another account may stay the default"
    ]
    assert set(keys(store)) == {"u-1", "u-2"}
    with pytest.raises(StoreError, match=r"accounts\.json: it is not a regular file"):
        store.use(store.find("u-1"))
    with pytest.raises(StoreError, match="it is not a regular file"):
        store.check()


def test_an_entry_that_cannot_be_replaced_is_found_before_the_browser(store: AccountStore, folder: Path) -> None:
    store.save(credentials())
    (folder / f"{keys(store)['u-1']}.lock").unlink()
    (folder / f"{keys(store)['u-1']}.lock").mkdir()
    store.login_store(OTHER).check()
    with pytest.raises(StoreError, match="cannot be used: it is a folder"):
        store.login_store(PROVIDER).check()


# Where the accounts are

WHERE = """
import sys
from loginmachine import AccountStore, FileStore
assert "platformdirs" not in sys.modules
print(AccountStore().folder)
print(AccountStore("my_program").folder)
"""


def test_the_users_state_folder(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", WHERE], env=environment, capture_output=True, text=True, check=True, timeout=50
    )
    if sys.platform.startswith("linux"):
        assert done.stdout.split() == [f"{tmp_path}/loginmachine", f"{tmp_path}/my_program"]


@pytest.mark.parametrize("program", ["", "a/b", "..", ".hidden", "~ada", "a\n", "C:"])
def test_a_program_that_is_no_folders_name(program: str) -> None:
    with pytest.raises(ValueError, match="must be the name of a folder"):
        AccountStore(program)


def test_a_policy_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="vault"):
        AccountStore(folder=tmp_path, policy="vault")


def test_the_repr_names_the_folder(tmp_path: Path) -> None:
    assert repr(AccountStore(folder=tmp_path)) == f"<AccountStore of {tmp_path}>"
