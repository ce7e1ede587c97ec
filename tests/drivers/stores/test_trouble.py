"""The file store when the system refuses: whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loginmachine import FileStore, Secret, StoreBusy, StoreError

from .test_file_store import CREDENTIALS, NEW, OLD, failing, home, names, old, store, warnings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["home", "old", "store", "warnings"]

pytest.importorskip("resource", reason="this system has no limits on files")

LOCK_NAMES = ["auth.lock", "auth.json.lock"]
HOLDER = """
import fcntl, os, sys
descriptor = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT, 0o600)
fcntl.flock(descriptor, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""


class FailsLater:
    """A system call that fails at its n-th use.

    Args:
        real: The call.
        position: Counts from 0.
        number: The errno.
    """

    def __init__(self, real: Callable[..., object], position: int, number: int) -> None:
        self._real, self._position, self._number = real, position, number
        self.used = 0

    def __call__(self, *args: object, **kwargs: object) -> object:
        self.used += 1
        if self.used == self._position + 1:
            raise OSError(self._number, os.strerror(self._number))
        return self._real(*args, **kwargs)

    def as_method(self) -> Callable[..., object]:
        """Return a plain function, which becomes a method of a class."""
        return lambda *args: self(*args)  # noqa: PLW0108 - so that it is one


@pytest.mark.parametrize("position", range(7))
@pytest.mark.parametrize(
    ("module", "call"),
    [(os, "open"), (os, "fsync"), (os, "fchmod"), (os, "fstat"), (Path, "replace"), (os, "urandom")],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO])
def test_a_call_that_fails(  # noqa: PLR0913
    *,
    store: FileStore,
    old: Path,
    monkeypatch: pytest.MonkeyPatch,
    module: object,
    call: str,
    position: int,
    number: int,
) -> None:
    fails = FailsLater(getattr(module, call), position, number)
    with monkeypatch.context() as patched:
        patched.setattr(module, call, fails.as_method() if module is Path else fails)
        try:
            store.save(CREDENTIALS)
            outcome = NEW
        except StoreError:
            outcome = OLD
    # Either it is saved, or the old file is as it was: never an error with the new credentials in place.
    assert old.read_bytes() == outcome
    assert set(names(old.parent)) <= {"auth.json", "auth.json.lock", "auth.lock"}
    assert outcome == NEW or fails.used > position


FULL_DISK = """
import resource, sys
from loginmachine import Credentials, FileStore, Secret, StoreError
store = FileStore(sys.argv[1])
# Every write beyond 100 bytes fails. (In a child: the test run's own output may go to a file.)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
try:
    store.save(Credentials(auth_mode="apikey", api_key=Secret("x" * 200)))
except StoreError as error:
    print(error)
"""


