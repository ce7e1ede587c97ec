"""The asyncio driver's times, with a clock that stands still until a test moves it: the real limits, and no waiting."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import LoginFailed, LoginTimedOut, MemoryStore
from loginmachine.drivers.asyncio import open_login

from ..scripted_server import OK, Peer, ScriptedServer
from ..support import PATIENCE, Browser, Progress, connect, eventually, free_port, read_to_end
from .clock import Clock, run
from .support import in_thread

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from ..conftest import ScriptedProvider


async def soon(is_so: Callable[[], bool]) -> None:
    """Wait in real time until a real server has done something."""
    assert await in_thread(lambda: eventually(is_so))


@contextlib.contextmanager
def tab(browser: Browser, data: bytes = b"") -> Any:
    """Return a client that has sent data and has read nothing yet."""
    with connect(browser.port) as client:
        client.sendall(data)
        yield client


def is_open(client: socket.socket) -> bool:
    """Return whether the connection is open and nothing was received."""
    client.setblocking(False)
    try:
        return client.recv(1) != b""
    except BlockingIOError:
        return True
    finally:
        client.settimeout(PATIENCE)


def test_the_deadline(provider: ScriptedProvider, progress: Progress) -> None:
    async def program(clock: Clock) -> None:
        async with open_login(provider.options(deadline=600.0), store=MemoryStore(), on_progress=progress) as login:
            # A wrong state, and a client that comes and goes, put nothing off.
            await in_thread(lambda: Browser(login.auth_url).callback("code=x&state=y"))
            await clock.jump(599.9)
            assert login.outcome is None
            await clock.jump(0.2)
            with pytest.raises(LoginTimedOut, match="no callback came within 600 seconds"):
                await login.wait()

    run(program)
    assert progress.problems[-1] == ("wait_for_callback", "login_timed_out", True)


@pytest.mark.parametrize("position", [0, 1])
def test_the_deadline_does_not_apply_to_the_exchanges(provider: ScriptedProvider, position: int) -> None:
    good = provider.answers[position]

    def held() -> Any:
        assert provider.released.wait(PATIENCE)
        return good()

    provider.answers[position] = held

    async def program(clock: Clock) -> None:
        async with open_login(provider.options(deadline=3.0), store=MemoryStore()) as login:
            browser = Browser(login.auth_url)
            with tab(browser, browser.callback_bytes()) as client:
                await soon(lambda: len(provider.forms) == position + 1)
                await clock.jump(9.0)
                provider.released.set()
                await login.wait()
                assert (await in_thread(lambda: browser.read(client))).status == 302
            await in_thread(browser.follow)

    run(program)


def test_the_deadline_does_not_apply_to_the_store(provider: ScriptedProvider, progress: Progress) -> None:
    released = threading.Event()

    class SlowStore(MemoryStore):
        def save(self, credentials: Any) -> None:
            assert released.wait(PATIENCE)
            super().save(credentials)

    async def program(clock: Clock) -> None:
        async with open_login(provider.options(), store=SlowStore(), on_progress=progress) as login:
            browser = Browser(login.auth_url)
            with tab(browser, browser.callback_bytes()) as client:
                await in_thread(lambda: progress.wait_for("saving_credentials"))
                await clock.jump(100_000.0)
                assert login.outcome is None
                assert is_open(client)
                released.set()
                await login.wait()
                await in_thread(lambda: browser.read(client))
            await in_thread(browser.follow)

    run(program)


@pytest.mark.parametrize("data", [b"", b"G", b"GET /auth/callback?code=x HTTP/1.1\r\nHost: 127"])
def test_a_whole_head_comes_within_5_seconds(provider: ScriptedProvider, data: bytes) -> None:
    async def program(clock: Clock) -> None:
        async with open_login(provider.options(), store=MemoryStore()) as login:
            browser = Browser(login.auth_url)
            with tab(browser, data) as client:
                await clock.jump(2.5)
                # More of it does not begin the time anew.
                client.sendall(data[-1:])
                await clock.jump(2.4)
                assert is_open(client)
                await clock.jump(0.2)
                assert await in_thread(lambda: read_to_end(client)) == b""
            await in_thread(browser.finish)
            await login.wait()

    run(program)


@pytest.mark.parametrize("comes_back", [False, True])
def test_the_listener_stays_for_2_seconds(provider: ScriptedProvider, *, comes_back: bool) -> None:
    left = asyncio.Event()

    async def host(browsers: list[Browser]) -> None:
        async with open_login(provider.options(), store=MemoryStore()) as login:
            browsers.append(Browser(login.auth_url))
            assert (await in_thread(browsers[0].callback)).status == 302
            await login.wait()
        left.set()

    async def program(clock: Clock) -> None:
        browsers: list[Browser] = []
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(host(browsers))
            await soon(lambda: len(provider.forms) == 2)
            await clock.jump(1.9)
            assert not left.is_set()
            if comes_back:
                assert (await in_thread(browsers[0].follow)).status == 200
            else:
                await clock.jump(0.2)
            await left.wait()
        with pytest.raises(ConnectionRefusedError):
            connect(browsers[0].port)

    run(program)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_a_dripped_token_response_takes_30_seconds_at_most(
    provider: ScriptedProvider, progress: Progress, start: bytes
) -> None:
    next_byte, sent, over = threading.Semaphore(0), threading.Semaphore(0), threading.Event()

    def drip(peer: Peer) -> None:
        peer.read_request()
        peer.send(start)
        peer.server.reached.set()
        while next_byte.acquire(timeout=PATIENCE) and not over.is_set():
            peer.send(b"x")
            sent.release()

    def more() -> bool:
        next_byte.release()
        return sent.acquire(timeout=PATIENCE)

    async def program(clock: Clock) -> None:
        own = provider.provider(token_endpoint=f"{server.url}/oauth/token")
        async with open_login(provider.options(provider=own), store=MemoryStore(), on_progress=progress) as login:
            browser = Browser(login.auth_url)
            with tab(browser, browser.callback_bytes()) as client:
                assert await in_thread(lambda: server.reached.wait(PATIENCE))
                for _ in range(3):
                    await clock.jump(9.9)
                    # Each byte comes long before a read would time out.
                    assert await in_thread(more)
                assert login.outcome is None
                await clock.jump(0.4)
                with pytest.raises(LoginFailed, match="no complete answer in time"):
                    await login.wait()
                assert (await in_thread(lambda: read_to_end(client))).startswith(b"HTTP/1.1 504 ")
        over.set()
        next_byte.release()

    with ScriptedServer(drip) as server:
        run(program)
    assert progress.problems == [("exchange_token", "token_exchange_timeout", True)]


def test_an_api_key_takes_10_seconds_at_most(provider: ScriptedProvider, progress: Progress) -> None:
    provider.answers[1] = provider.hang

    async def program(clock: Clock) -> None:
        async with open_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
            browser = Browser(login.auth_url)
            with tab(browser, browser.callback_bytes()) as client:
                await soon(lambda: len(provider.forms) == 2)
                await clock.jump(9.9)
                assert login.outcome is None
                await clock.jump(0.2)
                assert (await login.wait()).api_key is None
                await in_thread(lambda: browser.read(client))
            await in_thread(browser.follow)

    run(program)
    assert "api_key_unavailable" in progress.names


def test_a_port_is_tried_every_200_milliseconds(provider: ScriptedProvider, progress: Progress) -> None:
    def stubborn(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK % (15, b"Login cancelled"))

    port = free_port()

    async def program(clock: Clock) -> None:
        async def host() -> None:
            own = provider.provider(port=port, fallback_port=free_port())
            async with open_login(provider.options(provider=own), store=MemoryStore(), on_progress=progress):
                pass

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(host())
            await soon(lambda: holder.accepted == 1)
            for attempt in range(1, 10):
                await clock.jump(0.15)
                assert progress.names.count("binding") == attempt
                await clock.jump(0.1)

    with ScriptedServer(stubborn, port=port) as holder:
        run(program)
        assert holder.accepted == 1
    assert progress.names.count("binding") == 11
