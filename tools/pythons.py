"""Run the tests of the core on every Python of this machine, from the oldest that is supported to the newest.

Run it with ``make test-pythons``. Each Python gets a virtual environment of its own, into which the built package and
the tests' requirements are installed. A Python that is missing, or that cannot make an environment, is skipped, and
its name is printed with the reason.

    python -m tools.pythons WHEEL FOLDER [PYTEST ARGUMENTS]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VERSIONS: Final = ("3.11", "3.12", "3.13", "3.14", "3.15")
_PROBE: Final = "import ensurepip, venv, sys; print('%d.%d' % sys.version_info[:2])"
_PIP: Final = ("-m", "pip", "--disable-pip-version-check", "--quiet", "install")


def candidates(version: str) -> Iterator[str]:
    """Yield the interpreters that may be a version of Python: those on the path first, then those of pyenv."""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        for name in (f"python{version}", "python3"):
            found = shutil.which(name, path=folder or os.curdir)
            if found:
                yield found
    for root in _pyenv_roots():
        for path in sorted(root.glob(f"versions/{version}*/bin/python{version}")):
            yield str(path)


def find(version: str) -> str | None:
    """Return the first interpreter that is this version and can make virtual environments; None if there is none."""
    return next((python for python in candidates(version) if _answer(python, "-c", _PROBE) == version), None)


def make_environment(python: str, folder: Path, wheel: str) -> str:
    """Make a virtual environment with the package and the requirements of the core's tests, unless it is there.

    Args:
        python: The interpreter.
        folder: Where the environment is made.
        wheel: The package.

    Returns:
        What went wrong; empty if the environment can be used.
    """
    own = str(_python_of(folder))
    done = folder / "done"
    steps: list[list[str]] = []
    if not done.exists() or _answer(own, "--version") is None:
        shutil.rmtree(folder, ignore_errors=True)
        steps = [[python, "-m", "venv", str(folder)], [own, *_PIP, "--upgrade", "pip"]]
    steps += [
        [own, *_PIP, "--group", "core-test"],
        # The version stays the same while the package changes, so pip would keep what is installed.
        [own, *_PIP, "--force-reinstall", "--no-deps", wheel],
        [own, *_PIP, wheel],
    ]
    for step in steps:
        run = subprocess.run(step, capture_output=True, text=True, check=False)
        if run.returncode:
            lines = run.stderr.strip().splitlines()
            return lines[-1] if lines else f"exit code {run.returncode}"
    done.touch()
    return ""


def main(arguments: Sequence[str]) -> int:
    """Run the tests on each Python.

    Returns:
        The exit code: 1 if a test fails, or if there is no Python on which they ran.
    """
    wheel, folder, *pytest_arguments = arguments
    results: dict[str, str] = {}
    for version in VERSIONS:
        python = find(version)
        if python is None:
            results[version] = "skipped: not on this machine, or without venv"
            continue
        environment = Path(folder) / version
        problem = make_environment(python, environment, wheel)
        if problem:
            results[version] = f"skipped: no environment could be made ({problem})"
            continue
        print(f"Python {version}: {python}", flush=True)
        run = subprocess.run([str(_python_of(environment)), "-m", "pytest", *pytest_arguments], check=False)
        results[version] = "failed" if run.returncode else "passed"
    for version, result in results.items():
        print(f"Python {version}: {result}")
    return 0 if "passed" in results.values() and "failed" not in results.values() else 1


def _pyenv_roots() -> list[Path]:
    named = os.environ.get("PYENV_ROOT") or _answer("pyenv", "root")
    return [Path(named)] if named else []


def _python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def _answer(*command: str) -> str | None:
    """Return the standard output of a command; None if it cannot be run, or fails."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return run.stdout.strip() if run.returncode == 0 else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
