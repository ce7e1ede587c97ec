"""A folder of accounts, with a fault at every system call of a login: no account is lost, none is half-written."""

from __future__ import annotations

import errno
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loginmachine import Secret, StoreError
from loginmachine.sansio.accounts.index import parse_index
from loginmachine.sansio.model.entry import parse_entry
from loginmachine.sansio.server.registration import Registration

from ..stores.faulty_disk import SHORT_WRITE, FaultyDisk
from .samples import SECOND, credentials, names, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine import AccountStore

pytest.importorskip("fcntl", reason="this system has other locks")

ROOT = Path(__file__).parents[3]
NEW = credentials("u-1", token="new", at=SECOND)
REGISTRATION = Registration(
    issuer="https://id.example.com", client_id="given", client_secret=Secret("canary"), redirect_uri="http://127.0.0.1/"
)


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two accounts and a registration. u-2 is the default."""
    folder = tmp_path_factory.mktemp("before") / "accounts"
    store = opened(folder)
    with FaultyDisk().mounted():
        store.save(credentials("u-1"))
        store.save(credentials("u-2"))
        store.save_registration(REGISTRATION.__replace__(client_id="older"))
    return folder


def save(store: AccountStore) -> None:
    store.save(NEW)


def register(store: AccountStore) -> None:
    store.save_registration(REGISTRATION)


def use(store: AccountStore) -> None:
    store.use(store.find("u-1"))


CHANGES = {"save": save, "register": register, "use": use}
parametrised = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


def copy(before: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return shutil.copytree(before, folder)


def calls_of(change: Callable[[AccountStore], None], folder: Path) -> list[str]:
    store = opened(folder, [])
    with FaultyDisk().mounted() as disk:
        change(store)
    return disk.calls


def whole(folder: Path) -> set[str]:
    """Return the files in a folder, without those that were set aside because they could not be read (EACCES)."""
    return {name for name in names(folder) if ".json.corrupt-" not in name}


def check(before: Path, folder: Path, where: object) -> None:
    """Check that each file is whole, and that what the change is not about is the same, byte for byte."""
    store = opened(folder, [])
    found = {account.subject: store.open(account).load() for account in store.accounts()}
    assert found["u-2"] == credentials("u-2"), where
    assert found["u-1"] in (credentials("u-1"), NEW), where
    assert {each.registration.client_id for each in store.registrations()} - {"given"} == {"older"}, where
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, where
        if path.name.endswith(".json") and not path.name.startswith("."):
            old = before / path.name
            if old.exists() and old.read_bytes() == path.read_bytes():
                continue
            parse = parse_index if path.name == "accounts.json" else parse_entry
            assert path.name.endswith(".registration.json") or parse(path.read_bytes()) is not None, where


FAULTS = [
    *((number, lasts) for number in (errno.ENOSPC, errno.EIO) for lasts in (False, True)),
    *((number, False) for number in (errno.EACCES, errno.EROFS, errno.EINTR, SHORT_WRITE)),
]


@parametrised
@pytest.mark.parametrize(("fault", "lasts"), FAULTS)
def test_every_system_call_fails(
    fault: int, *, lasts: bool, change: Callable[[AccountStore], None], before: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "accounts"
    calls = calls_of(change, copy(before, folder))
    expected = names(folder)
    for position in range(1, len(calls) + 1):
        store = opened(copy(before, folder), [])
        with FaultyDisk(position, fault, lasts=lasts).mounted() as disk:
            problem = ""
            try:
                change(store)
            except StoreError as error:
                problem = str(error)
        assert "canary" not in problem
        assert problem == "" or str(folder) in problem or "no stored account" in problem
        where = (position, calls[position - 1], disk.failed)
        check(before, folder, where)
        if "unlink" not in disk.failed:
            assert whole(folder) <= expected, where
        with FaultyDisk().mounted():
            change(store)
        assert whole(folder) == expected, where


KILLS = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.drivers.accounts.samples import opened
from tests.drivers.accounts.test_faults import CHANGES
from tests.drivers.stores.faulty_disk import KILL, FaultyDisk
change = CHANGES[sys.argv[2]]
# One child for each system call, forked from a process that has loaded everything.
for folder in sys.argv[3:]:
    child = os.fork()
    if not child:
        store = opened(Path(folder), [])
        with FaultyDisk(int(Path(folder).name), KILL).mounted():
            change(store)
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""


@pytest.mark.parametrize("name", CHANGES)
def test_killed_at_every_system_call(name: str, before: Path, tmp_path: Path) -> None:
    count = len(calls_of(CHANGES[name], copy(before, tmp_path / "0")))
    assert count > 15
    after = names(tmp_path / "0")
    folders = [copy(before, tmp_path / str(position)) for position in range(1, count + 1)]
    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(ROOT), name, *map(str, folders)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["9"] * count
    for folder in folders:
        check(before, folder, folder.name)
        # The next one removes what a killed writer left, and waits for no lock.
        with FaultyDisk().mounted():
            CHANGES[name](opened(folder, []))
        assert names(folder) == after, folder.name


# Several at once

WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.drivers.accounts.samples import credentials, opened
store = opened(Path(sys.argv[2]))
for number in range(12):
    for subject in sys.argv[3:]:
        store.save(credentials(subject, token=f"{number}" * 3000))
"""


def test_two_processes_sign_in(tmp_path: Path) -> None:
    folder = tmp_path / "accounts"
    arguments = [sys.executable, "-c", WRITER, str(ROOT), str(folder)]
    writers = [subprocess.Popen([*arguments, *subjects]) for subjects in (("u-1", "both"), ("u-2", "both"))]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    store = opened(folder)
    assert {account.subject for account in store.accounts()} == {"u-1", "u-2", "both"}
    for account in store.accounts():
        assert store.open(account).load() == credentials(account.subject, token="11" * 3000)
    # Each login is in the index.
    assert set(parse_index((folder / "accounts.json").read_bytes()).order) == {a.key for a in store.accounts()}
    assert len(names(folder)) == 4
