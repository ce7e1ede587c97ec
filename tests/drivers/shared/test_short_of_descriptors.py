"""A system that cannot accept a connection or open a file just now, with each driver: the login goes on."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import trio

from loginmachine import MemoryStore
from loginmachine.drivers.asyncio import callback_server as asyncio_server
from loginmachine.drivers.threaded import callback_server as threaded_server
from loginmachine.drivers.trio import callback_server as trio_server

from ..conformance.drivers import DRIVERS, Play
from ..support import PATIENCE, Browser, Progress, connect
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all

if TYPE_CHECKING:
    from ..conftest import ScriptedProvider

TROUBLES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED, errno.EPROTO, errno.EPERM)


@pytest.mark.parametrize("number", TROUBLES)
@pytest.mark.parametrize("driver", ["threads", "trio", "asyncio"])
def test_the_login_continues_when_accepting_fails(
    driver: str, number: int, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures, moments = [OSError(number, os.strerror(number))] * 3, []
    of_threads, of_trio = socket.socket.accept, trio._socket._SocketType.accept

    def accept(listener: socket.socket) -> Any:
        if failures:
            moments.append(time.monotonic())
            raise failures.pop()
        return of_threads(listener)

    async def accept_in_trio(listener: Any) -> Any:
        if failures:
            moments.append(time.monotonic())
            await trio.lowlevel.wait_readable(listener)
            raise failures.pop()
        return await of_trio(listener)

    for module in (threaded_server, trio_server, asyncio_server):
        monkeypatch.setattr(module, "ACCEPT_RETRY_DELAY", 0.01)

    def visit(play: Play) -> None:
        Browser(play.auth_url).finish()

    play = Play(provider.options(), MemoryStore(), Progress(), visit)
    if driver != "trio":
        monkeypatch.setattr(socket.socket, "accept", accept)
    else:
        monkeypatch.setattr("trio._socket._SocketType.accept", accept_in_trio)
    DRIVERS[driver](play)
    assert play.credentials is not None
    assert failures == []
    # Without room there is a pause, in which room may be made.
    if number in TROUBLES[:4]:
        assert min(later - earlier for earlier, later in pairwise(moments)) >= 0.01


@pytest.mark.parametrize("driver", ["threads", "trio", "asyncio"])
def test_the_login_continues_when_preloading_fails(
    driver: str, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_failed = threading.Event()

    class Short:
        """Fails once to find the first module that the drivers load beforehand."""

        @staticmethod
        def find_spec(name: str, _path: object = None, _target: object = None) -> None:
            if name == "hmac" and not has_failed.is_set():
                has_failed.set()
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    def visit(play: Play) -> None:
        assert has_failed.wait(PATIENCE)
        Browser(play.auth_url).finish()

    monkeypatch.delitem(sys.modules, "hmac", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Short, *sys.meta_path])
    play = Play(provider.options(), MemoryStore(), Progress(), visit)
    DRIVERS[driver](play)
    assert play.credentials is not None


# A process in which all descriptors are taken

PROGRAM = """
import asyncio, os, resource, sys, threading
import trio
from loginmachine import LoginFailed, LoginOptions, MemoryStore, Provider, asyncio_open_login, open_login, start_login

driver, issuer, moment, left = sys.argv[1:]
held = []
limits = resource.getrlimit(resource.RLIMIT_NOFILE)

def take():
    if left == "limit 0":
        # Nothing can be opened, and nothing can be polled.
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
        return
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, limits[1]))
    while True:
        try:
            held.append(os.dup(0))
        except OSError:
            break
    for _ in range(int(left)):
        os.close(held.pop())

def give_back():
    while held:
        os.close(held.pop())
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)

def wait_for_word():
    sys.stdin.readline()
    give_back()

def on_progress(phase):
    if phase.name == moment:
        take()
    if phase.name == "listening":
        print(phase.url, flush=True)
        threading.Thread(target=wait_for_word).start()

async def in_loop(sign_in):
    async with sign_in(options, store=MemoryStore(), on_progress=on_progress) as login:
        await login.wait()

provider = Provider.codex(issuer=issuer).__replace__(port=0, fallback_port=None)
options = LoginOptions(provider=provider, open_browser=False, deadline=20.0)
try:
    if driver == "trio":
        trio.run(in_loop, open_login)
    elif driver == "asyncio":
        asyncio.run(in_loop(asyncio_open_login))
    else:
        with start_login(options, store=MemoryStore(), on_progress=on_progress) as login:
            login.wait()
except* LoginFailed as failed:
    give_back()
    print(failed.exceptions[0].category)
else:
    print("signed in")
"""


def played(driver: str, issuer: str, moment: str, left: str) -> str:
    """Sign in with the program, and return how it ended. Its descriptors are free again when the callback has come."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, driver, issuer, moment, left],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        first = program.stdout.readline().strip()
        if first.startswith("http"):
            browser = Browser(first)
            with connect(browser.port) as client:
                client.sendall(browser.callback_bytes())
                program.stdin.write("give back\n")
                program.stdin.flush()
                assert browser.read(client).status == 302
            browser.follow()
            first = program.stdout.readline().strip()
        program.stdin.close()
    assert program.returncode == 0
    return first


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no limits on descriptors")
@pytest.mark.parametrize("driver", ["threads", "trio", "asyncio"])
@pytest.mark.parametrize("left", ["0", "limit 0"])
def test_no_descriptor_is_left_while_the_login_listens(driver: str, left: str, provider: ScriptedProvider) -> None:
    assert played(driver, provider.url, "listening", left) == "signed in"


@pytest.mark.skipif(sys.platform == "win32", reason="this system has no limits on descriptors")
@pytest.mark.parametrize(
    ("driver", "left", "end"),
    [
        ("threads", "0", "local_server_unavailable"),
        ("threads", "1", "local_server_unavailable"),
        # The listener, and the pair of sockets that ends the thread.
        ("threads", "3", "signed in"),
        ("trio", "0", "local_server_unavailable"),
        ("trio", "1", "signed in"),
        ("asyncio", "0", "local_server_unavailable"),
        ("asyncio", "1", "signed in"),
    ],
)
def test_no_descriptor_is_left_after_the_port_is_open(
    driver: str, left: str, end: str, provider: ScriptedProvider
) -> None:
    assert played(driver, provider.url, "binding", left) == end
