"""`loginmachine login` in a home folder with something unusual: found out before the URL is shown."""

from __future__ import annotations

import errno
import json
import os
from typing import TYPE_CHECKING

import pytest

from ...drivers.stores.person_support import ADA, adas, as_person, needs_root
from ..conftest import CODE, REFRESH, browse, callback_url, called, login

if TYPE_CHECKING:
    from pathlib import Path

    from ..conftest import ScriptedProvider

__all__ = ["adas"]

pytest.importorskip("fcntl", reason="this system has other users and locks")

LOCK_NAMES = ["auth.lock", "auth.json.lock", "auth.refresh.lock"]
WITHOUT = """
import errno, fcntl, os
def missing(*_):
    raise OSError(errno.{number}, "not supported")
{call} = missing
"""
FIRST_LINE = "To sign in, open this address in a browser:"


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_a_home_that_others_may_write(provider: ScriptedProvider, tmp_path: Path, driver: str) -> None:
    provider.will_sign_in()
    tmp_path.chmod(0o777)
    with login(tmp_path, provider.issuer, "--driver", driver) as command:
        browse(callback_url(command.event("listening")["url"], code=CODE))
        code, err = command.end()
    assert code == 0
    words = "every user of this machine can replace the credentials in it: run chmod go-w on it"
    assert err.splitlines()[:2] == [
        f"Warning: the folder {tmp_path} has mode 0777, so that {words}.",
        FIRST_LINE,
    ]
    assert err.count("0777") == 1


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
@pytest.mark.parametrize(
    ("call", "number"), [("fcntl.flock", "ENOLCK"), ("os.fchmod", "EPERM"), ("os.fsync", "EINVAL")]
)
def test_a_file_system_that_lacks_something(
    provider: ScriptedProvider, tmp_path: Path, driver: str, call: str, number: str
) -> None:
    provider.will_sign_in()
    home = tmp_path / "home"
    (tmp_path / "sitecustomize.py").write_text(WITHOUT.format(call=call, number=number))
    with login(home, provider.issuer, "--driver", driver, PYTHONPATH=str(tmp_path)) as command:
        browse(callback_url(command.event("listening")["url"], code=CODE))
        code, err = command.end()
    assert code == 0
    name = call.partition(".")[2]
    assert err.splitlines()[0].startswith(f"Warning: the file system of {home} ")
    assert err.splitlines()[0].endswith(f" ({name} is not supported).")
    assert err.splitlines()[1] == FIRST_LINE
    assert err.count("not supported") == 1
    assert json.loads((home / "auth.json").read_text())["tokens"]["refresh_token"] == REFRESH


RUN = """
from loginmachine.cli import main
sys.stderr = sys.stdout
arguments = ["login", "--no-browser", "--port", "0", "--timeout", "0.01", "--home", home]
print("exit", main(arguments))
"""


@needs_root
@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
@pytest.mark.parametrize("name", LOCK_NAMES)
def test_a_lock_of_another_user(adas: Path, driver: str, name: str) -> None:
    (adas / name).touch(0o600)
    lines = as_person(adas, RUN.replace('"login"', f'"login", "--driver", "{driver}"'))
    assert lines == [
        f"The lock {adas / name} cannot be used: it belongs to root.",
        "If no program is using it, remove it, with sudo perhaps. Or choose another folder with --home.",
        "exit 1",
    ]
    assert (adas / name).stat().st_uid == 0


@needs_root
def test_a_folder_of_another_user(adas: Path) -> None:
    os.chown(adas, 0, 0)
    adas.chmod(0o755)
    assert as_person(adas, RUN) == [
        f"The folder for your credentials, {adas}, cannot be used: it is not writable, and belongs to root.",
        "Choose another folder with --home, or make this one writable.",
        "exit 1",
    ]


@needs_root
@pytest.mark.parametrize("is_sticky", [True, False])
def test_a_file_of_another_user(adas: Path, is_sticky: bool) -> None:  # noqa: FBT001
    (adas / "auth.json").touch(0o600)
    if is_sticky:
        os.chown(adas, 0, ADA)
        adas.chmod(0o1770)
    first, second, *_ = lines = as_person(adas, RUN)
    if is_sticky:
        why = "it belongs to root, who alone can replace it in this folder"
        assert second == f"The file {adas}/auth.json cannot be used: {why}."
    else:
        assert first == f"Warning: {adas}/auth.json belongs to root, and is replaced by a sign-in."
    assert (FIRST_LINE in lines) == (not is_sticky)


def test_a_path_that_is_no_file(provider: ScriptedProvider, tmp_path: Path) -> None:
    (tmp_path / "auth.json").mkdir()
    with login(tmp_path, provider.issuer) as command:
        code, err = command.end()
    assert code == 1
    assert err.splitlines() == [
        f"The file {tmp_path}/auth.json cannot be used: it is not a regular file.",
        "Choose another folder with --home.",
    ]
    assert [(event["event"], event["category"]) for event in command.events] == [("finished", "persist_failed")]


def test_a_disk_with_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.lstat

    def fail(path: str) -> os.stat_result:
        if str(path).endswith("auth.json"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(path)

    monkeypatch.setattr(os, "lstat", fail)
    code, _, err = called("login", "--no-browser", "--port", "0", "--home", str(tmp_path))
    assert code == 1
    assert err.splitlines() == [
        f"The folder for your credentials, {tmp_path}, cannot be used: {os.strerror(errno.EIO)}.",
        f"To look for the cause, run: loginmachine doctor --port 0 --home {tmp_path}",
    ]


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_a_symbolic_link_is_replaced(provider: ScriptedProvider, tmp_path: Path, driver: str) -> None:
    provider.will_sign_in()
    home, target = tmp_path / "home", tmp_path / "shared.json"
    home.mkdir()
    target.write_text("{}")
    (home / "auth.json").symlink_to(target)
    with login(home, provider.issuer, "--driver", driver) as command:
        browse(callback_url(command.event("listening")["url"], code=CODE))
        code, err = command.end()
    assert code == 0
    assert f"Warning: {home}/auth.json was a symbolic link, and is replaced by a file." in err
    assert target.read_text() == "{}"
    assert not (home / "auth.json").is_symlink()
