"""Programs that run as a person without special rights, in a process of their own."""

from __future__ import annotations

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

_PROLOGUE = """
import importlib, os, pkgutil, pwd, sys
import h11, httpx, trio, loginmachine
# After the change of the user, the modules may be out of reach.
for module in pkgutil.walk_packages(loginmachine.__path__, "loginmachine."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
from loginmachine import *
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
home = sys.argv[2]
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


def as_person(home: Path, code: str, *, uid: int = ADA) -> list[str]:
    """Run code as a person, with `home`, `store`, `attempt` and `refresh`, and return the lines that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", _PROLOGUE + code, str(uid), str(home)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def adas() -> Iterator[Path]:
    """Return a home folder of Ada's, in a folder that she can reach."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        home = Path(name) / "codex"
        home.mkdir(0o700)
        os.chown(home, ADA, ADA)
        yield home
