"""File systems that have no locks, no permissions, or cannot write to the disk at once."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from loginmachine import FileStore, StoreBusy, StoreError
from loginmachine.drivers.stores import claims
from loginmachine.drivers.stores.claims import Claim

from ..support import PATIENCE
from .test_file_store import CREDENTIALS, NEW, OLD, failing, home, names, old, store, warnings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["home", "old", "store", "warnings"]

NUMBERS = [errno.EPERM, errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP]
CALLS = {
    "flock": "has no locks: programs that change the credentials at the same time may disturb each other",
    "fchmod": "keeps no permissions: other users of this machine may be able to read the credentials",
    "fsync": "cannot write to the disk at once: a crash could undo a sign-in",
}
MODULES = {"flock": fcntl, "fchmod": os, "fsync": os}


def text_of(call: str, folder: Path) -> str:
    return f"the file system of {folder} {CALLS[call]} ({call} is not supported)"


def refresh(store: FileStore) -> None:
    with store.renewing(timeout=0.05), store.transaction() as transaction:
        transaction.save(CREDENTIALS)


@pytest.mark.parametrize("number", NUMBERS, ids=errno.errorcode.__getitem__)
@pytest.mark.parametrize("call", CALLS)
def test_it_is_reported_once_and_everything_works(  # noqa: PLR0913
    *, store: FileStore, home: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    monkeypatch.setattr(MODULES[call], call, failing(number))
    store.check()
    assert warnings == [text_of(call, home)]
    for _ in range(2):
        store.save(CREDENTIALS)
        assert store.path.read_bytes() == NEW
        refresh(store)
    assert store.load() == CREDENTIALS
    assert store.remove() == CREDENTIALS
    assert warnings == [text_of(call, home)]
    assert names(home) == ["auth.json.lock", "auth.lock", "auth.refresh.lock"]


@pytest.mark.parametrize("act", [lambda store: store.save(CREDENTIALS), refresh])
@pytest.mark.parametrize("call", CALLS)
def test_it_is_reported_without_a_check_too(  # noqa: PLR0913
    *,
    store: FileStore,
    home: Path,
    warnings: list[str],
    monkeypatch: pytest.MonkeyPatch,
    call: str,
    act: Callable[[FileStore], None],
) -> None:
    monkeypatch.setattr(MODULES[call], call, failing(errno.ENOSYS))
    act(store)
    assert warnings == [text_of(call, home)]
    assert store.path.stat().st_mode & 0o777 == 0o600


def test_all_of_it_at_once(store: FileStore, home: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for call, module in MODULES.items():
        monkeypatch.setattr(module, call, failing(errno.EPERM))
    monkeypatch.setattr(os, "chmod", failing(errno.EPERM))
    store.check()
    store.save(CREDENTIALS)
    refresh(store)
    assert sorted(warnings) == sorted(text_of(call, home) for call in CALLS)


def test_a_corrupt_file_is_set_aside(store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "chmod", failing(errno.EPERM))
    monkeypatch.setattr(os, "fchmod", failing(errno.EPERM))
    old.write_bytes(b"corrupt")
    store.save(CREDENTIALS)
    (aside,) = old.parent.glob("auth.json.corrupt-*")
    assert (aside.read_bytes(), old.read_bytes()) == (b"corrupt", NEW)


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["fchmod", "fsync"])
def test_another_error_is_an_error(
    store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    monkeypatch.setattr(os, call, failing(number))
    acts: list[Callable[[], object]] = [lambda: store.save(CREDENTIALS), lambda: refresh(store)]
    for act in acts:
        with pytest.raises(StoreError, match=os.strerror(number)):
            act()
    monkeypatch.undo()
    assert old.read_bytes() == OLD


def test_another_error_of_a_lock_is_an_error(store: FileStore, old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(errno.EIO))
    with pytest.raises(StoreError, match=os.strerror(errno.EIO)):
        store.save(CREDENTIALS)
    assert old.read_bytes() == OLD


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EACCES])
def test_a_lock_that_is_held_is_no_missing_lock(
    store: FileStore, home: Path, warnings: list[str], monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(number))
    with pytest.raises(StoreBusy), store.renewing(timeout=0.01):
        pass
    assert warnings == []
    assert names(home) == ["auth.refresh.lock"]


# The file instead of a lock


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOLCK))


@pytest.mark.usefixtures("no_locks")
def test_two_refreshes_exclude_each_other(store: FileStore, home: Path) -> None:
    other = FileStore(home)
    with store.renewing():
        assert (home / "auth.refresh.lock.held").stat().st_mode & 0o777 == 0o600
        with pytest.raises(StoreBusy, match="another program has held"), other.renewing(timeout=0.05):
            pass
    assert not (home / "auth.refresh.lock.held").exists()
    with other.renewing(timeout=0):
        pass


@pytest.mark.usefixtures("no_locks")
def test_a_block_that_raises_removes_the_file(store: FileStore, home: Path) -> None:
    with pytest.raises(LookupError), store.renewing():
        raise LookupError
    assert not (home / "auth.refresh.lock.held").exists()


HOLDER = """
import errno, fcntl, os, sys
def flock(*_):
    raise OSError(errno.ENOLCK, "")
