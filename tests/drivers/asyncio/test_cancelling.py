"""Cancellation of a login in asyncio from outside: at every step, by a time limit, too late, twice."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import LoginCancelled, LoginSuccess, MemoryStore, asyncio_open_login
from loginmachine.drivers.asyncio import callback_server, sockets
from loginmachine.drivers.asyncio.callback_server import CallbackServer
from loginmachine.drivers.callback.listeners import open_listeners, port_of
from loginmachine.sansio.login import state

from ..replies import reply
from ..scripted_server import Peer, ScriptedServer
from ..support import PATIENCE, TOKENS, Browser, Progress, connect
from .support import CountingLoop, ask, finish, in_thread, is_free, run, until

if TYPE_CHECKING:
    import socket

    from loginmachine import AsyncioLogin, Credentials, LoginOptions

    from ..conftest import ScriptedProvider


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for a browser that never asks for the last page."""
    monkeypatch.setattr(state, "LINGER", 0.05)


class Attempt:
    """One login that is cancelled at a step, with its browser in another task."""

    def __init__(self, options: LoginOptions) -> None:
        self._options = options
        self.store = MemoryStore()
        self.progress = Progress()
        self.login: AsyncioLogin | None = None
        self.credentials: Credentials | None = None
        self.was_cancelled = False

    async def play(self, step: int) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, CountingLoop)
        async with asyncio.TaskGroup() as tasks:
            host = tasks.create_task(self._sign_in(tasks))
            loop.before(step, host.cancel)
            await asyncio.wait((host,))
            loop.before(0, host.cancel)
        self.was_cancelled = host.cancelled()
        assert self.login is None or is_free(self.login.port)

    async def _sign_in(self, tasks: asyncio.TaskGroup) -> None:
        async with asyncio_open_login(self._options, store=self.store, on_progress=self.progress) as self.login:
            tasks.create_task(finish(Browser(self.login.auth_url)))
            self.credentials = await self.login.wait()

    def judge(self) -> None:
        names = self.progress.names
        ends = [name for name in names if name in ("succeeded", "cancelled")]
        assert len(ends) == (1 if names else 0)
        assert ("succeeded" in ends) == (self.store.credentials is not None)
        assert self.was_cancelled or self.credentials is not None
        if self.login is not None:
            assert isinstance(self.login.outcome, LoginSuccess) == ("succeeded" in ends)
            assert self.credentials in (None, self.store.credentials)


def test_cancelled_at_every_step(provider: ScriptedProvider) -> None:
    provider.answers = [reply(TOKENS)] * 10_000
    options = provider.options()
    seen: set[tuple[str, ...]] = set()

    async def program() -> None:
        step = 0
        while True:
            step += 1
            attempt = Attempt(options)
            await attempt.play(step)
            attempt.judge()
            seen.add(tuple(attempt.progress.names))
            if not attempt.was_cancelled:
                return
            assert step < 2000

    run(program, loop_factory=CountingLoop)
    # It was everywhere.
    assert {names[-2:] for names in seen if names} >= {
        ("listening", "cancelled"),
        ("exchanging_code", "cancelled"),
        ("exchanging_api_key", "cancelled"),
        ("saving_credentials", "succeeded"),
    }


@pytest.mark.parametrize("position", [0, 1])
def test_an_outer_time_limit(provider: ScriptedProvider, progress: Progress, position: int) -> None:
    # Shorter than it is while waiting for the browser; in the second round while waiting for the token endpoint.
    provider.answers[0] = provider.hang

    logins: list[AsyncioLogin] = []

    async def host(tasks: asyncio.TaskGroup) -> None:
        async with (
            asyncio.timeout(0.05 if position == 0 else PATIENCE) as limit,
            asyncio_open_login(provider.options(), store=MemoryStore(), on_progress=progress) as login,
        ):
            logins.append(login)
            if position == 1:
                tasks.create_task(in_thread(Browser(login.auth_url).callback))
                assert await in_thread(lambda: provider.asked.wait(PATIENCE))
                limit.reschedule(0)
            await login.wait()

    async def program() -> None:
        async with asyncio.TaskGroup() as tasks:
            with pytest.raises(TimeoutError):
                await host(tasks)
        (login,) = logins
        assert is_free(login.port)
        with pytest.raises(LoginCancelled, match="the program left before the sign-in was over") as caught:
            await login.wait()
        assert caught.value.step == ("wait_for_callback", "exchange_token")[position]

    run(program)
    assert progress.names[-1] == "cancelled"


@pytest.mark.usefixtures("impatient")
def test_a_cancellation_after_the_success_does_not_lose_it(provider: ScriptedProvider) -> None:
    store = MemoryStore()

    async def host() -> None:
        async with asyncio_open_login(provider.options(), store=store) as login:
            browser = Browser(login.auth_url)
            await ask(browser, browser.target())
            assert await login.wait() is store.credentials
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await ask(browser, browser.last_page)

    async def program() -> None:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(host())
        assert store.credentials is not None

    run(program)