def test_a_full_disk(old: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(old.parent)], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout == f"{old}: File too large\n"
    assert old.read_bytes() == OLD
    assert names(old.parent) == ["auth.json", "auth.json.lock", "auth.lock"]


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EXDEV])
def test_a_mounted_file_is_rewritten_in_place(
    store: FileStore, old: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    inode = old.stat().st_ino
    monkeypatch.setattr(Path, "replace", failing(number))
    store.save(CREDENTIALS)
    assert (old.read_bytes(), old.stat().st_ino) == (NEW, inode)
    assert names(old.parent) == ["auth.json", "auth.json.lock", "auth.lock"]
    warning = f"{old} is mounted on its own and was rewritten in place, which a crash could cut short"
    assert warnings == [warning]


def test_a_mounted_file_survives_a_write_that_fails(
    store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first sync is that of the temporary file, the second that of the file in place.
    monkeypatch.setattr(Path, "replace", failing(errno.EBUSY))
    monkeypatch.setattr(os, "fsync", FailsLater(os.fsync, 1, errno.EIO))
    with pytest.raises(StoreError):
        store.save(CREDENTIALS)
    assert old.read_bytes() == OLD


def test_a_corrupt_mounted_file_is_set_aside(store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What Linux says of a bind mount: neither a rename onto it, nor a link of it into the folder around it.
    monkeypatch.setattr(Path, "replace", failing(errno.EBUSY))
    monkeypatch.setattr(os, "link", failing(errno.EXDEV))
    old.write_bytes(b"corrupt")
    store.save(CREDENTIALS)
    (aside,) = old.parent.glob("auth.json.corrupt-*")
    assert (old.read_bytes(), aside.read_bytes()) == (NEW, b"corrupt")


def test_a_folder_that_cannot_be_synced_is_no_error(
    store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", FailsLater(os.fsync, 1, errno.EINVAL))
    store.save(CREDENTIALS)
    assert old.read_bytes() == NEW


# Removing


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_a_file_that_cannot_be_removed(
    store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(Path, "unlink", failing(number))
        with pytest.raises(StoreError, match=f"^{old}: {os.strerror(number)}$"):
            store.remove()
    assert old.read_bytes() == OLD


def test_a_mounted_file_is_emptied(
    store: FileStore, old: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "unlink", failing(errno.EBUSY))
    removed = store.remove()
    assert removed is not None
    assert (old.read_bytes(), removed.api_key) == (b"{}", Secret("old"))
    assert warnings == [f"{old} is mounted on its own and cannot be removed; it was emptied"]
    # No credentials are left in it.
    assert store.load() is None
    assert store.remove() is None


def test_a_mounted_file_that_cannot_be_emptied(store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "unlink", failing(errno.EBUSY))
    monkeypatch.setattr(os, "fsync", FailsLater(os.fsync, 0, errno.EIO))
    with pytest.raises(StoreError):
        store.remove()
    assert old.read_bytes() == OLD


def test_a_removal_that_cannot_be_synced_is_a_warning(
    store: FileStore, old: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    store.remove()
    assert not old.exists()
    assert warnings == [f"{old} is removed, but its folder could not be synced: a crash now could undo that"]


@pytest.mark.parametrize(("number", "is_saved"), [(errno.EMFILE, False), (errno.EIO, False), (errno.EACCES, True)])
def test_a_folder_that_cannot_be_opened(
    *, store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch, number: int, is_saved: bool
) -> None:
    real = os.open

    def refuse_folders(path: Path | str, *args: int) -> int:
        if Path(path).is_dir():
            raise OSError(number, os.strerror(number))
        return real(path, *args)

    monkeypatch.setattr(os, "open", refuse_folders)
    if is_saved:
        store.save(CREDENTIALS)
    else:
        # Afterwards it could not be synced, so nothing is changed.
        with pytest.raises(StoreError, match=os.strerror(number)):
            store.save(CREDENTIALS)
    assert old.read_bytes() == (NEW if is_saved else OLD)


def test_a_save_that_cannot_be_synced_is_a_warning(
    store: FileStore, old: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first is of the file itself.
    monkeypatch.setattr(os, "fsync", FailsLater(os.fsync, 1, errno.EIO))
    store.save(CREDENTIALS)
    assert old.read_bytes() == NEW
    assert warnings == [f"{old} is stored, but its folder could not be synced: a crash now could undo that"]


def test_what_is_synced_and_when(store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync = os.fsync

    def noting(name: str, call: Callable[..., object]) -> Callable[..., object]:
        def noted(*args: object) -> object:
            done.append(name)
            return call(*args)

        return noted

    def noted_sync(descriptor: int) -> None:
        done.append("sync a folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "sync a file")
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noting("rename", Path.replace))
    store.save(CREDENTIALS)
    assert done == ["sync a file", "rename", "sync a folder"]
    done.clear()
    monkeypatch.setattr(Path, "unlink", noting("unlink", Path.unlink))
    store.remove()
    assert done == ["unlink", "sync a folder"]
    assert not old.exists()


# Locks


@pytest.fixture
def hold(old: Path) -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Let another process hold a lock in the home."""
    holders = []

    def start(name: str) -> subprocess.Popen[str]:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(old.parent / name)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        holders.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        return holder

    yield start
    for holder in holders:
        holder.kill()
        holder.communicate()


@pytest.mark.parametrize("name", LOCK_NAMES)
def test_a_lock_that_another_process_holds(
    store: FileStore,
    old: Path,
    hold: Callable[[str], subprocess.Popen[str]],
    name: str,
) -> None:
    hold(name)
    busy = pytest.raises(StoreBusy, match=rf"another program has held .*{name} for more than 0\.05 seconds$")
    with busy, store.transaction(timeout=0.05) as transaction:
        transaction.save(CREDENTIALS)
    assert old.read_bytes() == OLD
    assert [path for path in names(old.parent) if path.endswith("tmp")] == []


def test_a_lock_that_is_released_in_time(
    store: FileStore, old: Path, hold: Callable[[str], subprocess.Popen[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder = hold("auth.lock")
    real = time.sleep
    waits: list[float] = []

    def give_back(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 1:
            holder.communicate("")
        real(seconds)

    monkeypatch.setattr(time, "sleep", give_back)
    store.save(CREDENTIALS)
    assert waits
    assert old.read_bytes() == NEW


def test_a_dead_holder_holds_no_lock(store: FileStore, old: Path, hold: Callable[[str], subprocess.Popen[str]]) -> None:
    for name in LOCK_NAMES:
        holder = hold(name)
        holder.kill()
        holder.communicate()
    store.save(CREDENTIALS)
    assert old.read_bytes() == NEW


def test_the_locks_are_held_while_the_file_is_replaced(
    store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    held: list[str] = []
    real = Path.replace

    def look(source: Path, target: Path) -> Path:
        for name in LOCK_NAMES:
            with (old.parent / name).open() as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    held.append(name)
        return real(source, target)

    monkeypatch.setattr(Path, "replace", look)
    store.save(CREDENTIALS)
    assert held == LOCK_NAMES


def test_a_home_that_is_a_file_and_a_lock_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("canary")
    with pytest.raises(StoreError, match=r"file/auth\.json: its folder is a file$"):
        FileStore(tmp_path / "file").save(CREDENTIALS)
    (tmp_path / "auth.lock").mkdir()
    with pytest.raises(StoreError, match=r"/auth\.json: auth\.lock: "):
        FileStore(tmp_path).save(CREDENTIALS)
