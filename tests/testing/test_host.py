"""The example of a program with a login screen passes its tests, in an environment of its own, without a network."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HOST = ROOT / "examples" / "host"
GUARD = """
import sys


def refuse(event, arguments):
    if event in ("socket.__new__", "socket.getaddrinfo", "webbrowser.open"):
        raise RuntimeError(f"{event} in a test that needs no network")


sys.addaudithook(refuse)
"""
"""What Python runs at its start in that environment."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment with the built wheel, and the dependencies of this one."""
    wheels = list((ROOT / "build" / "wheel").glob("*.whl"))
    assert wheels, "there is no wheel: make .venv/.installed builds and installs one"
    home = tmp_path_factory.mktemp("host") / "env"
    # Without pip, which may have nothing to install from. The wheel holds Python only: unpacked, it is installed.
    venv.create(home, with_pip=False, symlinks=sys.platform != "win32")
    windows = sys.platform == "win32"
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(home), "platbase": str(home)}))
    site.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheels[0]) as archive:
        archive.extractall(site)
    (site / "of_the_suite.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    (site / "sitecustomize.py").write_text(GUARD, encoding="utf-8")
    return home / ("Scripts/python.exe" if windows else "bin/python")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(HOST, tmp_path / "host", ignore=shutil.ignore_patterns("__pycache__")))


def run(python: Path, folder: Path, *arguments: str) -> str:
    result = subprocess.run([python, *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=50)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_the_environment_has_the_wheel_and_no_network(python: Path, folder: Path) -> None:
    code = "import loginmachine, socket; print(loginmachine.__file__); socket.socket()"
    result = subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True, check=False, timeout=50)
    assert Path(result.stdout.strip()).is_relative_to(python.parents[1])
    assert "socket.__new__ in a test that needs no network" in result.stderr


def test_pytest(python: Path, folder: Path) -> None:
    plugins = [part for name in ("cacheprovider", "randomly", "xdist", "cov") for part in ("-p", f"no:{name}")]
    assert "passed" in run(python, folder, "-m", "pytest", "-q", *plugins)


def test_unittest(python: Path, folder: Path) -> None:
    assert run(python, folder, "-m", "unittest").endswith("OK\n")