@pytest.mark.usefixtures("impatient")
def test_a_second_cancellation_while_the_block_is_left(provider: ScriptedProvider, progress: Progress) -> None:
    # The page is never asked for, so that the listener stays until its time is over.
    logins: list[AsyncioLogin] = []

    async def host() -> None:
        async with asyncio_open_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
            logins.append(login)
            browser = Browser(login.auth_url)
            await ask(browser, browser.target())
            await login.wait()

    async def program() -> None:
        task = asyncio.create_task(host())
        await until(lambda: "succeeded" in progress.names)
        for _ in range(3):
            task.cancel()
            await asyncio.sleep(0)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert is_free(logins[0].port)

    run(program)


@pytest.mark.parametrize("error", [KeyError("mine"), None])
def test_a_cancellation_while_an_exception_leaves_the_block(provider: ScriptedProvider, error: KeyError | None) -> None:
    """The exception is raised, and the cancellation is not forgotten."""

    async def host() -> None:
        task = asyncio.current_task()
        assert task is not None
        with contextlib.suppress(KeyError):
            async with asyncio_open_login(provider.options(), store=MemoryStore()):
                asyncio.get_running_loop().call_soon(task.cancel)
                if error is not None:
                    raise error
        assert error is not None
        assert task.cancelling() == 1
        await asyncio.sleep(PATIENCE)
        pytest.fail("the cancellation was forgotten")

    async def program() -> None:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(host())

    run(program)


@pytest.mark.parametrize("work", ["a save", "the browser"])
@pytest.mark.usefixtures("impatient")
def test_the_end_of_the_event_loop(provider: ScriptedProvider, progress: Progress, work: str) -> None:
    """`asyncio.run` cancels all tasks at its end, those of a login that another task has entered among them."""
    store, tasks = MemoryStore(), set[asyncio.Task[None]]()
    logins: list[AsyncioLogin] = []

    def observe(phase: object) -> None:
        progress(phase)  # type: ignore[arg-type]
        if progress.names[-1] == reached:
            done.set()

    async def host() -> None:
        async with asyncio_open_login(provider.options(), store=store, on_progress=observe) as login:
            logins.append(login)
            tasks.add(asyncio.create_task(finish(Browser(login.auth_url))))
            await login.wait()

    async def main() -> None:
        tasks.add(asyncio.create_task(host()))
        await done.wait()

    done, reached = asyncio.Event(), "saving_credentials" if work == "a save" else "listening"
    asyncio.run(main())
    assert is_free(logins[0].port)
    assert (store.credentials is not None) == (work == "a save")
    assert ("succeeded" if work == "a save" else "cancelled") in progress.names


def test_a_cancellation_during_a_tls_handshake_closes_the_connection(provider: ScriptedProvider) -> None:
    """httpcore does not do that."""
    left = threading.Event()

    def silent(peer: Peer) -> None:
        peer.server.reached.set()
        peer.wait_for_end()
        left.set()

    async def host(options: LoginOptions, tasks: asyncio.TaskGroup) -> None:
        async with asyncio_open_login(options, store=MemoryStore()) as login:
            browser = Browser(login.auth_url)
            tasks.create_task(ask(browser, browser.target()))
            await login.wait()

    async def program() -> None:
        endpoint = provider.provider(token_endpoint=f"https://127.0.0.1:{server.port}/oauth/token")
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(host(provider.options(provider=endpoint), tasks))
            assert await in_thread(lambda: server.reached.wait(PATIENCE))
            task.cancel()

    with ScriptedServer(silent) as server:
        run(program)
        assert left.wait(PATIENCE)


def test_a_login_that_is_never_left(provider: ScriptedProvider, progress: Progress) -> None:
    """As in a notebook, where a login is entered in one cell and used in the next."""
    logins: list[Any] = []

    async def main() -> None:
        login = asyncio_open_login(provider.options(), store=MemoryStore(), on_progress=progress)
        logins.append(await login.__aenter__())

    asyncio.run(main())
    assert is_free(logins[0].port)
    assert progress.names[-1] == "cancelled"


def test_a_connection_that_comes_in_the_moment_of_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def program() -> None:
        listeners, posted = open_listeners(0, "127.0.0.1"), list[object]()
        assert isinstance(listeners, list)
        port, server = port_of(listeners), CallbackServer(listeners, posted.append, lambda _: False)
        accept = sockets.accept

        async def accept_and_close(listener: socket.socket) -> object:
            accepted = await accept(listener)
            server.close()
            return accepted

        monkeypatch.setattr(callback_server, "accept", accept_and_close)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve())
            with await in_thread(lambda: connect(port)) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                # No answer will come any more.
                with contextlib.suppress(ConnectionResetError):
                    assert await in_thread(lambda: client.recv(1)) == b""
        assert posted == []

    run(program)


def test_a_server_that_is_closed_before_it_has_begun() -> None:
    async def program() -> None:
        listeners = open_listeners(0, "127.0.0.1")
        assert isinstance(listeners, list)
        port = port_of(listeners)
        server = CallbackServer(listeners, lambda _: None, lambda _: False)
        server.close()
        assert is_free(port)

    run(program)
