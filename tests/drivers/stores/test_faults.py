"""The credentials file, with a fault at every system call of a save: the old file or the new one, whole."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loginmachine import Credentials, FileStore, Secret, StoreError

from .faulty_disk import SHORT_WRITE, FaultyDisk
from .test_file_store import CREDENTIALS, NEW, OLD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytest.importorskip("fcntl", reason="this system has other locks")

ROOT = Path(__file__).parents[3]
OURS = {"auth.json", "auth.json.lock", "auth.lock"}
CORRUPT = b'{"OPENAI_API_KEY": '
STARTS: dict[str, bytes | None] = {"a file": OLD, "no file": None, "a corrupt file": CORRUPT}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def start(home: Path, content: bytes | None) -> FileStore:
    """Return the store of a home folder that contains only a file with this content."""
    home.mkdir(exist_ok=True)
    for path in home.iterdir():
        path.unlink()
    if content is not None:
        (home / "auth.json").write_bytes(content)
        (home / "auth.json").chmod(0o600)
    return FileStore(home, on_warning=lambda _: None)


def content_of(home: Path) -> bytes | None:
    """Return the content of the file, and check that only its owner may read it. None if there is no file."""
    path = home / "auth.json"
    if not path.exists():
        return None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    return path.read_bytes()


def strays(home: Path) -> set[str]:
    """Return the unexpected files in the folder. Files that were set aside must be readable by the owner only."""
    names = {path.name for path in home.iterdir()} - OURS
    aside = {name for name in names if name.startswith("auth.json.corrupt-")}
    for name in aside:
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600
    return names - aside


def calls_of_a_save(home: Path, content: bytes | None) -> list[str]:
    store = start(home, content)
    with FaultyDisk().mounted() as disk:
        store.save(CREDENTIALS)
    return disk.calls


FAULTS = [
    *((number, lasts) for number in (errno.ENOSPC, errno.EIO) for lasts in (False, True)),
    *((number, False) for number in (errno.EACCES, errno.EROFS, errno.EINTR, SHORT_WRITE)),
]


@pytest.mark.parametrize("begins", STARTS)
@pytest.mark.parametrize(("fault", "lasts"), FAULTS)
def test_every_system_call_fails(fault: int, *, lasts: bool, begins: str, home: Path) -> None:
    before = STARTS[begins]
    count = len(calls_of_a_save(home, before))
    assert count > 15
    new = content_of(home)
    for position in range(1, count + 1):
        store = start(home, before)
        with FaultyDisk(position, fault, lasts=lasts).mounted() as disk:
            problem = ""
            try:
                store.save(CREDENTIALS)
            except StoreError as error:
                problem = str(error)
        where = (position, disk.calls[position - 1], disk.failed)
        assert content_of(home) == (before if problem else new), where
        # A clear error, without a value out of either file.
        assert problem == "" or problem.startswith(f"{home}/auth.json: "), where
        assert "sk-" not in problem
        if "unlink" not in disk.failed:
            assert strays(home) == set(), where
        # The next save works.
        with FaultyDisk().mounted():
            store.save(CREDENTIALS)
        assert content_of(home) == NEW, where
        assert strays(home) == set(), where


# Killed

KILLS = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.drivers.stores.faulty_disk import KILL, FaultyDisk
from tests.drivers.stores.test_file_store import CREDENTIALS
from loginmachine import FileStore
# One child for each system call of a save, forked from a process that has loaded everything.
for home in sys.argv[2:]:
    child = os.fork()
    if not child:
        with FaultyDisk(int(Path(home).name), KILL).mounted():
            FileStore(home).save(CREDENTIALS)
        os._exit(0)
    print(os.waitpid(child, 0)[1])
"""


@pytest.mark.parametrize("begins", STARTS)
def test_killed_at_every_system_call(begins: str, tmp_path: Path) -> None:
    before = STARTS[begins]
    count = len(calls_of_a_save(tmp_path / "0", before))
    new = content_of(tmp_path / "0")
    homes = [tmp_path / str(position) for position in range(1, count + 1)]
    for home in homes:
        start(home, before)
    done = subprocess.run(
        [sys.executable, "-c", KILLS, str(ROOT), *map(str, homes)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.split() == ["9"] * count
    assert {content_of(home) for home in homes} == {before, new}
    for home in homes:
        # The next save removes what a killed writer left, and waits for no lock.
        with FaultyDisk().mounted():
            FileStore(home, on_warning=lambda _: None).save(CREDENTIALS)
        assert content_of(home) == NEW
        assert strays(home) == set()


# Several at once


def test_a_reader_during_a_thousand_saves(home: Path) -> None:
    keys = [Credentials(auth_mode="apikey", api_key=Secret(letter * 9000)) for letter in "ab"]
    store = start(home, None)
    store.save(keys[0])
    allowed = {(home / "auth.json").read_bytes()}
    store.save(keys[1])
    allowed.add((home / "auth.json").read_bytes())
    finished, seen, modes = threading.Event(), set(), set()

    def read() -> None:
        while not finished.is_set():
            with (home / "auth.json").open("rb") as file:
                modes.add(stat.S_IMODE(os.fstat(file.fileno()).st_mode))
                seen.add(file.read())

    reader = threading.Thread(target=read)
    reader.start()
    try:
        with FaultyDisk().mounted():
            for number in range(1000):
                store.save(keys[number % 2])
    finally:
        finished.set()
        reader.join()
    assert seen == allowed
    assert modes == {0o600}
    assert strays(home) == set()


WRITER = """
import sys
from loginmachine import Credentials, FileStore, Secret
for _ in range(40):
    FileStore(sys.argv[1]).save(Credentials(auth_mode="apikey", api_key=Secret(sys.argv[2] * 5000)))
"""


def test_two_processes_write(home: Path) -> None:
    start(home, OLD)
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(home), letter]) for letter in "ab"]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    left = content_of(home)
    assert left is not None
    assert left.count(b"a" * 5000) + left.count(b"b" * 5000) == 1
    assert strays(home) == set()


