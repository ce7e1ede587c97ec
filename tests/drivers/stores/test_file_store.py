"""The file store: what it writes, and what is left after an error."""

from __future__ import annotations

import errno
import json
import os
import stat
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from loginmachine import Credentials, FileStore, MemoryStore, Secret, StoreError, Tokens
from loginmachine.drivers.stores import auth_file

from ..support import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable

OLD = b'{"auth_mode": "apikey", "OPENAI_API_KEY": "old"}'
CREDENTIALS = Credentials(
    auth_mode="chatgpt",
    api_key=Secret("sk-new"),
    tokens=Tokens(
        id_token=Secret("new-id"),
        access_token=Secret("new-access"),
        refresh_token=Secret("new-refresh"),
        account_id="acc-1",
    ),
    last_refresh="2026-11-18T11:06:40.000000Z",
)
NEW = b"""{
  "auth_mode": "chatgpt",
  "OPENAI_API_KEY": "sk-new",
  "tokens": {
    "id_token": "new-id",
    "access_token": "new-access",
    "refresh_token": "new-refresh",
    "account_id": "acc-1"
  },
  "last_refresh": "2026-11-18T11:06:40.000000Z"
}"""
NAMES = ["auth.json", "auth.json.lock", "auth.lock"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "codex"


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def store(home: Path, warnings: list[str]) -> FileStore:
    return FileStore(home, on_warning=warnings.append)


@pytest.fixture
def old(home: Path, store: FileStore) -> Path:
    """Write an older file, and return its path."""
    home.mkdir()
    store.path.write_bytes(OLD)
    return store.path


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_bytes_of_the_file(store: FileStore, home: Path, warnings: list[str]) -> None:
    store.save(CREDENTIALS)
    assert store.path == home / "auth.json"
    assert store.path.read_bytes() == NEW
    assert names(home) == NAMES
    assert warnings == []


def test_an_api_key_login_writes_no_tokens(store: FileStore) -> None:
    store.save(Credentials(auth_mode="apikey", api_key=Secret("sk-new")))
    assert store.path.read_bytes() == b'{\n  "auth_mode": "apikey",\n  "OPENAI_API_KEY": "sk-new"\n}'


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o777])
def test_only_the_owner_may_read_whatever_the_umask(
    store: FileStore, home: Path, umask: Callable[[int], int], mask: int
) -> None:
    umask(mask)
    store.save(CREDENTIALS)
    umask(0o022)
    assert mode(store.path) == 0o600
    assert mode(home) == 0o700


def test_a_file_that_others_could_read_becomes_the_owners(store: FileStore, old: Path) -> None:
    old.chmod(0o644)
    store.save(CREDENTIALS)
    assert mode(old) == 0o600


def test_no_byte_is_ever_readable_by_others(store: FileStore, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = os.fsync

    def look(descriptor: int) -> None:
        seen.extend(mode(path) for path in home.glob(".auth.json.*"))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    store.save(CREDENTIALS)
    assert seen == [0o600]


def test_members_that_are_no_credentials_are_kept(store: FileStore, old: Path) -> None:
    members = {
        "auth_mode": "apikey",
        "OPENAI_API_KEY": "old",
        "tokens": {"id_token": "old", "oauth_provenance": "old"},
        "last_refresh": "old",
        "agent_identity": {"key": "old"},
        "personal_access_token": "old",
        "bedrock_api_key": "old",
        "future": [1, {"a": None}],
        "note": "\ud800\u00e9",
    }
    old.write_text(json.dumps(members))
    store.save(CREDENTIALS)
    assert b"old" not in old.read_bytes()
    kept = b',\n  "future": [\n    1,\n    {\n      "a": null\n    }\n  ],\n  "note": "\\ud800\\u00e9"\n}'
    assert old.read_bytes() == NEW[:-2] + kept


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b'{"a": 1, "a": 2}', b"[" * 100_000])
def test_a_corrupt_file_is_set_aside(store: FileStore, old: Path, warnings: list[str], content: bytes) -> None:
    old.write_bytes(content)
    old.chmod(0o600)
    store.save(CREDENTIALS)
    assert old.read_bytes() == NEW
    (aside,) = old.parent.glob("auth.json.corrupt-*")
    assert aside.read_bytes() == content
    assert mode(aside) == 0o600
    assert warnings == [f"{old} could not be read; it was set aside as {aside.name}"]


