"""The drivers behind one interface: the block of a host with a driver, and a person in another thread."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import socket
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trio

from loginmachine import asyncio_open_login, open_login, start_login
from loginmachine.sansio.login import events

from ..asyncio.support import living_tasks, loginmachine_threads
from ..support import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from loginmachine import Credentials, CredentialStore, LoginOptions
    from loginmachine.sansio.login.progress import LoginPhase

    from .scenarios import Host

HOST_ERROR = "the host's own trouble"


@dataclass
class Play:
    """One login: the arguments of its driver, and the events between the host and the person."""

    options: LoginOptions
    store: CredentialStore
    on_progress: Callable[[LoginPhase], None]
    visit: Callable[[Play], None]
    """The steps of the person, which begin when `auth_url` is known."""
    host: Host = "waits"
    record: Callable[[str], object] | None = None
    """Takes the lines of the trace."""
    auth_url: str = ""
    port: int = 0
    cancel: Callable[[], None] = lambda: None
    goes: threading.Event = field(default_factory=threading.Event)
    """Set when the host must leave its block."""
    credentials: Credentials | None = None
    trouble: BaseException | None = None
    """The exception that the block raised; None if it raised none."""
    _person: threading.Thread | None = None
    _failed: BaseException | None = None

    def listening(self, auth_url: str, port: int) -> None:
        """Start the person."""
        self.auth_url, self.port = auth_url, port
        self._person = threading.Thread(target=self._visit, name="person")
        self._person.start()

    def left(self) -> None:
        """Check, after the block, that the port is free."""
        if self.port:
            socket.create_server(("127.0.0.1", self.port)).close()

    def finish(self) -> None:
        """Wait for the person, and raise the exception of a step that failed."""
        if self._person is not None:
            self._person.join(4 * PATIENCE)
            assert not self._person.is_alive()
        if self._failed is not None:
            raise self._failed

    def go(self) -> None:
        """Leave the block as the scenario says, without waiting for the login."""
        assert self.goes.wait(4 * PATIENCE)
        if self.host == "raises":
            raise KeyError(HOST_ERROR)

    def _visit(self) -> None:
        try:
            self.visit(self)
        except BaseException as failed:  # noqa: BLE001 - raised again in `finish`
            self._failed = failed
            # Without this, the login would not end.
            self.goes.set()
            self.cancel()


@contextlib.contextmanager
def _noting(play: Play) -> Iterator[None]:
    try:
        yield
    except Exception as trouble:  # noqa: BLE001 - to be compared
        play.trouble = trouble


def arguments(play: Play) -> Any:
    """Return the arguments for a driver."""
    return {"options": play.options, "store": play.store, "on_progress": play.on_progress, "record": play.record}


def in_threads(play: Play) -> None:
    """Run a login with `start_login`."""
    before = set(threading.enumerate())
    login = start_login(**arguments(play))
    play.cancel = login.cancel
    with _noting(play), login:
        play.listening(login.auth_url, login.port)
        if play.host == "waits":
            play.credentials = login.wait()
        else:
            play.go()
    play.left()
    after = set(threading.enumerate()) - before
    assert not [thread.name for thread in after if thread.name.startswith("loginmachine")]
    play.finish()


def in_trio(play: Play) -> None:
    """Run a login with `open_login`."""

    async def block() -> None:
        async with open_login(**arguments(play)) as login:
            if play.host != "is cancelled":
                play.cancel = login.canceller().cancel
            play.listening(login.auth_url, login.port)
            if play.host == "waits":
                play.credentials = await login.wait()
            elif play.host == "is cancelled":
                await trio.sleep_forever()
            else:
                await trio.to_thread.run_sync(play.go)

    async def main() -> None:
        before = trio.lowlevel.current_statistics().tasks_living
        token = trio.lowlevel.current_trio_token()
        with trio.CancelScope() as scope:
            play.cancel = lambda: token.run_sync_soon(scope.cancel)
            with _noting(play):
                await block()
        assert trio.lowlevel.current_statistics().tasks_living == before
        play.left()
        await trio.to_thread.run_sync(play.finish)

    trio.run(main)


def in_uvloop(play: Play) -> None:
    """Run a login with `asyncio_open_login` under uvloop."""
    uvloop = pytest.importorskip("uvloop")
    in_asyncio(play, uvloop.new_event_loop)


def in_asyncio(play: Play, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None) -> None:
    """Run a login with `asyncio_open_login`."""

    async def block() -> None:
        async with asyncio_open_login(**arguments(play)) as login:
            if play.host != "is cancelled":
                play.cancel = login.canceller().cancel
            play.listening(login.auth_url, login.port)
            if play.host == "waits":
                play.credentials = await login.wait()
            elif play.host == "is cancelled":
                await asyncio.Event().wait()
            else:
                await asyncio.to_thread(play.go)

    async def cancellable() -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None

        def cancel() -> None:
            loop.call_soon_threadsafe(task.cancel)

        play.cancel = cancel
        with _noting(play):
            await block()

    async def main() -> None:
        before = set(loginmachine_threads())
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.create_task(cancellable())
        assert living_tasks() == {asyncio.current_task()}
        assert eventually(lambda: set(loginmachine_threads()) <= before)
        play.left()
        await asyncio.to_thread(play.finish)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())


def _example() -> ModuleType:
    """Return the module of the driver in docs/writing-a-driver.md."""
    path = Path(__file__).parents[3] / "examples" / "blocking_driver.py"
    spec = importlib.util.spec_from_file_location("blocking_driver", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocking(play: Play) -> None:
    """Run a login with the example of a driver in one thread."""
    login: Any = _example().BlockingLogin(play.options, play.store)
    perform = login.perform

    def watch(action: Any) -> None:
        if type(action).__name__ == "ReportProgress":
            play.on_progress(action.phase)
        perform(action)

    def run() -> None:
        with _noting(play):
            play.credentials = login.run()

    login.perform = watch
    play.cancel = lambda: login.inbox.append(events.CancelRequested(reason="cancelled by the caller"))
    thread = threading.Thread(target=run, name="blocking")
    thread.start()
    assert eventually(lambda: login.machine.auth_url is not None)
    play.listening(login.machine.auth_url, login.listeners[0].getsockname()[1])
    thread.join(4 * PATIENCE)
    assert not thread.is_alive()
    play.left()
    play.finish()


DRIVERS = {"threads": in_threads, "trio": in_trio, "asyncio": in_asyncio, "uvloop": in_uvloop, "blocking": blocking}
