"""Where servers are installed: folders of their own in `.cache`, which stay for the next run."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CACHE = Path(__file__).parent / ".cache"
PROGRAMS = Path(__file__).parent / "programs"
INSTALL_LIMIT = 900.0
"""Seconds for one command of an installation."""
_DONE = ".installed"
_SHOWN = 300
"""Characters of a command's output that a reason may quote."""


class Unavailable(Exception):  # noqa: N818 - not an error of this program
    """A server cannot be installed on this machine. The text says why."""


def installed(name: str, version: str, install: Callable[[Path], None]) -> Path:
    """Return the folder of a server, and install it there first if it is not complete.

    Args:
        name: The folder.
        version: What is installed. With another one, the folder is made again.
        install: Installs into an empty folder.

    Raises:
        Unavailable: It cannot be installed.
    """
    folder = CACHE / name
    mark = folder / _DONE
    if mark.exists() and mark.read_text(encoding="utf-8") == version:
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        install(folder)
    except Unavailable:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    mark.write_text(version, encoding="utf-8")
    return folder


def run(*command: str | Path, cwd: Path, environment: Mapping[str, str] | None = None) -> str:
    """Run a command of an installation, and return its standard output.

    Raises:
        Unavailable: The command is not there, fails, or takes too long.
    """
    words = [str(word) for word in command]
    if shutil.which(words[0]) is None:
        raise Unavailable(f"{words[0]} is not installed")
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{Path(words[0]).name} took more than {INSTALL_LIMIT:g} s") from None
    if done.returncode != 0:
        said = " ".join((done.stderr or done.stdout).split())
        raise Unavailable(f"{Path(words[0]).name} {' '.join(words[1:3])} failed: {said[-_SHOWN:]}")
    return done.stdout


def python_environment(folder: Path, *requirements: str) -> None:
    """Make a virtual environment with packages from PyPI.

    Raises:
        Unavailable: A package cannot be installed.
    """
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    pip = (folder / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--quiet")
    run(*pip, "install", *requirements, cwd=folder)


def debian_packages(folder: Path, *names: str) -> None:
    """Unpack Debian's packages below a folder, without installing them on this machine.

    Raises:
        Unavailable: This is not Debian, or a package is not available.
    """
    archives = folder / "archives"
    archives.mkdir()
    run("apt-get", "download", *names, cwd=archives)
    for archive in sorted(archives.glob("*.deb")):
        run("dpkg-deb", "--extract", archive, folder, cwd=folder)
    shutil.rmtree(archives)