def test_two_corrupt_files_in_one_second_are_both_set_aside(
    store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "strftime", lambda *_: "auth.json.corrupt-20261118T110640Z")
    for content in (b"first", b"second"):
        old.write_bytes(content)
        store.save(CREDENTIALS)
    assert old.read_bytes() == NEW
    assert sorted(path.read_bytes() for path in old.parent.glob("auth.json.corrupt-*")) == [b"first", b"second"]


def test_a_corrupt_file_where_links_cannot_be_made(
    store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "link", failing(errno.EPERM))
    old.write_bytes(b"corrupt")
    store.save(CREDENTIALS)
    (aside,) = old.parent.glob("auth.json.corrupt-*")
    assert (aside.read_bytes(), old.read_bytes()) == (b"corrupt", NEW)


@pytest.mark.parametrize("links", [True, False])
def test_a_huge_file_is_set_aside_unread(
    store: FileStore,
    old: Path,
    monkeypatch: pytest.MonkeyPatch,
    links: bool,  # noqa: FBT001
) -> None:
    monkeypatch.setattr(auth_file, "_MAX_FILE", 20)
    if not links:
        monkeypatch.setattr(os, "link", failing(errno.EPERM))
    with pytest.raises(StoreError, match="the file is larger than 20 bytes"):
        store.load()
    store.save(CREDENTIALS)
    assert old.read_bytes() == NEW


def test_a_symbolic_link_is_replaced(store: FileStore, home: Path, tmp_path: Path, warnings: list[str]) -> None:
    target = tmp_path / "target"
    target.write_bytes(OLD)
    home.mkdir()
    store.path.symlink_to(target)
    store.save(CREDENTIALS)
    assert not store.path.is_symlink()
    assert (store.path.read_bytes(), target.read_bytes()) == (NEW, OLD)
    assert warnings == [f"{store.path} was a symbolic link, and is replaced by a file"]


