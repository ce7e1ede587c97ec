"""`auth.json` as a symbolic link to a file that several home folders share."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loginmachine import Credentials, FileStore, KeyringStore, Secret, StoreBusy, StoreError, open_store

from .faulty_disk import FaultyDisk
from .keyring_support import FakeKeyring, keyring
from .person_support import ADA, EVE, adas, as_person, needs_root
from .test_file_store import CREDENTIALS, NEW, OLD, failing, home, names, store, warnings

if TYPE_CHECKING:
    from collections.abc import Callable


__all__ = ["adas", "home", "keyring", "store", "warnings"]

pytest.importorskip("fcntl", reason="this system has other links")

OTHERS = Credentials(auth_mode="apikey", api_key=Secret("old"))
LOCKS = {"auth.lock", "auth.json.lock", "auth.refresh.lock"}


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """Return the file that is shared, in a folder of its own."""
    (tmp_path / "shared").mkdir()
    path = tmp_path / "shared" / "auth.json"
    path.write_bytes(OLD)
    path.chmod(0o600)
    return path


@pytest.fixture
def linked(store: FileStore, home: Path, shared: Path) -> FileStore:
    """Return a store with a link to the shared file."""
    home.mkdir()
    store.path.symlink_to(shared)
    return store


def refresh(store: FileStore, credentials: Credentials = CREDENTIALS) -> Credentials | None:
    """Store as a session does."""
    with store.renewing(), store.transaction() as transaction:
        transaction.load()
        return transaction.save(credentials)


def remove(store: FileStore) -> Credentials | None:
    with store.transaction() as transaction:
        return transaction.remove()


def test_a_refresh_writes_to_the_target(linked: FileStore, home: Path, shared: Path, warnings: list[str]) -> None:
    inode = shared.stat().st_ino
    assert refresh(linked) == OTHERS
    assert linked.path.is_symlink()
    assert linked.path.readlink() == shared
    assert shared.read_bytes() == NEW
    # It is a new file, in the target's folder, that was renamed.
    assert shared.stat().st_ino != inode
    assert shared.stat().st_mode & 0o777 == 0o600
    assert warnings == []
    assert set(names(home)) == {"auth.json", *LOCKS}
    assert set(names(shared.parent)) == {"auth.json", *LOCKS}


def test_a_login_replaces_the_link(linked: FileStore, shared: Path, warnings: list[str]) -> None:
    linked.check()
    assert linked.save(CREDENTIALS) is None
    assert not linked.path.is_symlink()
    assert (linked.path.read_bytes(), shared.read_bytes()) == (NEW, OLD)
    assert warnings == [f"{linked.path} was a symbolic link, and is replaced by a file"]
    assert names(shared.parent) == ["auth.json"]


def test_members_of_the_target_are_kept(linked: FileStore, shared: Path) -> None:
    shared.write_text('{"OPENAI_API_KEY": "old", "future": 1}')
    refresh(linked)
    assert json.loads(shared.read_text()) == {**json.loads(NEW), "future": 1}


@pytest.mark.parametrize("name", ["credentials", "auth", "work.json", "lock"])
@pytest.mark.parametrize("is_beside", [True, False])
def test_a_target_of_any_name(*, store: FileStore, home: Path, tmp_path: Path, name: str, is_beside: bool) -> None:
    home.mkdir()
    target = (home if is_beside else tmp_path) / name
    target.write_bytes(OLD)
    store.path.symlink_to(os.path.relpath(target, home))
    refresh(store)
    assert store.path.is_symlink()
    assert target.read_bytes() == NEW


def test_a_chain_of_links(store: FileStore, home: Path, shared: Path, tmp_path: Path) -> None:
    home.mkdir()
    (tmp_path / "between").mkdir()
    between = tmp_path / "between" / "auth.json"
    between.symlink_to("../shared/auth.json")
    store.path.symlink_to("../between/auth.json")
    refresh(store)
    assert between.is_symlink()
    assert shared.read_bytes() == NEW
    assert names(between.parent) == ["auth.json"]


def test_a_home_that_is_a_link(linked: FileStore, home: Path, shared: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(home)
    refresh(FileStore(tmp_path / "alias"))
    assert linked.path.is_symlink()
    assert shared.read_bytes() == NEW


# The locks of both folders


def test_the_folders_exclude_each_other(linked: FileStore, shared: Path, tmp_path: Path) -> None:
    (tmp_path / "third").mkdir()
    third = FileStore(tmp_path / "third")
    third.path.symlink_to(shared)
    stores = [linked, third, FileStore(shared.parent)]
    for holder in stores:
        for other in stores:
            with holder.transaction(), pytest.raises(StoreBusy), other.transaction(timeout=0.02):
                pass
            with holder.renewing(), pytest.raises(StoreBusy), other.renewing(timeout=0.02):
                pass
    for one in stores:
        refresh(one)


def test_a_login_does_not_wait_for_the_target(linked: FileStore, shared: Path) -> None:
    with FileStore(shared.parent).transaction():
        linked.save(CREDENTIALS)
    assert not linked.path.is_symlink()


def test_what_a_killed_writer_left_beside_the_target_is_removed(linked: FileStore, shared: Path) -> None:
    (shared.parent / ".auth.json.0123456789abcdef.tmp").write_bytes(b"half")
    refresh(linked)
    assert set(names(shared.parent)) == {"auth.json", *LOCKS}


def test_every_system_call_of_a_write_to_the_target_fails(linked: FileStore, shared: Path) -> None:
    def save() -> None:
        with linked.transaction() as transaction:
            transaction.save(CREDENTIALS)

    with FaultyDisk().mounted() as disk:
        save()
    for position in range(1, len(disk.calls) + 1):
        shared.write_bytes(OLD)
        with FaultyDisk(position, 5).mounted() as disk:
            try:
                save()
                expected = NEW
            except StoreError:
                expected = OLD
        assert shared.read_bytes() == expected, disk.failed
        assert linked.path.is_symlink()


# Links that lead to no file


@pytest.mark.parametrize("leads_to", ["nowhere", "missing/auth.json", "auth.json"])
def test_a_link_that_leads_to_no_file(
    store: FileStore, home: Path, tmp_path: Path, warnings: list[str], leads_to: str
) -> None:
    home.mkdir()
    store.path.symlink_to(leads_to)
    store.check()
    if leads_to == "auth.json":
        with pytest.raises(StoreError, match="Too many levels of symbolic links"):
            store.load()
    else:
        assert store.load() is None
    with store.transaction() as transaction:
        transaction.save(CREDENTIALS)
    assert not store.path.is_symlink()
    assert store.path.read_bytes() == NEW
    assert warnings == [f"{store.path} was a symbolic link, and is replaced by a file"]
    assert not (tmp_path / "nowhere").exists()


def test_a_link_to_a_folder(store: FileStore, home: Path, tmp_path: Path) -> None:
    home.mkdir()
    store.path.symlink_to(tmp_path)
    with pytest.raises(StoreError):
        store.load()
    store.save(CREDENTIALS)
    assert store.path.read_bytes() == NEW


# Targets that cannot be written: found out before a request


@needs_root
def test_a_target_in_a_folder_that_cannot_be_written(adas: Path) -> None:
    other = adas.parent / "other"
    other.mkdir(0o755)
    (other / "auth.json").write_bytes(OLD)
    (other / "auth.json").chmod(0o666)
    (adas / "auth.json").symlink_to(other / "auth.json")
    os.chown(adas / "auth.json", ADA, ADA, follow_symlinks=False)
    loaded, refreshed, checked, warned, saved = as_person(
        adas,
        'attempt("load", lambda: store.load() is not None); attempt("refresh", refresh)\n'
        'attempt("check", store.check); attempt("save", lambda: store.save(CREDENTIALS))',
    )
    assert loaded == "load: True"
    assert refreshed == f"refresh StoreError: {adas}/auth.json: Permission denied: {other} belongs to root"
    # A login replaces the link.
    assert checked == "check: None"
    assert warned == f"warning: {adas}/auth.json was a symbolic link, and is replaced by a file"
    assert saved == "save: None"
    assert (other / "auth.json").read_bytes() == OLD
    assert names(other) == ["auth.json"]


@needs_root
def test_a_link_that_another_user_has_made(adas: Path) -> None:
    other = adas.parent / "other"
    other.mkdir(0o777)
    other.chmod(0o777)
    (other / "auth.json").write_bytes(OLD)
    (other / "auth.json").chmod(0o644)
    adas.chmod(0o777)
    (adas / "auth.json").symlink_to(other / "auth.json")
    os.chown(adas / "auth.json", EVE, EVE, follow_symlinks=False)
    *_, refreshed = as_person(adas, 'attempt("refresh", refresh)')
    assert refreshed.endswith("auth.json: it is a symbolic link that another user has made")
    assert (other / "auth.json").read_bytes() == OLD


def test_the_folder_of_the_target_is_warned_of(linked: FileStore, shared: Path, warnings: list[str]) -> None:
    shared.parent.chmod(0o777)
    refresh(linked)
    assert [warning.partition(",")[0] for warning in warnings] == [f"the folder {shared.parent} has mode 0777"]


# The other policies


def test_auto_keeps_the_target_up_to_date(keyring: FakeKeyring, linked: FileStore, home: Path, shared: Path) -> None:
    # The keyring would be preferred, but the others would keep the old tokens.
    auto = open_store(home, "auto")
    assert auto.load() == OTHERS
    with auto.renewing(), auto.transaction() as transaction:
        assert transaction.save(CREDENTIALS) == OTHERS
    assert linked.path.is_symlink()
    assert shared.read_bytes() == NEW
    assert (keyring.entries, auto.kind) == ({}, "file")
    auto.save(CREDENTIALS)
    assert (len(keyring.entries), auto.kind) == (1, "keyring")
    assert not linked.path.is_symlink()


@pytest.mark.usefixtures("keyring")
def test_a_keyring_needs_no_lock_of_the_target(linked: FileStore, home: Path, shared: Path) -> None:
    kept = KeyringStore(home)
    with kept.renewing(), kept.transaction() as transaction:
        transaction.save(CREDENTIALS)
    assert names(shared.parent) == ["auth.json"]
    assert shared.read_bytes() == OLD
    assert not linked.path.is_symlink()


@pytest.mark.parametrize("content", [b"{", b"[]"])
def test_a_corrupt_target_is_set_aside_beside_it(linked: FileStore, shared: Path, content: bytes) -> None:
    shared.write_bytes(content)
    with linked.transaction() as transaction:
        transaction.save(CREDENTIALS)
    (aside,) = shared.parent.glob("auth.json.corrupt-*")
    assert (aside.read_bytes(), shared.read_bytes()) == (content, NEW)


def test_a_mounted_target_is_rewritten(
    linked: FileStore, shared: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "replace", failing(errno.EBUSY))
    refresh(linked)
    assert shared.read_bytes() == NEW
    assert warnings == [f"{shared} is mounted on its own and was rewritten in place, which a crash could cut short"]


@pytest.mark.parametrize("act", [FileStore.remove, remove])
def test_a_removal_removes_the_link(
    linked: FileStore, shared: Path, warnings: list[str], act: Callable[[FileStore], Credentials | None]
) -> None:
    assert act(linked) == OTHERS
    assert not linked.path.is_symlink()
    assert shared.read_bytes() == OLD
    assert warnings == [f"{linked.path} was a symbolic link: the file that it led to is still there"]