# As a person who is not root

AS_A_PERSON = """
import json, os, sys
from pathlib import Path
import loginmachine
from loginmachine import Credentials, FileStore, LoginMachine, Secret, StoreError
from loginmachine.cli.terminal.log_file import LogFile
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
home, what = Path(sys.argv[1]), sys.argv[2]
key = Credentials(auth_mode="apikey", api_key=Secret("sk-new"))
if what == "umasks":
    # (It takes longer than all the rest.)
    os.fsync = lambda descriptor: None
    for mask in range(0o1000):
        os.umask(mask)
        # As the command does it: its log makes the home.
        own = home / str(mask)
        with LogFile(str(own)) as log:
            log.note("begins")
        FileStore(own).save(key)
        modes = [(own / name).stat().st_mode & 0o7777 for name in ("", "auth.json", "log", "log/codex-login.log")]
        assert modes == [0o700, 0o600, 0o700, 0o600], (oct(mask), *map(oct, modes))
else:
    with LogFile(str(home)) as log:
        log.note("begins")
    try:
        FileStore(home).save(key)
    except StoreError as error:
        print(error)
"""


@pytest.fixture
def of_a_person() -> Iterator[Path]:
    """Return a folder that a person without special rights may reach and write."""
    with tempfile.TemporaryDirectory() as name:
        if os.geteuid() == 0:
            os.chown(name, 65534, 65534)
        yield Path(name)


def as_a_person(home: Path, what: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", AS_A_PERSON, str(home), what], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_umask(of_a_person: Path) -> None:
    assert as_a_person(of_a_person, "umasks") == ""


def test_a_home_that_may_not_be_written(of_a_person: Path) -> None:
    (of_a_person / "auth.json").write_bytes(OLD)
    of_a_person.chmod(0o555)
    assert as_a_person(of_a_person, "once") == f"{of_a_person}/auth.json: Permission denied\n"
    assert (of_a_person / "auth.json").read_bytes() == OLD


def test_a_home_that_cannot_be_made(of_a_person: Path) -> None:
    of_a_person.chmod(0o555)
    assert as_a_person(of_a_person / "new", "once") == f"{of_a_person}/new/auth.json: Permission denied\n"


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a full file system of 64 KiB, with an old file on it."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0700", "none", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    (disk / "auth.json").write_bytes(OLD)
    (disk / "auth.json").chmod(0o600)
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(b"x" * 4096)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_file_system(full_disk: Path) -> None:
    with pytest.raises(StoreError, match="No space left on device"):
        FileStore(full_disk).save(CREDENTIALS)
    assert content_of(full_disk) == OLD
    assert strays(full_disk) == {"filler"}
    (full_disk / "filler").unlink()
    FileStore(full_disk).save(CREDENTIALS)
    assert content_of(full_disk) == NEW


# What is no file


def fifo(path: Path) -> None:
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(fifo, "it is not a regular file", id="FIFO"),
        pytest.param(Path.mkdir, "it is not a regular file", id="folder"),
    ],
)
def test_a_path_that_is_no_file(home: Path, make: Callable[[Path], object], words: str) -> None:
    store = start(home, None)
    make(store.path)
    with pytest.raises(StoreError, match=words):
        store.save(CREDENTIALS)
    assert strays(home) == set()


@pytest.mark.parametrize("leads_to", ["elsewhere", "nowhere", "auth.json", "/dev/zero"])
def test_a_link_is_replaced_and_not_followed(home: Path, tmp_path: Path, leads_to: str) -> None:
    store = start(home, None)
    (tmp_path / "elsewhere").write_bytes(OLD)
    target = tmp_path / leads_to if leads_to in {"elsewhere", "nowhere"} else Path(leads_to)
    store.path.symlink_to(target)
    store.save(CREDENTIALS)
    assert not store.path.is_symlink()
    assert content_of(home) == NEW
    assert (tmp_path / "elsewhere").read_bytes() == OLD
    assert not (tmp_path / "nowhere").exists()
