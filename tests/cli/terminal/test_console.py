"""Terminals and pipes with another encoding than UTF-8, and the console of Windows, which is faked."""

from __future__ import annotations

import ctypes
import io
import json
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from loginmachine.cli.terminal import display
from loginmachine.cli.terminal.display import Terminal
from loginmachine.cli.terminal.writer import StreamWriter

from ..conftest import ACCESS, ID_TOKEN, REFRESH, environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = "Ada Łoś €\u2026 \udcff\n"
"""No legacy encoding has all of it, and the last character is in none at all."""
ESCAPED = {
    "ascii": b"Ada \\u0141o\\u015b \\u20ac\\u2026 \\udcff\n",
    "cp1252": b"Ada \\u0141o\\u015b \x80\x85 \\udcff\n",
    "cp437": b"Ada \\u0141o\\u015b \\u20ac\\u2026 \\udcff\n",
    "utf-8": "Ada Łoś €\u2026 \\udcff\n".encode(),
}


def written(stream: io.TextIOWrapper) -> bool:
    writer = StreamWriter(stream)
    writer.write(TEXT)
    return writer.close()


@pytest.mark.parametrize("encoding", ESCAPED)
def test_a_file_of_each_encoding(tmp_path: Path, encoding: str) -> None:
    with (tmp_path / "out").open("w", encoding=encoding, newline="\n") as stream:
        assert written(stream)
    assert (tmp_path / "out").read_bytes() == ESCAPED[encoding]


@pytest.mark.parametrize("encoding", ESCAPED)
def test_a_stream_without_a_file(encoding: str) -> None:
    data = io.BytesIO()
    stream = io.TextIOWrapper(data, encoding=encoding, newline="\n")
    assert written(stream)
    assert data.getvalue() == ESCAPED[encoding]


def test_a_stream_without_an_encoding() -> None:
    stream = io.StringIO()
    writer = StreamWriter(stream)
    writer.write(TEXT)
    assert writer.close()
    assert stream.getvalue() == TEXT.replace("\udcff", "\\udcff")


def run_in(encoding: str, *arguments: str, **extra: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "loginmachine", *arguments],
        capture_output=True,
        env=environment(PYTHONIOENCODING=encoding, PYTHONUTF8="0", **extra),
        timeout=50,
        check=False,
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp850"])
def test_commands_whose_output_has_an_old_encoding(tmp_path: Path, encoding: str) -> None:
    home = tmp_path / "Łoś"
    home.mkdir()
    tokens = {"id_token": ID_TOKEN, "access_token": ACCESS, "refresh_token": REFRESH, "account_id": "acc-1"}
    content = {"auth_mode": "chatgpt", "tokens": tokens, "last_refresh": "9000-01-01T00:00:00Z"}
    (home / "auth.json").write_text(json.dumps(content))
    done = run_in(encoding, "status", "--home", str(home))
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u0141o\u015b/auth.json" in done.stdout.replace(b"\xf3", b"o")
    done = run_in(encoding, "--Łoś")
    assert done.returncode == 2
    assert rb"unrecognized arguments: --\u0141o\u015b" in done.stderr


@pytest.mark.timeout(60)
def test_the_demo_in_a_folder_with_another_name(tmp_path: Path) -> None:
    (tmp_path / "Łoś").mkdir()
    done = run_in("ascii", "demo", TMPDIR=str(tmp_path / "Łoś"))
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"It is stored in " in done.stdout
    assert rb"/\u0141o\u015b/" in done.stdout


# The console of Windows


class Console:
    """A console with a mode that can be read and set, or not.

    Args:
        can_read: Whether the mode can be read.
        can_set: Whether the virtual-terminal mode can be switched on.
    """

    def __init__(self, *, can_read: bool = True, can_set: bool = True) -> None:
        self._can_read, self._can_set = can_read, can_set
        self.mode = 3

    def GetConsoleMode(self, handle: object, pointer: object) -> int:  # noqa: N802 - the name of Windows
        assert isinstance(handle, ctypes.c_void_p)
        pointer._obj.value = self.mode  # type: ignore[attr-defined]
        return int(self._can_read)

    def SetConsoleMode(self, handle: object, mode: int) -> int:  # noqa: N802 - as above
        assert isinstance(handle, ctypes.c_void_p)
        if self._can_set:
            self.mode = mode
        return int(self._can_set)


class Raw(io.BytesIO):
    """What Windows' console takes: text as UTF-8, at most 16 bytes at once."""

    def write(self, data: object) -> int:
        return super().write(bytes(data)[:16])  # type: ignore[call-overload]


class ConsoleStream(io.TextIOWrapper):
    """Standard error on a console. Its descriptor must not be written to, because the console has another encoding."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.sent = Raw()
        super().__init__(io.BufferedWriter(self.sent), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.descriptor


@pytest.fixture
def on_windows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ConsoleStream]:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(get_osfhandle=lambda _: 7))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("TERM", raising=False)
    monkeypatch.setattr(display, "_PERIOD", 0.001)
    descriptor = os.open(tmp_path / "raw", os.O_RDWR | os.O_CREAT)
    yield ConsoleStream(descriptor)
    os.close(descriptor)
    assert (tmp_path / "raw").read_bytes() == b""


def shown(stream: ConsoleStream) -> str:
    """Return what a terminal shows of a line, a waiting indicator, and another line."""
    terminal = Terminal(stream)
    terminal.line("Łoś €", "good")
    terminal.start_waiting("Waiting")
    terminal.stop_waiting()
    terminal.line("end", "bad")
    terminal.close()
    return stream.sent.getvalue().decode()


def test_colours_of_a_console_that_can_show_them(on_windows: ConsoleStream, monkeypatch: pytest.MonkeyPatch) -> None:
    console = Console()
    monkeypatch.setattr(ctypes, "WinDLL", lambda name: {"kernel32": console}[name], raising=False)
    text = shown(on_windows)
    assert text.startswith("\x1b[32mŁoś €\x1b[0m\n")
    assert text.endswith("\r\x1b[K\x1b[31mend\x1b[0m\n")
    # ENABLE_PROCESSED_OUTPUT, ENABLE_WRAP_AT_EOL_OUTPUT, ENABLE_VIRTUAL_TERMINAL_PROCESSING
    assert console.mode == 7


@pytest.mark.parametrize("console", [Console(can_read=False), Console(can_set=False), None])
def test_no_escape_sequences_on_another_console(
    on_windows: ConsoleStream, monkeypatch: pytest.MonkeyPatch, console: Console | None
) -> None:
    def load(_: str) -> Console:
        if console is None:
            raise OSError("there is no such library")
        return console

    monkeypatch.setattr(ctypes, "WinDLL", load, raising=False)
    assert shown(on_windows) == "Łoś €\nWaiting\nend\n"
    assert console is None or console.mode == 3
