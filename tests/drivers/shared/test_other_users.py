"""A process of another user sends the callback, with each driver. Clients and the tables of Linux are real."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import MemoryStore
from loginmachine.drivers.callback import peers

from ..callback.test_listeners import needs_ipv6
from ..conformance.drivers import DRIVERS, Play
from ..support import Browser, Progress, parse_reply
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..conftest import ScriptedProvider

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs Linux, and root to act as several users"
)
each_driver = pytest.mark.parametrize("driver", DRIVERS)

US, ANOTHER = 12345, 12346
REPORTED = ("validate_callback", "callback_from_other_user", False)
PROGRAM = """
import os, socket, sys
user, address, port, leaves = sys.argv[1:]
os.setgroups([])
os.setresgid(int(user), int(user), int(user))
os.setresuid(int(user), int(user), int(user))
client = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
client.connect((address, int(port)))
client.sendall(sys.stdin.buffer.read())
if leaves:
    sys.exit()
while data := client.recv(65536):
    sys.stdout.buffer.write(data)
"""


@pytest.fixture
def as_user(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Let the login believe that it belongs to another user than root."""

    def become(user: int) -> None:
        monkeypatch.setattr(os, "geteuid", lambda: user)
        monkeypatch.setattr(os, "getuid", lambda: user)

    return become


def sent_by(user: int, browser: Browser, *, address: str = "127.0.0.1", leaves: bool = False) -> str:
    """Send the callback as another user. Return the beginning of the response, empty if the client leaves."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM, str(user), address, str(browser.port), "leaves" * leaves],
        input=browser.request_bytes(browser.target()),
        stdout=subprocess.PIPE,
        timeout=20,
        check=True,
    )
    if leaves:
        return ""
    browser.note_redirect(parse_reply(done.stdout))
    return done.stdout[:12].decode()


def played(driver: str, options: Any, visit: Callable[[Browser], None]) -> tuple[Play, Progress]:
    """Run a login."""
    progress = Progress()
    play = Play(options, MemoryStore(), progress, lambda play: visit(Browser(play.auth_url)))
    DRIVERS[driver](play)
    return play, progress


@each_driver
@pytest.mark.parametrize(
    ("redirect_host", "address"),
    [
        ("127.0.0.1", "127.0.0.1"),
        pytest.param("127.0.0.1", "::ffff:127.0.0.1", marks=needs_ipv6),
        pytest.param("localhost", "::1", marks=needs_ipv6),
    ],
)
def test_another_users_callback_is_refused_and_the_login_continues(
    driver: str, redirect_host: str, address: str, provider: ScriptedProvider, as_user: Callable[[int], None]
) -> None:
    as_user(US)

    def visit(browser: Browser) -> None:
        for _ in range(2):
            assert sent_by(ANOTHER, browser, address=address) == "HTTP/1.1 403"
        assert provider.forms == []
        assert sent_by(US, browser, address=address) == "HTTP/1.1 302"
        browser.follow()

    play, progress = played(driver, provider.options(redirect_host=redirect_host), visit)
    assert play.credentials is not None
    assert progress.problems[0] == REPORTED
    assert progress.problems.count(REPORTED) == 1


@each_driver
def test_another_user_who_does_not_wait_for_the_response_is_refused(
    driver: str, provider: ScriptedProvider, as_user: Callable[[int], None]
) -> None:
    as_user(US)

    def visit(browser: Browser) -> None:
        for _ in range(5):
            sent_by(ANOTHER, browser, leaves=True)
        # The responses to these come later than the refusals.
        browser.request("/favicon.ico")
        assert provider.forms == []
        assert sent_by(US, browser) == "HTTP/1.1 302"
        browser.follow()

    play, progress = played(driver, provider.options(), visit)
    assert play.credentials is not None
    assert REPORTED in progress.problems


@each_driver
@pytest.mark.parametrize("user", [0, US])
def test_root_and_the_same_user_are_accepted(
    driver: str, user: int, provider: ScriptedProvider, as_user: Callable[[int], None]
) -> None:
    as_user(US)

    def visit(browser: Browser) -> None:
        assert sent_by(user, browser) == "HTTP/1.1 302"
        browser.follow()

    play, progress = played(driver, provider.options(), visit)
    assert play.credentials is not None
    assert REPORTED not in progress.problems


@each_driver
@pytest.mark.parametrize("reason", ["any user may", "we are root", "there are no tables", "the id is not mapped"])
def test_another_users_callback_is_accepted(
    driver: str,
    reason: str,
    provider: ScriptedProvider,
    as_user: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    as_user(0 if reason == "we are root" else US)
    user = ANOTHER
    if reason == "there are no tables":
        monkeypatch.setattr(peers, "PROC", "/nowhere")
    if reason == "the id is not mapped":
        user = 65534
        monkeypatch.setattr(peers, "_has_all_ids", lambda: False)

    def visit(browser: Browser) -> None:
        assert sent_by(user, browser) == "HTTP/1.1 302"
        browser.follow()

    play, _ = played(driver, provider.options(any_user=reason == "any user may"), visit)
    assert play.credentials is not None


@each_driver
def test_nothing_is_looked_up_for_requests_without_the_state(
    driver: str, provider: ScriptedProvider, as_user: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    as_user(US)
    real, looked_up = peers._is_of_other_user, []

    def look_up(connection: Any, client: Any) -> bool:
        looked_up.append(client)
        return real(connection, client)

    monkeypatch.setattr(peers, "_is_of_other_user", look_up)

    def visit(browser: Browser) -> None:
        for target in ("/favicon.ico", "/success", "/", browser.target("code=c&state=other")):
            browser.request(target)
        assert looked_up == []
        browser.finish()

    play, _ = played(driver, provider.options(), visit)
    assert play.credentials is not None
    assert len(looked_up) == 1
