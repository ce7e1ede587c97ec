"""Folders and files that other users own or may change."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from loginmachine import FileStore, KeyringStore, StoreBusy, StoreError
from loginmachine.drivers.stores import owners

from .keyring_support import FakeKeyring, keyring
from .person_support import ADA, EVE, adas, as_person, needs_root
from .test_file_store import CREDENTIALS, NEW, OLD, failing, home, old, store, warnings

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["adas", "home", "keyring", "old", "store", "warnings"]

pytest.importorskip("pwd", reason="this system has other users")

LOCK_NAMES = ["auth.lock", "auth.json.lock", "auth.refresh.lock"]
ALL = 'attempt("check", store.check); attempt("refresh", refresh); attempt("save", lambda: store.save(CREDENTIALS))'


# The folder


def refresh(store: FileStore) -> None:
    with store.renewing():
        pass


def use_all(store: FileStore) -> None:
    store.check()
    store.save(CREDENTIALS)
    refresh(store)
    store.remove()


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (0o777, "every user of this machine can replace the credentials in it: run chmod go-w on it"),
        (0o707, "every user of this machine can replace the credentials in it: run chmod go-w on it"),
        (0o770, "every user of its group can replace the credentials in it: run chmod go-w on it"),
        (0o2775, "every user of its group can replace the credentials in it: run chmod go-w on it"),
        (0o1777, "every user of this machine can put files into it: run chmod go-w on it"),
    ],
)
def test_a_folder_that_others_may_write_is_a_warning(
    store: FileStore, home: Path, warnings: list[str], mode: int, words: str
) -> None:
    home.mkdir()
    home.chmod(mode)
    use_all(store)
    assert warnings == [f"the folder {home} has mode {mode:04o}, so that {words}"]


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o1755, 0o2750])
def test_a_folder_that_others_may_not_write_is_none(
    store: FileStore, home: Path, warnings: list[str], mode: int
) -> None:
    home.mkdir()
    home.chmod(mode)
    use_all(store)
    assert warnings == []


@pytest.mark.parametrize("act", [FileStore.check, lambda store: store.save(CREDENTIALS), refresh])
def test_each_way_to_write_warns(
    store: FileStore, home: Path, warnings: list[str], act: Callable[[FileStore], object]
) -> None:
    home.mkdir()
    home.chmod(0o777)
    act(store)
    assert len(warnings) == 1


@pytest.mark.usefixtures("keyring")
def test_the_locks_of_a_keyring_are_in_a_folder_too(home: Path, warnings: list[str]) -> None:
    home.mkdir()
    home.chmod(0o777)
    KeyringStore(home, on_warning=warnings.append).check()
    assert len(warnings) == 1


@needs_root
def test_the_folder_of_another_user(adas: Path) -> None:
    adas.chmod(0o755)
    os.chown(adas, EVE, EVE)
    (unusable,) = as_person(adas, 'attempt("check", store.check)')
    assert unusable == (
        f"check StoreError: {adas}/auth.json: the folder for your credentials, {adas}, cannot be used: "
        f"it is not writable, and belongs to user {EVE}"
    )
    adas.chmod(0o777)
    mode = "mode 0777, so that every user of this machine can replace the credentials in it: run chmod go-w on it"
    assert as_person(adas, ALL) == [
        f"warning: the folder {adas} belongs to user {EVE}, who can replace the credentials in it",
        f"warning: the folder {adas} has {mode}",
        "check: None",
        "refresh: may send",
        "save: None",
    ]


@needs_root
def test_root_in_the_folder_of_a_user(adas: Path, warnings: list[str]) -> None:
    use_all(FileStore(adas, on_warning=warnings.append))
    assert warnings == [
        f"the folder {adas} belongs to user {ADA}, who cannot use the files that root stores there",
    ]


@needs_root
def test_a_folder_of_root_that_its_group_may_write(adas: Path) -> None:
    # As in containers that run with any user.
    os.chown(adas, 0, ADA)
    adas.chmod(0o770)
    assert [line.partition(" has mode")[0] for line in as_person(adas, ALL)] == [
        f"warning: the folder {adas}",
        "check: None",
        "refresh: may send",
        "save: None",
    ]


def test_a_user_who_is_not_mapped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    maps = {"full": "0 0 4294967295\n", "part": "0 1000 1\n1 100000 65536\n"}
    for name, content in maps.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "overflow").write_text("65534\n")
    real = open

    def fake(name: str, map_name: str) -> Callable[..., object]:
        paths = {"/proc/sys/kernel/overflowuid": tmp_path / "overflow", "/proc/self/uid_map": tmp_path / map_name}
        return real(paths.get(name, Path(name)), "rb")  # type: ignore[return-value]

    found = []
    for map_name in maps:
        monkeypatch.setattr("builtins.open", lambda name, _mode, map_name=map_name: fake(name, map_name))
        found.append([owners._user(uid) for uid in (65534, 4321)])
    monkeypatch.undo()
    unknown = "a user who is not known in this container"
    assert found[0][0] != unknown
    assert found[0][1] == "user 4321"
    assert found[1] == [unknown, "user 4321"]


# Files that `sudo` left


@needs_root
@pytest.mark.parametrize("mode", [0o600, 0o644])
@pytest.mark.parametrize("name", LOCK_NAMES)
def test_a_lock_of_another_user_is_named_and_left(adas: Path, name: str, mode: int) -> None:
    lock = adas / name
    lock.touch()
    lock.chmod(mode)
    (adas / "auth.json").write_bytes(OLD)
    os.chown(adas / "auth.json", ADA, ADA)
    checked, refreshed, saved = as_person(adas, ALL)
    where = f"StoreError: {adas}/auth.json:"
    assert checked == f"check {where} the lock {lock} cannot be used: it belongs to root"
    assert refreshed == f"refresh {where} Permission denied: {lock} belongs to root"
    if name != "auth.refresh.lock":
        assert saved == f"save {where} Permission denied: {lock} belongs to root"
        assert (adas / "auth.json").read_bytes() == OLD
    assert lock.stat().st_uid == 0


@needs_root
@pytest.mark.parametrize("name", LOCK_NAMES)
def test_a_lock_of_another_user_that_can_be_opened(adas: Path, name: str) -> None:
    (adas / name).touch()
    (adas / name).chmod(0o666)
    assert as_person(adas, ALL) == ["check: None", "refresh: may send", "save: None"]
    assert (adas / name).stat().st_uid == 0


@needs_root
def test_a_folder_of_root_is_no_trouble_with_a_lock(adas: Path) -> None:
    os.chown(adas, 0, 0)
    adas.chmod(0o755)
    where = f"StoreError: {adas}/auth.json:"
    why = "cannot be used: it is not writable, and belongs to root"
    assert as_person(adas, ALL) == [
        f"check {where} the folder for your credentials, {adas}, {why}",
        f"refresh {where} Permission denied: {adas} belongs to root",
        f"save {where} Permission denied: {adas} belongs to root",
    ]


@needs_root
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_of_another_user_is_replaced(adas: Path, mode: int) -> None:
    path = adas / "auth.json"
    path.write_bytes(OLD)
    path.chmod(mode)
    code = (
        'attempt("load", lambda: store.load() is not None)\n'
        + ALL
        + '\nattempt("load", lambda: store.load() == CREDENTIALS)'
    )
    lines = as_person(adas, code)
    is_readable = mode == 0o644
    if not is_readable:
        assert lines[0] == f"load StoreError: {path}: Permission denied: {path} belongs to root"
        assert lines[4] == f"warning: {path} belonged to root and could not be read; it was replaced"
        del lines[4]
    assert lines[1:4] == [
        f"warning: {path} belongs to root, and is replaced by a sign-in",
        "check: None",
        "refresh: may send",
    ]
    assert lines[-1] == "load: True"
    assert (path.stat().st_uid, path.stat().st_mode & 0o777) == (ADA, 0o600)
    assert {other.name for other in adas.iterdir()} == {"auth.json", *LOCK_NAMES}


@needs_root
@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_of_another_user_is_removed(adas: Path, mode: int) -> None:
    path = adas / "auth.json"
    path.write_bytes(OLD)
    path.chmod(mode)
    *_, removed = as_person(adas, 'attempt("remove", lambda: store.remove() is not None)')
    assert removed == "remove: True"
    assert not path.exists()


@needs_root
def test_a_file_of_another_user_in_a_sticky_folder(adas: Path) -> None:
    path = adas / "auth.json"
    path.write_bytes(OLD)
    os.chown(adas, EVE, EVE)
    adas.chmod(0o1777)
    _, _, checked, refreshed, saved = as_person(adas, ALL)
    why = f"the file {path} cannot be used: it belongs to root, who alone can replace it in this folder"
    assert checked == f"check StoreError: {path}: {why}"
    assert refreshed == f"refresh StoreError: {path}: {why}"
    assert saved.startswith(f"save StoreError: {path}: ")
    assert saved.endswith(f"{path} belongs to root")
    assert path.read_bytes() == OLD


@needs_root
def test_an_own_file_without_rights_is_set_aside(adas: Path) -> None:
    path = adas / "auth.json"
    path.write_bytes(OLD)
    path.chmod(0)
    os.chown(path, ADA, ADA)
    *_, warned, saved = as_person(adas, ALL)
    assert saved == "save: None"
    (aside,) = adas.glob("auth.json.corrupt-*")
    assert warned == f"warning: {path} could not be read; it was set aside as {aside.name}"
    assert (aside.read_bytes(), aside.stat().st_mode & 0o777) == (OLD, 0o600)


# What stops a replacement


@pytest.fixture
def mounted(old: Path) -> Path:
    """Mount the credentials' file on itself."""
    if os.geteuid() != 0 or subprocess.run(["mount", "--bind", old, old], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file")
    return old


def test_a_file_that_is_mounted_read_only(store: FileStore, mounted: Path) -> None:
    try:
        store.check()
        subprocess.run(["mount", "-o", "remount,bind,ro", mounted], check=True)
        acts: list[Callable[[], object]] = [store.check, lambda: refresh(store)]
        for act in acts:
            with pytest.raises(StoreError, match="it is mounted on its own, and may not be written"):
                act()
        assert store.load() is not None
    finally:
        subprocess.run(["umount", mounted], check=True)
    store.save(CREDENTIALS)
    assert mounted.read_bytes() == NEW


@needs_root
def test_a_file_of_another_user_that_is_mounted(adas: Path) -> None:
    # As Docker mounts a secret. It can neither be replaced nor written.
    path = adas / "auth.json"
    path.write_bytes(OLD)
    path.chmod(0o644)
    if subprocess.run(["mount", "--bind", path, path], capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file")
    try:
        lines = as_person(adas, ALL)
    finally:
        subprocess.run(["umount", path], check=True)
    assert [line.rpartition(": ")[2] for line in lines[:2]] == ["it is mounted on its own, and may not be written"] * 2
    assert path.read_bytes() == OLD


def test_a_file_that_is_immutable(store: FileStore, old: Path) -> None:
    if os.geteuid() != 0 or subprocess.run(["chattr", "+i", old], capture_output=True, check=False).returncode:
        pytest.skip("this user, or file system, has no immutable files")
    try:
        with pytest.raises(StoreError, match="it may be immutable"):
            refresh(store)
    finally:
        subprocess.run(["chattr", "-i", old], check=True)


def test_a_full_disk_is_found_before_the_request(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(CREDENTIALS)

    monkeypatch.setattr(os, "write", failing(errno.ENOSPC))
    with pytest.raises(StoreError, match="No space left on device"):
        refresh(store)
    monkeypatch.undo()
    assert {path.name for path in store.path.parent.iterdir()} == {"auth.json", *LOCK_NAMES}


def test_a_change_by_another_program_is_waited_for_before_the_request(store: FileStore) -> None:
    store.save(CREDENTIALS)
    other = FileStore(store.path.parent)
    busy = pytest.raises(StoreBusy, match="another program has held")
    with other.transaction(), busy, store.renewing(timeout=0.05):
        pass
    refresh(store)


def test_a_check_of_a_missing_home(store: FileStore, home: Path, keyring: FakeKeyring) -> None:
    del keyring
    store.check()
    assert [path.name for path in home.iterdir()] == ["auth.lock"]
    assert home.stat().st_mode & 0o777 == 0o700
    assert store.load() is None
