"""Cancellation of a login in trio from outside: at every checkpoint, by a time limit, too late."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
import trio

from loginmachine import LoginCancelled, LoginSuccess, MemoryStore, open_login
from loginmachine.drivers.callback.listeners import open_listeners, port_of
from loginmachine.drivers.trio.callback_server import CallbackServer

from ..replies import reply
from ..support import PATIENCE, TOKENS, Browser, Progress, connect
from .support import ask, finish, in_thread, is_free, no_idle_threads, run  # noqa: F401 - a fixture for all

if TYPE_CHECKING:
    from loginmachine import Credentials, LoginOptions, TrioLogin

    from ..conftest import ScriptedProvider


class CancelAt(trio.abc.Instrument):
    """Cancels a scope after the k-th step of the host's task or of one of the login's."""

    def __init__(self, step: int, scope: trio.CancelScope, host: trio.lowlevel.Task) -> None:
        self._left = step
        self._scope = scope
        self._host = host

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self._host or task.name.startswith("loginmachine."):
            self._left -= 1
            if self._left == 0:
                self._scope.cancel()


class Attempt:
    """One login that is cancelled at a step, with its browser in another task."""

    def __init__(self, options: LoginOptions) -> None:
        self._options = options
        self.store = MemoryStore()
        self.progress = Progress()
        self.login: TrioLogin | None = None
        self.credentials: Credentials | None = None
        self.was_cancelled = False

    async def play(self, step: int) -> None:
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                instrument = CancelAt(step, scope, trio.lowlevel.current_task())
                trio.lowlevel.add_instrument(instrument)
                async with open_login(self._options, store=self.store, on_progress=self.progress) as self.login:
                    nursery.start_soon(finish, Browser(self.login.auth_url))
                    self.credentials = await self.login.wait()
            trio.lowlevel.remove_instrument(instrument)
            self.was_cancelled = scope.cancelled_caught
            assert self.login is None or is_free(self.login.port)

    def judge(self) -> None:
        names = self.progress.names
        ends = [name for name in names if name in ("succeeded", "cancelled")]
        assert len(ends) == (1 if names else 0)
        assert ("succeeded" in ends) == (self.store.credentials is not None)
        assert self.was_cancelled or self.credentials is not None
        if self.login is not None:
            assert isinstance(self.login.outcome, LoginSuccess) == ("succeeded" in ends)
            assert self.credentials in (None, self.store.credentials)


def test_cancelled_at_every_checkpoint(provider: ScriptedProvider) -> None:
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
            assert step < 1000

    run(program)
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

    async def program() -> None:
        with trio.move_on_after(0.05 if position == 0 else PATIENCE) as scope:
            async with (
                trio.open_nursery() as nursery,
                open_login(provider.options(), store=MemoryStore(), on_progress=progress) as login,
            ):
                if position == 1:
                    nursery.start_soon(in_thread, Browser(login.auth_url).callback)
                    assert await in_thread(lambda: provider.asked.wait(PATIENCE))
                    scope.deadline = trio.current_time()
                await login.wait()
        assert scope.cancelled_caught
        assert is_free(login.port)
        with pytest.raises(LoginCancelled, match="the program left before the sign-in was over") as caught:
            await login.wait()
        assert caught.value.step == ("wait_for_callback", "exchange_token")[position]

    run(program)
    assert progress.names[-1] == "cancelled"


def test_an_outer_cancellation_after_the_success_does_not_lose_it(provider: ScriptedProvider) -> None:
    store = MemoryStore()

    async def program() -> None:
        with trio.CancelScope() as scope:
            async with open_login(provider.options(), store=store) as login:
                browser = Browser(login.auth_url)
                await ask(browser, browser.target())
                credentials = await login.wait()
                scope.cancel()
                trio.lowlevel.spawn_system_task(ask, browser, browser.last_page)
        assert credentials is store.credentials
        assert await login.wait() is credentials

    run(program)


def test_a_connection_that_comes_in_the_moment_of_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def program() -> None:
        listeners, posted = open_listeners(0, "127.0.0.1"), list[object]()
        assert isinstance(listeners, list)
        port, server = port_of(listeners), CallbackServer(listeners, posted.append, lambda _: False)
        kind = type(server._listeners[0])
        accept = kind.accept

        async def accept_and_close(self: trio.socket.SocketType) -> object:
            accepted = await accept(self)
            server.close()
            return accepted

        monkeypatch.setattr(kind, "accept", accept_and_close)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(server.serve)
            with await in_thread(lambda: connect(port)) as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                # No answer will come any more.
                with contextlib.suppress(ConnectionResetError):
                    assert await in_thread(lambda: client.recv(1)) == b""
        assert posted == []

    run(program)
