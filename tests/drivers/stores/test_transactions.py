"""Transactions and locks of every store of this package."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import Credentials, FileStore, KeyringStore, MemoryStore, Secret, StoreBusy, open_store
from loginmachine.drivers.stores import auth_file

from ..support import PATIENCE
from .keyring_support import FakeKeyring, keyring
from .test_file_store import CREDENTIALS, NAMES, OLD, home, names, old, store, warnings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loginmachine import SessionStore

__all__ = ["home", "keyring", "old", "store", "warnings"]

OTHERS = Credentials(auth_mode="apikey", api_key=Secret("old"))


def make_memory(_home: Path) -> SessionStore:
    return MemoryStore()


def make_file(home: Path) -> SessionStore:
    return FileStore(home)


def make_keyring(home: Path) -> SessionStore:
    return KeyringStore(home)


def make_auto(home: Path) -> SessionStore:
    return open_store(home, "auto")


@pytest.fixture(params=[make_memory, make_file, make_keyring, make_auto])
def any_store(request: pytest.FixtureRequest, home: Path, keyring: FakeKeyring) -> SessionStore:
    del keyring
    made: SessionStore = request.param(home)
    return made


def test_save_returns_what_it_replaced(any_store: SessionStore) -> None:
    assert any_store.save(OTHERS) is None
    assert any_store.save(CREDENTIALS) == OTHERS
    assert any_store.load() == CREDENTIALS


def test_remove_returns_what_it_removed(any_store: SessionStore) -> None:
    assert any_store.remove() is None
    any_store.save(CREDENTIALS)
    assert any_store.remove() == CREDENTIALS
    assert any_store.remove() is None
    assert any_store.load() is None


def test_a_transaction(any_store: SessionStore) -> None:
    with any_store.transaction() as transaction:
        assert transaction.load() is None
        assert transaction.save(OTHERS) is None
        assert transaction.load() == any_store.load() == OTHERS
        assert transaction.save(CREDENTIALS) == OTHERS
        assert transaction.remove() == CREDENTIALS
        assert transaction.remove() is None
        transaction.save(OTHERS)
    assert any_store.load() == OTHERS


def test_a_transaction_locks_out_other_writers(any_store: SessionStore) -> None:
    any_store.save(OTHERS)
    with any_store.transaction():
        with pytest.raises(StoreBusy, match=r"for more than 0\.05 seconds$"), any_store.transaction(timeout=0.05):
            pass
        # Reading needs no lock.
        assert any_store.load() == OTHERS
    any_store.save(CREDENTIALS)


def test_one_session_refreshes_at_a_time_and_the_store_stays_usable(any_store: SessionStore) -> None:
    with any_store.renewing():
        with pytest.raises(StoreBusy, match=r"for more than 0\.05 seconds$"), any_store.renewing(timeout=0.05):
            pass
        any_store.save(CREDENTIALS)
        assert any_store.load() == CREDENTIALS
        assert any_store.remove() == CREDENTIALS
    with any_store.renewing(timeout=0):
        pass


def test_a_waiting_holder_gets_the_lock_next(any_store: SessionStore) -> None:
    found: list[object] = []
    entering = threading.Event()

    def wait() -> None:
        entering.set()
        with any_store.transaction(timeout=PATIENCE) as transaction:
            found.append(transaction.load())

    with any_store.transaction() as transaction:
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert entering.wait(PATIENCE)
        transaction.save(CREDENTIALS)
    waiting.join(PATIENCE)
    assert found == [CREDENTIALS]


def in_a_thread(work: Callable[..., Any], *args: Any) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(work(*args)))
    thread.start()
    thread.join(PATIENCE)
    return found[0]


def test_each_step_in_another_thread(any_store: SessionStore) -> None:
    # As trio does it.
    block = any_store.transaction()
    transaction = in_a_thread(block.__enter__)
    assert in_a_thread(transaction.save, CREDENTIALS) is None
    in_a_thread(block.__exit__, None, None, None)
    assert any_store.save(OTHERS) == CREDENTIALS


def test_a_block_that_raises_releases_the_lock(any_store: SessionStore) -> None:
    mine = OSError("mine")

    def fail() -> None:
        with any_store.transaction() as transaction:
            transaction.save(OTHERS)
            raise mine

    with pytest.raises(OSError, match=r"^mine$") as caught:
        fail()
    # What the caller raises is the caller's: no store trouble is made of it.
    assert caught.value is mine
    assert any_store.save(CREDENTIALS) == OTHERS


# Removing a file


def test_a_removed_file(store: FileStore, old: Path, warnings: list[str]) -> None:
    (old.parent / ".auth.json.0123456789abcdef.tmp").write_bytes(b"half")
    assert store.remove() == OTHERS
    assert names(old.parent) == [name for name in NAMES if name != "auth.json"]
    assert warnings == []


def test_removing_from_a_missing_folder_does_not_create_it(store: FileStore, home: Path) -> None:
    assert store.remove() is None
    assert not home.exists()


@pytest.mark.parametrize("content", [b"", b"{", b'{"tokens": 1}', b"\xff"])
def test_a_file_that_cannot_be_read_is_removed(
    store: FileStore, old: Path, warnings: list[str], content: bytes
) -> None:
    # It may hold tokens, so that a sign-out must not set it aside.
    old.write_bytes(content)
    assert store.remove() == Credentials(auth_mode=None)
    assert names(old.parent) == [name for name in NAMES if name != "auth.json"]
    assert warnings == [f"{old} could not be read; it was removed as it was"]


def test_a_huge_file_is_removed_unread(store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth_file, "_MAX_FILE", 20)
    assert store.remove() == Credentials(auth_mode=None)
    assert not old.exists()


@pytest.mark.parametrize("dangling", [True, False])
def test_a_symbolic_link_is_removed_with_a_warning(
    *, store: FileStore, home: Path, tmp_path: Path, warnings: list[str], dangling: bool
) -> None:
    home.mkdir()
    target = tmp_path / "target"
    if not dangling:
        target.write_bytes(OLD)
    store.path.symlink_to(target)
    assert store.remove() == (None if dangling else OTHERS)
    assert not store.path.is_symlink()
    left = f"{store.path} was a symbolic link: the file that it led to is still there"
    assert warnings == ([] if dangling else [left])


@pytest.mark.parametrize("content", [b"{}", b'{"OPENAI_API_KEY": null, "tokens": null}'])
def test_a_file_without_credentials_is_empty(store: FileStore, old: Path, content: bytes) -> None:
    old.write_bytes(content)
    assert store.load() is None
    assert store.remove() is None
    assert not old.exists()


def test_each_change_makes_another_version(any_store: SessionStore) -> None:
    store: Any = any_store
    seen = [store.version().content]
    for change in (
        lambda: store.save(OTHERS),
        lambda: store.save(CREDENTIALS),
        store.remove,
        lambda: store.save(CREDENTIALS),
    ):
        change()
        content = store.version().content
        assert content != seen[-1]
        seen.append(content)


@pytest.mark.parametrize("make", [make_memory, make_file])
def test_without_a_change_the_version_is_the_same(make: Callable[[Path], Any], home: Path) -> None:
    store = make(home)
    assert store.version() == store.version()
    store.save(CREDENTIALS)
    told = store.version()
    assert (store.load(), store.version()) == (CREDENTIALS, told)


def test_the_version_of_a_file_has_the_time_of_its_last_change(home: Path) -> None:
    store = FileStore(home)
    assert store.version().changed_at == 0.0
    store.save(CREDENTIALS)
    times = store.path.stat()
    assert store.version().changed_at == max(times.st_mtime, times.st_ctime)


def test_the_keyring_has_another_version_each_second(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [7.0]
    monkeypatch.setattr("loginmachine.drivers.stores.keyring_store.time.monotonic", lambda: now[0])
    store = KeyringStore(home)
    first = store.version()
    now[0] = 7.9
    assert store.version() == first
    now[0] = 8.0
    assert store.version() != first
