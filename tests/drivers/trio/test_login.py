"""Tests for the trio driver alone: exceptions, tasks that wait together, and many logins in one program."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trio
import trio.testing

from loginmachine import LoginCancelled, LoginFailed, MemoryStore, open_login

from ..conftest import ScriptedProvider
from ..replies import reply
from ..scripted_server import OK, Peer, ScriptedServer
from ..support import API_KEY, CODE, PATIENCE, TOKENS, Browser, Progress, eventually, free_port
from .support import ask, finish, is_free, no_idle_threads, run  # noqa: F401 - a fixture for all

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine import Credentials, TrioLogin
    from loginmachine.sansio.login.progress import LoginPhase


# Exceptions


@pytest.mark.parametrize("mine", [KeyError("mine"), ExceptionGroup("mine", [KeyError("one"), ValueError("two")])])
def test_an_exception_in_the_block_is_not_wrapped(
    provider: ScriptedProvider, progress: Progress, mine: Exception
) -> None:
    async def program() -> None:
        async with open_login(provider.options(), store=MemoryStore(), on_progress=progress):
            raise mine

    with pytest.raises(type(mine)) as caught:
        run(program)
    assert caught.value is mine
    assert caught.value.__context__ is None
    assert progress.names[-1] == "cancelled"


def test_a_failed_login_is_not_wrapped(provider: ScriptedProvider) -> None:
    async def program() -> None:
        async with open_login(provider.options(), store=MemoryStore()) as login:
            login.cancel("enough")
            await login.wait()

    with pytest.raises(LoginCancelled, match="enough"):
        run(program)


def test_an_exception_and_a_cancellation(provider: ScriptedProvider) -> None:
    # Without a login, `with scope: scope.cancel(); raise KeyError` raises KeyError.
    async def program() -> None:
        with trio.CancelScope() as scope:
            async with open_login(provider.options(), store=MemoryStore()):
                scope.cancel()
                raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        run(program)


@pytest.mark.parametrize("when", ["binding", "listening", "callback_received", "saving_credentials", "succeeded"])
def test_an_interrupt_in_the_task_of_the_driver(provider: ScriptedProvider, when: str) -> None:
    # Python raises KeyboardInterrupt wherever it is, the driver included. Here an observer does.
    ports: list[int] = []

    def observer(phase: LoginPhase) -> None:
        if phase.name == "listening":
            ports.append(phase.port)  # type: ignore[union-attr]
        if phase.name == when:
            raise KeyboardInterrupt

    async def program() -> None:
        async with open_login(provider.options(), store=MemoryStore(), on_progress=observer) as login:
            trio.lowlevel.spawn_system_task(finish, Browser(login.auth_url))
            await login.wait()

    with pytest.raises((KeyboardInterrupt, BaseExceptionGroup)) as caught:
        trio.run(program)
    if isinstance(caught.value, BaseExceptionGroup):
        assert caught.value.split(KeyboardInterrupt)[1] is None
    assert all(is_free(port) for port in ports)


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
        async with open_login(options, store=MemoryStore(), on_progress=observer) as login:
            trio.lowlevel.spawn_system_task(finish, Browser(login.auth_url))
            await login.wait()

    with ScriptedServer(script) as server:
        options = ScriptedProvider(server.url).options()
        with pytest.raises((KeyboardInterrupt, BaseExceptionGroup)):
            trio.run(program)
        assert left.wait(PATIENCE)


def test_an_interrupt_while_the_block_is_left_is_not_wrapped(provider: ScriptedProvider, progress: Progress) -> None:
    # As it does out of the block, and with threads.
    clock = trio.testing.MockClock()
    main_thread = threading.main_thread().ident
    assert main_thread is not None

    async def program() -> None:
        token = trio.lowlevel.current_trio_token()

        def interrupt() -> None:
            signal.pthread_kill(main_thread, signal.SIGINT)
            # The block cannot be left before: the clock stands still while the listener stays for the last page.
            token.run_sync_soon(clock.jump, 3.0)

        async with open_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
            browser = Browser(login.auth_url)
            await ask(browser, browser.target())
            await login.wait()
            threading.Timer(0.05, interrupt).start()

    with pytest.raises(KeyboardInterrupt):
        trio.run(program, clock=clock)
    assert progress.names[-1] == "succeeded"


# Trouble


@pytest.mark.parametrize(
    ("refused", "problems"),
    [
        ("cancel_previous", []),
        ("load", []),
        ("open_url", [("open_browser", "browser_launch_failed", False)]),
        ("save", []),
        ("_check_store", []),
    ],
)
def test_a_system_without_threads(
    refused: str,
    problems: list[object],
    provider: ScriptedProvider,
    progress: Progress,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_sync = trio.to_thread.run_sync
    asked: list[str] = []

    async def refuse(work: Callable[..., object], *args: object, **options: Any) -> object:
        asked.append(work.__name__)
        if work.__name__ == refused:
            raise RuntimeError("can't start new thread")
        return await run_sync(work, *args, **options)

    async def program() -> None:
        async with open_login(options, store=MemoryStore(), on_progress=progress) as login:
            trio.lowlevel.spawn_system_task(finish, Browser(login.auth_url))
            with contextlib.suppress(LoginFailed):
                await login.wait()

    monkeypatch.setattr("trio.to_thread.run_sync", refuse)
    with socket.create_server(("127.0.0.1", 0)) as holder:
        changes = (
            {"port": holder.getsockname()[1], "fallback_port": free_port()} if refused == "cancel_previous" else {}
        )
        options = provider.options(provider=provider.provider(**changes), open_browser=refused == "open_url")
        trio.run(program)
    assert refused in asked
    assert progress.problems == problems


# From elsewhere


def test_cancelling_before_the_login_is_entered(provider: ScriptedProvider, progress: Progress) -> None:
    async def program() -> None:
        login = open_login(provider.options(), store=MemoryStore(), on_progress=progress)
        login.cancel("never mind")
        with pytest.raises(LoginCancelled, match="never mind"):
            async with login:
                pytest.fail("entered")

    run(program)
    assert progress.names == ["cancelled"]


def test_a_login_can_be_entered_once_only(provider: ScriptedProvider) -> None:
    async def program() -> None:
        async with open_login(provider.options(), store=MemoryStore()) as login:
            pass
        with pytest.raises(RuntimeError):
            async with login:
                pytest.fail("entered")

    run(program)


def test_a_login_that_is_not_entered(provider: ScriptedProvider) -> None:
    async def program() -> None:
        login = open_login(provider.options(), store=MemoryStore())
        for use in (lambda: login.auth_url, lambda: login.port):
            with pytest.raises(RuntimeError, match="use it in an async with statement"):
                use()
        with pytest.raises(RuntimeError, match="use it in an async with statement"):
            await login.wait()

    run(program)


def test_a_canceller_in_another_thread(provider: ScriptedProvider, progress: Progress) -> None:
    async def program() -> None:
        async with open_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
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


def test_many_tasks_wait(provider: ScriptedProvider) -> None:
    results: list[Credentials] = []

    async def wait(login: TrioLogin) -> None:
        results.append(await login.wait())

    async def program() -> None:
        async with open_login(provider.options(), store=MemoryStore()) as login, trio.open_nursery() as nursery:
            for _ in range(10):
                nursery.start_soon(wait, login)
            await finish(Browser(login.auth_url))
        results.append(await login.wait())

    run(program)
    assert len(results) == 11
    assert all(result is results[0] for result in results)


def test_many_logins_in_one_program(provider: ScriptedProvider) -> None:
    count = 50
    provider.answers = [reply(TOKENS)] * count
    options = provider.options(provider=provider.provider(exchanges_api_key=False))
    stores = [MemoryStore() for _ in range(count)]
    ports: list[int] = []

    async def sign_in(store: MemoryStore) -> None:
        async with open_login(options, store=store) as login:
            ports.append(login.port)
            await all_wait()
            await finish(Browser(login.auth_url))
            assert await login.wait() is store.credentials

    all_waiting = trio.Event()

    async def all_wait() -> None:
        if len(ports) == count:
            all_waiting.set()
        await all_waiting.wait()

    async def program() -> None:
        async with trio.open_nursery() as nursery:
            for store in stores:
                nursery.start_soon(sign_in, store)

    run(program)
    assert all(store.credentials is not None for store in stores)
    assert len(set(ports)) == count
    assert [dict(form)["code"] for form in provider.forms] == [CODE] * count
    assert eventually(lambda: all(is_free(port) for port in ports))
