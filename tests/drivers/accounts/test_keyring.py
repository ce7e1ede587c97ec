"""Accounts in the keyring: the entries of the service ``loginmachine``, and how they are found again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from keyring.errors import KeyringLocked, NoKeyringError

from loginmachine import StoreError

from ..stores.keyring_support import FakeKeyring, keyring
from .samples import OTHER, PROVIDER, credentials, names, opened

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["keyring"]


def test_the_entries(keyring: FakeKeyring, tmp_path: Path) -> None:
    store = opened(tmp_path, policy="keyring")
    store.login_store(PROVIDER).check()
    assert store.save(credentials()) is None
    store.save(credentials("u-2", OTHER))
    found = {account.subject: account.key for account in store.accounts()}
    assert set(keyring.entries) == {("loginmachine", found["u-1"]), ("loginmachine", found["u-2"])}
    assert store.save(credentials(token="new")) == credentials()
    assert store.open(found["u-1"]).load() == credentials(token="new")
    assert store.open(found["u-1"]).kind == "keyring"
    # No token is on the disk: a file without one stands for each entry.
    assert names(tmp_path) == {"accounts.json", *(f"{key}.keyring.json" for key in found.values())}
    assert not any(b"canary" in (tmp_path / name).read_bytes() for name in names(tmp_path))


def test_a_sign_out_removes_the_entry(keyring: FakeKeyring, tmp_path: Path) -> None:
    store = opened(tmp_path, policy="keyring")
    store.save(credentials())
    assert store.open(store.find("u-1")).remove() == credentials()
    assert keyring.entries == {}
    assert store.accounts() == []
    assert names(tmp_path) == {"accounts.json"}


def test_an_entry_without_its_file_is_found_after_the_next_login(keyring: FakeKeyring, tmp_path: Path) -> None:
    store = opened(tmp_path, policy="keyring")
    store.save(credentials())
    (tmp_path / f"{store.find('u-1').key}.keyring.json").unlink()
    assert store.accounts() == []
    assert len(keyring.entries) == 1
    assert store.save(credentials(token="new")) == credentials()
    assert [account.subject for account in store.accounts()] == ["u-1"]


def test_a_file_that_stands_for_nothing_is_no_account(keyring: FakeKeyring, tmp_path: Path) -> None:
    store = opened(tmp_path, policy="keyring")
    store.save(credentials())
    keyring.entries.clear()
    assert store.accounts() == []


def test_a_locked_keyring_is_an_error_and_not_an_empty_list(keyring: FakeKeyring, tmp_path: Path) -> None:
    store = opened(tmp_path, policy="keyring")
    store.save(credentials())

    def locked(_call: str) -> None:
        raise KeyringLocked

    keyring.trouble = locked
    with pytest.raises(StoreError, match="the keyring is locked"):
        store.accounts()
    with pytest.raises(StoreError, match="the keyring is locked"):
        store.check()


def test_auto_uses_a_file_without_a_keyring(keyring: FakeKeyring, tmp_path: Path) -> None:
    fallbacks: list[str] = []
    store = opened(tmp_path, policy="auto", on_fallback=fallbacks.append)
    store.check(PROVIDER)
    store.save(credentials("u-1"))

    def missing(_call: str) -> None:
        raise NoKeyringError

    keyring.trouble = missing
    assert store.save(credentials("u-2")) is None
    assert any("is used instead (this system has no keyring that could be used)" in text for text in fallbacks)
    keyring.trouble = lambda _call: None
    kinds = {}
    for account in store.accounts():
        entry = store.open(account)
        assert entry.load() == credentials(account.subject)
        kinds[account.subject] = entry.kind
        assert "and in the keyring entry 'loginmachine'" in entry.searched
    assert kinds == {"u-1": "keyring", "u-2": "file"}
    store.check(PROVIDER)
    # With the keyring again, the file goes.
    assert store.save(credentials("u-2", token="new")) == credentials("u-2")
    assert not any(b"canary" in (tmp_path / name).read_bytes() for name in names(tmp_path))


@pytest.mark.usefixtures("keyring")
def test_a_policy_sees_what_it_reads(tmp_path: Path) -> None:
    opened(tmp_path, policy="keyring").save(credentials("u-1"))
    opened(tmp_path).save(credentials("u-2"))
    found = {
        policy: {account.subject for account in opened(tmp_path, policy=policy).accounts()}
        for policy in ("file", "keyring", "auto")
    }
    assert found == {"file": {"u-2"}, "keyring": {"u-1"}, "auto": {"u-1", "u-2"}}
    assert opened(tmp_path).open(opened(tmp_path).find("u-2")).searched.endswith(".json")


@pytest.mark.usefixtures("keyring")
def test_a_file_that_cannot_be_removed_is_said(tmp_path: Path) -> None:
    warnings: list[str] = []
    store = opened(tmp_path, warnings, policy="keyring")
    store.save(credentials())
    path = tmp_path / f"{store.find('u-1').key}.keyring.json"
    path.unlink()
    path.mkdir()
    assert store.open(path.name.removesuffix(".keyring.json")).remove() == credentials()
    assert warnings == [f"{path} cannot be removed: it is not a regular file"]
