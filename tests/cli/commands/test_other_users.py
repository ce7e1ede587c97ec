"""``login`` when a program of another user sends the callback, and when a browser insists on https."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from ..conftest import CODE, Command, browse, callback_url, environment, login

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..conftest import ScriptedProvider

US, ANOTHER = 12345, 12346
AS_USER = (
    *("setpriv", f"--reuid={US}", f"--regid={US}", "--clear-groups"),
    # To read Python and this package, wherever they are.
    *("--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"),
)
CLIENT = """
import os, sys, urllib.error, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
user = int(sys.argv[1])
import encodings.idna, http.client
os.setgroups([])
os.setresgid(user, user, user)
os.setresuid(user, user, user)
try:
    print(opener.open(sys.stdin.read(), timeout=20).status)
except urllib.error.HTTPError as error:
    print(error.code)
    sys.stdout.flush()
    sys.stdout.buffer.write(error.read())
"""
NOTE = "Note: A program of another user tried to finish this sign-in. It was refused."


def opened_by(user: int, url: str) -> tuple[int, str]:
    """Open a URL as a user, and return the status, and the page if it is an error's."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", CLIENT, str(user)],
        input=url,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    status, _, page = done.stdout.partition("\n")
    return int(status), page


def can_be_another_user() -> bool:
    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("setpriv") is None:
        return False
    return subprocess.run([*AS_USER, "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture
def home() -> Iterator[Path]:
    """Return a folder that another user can reach. (Those of pytest are root's.)"""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.skipif(not can_be_another_user(), reason="needs Linux, setpriv, and root to act as several users")
@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
@pytest.mark.parametrize("any_user", [False, True])
def test_another_users_callback(provider: ScriptedProvider, home: Path, driver: str, *, any_user: bool) -> None:
    provider.will_sign_in()
    os.chown(home, US, US)
    arguments = [
        "login",
        "--json",
        "--no-browser",
        "--port",
        "0",
        "--home",
        str(home),
        "--provider",
        "codex",
        "--issuer",
        provider.issuer,
    ]
    arguments += ["--driver", driver, *(["--any-user"] if any_user else [])]
    with subprocess.Popen(
        [*AS_USER, sys.executable, "-m", "loginmachine", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as process:
        command = Command(process)
        url = callback_url(command.event("listening")["url"], code=CODE)
        if not any_user:
            for _ in range(2):
                status, page = opened_by(ANOTHER, url)
                assert status == 403
                assert "--any-user" in page
            problem = command.event("problem")
            assert (problem["category"], problem["fatal"]) == ("callback_from_other_user", False)
        assert opened_by(ANOTHER if any_user else US, url)[0] == 200
        code, err = command.end()
    assert code == 0
    log = (home / "log" / "codex-login.log").read_text()
    assert err.count(NOTE) == log.count('category="callback_from_other_user"') == int(not any_user)
    assert CODE not in err + log


@pytest.mark.parametrize("driver", ["threaded", "trio", "asyncio"])
def test_a_browser_that_insists_on_https(provider: ScriptedProvider, tmp_path: Path, driver: str) -> None:
    provider.will_sign_in()
    with login(tmp_path, provider.issuer, "--driver", driver) as command:
        url = callback_url(command.event("listening")["url"], code=CODE)
        port = urlsplit(url).port
        assert port is not None
        for _ in range(3):
            with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
                client.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
                assert client.recv(12) == b"HTTP/1.1 400"
        assert browse(url)[0] == 200
        code, err = command.end()
    assert code == 0
    reported = [event for event in command.events if event.get("phase") == "https_refused"]
    assert len(reported) == 1
    assert err.count(reported[0]["text"]) == 1
    assert (tmp_path / "log" / "codex-login.log").read_text().count("https_refused") == 1
