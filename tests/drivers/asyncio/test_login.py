"""Tests for the asyncio driver alone: exceptions, tasks that wait together, and each kind of event loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import LoginCancelled, LoginFailed, LoginMachine, MemoryStore, asyncio_open_login
from loginmachine.sansio.login import state

from ..conftest import ScriptedProvider
from ..replies import reply
from ..scripted_server import OK, Peer, ScriptedServer
from ..support import API_KEY, CODE, PATIENCE, TOKENS, Browser, Progress, eventually, free_port
from .support import ask, debug_loop, eager_loop, finish, is_free, run, uvloop_loop

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine import AsyncioLogin, Credentials
    from loginmachine.sansio.login.progress import LoginPhase

    from ..conftest import ScriptedProvider as Provider

    LoopFactory = Callable[[], asyncio.AbstractEventLoop]

INTERRUPTS = pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])


# Exceptions


@pytest.mark.parametrize("mine", [KeyError("mine"), ExceptionGroup("mine", [KeyError("one"), ValueError("two")])])
def test_an_exception_in_the_block_is_not_wrapped(provider: Provider, progress: Progress, mine: Exception) -> None:
    async def program() -> None:
        async with asyncio_open_login(provider.options(), store=MemoryStore(), on_progress=progress):
            raise mine

    with pytest.raises(type(mine)) as caught:
        run(program)
    assert caught.value is mine
    assert caught.value.__context__ is None
    assert progress.names[-1] == "cancelled"


def test_a_failed_login_is_not_wrapped(provider: Provider) -> None:
    async def program() -> None:
        async with asyncio_open_login(provider.options(), store=MemoryStore()) as login:
            login.cancel("enough")
            await login.wait()

    with pytest.raises(LoginCancelled, match="enough"):
        run(program)


@INTERRUPTS
@pytest.mark.parametrize("when", ["binding", "listening", "callback_received", "saving_credentials", "succeeded"])
def test_an_interrupt_in_an_observer(provider: Provider, when: str, kind: type[BaseException]) -> None:
    ports: list[int] = []

    def observer(phase: LoginPhase) -> None:
        if phase.name == "listening":
            ports.append(phase.port)  # type: ignore[union-attr]
        if phase.name == when:
            raise kind

    async def program() -> None:
        async with asyncio_open_login(provider.options(), store=MemoryStore(), on_progress=observer) as login:
            browser = asyncio.create_task(finish(Browser(login.auth_url)))
            try:
                await login.wait()
            finally:
                await browser

    with pytest.raises(kind):
        asyncio.run(program())
    assert all(is_free(port) for port in ports)


@INTERRUPTS
def test_an_interrupt_in_the_task_of_the_driver(
    provider: Provider, kind: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python may raise KeyboardInterrupt wherever it is, when the loop does not run in `asyncio.run`.
    handle, ports = LoginMachine.handle, list[int]()

    def interrupted(machine: LoginMachine, event: Any) -> Any:
        if type(event).__name__ == "RequestReceived":
            raise kind
        return handle(machine, event)

    async def program() -> None:
        async with asyncio_open_login(provider.options(), store=MemoryStore()) as login:
            ports.append(login.port)
            await asyncio.gather(login.wait(), ask(Browser(login.auth_url), "/"))

    monkeypatch.setattr(LoginMachine, "handle", interrupted)
    with pytest.raises(kind):
        asyncio.run(program())
    assert is_free(ports[0])


def test_ctrl_c_cancels_the_login(provider: Provider, progress: Progress) -> None:
    ports: list[int] = []

    async def program() -> None:
        async with asyncio_open_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
            ports.append(login.port)
            signal.raise_signal(signal.SIGINT)
            await login.wait()

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(program())
    assert progress.names[-1] == "cancelled"
    assert is_free(ports[0])


def test_ctrl_c_twice_while_the_block_is_left(
    provider: Provider, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The second one raises KeyboardInterrupt in the event loop itself.
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    monkeypatch.setattr(state, "LINGER", 0.2)
    ports: list[int] = []

    def interrupt() -> None:
        for _ in range(2):
            signal.pthread_kill(main_thread, signal.SIGINT)
            # Two signals at once would be one.
            assert handled.acquire(timeout=PATIENCE)

    async def program() -> None:
        async with asyncio_open_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
            ports.append(login.port)
            browser = Browser(login.auth_url)
            await ask(browser, browser.target())
            await login.wait()
            thread.start()

    handled = threading.Semaphore(0)
    thread = threading.Thread(target=interrupt)
    on_sigint = asyncio.Runner._on_sigint  # type: ignore[attr-defined]

    def note(runner: asyncio.Runner, *arguments: Any, **options: Any) -> None:
        handled.release()
        on_sigint(runner, *arguments, **options)

    monkeypatch.setattr(asyncio.Runner, "_on_sigint", note)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(program())
    thread.join()
    assert "succeeded" in progress.names
    assert is_free(ports[0])


def test_a_bug_in_the_driver_is_reported(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    handle, ports = LoginMachine.handle, list[int]()

    def broken(machine: LoginMachine, event: Any) -> Any:
        if type(event).__name__ == "RequestReceived":
            raise ZeroDivisionError
        return handle(machine, event)

    async def program() -> None:
        async with asyncio_open_login(provider.options(), store=MemoryStore()) as login:
            ports.append(login.port)
            browser = asyncio.create_task(ask(Browser(login.auth_url), "/"))
            try:
                await login.wait()
            finally:
                await browser

    monkeypatch.setattr(LoginMachine, "handle", broken)
    with pytest.raises(ExceptionGroup) as caught:
        run(program)
    assert caught.value.split(ZeroDivisionError)[1] is None
    assert is_free(ports[0])


@pytest.mark.parametrize("when", ["exchanging_api_key", "saving_credentials", "succeeded"])
def test_an_interrupt_leaves_no_connection_to_the_token_endpoint(when: str) -> None:
    left = threading.Event()

    def script(peer: Peer) -> None:
        for content in (TOKENS, {"access_token": API_KEY}):
            peer.read_request()
            body = json.dumps(content).encode()
            peer.send(OK % (len(body), body))
        if peer.read_request() == (b"", b""):
            left.set()

    def observer(phase: LoginPhase) -> None:
        if phase.name == when:
            raise KeyboardInterrupt

    async def program() -> None:
        async with asyncio_open_login(options, store=MemoryStore(), on_progress=observer) as login:
            browser = asyncio.create_task(finish(Browser(login.auth_url)))
            try:
                await login.wait()
            finally:
                await browser

    with ScriptedServer(script) as server:
        options = ScriptedProvider(server.url).options()
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(program())
        assert left.wait(PATIENCE)


# Trouble


@pytest.mark.parametrize(
    ("refused", "problems"),
    [
        ("cancel_previous", []),
        ("load", []),
        ("open_url", [("open_browser", "browser_launch_failed", False)]),
        ("save", []),
        ("_check_store", []),
        ("_HttpxClient", []),
    ],
)
def test_a_system_without_threads(
    refused: str, problems: list[object], provider: Provider, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, asked = threading.Thread.start, list[str]()

    def refuse(thread: threading.Thread) -> None:
        name = thread.name.removeprefix("loginmachine-")
        asked.append(name)
        if name == refused:
            raise RuntimeError("can't start new thread")
        start(thread)

    async def program() -> None:
        async with asyncio_open_login(options, store=MemoryStore(), on_progress=progress) as login:
            browser = asyncio.create_task(finish(Browser(login.auth_url)))
            with contextlib.suppress(LoginFailed):
                await login.wait()
            await browser

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with socket.create_server(("127.0.0.1", 0)) as holder:
        changes = (
            {"port": holder.getsockname()[1], "fallback_port": free_port()} if refused == "cancel_previous" else {}
        )
        options = provider.options(provider=provider.provider(**changes), open_browser=refused == "open_url")
        asyncio.run(program())
    assert refused in asked
    assert progress.problems == problems


# From elsewhere


def test_cancelling_before_the_login_is_entered(provider: Provider, progress: Progress) -> None:
    async def program() -> None:
        login = asyncio_open_login(provider.options(), store=MemoryStore(), on_progress=progress)
        login.cancel("never mind")
        with pytest.raises(LoginCancelled, match="never mind"):
            async with login:
                pytest.fail("entered")

    run(program)
    assert progress.names == ["cancelled"]


def test_a_login_can_be_entered_once_only(provider: Provider) -> None:
    async def program() -> None:
        async with asyncio_open_login(provider.options(), store=MemoryStore()) as login:
            pass
        with pytest.raises(RuntimeError):
            async with login:
                pytest.fail("entered")

    run(program)


def test_a_login_that_is_not_entered(provider: Provider) -> None:
    async def program() -> None:
        login = asyncio_open_login(provider.options(), store=MemoryStore())
        for use in (lambda: login.auth_url, lambda: login.port):
            with pytest.raises(RuntimeError, match="use it in an async with statement"):
                use()
        with pytest.raises(RuntimeError, match="use it in an async with statement"):
            await login.wait()

    run(program)


def test_a_canceller_in_another_thread(provider: Provider, progress: Progress) -> None:
    async def program() -> None:
        async with asyncio_open_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
            canceller = login.canceller()
            thread = threading.Thread(target=canceller.cancel, args=("from elsewhere",))
            thread.start()
            with pytest.raises(LoginCancelled, match="from elsewhere"):
                await login.wait()
            thread.join()
            # Too late, and harmless: also after the block, and after the program.
            canceller.cancel()
        canceller.cancel()
        cancellers.append(canceller)

    cancellers: list[Any] = []
    run(program)
    cancellers[0].cancel()
    assert progress.names == ["binding", "listening", "cancelled"]


def test_many_tasks_wait(provider: Provider) -> None:
    async def program() -> None:
        results: list[Credentials] = []

        async def wait(login: AsyncioLogin) -> None:
            results.append(await login.wait())

        async with (
            asyncio_open_login(provider.options(), store=MemoryStore()) as login,
            asyncio.TaskGroup() as tasks,
        ):
            for _ in range(10):
                tasks.create_task(wait(login))
            await finish(Browser(login.auth_url))
        results.append(await login.wait())
        assert len(results) == 11
        assert all(result is results[0] for result in results)

    run(program)


def test_a_block_that_is_entered_in_one_task_and_left_in_another(provider: Provider) -> None:
    """As by fixtures of test frameworks, and by an `AsyncExitStack` that a program closes elsewhere."""

    async def program() -> None:
        store = MemoryStore()
        login = asyncio_open_login(provider.options(), store=store)
        await asyncio.create_task(login.__aenter__())
        await finish(Browser(login.auth_url))
        assert await login.wait() is store.credentials
        await asyncio.create_task(login.__aexit__(None, None, None))
        assert is_free(login.port)

    run(program)


# Event loops


async def sign_in(provider: Provider, store: MemoryStore) -> None:
    async with asyncio_open_login(provider.options(), store=store) as login:
        browser = asyncio.create_task(finish(Browser(login.auth_url)))
        assert await login.wait() is store.credentials
        await browser


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, eager_loop, debug_loop, uvloop_loop])
def test_each_kind_of_event_loop(
    provider: Provider, loop_factory: LoopFactory, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    with caplog.at_level(logging.ERROR, logger="asyncio"):
        run(lambda: sign_in(provider, store), loop_factory=loop_factory)
    assert store.credentials is not None
    assert [record.getMessage() for record in caplog.records if record.name == "asyncio"] == []


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, eager_loop, uvloop_loop])
def test_a_cancellation_in_each_kind_of_event_loop(
    provider: Provider, loop_factory: LoopFactory, progress: Progress
) -> None:
    provider.answers[0] = provider.hang

    async def host() -> None:
        async with asyncio_open_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
            browsers.append(asyncio.create_task(ask(Browser(login.auth_url), Browser(login.auth_url).target())))
            await login.wait()

    async def program() -> None:
        task = asyncio.create_task(host())
        await asyncio.to_thread(provider.asked.wait, PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert b" 410 " in await browsers[0]

    browsers: list[asyncio.Task[bytes]] = []
    run(program, loop_factory=loop_factory)
    assert progress.names[-1] == "cancelled"


def test_one_loop_after_the_other_and_one_in_a_thread(provider: Provider) -> None:
    provider.answers = [reply(TOKENS), reply({"access_token": API_KEY})] * 3
    stores = [MemoryStore() for _ in range(3)]
    for store in stores[:2]:
        asyncio.run(sign_in(provider, store))
    thread = threading.Thread(target=asyncio.run, args=(sign_in(provider, stores[2]),))
    thread.start()
    thread.join(PATIENCE)
    assert all(store.credentials is not None for store in stores)


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop_loop])
def test_many_logins_in_one_loop(provider: Provider, loop_factory: LoopFactory) -> None:
    count = 50
    provider.answers = [reply(TOKENS)] * count
    options = provider.options(provider=provider.provider(exchanges_api_key=False))
    stores = [MemoryStore() for _ in range(count)]
    ports: list[int] = []
    all_waiting = asyncio.Event()

    async def one(store: MemoryStore) -> None:
        async with asyncio_open_login(options, store=store) as login:
            ports.append(login.port)
            if len(ports) == count:
                all_waiting.set()
            await all_waiting.wait()
            await finish(Browser(login.auth_url))
            assert await login.wait() is store.credentials

    async def program() -> None:
        async with asyncio.TaskGroup() as tasks:
            for store in stores:
                tasks.create_task(one(store))

    run(program, loop_factory=loop_factory)
    assert all(store.credentials is not None for store in stores)
    assert len(set(ports)) == count
    assert [dict(form)["code"] for form in provider.forms] == [CODE] * count
    assert eventually(lambda: all(is_free(port) for port in ports))
