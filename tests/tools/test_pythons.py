"""The runner for several Pythons: those that it finds, and its messages about those that it skips."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tools import pythons

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the interpreters are shell scripts")

PYTHON = """#!/bin/sh
case "$*" in
    "-c "*|--version) echo {version} ;;
    "-m venv "*) {venv}; mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
    "-m pytest"*) exit {tests} ;;
esac
"""
SHIM = "#!/bin/sh\necho 'the version is not selected' >&2\nexit 127\n"


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii")
    path.chmod(0o755)


def put_python(path: Path, version: str, *, venv: str = ":", tests: int = 0) -> None:
    put(path, PYTHON.format(version=version, venv=venv, tests=tests))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder at the beginning of the search path. The only Pythons are those that a test makes there."""
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    tools = tmp_path / "commands"
    tools.mkdir()
    for name in ("sh", "mkdir", "cp", "echo"):
        (tools / name).symlink_to(f"/bin/{name}")
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:{tools}")
    return tmp_path / "path"


def run(tmp_path: Path) -> int:
    return pythons.main(["a.whl", str(tmp_path / "environments"), "--quiet"])


def test_a_python_is_found_by_its_name(path: Path) -> None:
    put_python(path / "python3.12", "3.12")
    assert pythons.find("3.12") == str(path / "python3.12")
    assert pythons.find("3.13") is None


def test_a_python_is_found_under_its_short_name(path: Path) -> None:
    put_python(path / "python3", "3.11")
    assert pythons.find("3.11") == str(path / "python3")


def test_a_shim_without_its_version_is_passed_over(path: Path, tmp_path: Path) -> None:
    put(path / "python3.12", SHIM)
    installed = tmp_path / "pyenv/versions/3.12.1/bin/python3.12"
    put_python(installed, "3.12")
    assert pythons.find("3.12") == str(installed)


def test_every_version_is_run_or_named_as_skipped(
    path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put_python(path / "python3.11", "3.11")
    put_python(path / "python3.12", "3.12", venv="echo 'no room' >&2; exit 1")
    assert run(tmp_path) == 0
    assert capfd.readouterr().out.splitlines() == [
        f"Python 3.11: {path / 'python3.11'}",
        "Python 3.11: passed",
        "Python 3.12: skipped: no environment could be made (no room)",
        *(f"Python {version}: skipped: not on this machine, or without venv" for version in ("3.13", "3.14", "3.15")),
    ]


def test_an_environment_is_made_once(path: Path, tmp_path: Path) -> None:
    put_python(path / "python3.11", "3.11")
    assert run(tmp_path) == 0
    put_python(path / "python3.11", "3.11", venv="exit 1")
    assert run(tmp_path) == 0


def test_a_failing_test_fails_the_run(path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put_python(path / "python3.11", "3.11")
    put_python(path / "python3.13", "3.13", tests=1)
    assert run(tmp_path) == 1
    assert "Python 3.13: failed" in capfd.readouterr().out


def test_no_python_at_all_fails_the_run(path: Path, tmp_path: Path) -> None:
    assert path.exists() is False
    assert run(tmp_path) == 1
