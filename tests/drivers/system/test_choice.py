"""What `BROWSER` says: a program with spaces in its path, quotes, lists, and `none`."""

from __future__ import annotations

import json
import shlex
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from loginmachine.drivers.system import wsl
from loginmachine.drivers.system.browser import open_url

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows opens URLs without a launcher")

URL = "http://127.0.0.1:1455/oauth/authorize?a=b&c=d"
REFUSED = "BROWSER is none, so no browser is opened"


@pytest.fixture(autouse=True)
def nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no launcher but those of the test."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(wsl, "OS_RELEASE", str(tmp_path / "no-such-file"))
    for name in ("WSL_DISTRO_NAME", "WSL_INTEROP", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)


def program(path: Path) -> Path:
    """Make a program that writes its own path and its arguments as JSON, and return the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seen = path.parent / "seen"
    code = f"import json, sys; open({str(seen)!r}, 'w').write(json.dumps(sys.argv[1:]))"
    path.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c {shlex.quote(code)} "$0" "$@"\n')
    path.chmod(0o755)
    return seen


def opened(choice: str, monkeypatch: pytest.MonkeyPatch) -> str | None:
    monkeypatch.setenv("BROWSER", choice)
    return open_url(URL, threading.Event())


@pytest.mark.parametrize("name", ["My Browser", "it's mine", "a:b", "100%", 'the "best"', "back\\slash"])
@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("{}", [URL]),
        (" {} ", [URL]),
        ("{} %s", [URL]),
        ("{} --new --url=%s", ["--new", f"--url={URL}"]),
        ("{} 'two words'", ["two words", URL]),
        ("missing:{}", [URL]),
        ("{}:missing", [URL]),
    ],
)
def test_a_path_that_exists_is_one_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, form: str, expected: list[str]
) -> None:
    if name == "a:b" and form != " {} ":
        form, expected = "{}", [URL]  # in a list, a colon ends an entry
    path = tmp_path / "Program Files" / name
    seen = program(path)
    assert opened(form.format(path), monkeypatch) is None
    assert json.loads(seen.read_text()) == [str(path), *expected]


def test_a_program_on_the_path_whose_name_has_a_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = program(tmp_path / "bin" / "my browser")
    assert opened("my browser", monkeypatch) is None
    assert json.loads(seen.read_text())[1:] == [URL]


def test_the_words_before_a_space_come_first_if_they_are_a_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`prog --arg %s` means what it always meant, whatever files there are."""
    program(tmp_path / "prog --arg")
    seen = program(tmp_path / "prog")
    assert opened(f"{tmp_path / 'prog'} --arg %s", monkeypatch) is None
    assert json.loads(seen.read_text())[1:] == ["--arg", URL]


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("'{}'", [URL]),
        ('"{}"', [URL]),
        ("'{}' --new-window %s", ["--new-window", URL]),
        ("missing:'{}' %s", [URL]),
        ('missing:"{}" --title "a:b" %s', ["--title", "a:b", URL]),
        ("'{}' --x=a\\:b", ["--x=a:b", URL]),
        ("'unbalanced:'{}'", [URL]),
    ],
)
def test_quotes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, expected: list[str]) -> None:
    path = tmp_path / "My Programs" / "browser: mine"
    if form.startswith("'unbalanced"):
        path = tmp_path / "My Programs" / "mine"
    seen = program(path)
    assert opened(form.format(path), monkeypatch) is None
    assert json.loads(seen.read_text()) == [str(path), *expected]


@pytest.mark.parametrize("choice", ["none", "NONE", " none ", "missing:none", ":none:"])
def test_none_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: str) -> None:
    seen = program(tmp_path / "bin" / "xdg-open")
    program(tmp_path / "bin" / "none")
    monkeypatch.setenv("DISPLAY", ":0")
    assert opened(choice, monkeypatch) == REFUSED
    assert not seen.exists()


def test_none_ends_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = program(tmp_path / "bin" / "mine")
    assert opened("mine:none:other", monkeypatch) is None
    assert json.loads(seen.read_text())[1:] == [URL]


def test_none_under_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[str] = []
    monkeypatch.setattr("os.startfile", started.append, raising=False)
    monkeypatch.setattr(sys, "platform", "win32")
    assert opened("none", monkeypatch) == REFUSED
    assert started == []
    assert opened("", monkeypatch) is None
    assert started == [URL]