fcntl.flock = flock
from loginmachine import FileStore
with FileStore(sys.argv[1], on_warning=lambda text: None).renewing():
    print("held", flush=True)
    sys.stdin.read()
    os._exit(0) if sys.argv[2] == "exit" else None
"""


def holding(home: Path, how: str = "") -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home), how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


@pytest.mark.usefixtures("no_locks")
def test_another_process_holds_it(store: FileStore, home: Path) -> None:
    with holding(home) as holder:
        with pytest.raises(StoreBusy), store.renewing(timeout=0.05):
            pass
        # A login does not need it.
        store.save(CREDENTIALS)
        holder.communicate("")
    refresh(store)


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize("is_waited_for", [True, False])
def test_the_file_of_a_dead_process_is_stale(*, store: FileStore, home: Path, is_waited_for: bool) -> None:
    with holding(home) as holder:
        holder.kill()
        if is_waited_for:
            holder.communicate()
        else:
            # It stays as a zombie until its parent looks.
            os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)
        assert (home / "auth.refresh.lock.held").exists()
        refresh(store)
        assert not (home / "auth.refresh.lock.held").exists()


@pytest.mark.usefixtures("no_locks")
def test_a_login_goes_on_past_a_file_that_stays(store: FileStore, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loginmachine.drivers.stores.home_store.LOCK_TIMEOUT", 0.05)
    home.mkdir()
    for name in ("auth.lock", "auth.json.lock"):
        (home / f"{name}.held").write_text("another-machine 1 2 3")
    store.save(CREDENTIALS)
    assert store.path.read_bytes() == NEW
    # A refresh waits, before it sends a request.
    with pytest.raises(StoreBusy), store.renewing(timeout=0.05):
        pass
    assert store.remove() == CREDENTIALS
    assert (home / "auth.lock.held").exists()


@pytest.mark.usefixtures("no_locks")
@pytest.mark.parametrize("content", ["another-machine 1 2 3", "", "garbage", "x" * 1000])
@pytest.mark.parametrize(("age", "is_stale"), [(10, False), (1000, True), (-1000, True)])
def test_the_file_of_another_machine_is_stale_after_some_time(
    *, store: FileStore, home: Path, content: str, age: float, is_stale: bool
) -> None:
    home.mkdir()
    held = home / "auth.refresh.lock.held"
    held.write_text(content)
    os.utime(held, (time.time() - age,) * 2)
    if is_stale:
        refresh(store)
        assert not held.exists()
    else:
        with pytest.raises(StoreBusy), store.renewing(timeout=0.01):
            pass
        assert held.read_text() == content


def test_a_process_number_that_was_given_to_another_process(tmp_path: Path) -> None:
    claim = Claim(str(tmp_path / "lock"))
    machine, own = claims._machine().decode(), os.getpid()
    started = claims._started(own)
    if started is None:
        pytest.skip("this system does not tell when a process was started")
    (tmp_path / "lock.held").write_text(f"{machine} {own} {started.decode()} word")
    assert not claim.take()
    (tmp_path / "lock.held").write_text(f"{machine} {own} 1 word")
    assert claim.take()
    assert not Claim(str(tmp_path / "lock")).take()
    claim.release()
    assert list(tmp_path.iterdir()) == []


def test_a_forked_process_does_not_release_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = Claim(str(tmp_path / "lock"))
    assert claim.take()
    with monkeypatch.context() as patched:
        patched.setattr(os, "getpid", lambda: 1)
        claim.release()
    assert (tmp_path / "lock.held").exists()


def test_a_file_that_was_removed_as_stale_is_not_released(tmp_path: Path) -> None:
    first, second = Claim(str(tmp_path / "lock")), Claim(str(tmp_path / "lock"))
    assert first.take()
    (tmp_path / "lock.held").unlink()
    assert second.take()
    first.release()
    assert (tmp_path / "lock.held").exists()
    second.release()


def test_one_of_many_takes_a_stale_file(tmp_path: Path) -> None:
    (tmp_path / "lock.held").write_text(f"{claims._machine().decode()} {2**22 + 1} 1 word")
    taken: list[bool] = []
    begin = threading.Barrier(8)

    def take() -> None:
        begin.wait(PATIENCE)
        taken.append(Claim(str(tmp_path / "lock")).take())

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert sum(taken) == 1


@pytest.mark.parametrize(("age", "is_left"), [(10, True), (1000, False)])
def test_what_a_program_left_that_was_killed_at_a_stale_file(*, tmp_path: Path, age: float, is_left: bool) -> None:
    (tmp_path / "lock.held").write_text(f"{claims._machine().decode()} {2**22 + 1} 1 word")
    marker = tmp_path / "lock.held.stale"
    marker.write_bytes(b"")
    os.utime(marker, (time.time() - age,) * 2)
    claim = Claim(str(tmp_path / "lock"))
    # Another program may be removing the stale file just now.
    assert not claim.take()
    assert marker.exists() is is_left
    if not is_left:
        assert claim.take()
        claim.release()
