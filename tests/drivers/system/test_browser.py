"""Opening a browser, with launchers that are real programs in a folder of the test's own."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from loginmachine.drivers.system import browser, wsl
from loginmachine.drivers.system.browser import first_launcher, open_url

from ..support import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows opens URLs without a launcher")

URL = "http://127.0.0.1:1455/oauth/authorize?a=b&c=$(touch%20x);d=*&e={f}!~#g h"
"""A URL with more special characters than one of a checked issuer can have."""
NO_LAUNCHER = "there is no display, or no launcher for a browser, on this machine"
NONE_WORKED = "no launcher on this machine could open a browser"


@pytest.fixture
def launchers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Make a launcher that writes down its arguments. Nothing else is on the path."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(wsl, "OS_RELEASE", str(tmp_path / "no-such-file"))
    for name in ("WSL_DISTRO_NAME", "WSL_INTEROP"):
        monkeypatch.delenv(name, raising=False)

    def make(name: str, body: str = "exit 0") -> Path:
        seen = tmp_path / f"{name}.seen"
        script = folder / name
        script.write_text(
            f'#!/bin/sh\nPATH=/usr/bin:/bin\nfor a in "$@"; do printf "%s\\0" "$a"; done > {shlex.quote(str(seen))}\n'
            f"{body}\n"
        )
        script.chmod(0o755)
        return seen

    return make


def arguments(seen: Path) -> list[str]:
    return seen.read_text().split("\0")[:-1]


def open_it() -> str | None:
    return open_url(URL, threading.Event())


def test_the_launcher_of_the_desktop(launchers: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = launchers("xdg-open")
    monkeypatch.setenv("DISPLAY", ":0")
    assert open_it() is None
    assert arguments(seen) == [URL]


def test_the_first_launcher_is_named_and_not_started(
    launchers: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert first_launcher() == ""
    seen = launchers("xdg-open")
    assert first_launcher() == ""
    monkeypatch.setenv("DISPLAY", ":0")
    assert first_launcher() == "xdg-open"
    monkeypatch.setenv("BROWSER", "none")
    assert first_launcher() == ""
    assert not seen.exists()


def test_wayland_is_a_display_too(launchers: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    seen = launchers("gio")
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    assert open_it() is None
    assert arguments(seen) == ["open", URL]


def test_without_a_display_nothing_is_started(launchers: Callable[..., Path]) -> None:
    seen = launchers("xdg-open")
    assert open_it() == NO_LAUNCHER
    assert not seen.exists()


def test_no_launcher_at_all(launchers: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    del launchers
    monkeypatch.setenv("DISPLAY", ":0")
    assert open_it() == NO_LAUNCHER


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("mine", [URL]),
        ("mine --new-window", ["--new-window", URL]),
        ("mine --url=%s --private", [f"--url={URL}", "--private"]),
        ("mine %s", [URL]),
        ("mine 'a b' \"c d\"", ["a b", "c d", URL]),
        ("missing:mine", [URL]),
        (":mine:", [URL]),
        ("'unbalanced:mine", [URL]),
    ],
)
def test_the_browser_variable(
    launchers: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, command: str, expected: list[str]
) -> None:
    seen = launchers("mine")
    monkeypatch.setenv("BROWSER", command)
    assert open_it() is None
    assert arguments(seen) == expected


def test_the_browser_variable_comes_first(launchers: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = launchers("mine"), launchers("xdg-open")
    monkeypatch.setenv("BROWSER", "mine")
    monkeypatch.setenv("DISPLAY", ":0")
    assert open_it() is None
    assert mine.exists()
    assert not theirs.exists()


def test_the_next_launcher_is_tried_when_one_fails(
    launchers: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = launchers("first", "exit 3"), launchers("xdg-open", "exit 4"), launchers("firefox")
    monkeypatch.setenv("BROWSER", "first")
    monkeypatch.setenv("DISPLAY", ":0")
    assert open_it() is None
    assert [arguments(seen) for seen in (first, second, third)] == [[URL]] * 3


def test_every_launcher_fails(launchers: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    launchers("first", "exit 1")
    launchers("second", "kill -9 $$")
    monkeypatch.setenv("BROWSER", "first:second")
    assert open_it() == NONE_WORKED


def test_a_file_that_is_no_program(
    launchers: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    launchers("mine")
    (tmp_path / "bin" / "mine").write_bytes(b"\x7fELF, but not really")
    monkeypatch.setenv("BROWSER", "mine")
    assert open_it() == NONE_WORKED


@pytest.mark.parametrize("name", ["w3m", "lynx", "links", "links2", "elinks", "www-browser"])
def test_a_text_browser_never_takes_the_terminal(
    launchers: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    seen = launchers(name)
    alternative = tmp_path / "bin" / "mine"
    alternative.symlink_to(tmp_path / "bin" / name)
    for choice in (name, f"{name} %s", str(tmp_path / "bin" / name), "mine"):
        monkeypatch.setenv("BROWSER", choice)
        assert open_it() == NO_LAUNCHER
    assert not seen.exists()


# WSL


@pytest.fixture
def in_wsl(launchers: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this system look like Linux under Windows."""
    del launchers
    monkeypatch.setenv("WSL_DISTRO_NAME", "Debian")


