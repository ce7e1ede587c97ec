"""Programs that run as a person without special rights, in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ADA, EVE = 4321, 4322
"""Users who are in no list of users."""

# It loads the modules once, because that takes a second. After the change of the user, they may be out of reach.
_SERVER = """
import importlib, json, os, pkgutil, pwd, sys, tempfile, traceback
import h11, httpx, trio, loginmachine
for module in pkgutil.walk_packages(loginmachine.__path__, "loginmachine."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)

def run(code, uid, home, out, err):
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    status = 1
    try:
        exec(code, {"__name__": "__main__", "sys": sys, "home": home})
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(status)

for line in sys.stdin:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if not child:
            run(*json.loads(line), out, err)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        printed = []
        for file in (out, err):
            file.seek(0)
            printed.append(file.read().decode())
    print(json.dumps([status, *printed]), flush=True)
"""
_PROLOGUE = """
from loginmachine import *
CREDENTIALS = Credentials(auth_mode="apikey", api_key=Secret("sk-new"))
store = FileStore(home, on_warning=lambda text: print("warning:", text))

def attempt(name, act):
    try:
        print(f"{name}: {act()}")
    except LoginError as error:
        print(f"{name} {type(error).__name__}: {error}")

def refresh():
    with store.renewing(timeout=0.1):
        return "may send"
"""

needs_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can be another user")
_servers: list[subprocess.Popen[str]] = []


@pytest.fixture(scope="session")
def people() -> Iterator[None]:
    """Run the process from which each person's process is forked."""
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        _servers.append(server)
        yield
        _servers.remove(server)


def as_person(home: Path, code: str, *, uid: int = ADA) -> list[str]:
    """Run code as a person, with `home`, `store`, `attempt` and `refresh`, and return the lines that it prints."""
    (server,) = _servers
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(json.dumps([_PROLOGUE + code, uid, str(home)]) + "\n")
    server.stdin.flush()
    status, out, err = json.loads(server.stdout.readline())
    assert (status, err) == (0, ""), err
    return str(out).splitlines()


@pytest.fixture
def adas(people: None) -> Iterator[Path]:
    """Return a home folder of Ada's, in a folder that she can reach."""
    del people
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        home = Path(name) / "codex"
        home.mkdir(0o700)
        os.chown(home, ADA, ADA)
        yield home
