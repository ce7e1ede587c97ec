"""Signals at every stage of `loginmachine login`: the right exit code, nothing left behind, nothing half done."""

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

DRIVERS = ("threaded", "trio")
both_drivers = pytest.mark.parametrize("driver", DRIVERS)
EARLY = """
import os, signal, sys, time

class AtImport:
    # Sends the signals when a module is about to be imported.
    def find_spec(self, name, path=None, target=None):
        if name == stage:
            sys.meta_path.remove(self)
            if not os.fork():
                # From outside, when the fork is over: more of them come while the first is being dealt with.
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


def nothing_is_left(home: Path) -> None:
    """Neither credentials nor a temporary file."""
    assert {path.name for path in home.iterdir()} <= {"log", "auth.lock", "auth.json.lock"}


def cancelled(command: Command, code: int) -> None:
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
    ],
)
def test_before_it_begins(tmp_path: Path, stage: str, driver: str, times: int) -> None:
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


@pytest.mark.parametrize(("driver", "times"), [("threaded", 50), ("trio", 2)])
def test_while_the_holder_of_the_port_is_asked(
    provider: ScriptedProvider, tmp_path: Path, driver: str, times: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(10)
        arguments = ["login", "--no-browser", "--json", "--port", str(silent.getsockname()[1]), "--driver", driver]
        # (Held until the end: that it goes could otherwise be heard of before the signal.)
        with (
            run(*arguments, "--home", str(tmp_path), "--issuer", provider.issuer) as command,
            silent.accept()[0],
        ):
            interrupt(command, times)
            cancelled(command, 130)
    nothing_is_left(tmp_path)


@both_drivers
def test_fifty_while_waiting(provider: ScriptedProvider, tmp_path: Path, driver: str) -> None:
    with login(tmp_path, provider.issuer, "--driver", driver) as command:
        url = command.event("listening")["url"]
        interrupt(command, 50)
        cancelled(command, 130)
    nothing_is_left(tmp_path)
    # The port is free.
    socket.create_server(("127.0.0.1", int(callback_url(url).split(":")[2].split("/")[0]))).close()


@both_drivers
@pytest.mark.parametrize(
    ("number", "times", "code"),
    [(signal.SIGINT, 50, 130), (signal.SIGTERM, 2, 143)],
)
def test_while_the_code_is_exchanged(  # noqa: PLR0913, PLR0917
    provider: ScriptedProvider, tmp_path: Path, driver: str, number: signal.Signals, times: int, code: int
) -> None:
    (tmp_path / "auth.json").write_text(before := '{"OPENAI_API_KEY": "old"}')
    provider.answers = [(0, {})]
    with login(tmp_path, provider.issuer, "--driver", driver) as command:
        pages, tab = browsing(callback_url(command.event("listening")["url"], code=CODE))
        assert provider.asked.wait(20)
        interrupt(command, times, number)
        cancelled(command, code)
        tab.join()
        provider.released.set()
    assert [status for status, _ in pages] == [410]
    assert (tmp_path / "auth.json").read_text() == before
    assert len(provider.forms) == 1
    (tmp_path / "auth.json").unlink()
    nothing_is_left(tmp_path)


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[int]:
    """Another program has the credentials' lock: a save waits."""
    descriptor = os.open(tmp_path / "auth.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    yield descriptor
    os.close(descriptor)


@both_drivers
@pytest.mark.parametrize(("number", "times"), [(signal.SIGINT, 50), (signal.SIGTERM, 1)])
def test_while_the_credentials_are_stored(  # noqa: PLR0913, PLR0917
    provider: ScriptedProvider, tmp_path: Path, driver: str, number: signal.Signals, times: int, lock: int
) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, "--driver", driver) as command:
        pages, tab = browsing(callback_url(command.event("listening")["url"], code=CODE))
        while command.event("progress")["phase"] != "saving_credentials":
            pass
        interrupt(command, times, number)
        # Too late: it is completed.
        fcntl.flock(lock, fcntl.LOCK_UN)
        tab.join()
        code, err = command.end()
    assert (code, command.events[-1]["outcome"]) == (0, "succeeded")
    assert "Traceback" not in err
    assert [status for status, _ in pages] == [200]
    assert json.loads((tmp_path / "auth.json").read_text())["tokens"]["refresh_token"] == REFRESH


@both_drivers
def test_suspended_and_resumed(provider: ScriptedProvider, tmp_path: Path, driver: str) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, "--driver", driver) as command:
        url = callback_url(command.event("listening")["url"], code=CODE)
        interrupt(command, 1, signal.SIGSTOP)
        # Meanwhile the person goes on.
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
def test_without_its_streams(provider: ScriptedProvider, tmp_path: Path, driver: str, closed: str) -> None:
    provider.will_sign_in()
    launcher, seen = tmp_path / "launcher", tmp_path / "seen"
    os.mkfifo(seen)
    launcher.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {seen}\n')
    launcher.chmod(0o755)
    arguments = ["login", "--json", "--port", "0", "--home", str(tmp_path / "home"), "--issuer", provider.issuer]
    shell = ["/bin/sh", "-c", f'exec "$@" {closed}', "sh", sys.executable, "-m", "loginmachine", *arguments]
    with subprocess.Popen([*shell, "--driver", driver], env=environment(BROWSER=str(launcher))) as process:
        # The launched browser is the only one who hears of the URL.
        assert browse(callback_url(seen.read_text(), code=CODE))[0] == 200
        assert process.wait(20) == 0
    assert json.loads((tmp_path / "home" / "auth.json").read_text())["tokens"]["refresh_token"] == REFRESH


def browsing(url: str) -> tuple[list[tuple[int, str]], threading.Thread]:
    """The person, in a tab of their own: what they see, and when they have seen it."""
    pages: list[Any] = []
    tab = threading.Thread(target=lambda: pages.append(browse(url)))
    tab.start()
    return pages, tab