@pytest.mark.usefixtures("in_wsl")
def test_the_launcher_of_wsl_comes_first(launchers: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    best, others = launchers("wslview"), [launchers(name) for name in ("powershell.exe", "explorer.exe", "xdg-open")]
    monkeypatch.setenv("DISPLAY", ":0")
    assert open_it() is None
    assert arguments(best) == [URL]
    assert not [seen for seen in others if seen.exists()]


@pytest.mark.usefixtures("in_wsl")
def test_powershell_gets_the_url_in_single_quotes(launchers: Callable[..., Path]) -> None:
    launchers("wslview", "exit 1")
    seen = launchers("powershell.exe")
    assert open_it() is None
    assert arguments(seen) == ["-NoProfile", "-NonInteractive", "-Command", f"Start-Process '{URL}'"]


@pytest.mark.usefixtures("in_wsl")
def test_the_exit_status_of_explorer_is_ignored(launchers: Callable[..., Path]) -> None:
    launchers("powershell.exe", "exit 1")
    seen = launchers("explorer.exe", "exit 1")
    assert open_it() is None
    assert arguments(seen) == [URL]


@pytest.mark.usefixtures("in_wsl")
def test_the_browser_variable_comes_first_in_wsl_too(
    launchers: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = launchers("mine"), launchers("wslview")
    monkeypatch.setenv("BROWSER", "mine")
    assert open_it() is None
    assert mine.exists()
    assert not theirs.exists()


@pytest.mark.usefixtures("in_wsl")
@pytest.mark.parametrize("display", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_wsl_without_programs_of_windows_uses_its_own_desktop(
    launchers: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, display: str
) -> None:
    for name in ("wslview", "powershell.exe"):
        launchers(name, "exit 1")
    seen = launchers("xdg-open")
    monkeypatch.setenv(display, "wayland-0")
    assert open_it() is None
    assert arguments(seen) == [URL]


@pytest.mark.usefixtures("in_wsl")
def test_wsl_without_a_display_starts_no_launcher_of_a_desktop(launchers: Callable[..., Path]) -> None:
    launchers("powershell.exe", "exit 1")
    seen = launchers("xdg-open")
    assert open_it() == NONE_WORKED
    assert not seen.exists()


@pytest.mark.usefixtures("in_wsl")
def test_explorer_is_not_believed_if_windows_programs_cannot_run(
    launchers: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its exit status is 1 if it has opened the browser, and also if the connection to Windows is gone."""
    explorer, seen = launchers("explorer.exe", "exit 1"), launchers("xdg-open")
    monkeypatch.setenv("WSL_INTEROP", str(tmp_path / "no-such-socket"))
    monkeypatch.setenv("DISPLAY", ":0")
    assert open_it() is None
    assert arguments(seen) == [URL]
    assert not explorer.exists()


@pytest.mark.parametrize(
    ("registered", "socket_exists", "expected"),
    [
        ("enabled\ninterpreter /init\n", None, False),
        ("enabled\ninterpreter /init\n", True, False),
        ("enabled\ninterpreter /init\n", False, True),
        ("disabled\n", None, True),
        (None, None, False),
        (None, False, True),
    ],
)
def test_when_programs_of_windows_cannot_run(
    registered: str | None,
    *,
    socket_exists: bool | None,
    expected: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wsl, "INTEROP", (str(tmp_path / "WSLInterop"), str(tmp_path / "WSLInterop-late")))
    variables = {} if socket_exists is None else {"WSL_INTEROP": str(tmp_path / "socket")}
    if socket_exists:
        (tmp_path / "socket").touch()
    if registered is not None:
        (tmp_path / "WSLInterop-late").write_text(registered)
    assert wsl.is_without_interop(variables) is expected


def test_a_url_with_a_single_quote_is_not_passed_to_windows() -> None:
    assert wsl.launchers("https://id.example/'; calc; '") == []


@pytest.mark.parametrize(
    ("variables", "release", "expected"),
    [
        ({"WSL_INTEROP": "/run/WSL/8_interop"}, "6.1.0", True),
        ({}, "5.15.153.1-microsoft-standard-WSL2\n", True),
        ({}, "4.4.0-19041-Microsoft\n", True),
        ({}, "6.1.0-18-amd64\n", False),
        ({}, None, False),
    ],
)
def test_how_wsl_is_detected(
    variables: dict[str, str], release: str | None, *, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wsl, "OS_RELEASE", str(tmp_path / "osrelease"))
    if release is not None:
        (tmp_path / "osrelease").write_text(release)
    assert wsl.is_wsl(variables) is expected


def test_no_shell_is_used(launchers: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = launchers("mine")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BROWSER", "mine %s; touch gotcha $(touch gotcha) | tee gotcha")
    assert open_it() is None
    assert arguments(seen)[0] == f"{URL};"
    assert not (tmp_path / "gotcha").exists()


def test_a_launcher_inherits_no_stream_terminal_or_descriptor(
    launchers: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = tmp_path / "report"
    launchers("mine", f"ls -l /proc/self/fd > {report}; cat > {report}.in; ps -o sid= -p $$ > {report}.sid; exit 0")
    monkeypatch.setenv("BROWSER", "mine")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        # Even a descriptor that was made inheritable.
        listener.set_inheritable(True)
        assert open_it() is None
    assert (tmp_path / "report.in").read_bytes() == b""
    if sys.platform == "linux":
        assert "socket:" not in report.read_text()
        assert int((tmp_path / "report.sid").read_text() or -1) != os.getsid(0)


def blocking(launchers: Callable[..., Path], tmp_path: Path) -> Path:
    """Make a launcher that is the browser itself, and writes its process id to a file. Return the file."""
    pid = tmp_path / "pid"
    launchers("blocking", f"echo $$ > {pid}.new; mv {pid}.new {pid}; exec sleep 60")
    return pid


def end(pid_file: Path) -> None:
    """Check that the browser is still running, and end it."""
    assert eventually(pid_file.exists)
    pid = int(pid_file.read_text())
    assert os.waitpid(pid, os.WNOHANG) == (0, 0)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def test_a_launcher_that_blocks_is_taken_for_the_browser(
    launchers: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = blocking(launchers, tmp_path)
    monkeypatch.setenv("BROWSER", "blocking")
    monkeypatch.setattr(browser, "LAUNCH_TIMEOUT", 0.1)
    assert open_it() is None
    end(pid)


def test_the_wait_for_a_blocking_launcher_ends_with_the_login(
    launchers: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = blocking(launchers, tmp_path)
    monkeypatch.setenv("BROWSER", "blocking")
    monkeypatch.setattr(browser, "LAUNCH_TIMEOUT", 60.0)
    stop = threading.Event()
    stop.set()
    # The limit of time for each test is the one for this wait.
    assert open_url(URL, stop) is None
    end(pid)
