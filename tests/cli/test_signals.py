"""Signals at every stage of `loginmachine login`: exit codes, and what is stored."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import CODE, REFRESH, Command, browse, callback_url, environment, login, run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .conftest import ScriptedProvider

fcntl = pytest.importorskip("fcntl", reason="this system has other signals")

DRIVERS = ("threaded", "trio", "asyncio")
both_drivers = pytest.mark.parametrize("driver", DRIVERS)
EARLY = """
import os, signal, sys, time

class AtImport:
    # Sends the signals when a module is about to be imported.
    def find_spec(self, name, path=None, target=None):
        if name == stage:
            sys.meta_path.remove(self)
            if not os.fork():
                # From another process, so that more signals arrive while the first is being handled.
                time.sleep(0.05)
                for _ in range(times):
                    os.kill(os.getppid(), signal.SIGINT)
                    time.sleep(0.002)
                os._exit(0)
            time.sleep(20)

stage, times = sys.argv[1], int(sys.argv[2])
sys.argv[1:] = sys.argv[3:]
sys.meta_path.insert(0, AtImport())
from loginmachine.cli import main
sys.exit(main())
"""


def interrupt(command: Command, times: int, number: signal.Signals = signal.SIGINT) -> None:
    for _ in range(times):
        command.process.send_signal(number)


def assert_nothing_is_left(home: Path) -> None:
    """Check that there are neither credentials nor temporary files."""
    # (That of `login --wait` is named after what is wanted.)
    names = {path.name for path in home.iterdir() if not path.name.startswith("login-")}
    assert names <= {"log", "auth.lock", "auth.json.lock"}


def assert_cancelled(command: Command, code: int) -> None:
    returned, err = command.end()
    assert (returned, command.events[-1]["outcome"]) == (code, "cancelled")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("stage", "driver", "times"),
    [
        ("loginmachine.cli.arguments", "threaded", 1),
        ("loginmachine.cli.arguments", "threaded", 50),
        ("transitions", "threaded", 2),
        ("trio", "trio", 1),
        ("loginmachine.drivers.trio.owner", "trio", 50),
        ("asyncio", "asyncio", 2),
        ("loginmachine.drivers.asyncio.owner", "asyncio", 50),
    ],
)
def test_interrupts_before_the_login_starts(tmp_path: Path, stage: str, driver: str, times: int) -> None:
    command = [sys.executable, "-c", EARLY, stage, str(times), "login", "--no-browser", "--port", "0", "--json"]
    done = subprocess.run(
        [*command, "--driver", driver, "--home", str(tmp_path / "home")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=environment(),
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
    assert not (tmp_path / "home" / "auth.json").exists()


@pytest.mark.parametrize(("driver", "times"), [("threaded", 50), ("trio", 2), ("asyncio", 2)])
def test_interrupts_while_the_previous_login_is_cancelled(
    provider: ScriptedProvider, tmp_path: Path, driver: str, times: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(10)
        arguments = ["login", "--no-browser", "--json", "--port", str(silent.getsockname()[1]), "--driver", driver]
        # The connection stays open until the end, so that the signal arrives first.
        with (
            run(*arguments, "--home", str(tmp_path), "--provider", "codex", "--issuer", provider.issuer) as command,
            silent.accept()[0],
        ):
            interrupt(command, times)
            assert_cancelled(command, 130)
    assert_nothing_is_left(tmp_path)


@both_drivers
def test_fifty_interrupts_while_waiting(provider: ScriptedProvider, tmp_path: Path, driver: str) -> None:
    with login(tmp_path, provider.issuer, "--driver", driver) as command:
        url = command.event("listening")["url"]
        interrupt(command, 50)
        assert_cancelled(command, 130)
    assert_nothing_is_left(tmp_path)
    # The port is free.
    socket.create_server(("127.0.0.1", int(callback_url(url).split(":")[2].split("/")[0]))).close()


@both_drivers
@pytest.mark.parametrize(
    ("number", "times", "code"),
    [(signal.SIGINT, 50, 130), (signal.SIGTERM, 2, 143)],
)
def test_signals_while_the_code_is_exchanged(  # noqa: PLR0913, PLR0917
    provider: ScriptedProvider, tmp_path: Path, driver: str, number: signal.Signals, times: int, code: int
) -> None:
    (tmp_path / "auth.json").write_text(before := '{"OPENAI_API_KEY": "old"}')
    provider.answers = [(0, {})]
    with login(tmp_path, provider.issuer, "--driver", driver) as command:
        pages, tab = browsing(callback_url(command.event("listening")["url"], code=CODE))
        assert provider.asked.wait(20)
        interrupt(command, times, number)
        assert_cancelled(command, code)
        tab.join()
        provider.released.set()
    assert [status for status, _ in pages] == [410]
    assert (tmp_path / "auth.json").read_text() == before
    assert len(provider.forms) == 1
    (tmp_path / "auth.json").unlink()
    assert_nothing_is_left(tmp_path)


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    """Holds the lock of the credentials, as another program would, so that saving waits."""
    descriptor = os.open(tmp_path / "auth.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield descriptor
    os.close(descriptor)


@both_drivers
@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 50), (signal.SIGTERM, 1)])
def test_signals_while_the_credentials_are_stored(  # noqa: PLR0913, PLR0917
    provider: ScriptedProvider, tmp_path: Path, driver: str, number: signal.Signals, times: int, lock: int
) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, "--driver", driver) as command:
        pages, tab = browsing(callback_url(command.event("listening")["url"], code=CODE))
        while command.event("progress")["phase"] != "saving_credentials":
            pass
        interrupt(command, times, number)
        # It is too late to cancel: the login is completed.
        fcntl.flock(lock, fcntl.LOCK_UN)
        tab.join()
        code, err = command.end()
    assert (code, command.events[-1]["outcome"]) == (0, "succeeded")
    assert "Traceback" not in err
    assert [status for status, _ in pages] == [200]
    assert json.loads((tmp_path / "auth.json").read_text())["tokens"]["refresh_token"] == REFRESH


@both_drivers
def test_suspend_and_resume(provider: ScriptedProvider, tmp_path: Path, driver: str) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, "--driver", driver) as command:
        url = callback_url(command.event("listening")["url"], code=CODE)
        interrupt(command, 1, signal.SIGSTOP)
        # Meanwhile the browser sends the callback.
        pages, tab = browsing(url)
        with pytest.raises(subprocess.TimeoutExpired):
            command.process.wait(0.1)
        assert not pages
        interrupt(command, 1, signal.SIGCONT)
        tab.join()
        code, err = command.end()
    assert ([status for status, _ in pages], code) == ([200], 0)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("closed", "driver"), [(">&-", "trio"), ("<&- >&- 2>&-", "threaded"), (">/dev/full 2>/dev/full", "trio")]
)
def test_login_with_closed_streams(provider: ScriptedProvider, tmp_path: Path, driver: str, closed: str) -> None:
    provider.will_sign_in()
    launcher, seen = tmp_path / "launcher", tmp_path / "seen"
    os.mkfifo(seen)
    launcher.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {seen}\n')
    launcher.chmod(0o755)
    arguments = [
        "login",
        "--json",
        "--port",
        "0",
        "--home",
        str(tmp_path / "home"),
        "--provider",
        "codex",
        "--issuer",
        provider.issuer,
    ]
    shell = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "loginmachine", *arguments]
    with subprocess.Popen([*shell, "--driver", driver], env=environment(BROWSER=str(launcher))) as process:
        # Only the launched browser gets the URL.
        assert browse(callback_url(seen.read_text(), code=CODE))[0] == 200
        assert process.wait(20) == 0
    assert json.loads((tmp_path / "home" / "auth.json").read_text())["tokens"]["refresh_token"] == REFRESH


def browsing(url: str) -> tuple[list[tuple[int, str]], threading.Thread]:
    """Open a URL in a thread, and return the list of pages it will show."""
    pages: list[Any] = []
    tab = threading.Thread(target=lambda: pages.append(browse(url)))
    tab.start()
    return pages, tab