@pytest.mark.parametrize("name", ["auth.lock", "auth.json.lock"])
def test_a_lock_that_is_a_symbolic_link_is_an_error(store: FileStore, old: Path, tmp_path: Path, name: str) -> None:
    (old.parent / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        store.save(CREDENTIALS)
    assert old.read_bytes() == OLD
    assert not (tmp_path / "elsewhere").exists()


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_folder(path: Path) -> None:
    path.mkdir()
    (path / "kept").write_text("x")


@pytest.mark.parametrize("make", [make_fifo, make_folder])
def test_a_path_that_is_no_regular_file_is_an_error(store: FileStore, home: Path, make: Callable[[Path], None]) -> None:
    # Nothing hangs, and no descriptor is left: the fixture of all tests counts them.
    home.mkdir()
    make(store.path)
    before = store.path.stat()
    acts: list[Callable[[], object]] = [lambda: store.save(CREDENTIALS), store.load]
    for act in acts:
        with pytest.raises(StoreError, match=r"auth\.json: (it is not a regular file|Is a directory)$"):
            act()
    assert names(home) == NAMES
    assert store.path.stat().st_ino == before.st_ino


def test_a_home_that_may_not_be_written(store: FileStore, old: Path) -> None:
    old.parent.chmod(0o500)
    if os.access(old.parent, os.W_OK):
        pytest.skip("this user may write everywhere")
    with pytest.raises(StoreError, match="Permission denied"):
        store.save(CREDENTIALS)
    old.parent.chmod(0o700)
    assert old.read_bytes() == OLD


def test_a_home_that_is_a_file(store: FileStore, home: Path) -> None:
    home.write_bytes(b"x")
    with pytest.raises(StoreError, match=r"auth\.json: its folder is a file$"):
        store.save(CREDENTIALS)
    assert home.read_bytes() == b"x"


def test_what_a_killed_writer_left_is_removed(store: FileStore, old: Path) -> None:
    (old.parent / ".auth.json.0123456789abcdef.tmp").write_bytes(b"half")
    store.save(CREDENTIALS)
    assert names(old.parent) == NAMES


def test_a_sign_out_removes_what_a_killed_writer_left(store: FileStore, old: Path) -> None:
    # It may hold tokens.
    (old.parent / ".auth.json.0123456789abcdef.tmp").write_bytes(NEW)
    store.remove()
    assert names(old.parent) == [name for name in NAMES if name != "auth.json"]


def test_a_file_that_is_set_aside_becomes_private(store: FileStore, old: Path) -> None:
    old.write_bytes(b"{")
    old.chmod(0o644)
    store.save(CREDENTIALS)
    (aside,) = old.parent.glob("auth.json.corrupt-*")
    assert (aside.read_bytes(), mode(aside)) == (b"{", 0o600)


# Reading


def test_nothing_is_stored(store: FileStore) -> None:
    assert store.load() is None


def test_what_was_saved_is_loaded(store: FileStore) -> None:
    store.save(CREDENTIALS)
    assert store.load() == CREDENTIALS


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"canary", "the file cannot be used: not JSON"),
        (b'"canary"', "the file cannot be used: not a JSON object"),
        (b'{"canary": "\xff"}', "the file cannot be used: not UTF-8"),
        (b'{"auth_mode": ["canary"]}', "auth_mode is not a string"),
        (b'{"OPENAI_API_KEY": {"canary": 1}}', "OPENAI_API_KEY is not a string"),
        (b'{"tokens": "canary"}', "tokens is not an object"),
        (b'{"tokens": {"id_token": "canary"}}', "tokens.access_token is missing"),
    ],
)
def test_a_malformed_file_is_an_error_without_its_values(
    store: FileStore, old: Path, content: bytes, problem: str
) -> None:
    old.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        store.load()
    assert str(caught.value) == f"{old}: {problem}"
    assert caught.value.__context__ is None


def test_the_memory_store() -> None:
    store = MemoryStore()
    assert store.load() is None
    store.save(CREDENTIALS)
    assert store.load() is CREDENTIALS


def test_warnings_are_logged_by_default(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    home.mkdir()
    (home / "auth.json").write_bytes(b"canary")
    FileStore(home).save(CREDENTIALS)
    ((logger, level, message),) = caplog.record_tuples
    assert (logger, level) == ("loginmachine", 30)
    assert "could not be read; it was set aside as auth.json.corrupt-" in message


# Several at once


def failing(number: int) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(number, os.strerror(number))

    return fail


def test_writers_and_readers_at_once(home: Path) -> None:
    def credentials(number: int) -> Credentials:
        return Credentials(auth_mode="apikey", api_key=Secret(f"{number}" * 5000))

    written = threading.Event()
    FileStore(home).save(credentials(0))
    seen: list[Credentials | None] = []

    def write(number: int) -> None:
        for _ in range(5):
            FileStore(home).save(credentials(number))

    def read() -> None:
        while not written.is_set():
            seen.append(FileStore(home).load())

    reader = threading.Thread(target=read)
    writers = [threading.Thread(target=write, args=(number,)) for number in (1, 2)]
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join(PATIENCE)
    written.set()
    reader.join(PATIENCE)
    assert seen
    assert all(found in [credentials(number) for number in (0, 1, 2)] for found in seen)
    assert names(home) == NAMES


def test_a_tilde_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "person"))
    assert FileStore("~/.codex").path == tmp_path / "person" / ".codex" / "auth.json"
    # A folder of that name has to be asked for.
    assert FileStore("./~").path == Path("~") / "auth.json"


def test_a_tilde_that_stands_for_no_folder_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^~ stands for no folder here: set HOME, or give the whole path$"):
        FileStore("~no-such-user/.codex")
