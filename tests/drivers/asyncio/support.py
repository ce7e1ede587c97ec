"""Tools for the tests of the asyncio driver."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

from ..support import PATIENCE, eventually, parse_reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..support import Browser

T = TypeVar("T")

with contextlib.suppress(ImportError):
    import uvloop

    # The first loop of a process opens a pipe for signals, which stays open.
    uvloop.new_event_loop().close()


def run(
    program: Callable[[], Awaitable[None]], *, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> None:
    """Run a program, which must leave no task, thread or socket of the login behind."""

    async def main() -> None:
        try:
            await program()
        finally:
            assert living_tasks() == {asyncio.current_task()}

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())
    assert eventually(lambda: not loginmachine_threads())


def living_tasks() -> set[asyncio.Task[object] | None]:
    """Return the tasks of the running loop that are not done, those included that `asyncio.all_tasks` does not know."""
    loop = asyncio.get_running_loop()
    return {
        task
        for task in gc.get_objects()
        if isinstance(task, asyncio.Task) and not task.done() and task.get_loop() is loop
    }


def is_free(port: int) -> bool:
    """Return True if the port is free. Raises OSError otherwise."""
    with socket.create_server(("127.0.0.1", port)):
        return True


def loginmachine_threads() -> list[threading.Thread]:
    """Return the threads of logins and sessions. Those of earlier tests have ended: tests/conftest.py sees to it."""
    return [thread for thread in threading.enumerate() if thread.name.startswith("loginmachine")]


async def in_thread(work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work)


async def until(holds: Callable[[], object]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(PATIENCE):
        while not holds():  # noqa: ASYNC110 - the condition knows no asyncio
            await asyncio.sleep(0.002)


async def ask(browser: Browser, target: str) -> bytes:
    """Request a page in the same program, and ignore a broken connection."""
    received = b""
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection("127.0.0.1", browser.port)
        try:
            writer.write(browser.request_bytes(target))
            received = await reader.read()
        finally:
            writer.transport.abort()
            # The loop may be ended right after this, and a transport closes its socket a step later.
            await writer.wait_closed()
    if b"\r\n\r\n" in received:
        browser.note_redirect(parse_reply(received))
    return received


async def finish(browser: Browser) -> None:
    """Send the callback, and request the last page."""
    await ask(browser, browser.target())
    await ask(browser, browser.last_page)


class CountingLoop(asyncio.SelectorEventLoop):
    """Calls a function before the k-th callback from now on: a step of a task, or a result for one."""

    def __init__(self) -> None:
        super().__init__()
        self._left = 0
        self._do: Callable[[], object] = lambda: None

    def before(self, step: int, do: Callable[[], object]) -> None:
        self._left, self._do = step, do

    def call_soon(  # type: ignore[override]  # its callback's parameters do not matter here
        self, callback: Callable[..., object], *args: Any, **options: Any
    ) -> asyncio.Handle:
        def count(*given: Any) -> None:
            self._left -= 1
            if self._left == 0:
                self._do()
            callback(*given)

        return super().call_soon(count, *args, **options)


def eager_loop() -> asyncio.AbstractEventLoop:
    """Return a loop in which tasks begin before `create_task` returns."""
    loop = asyncio.new_event_loop()
    if sys.version_info >= (3, 12):
        loop.set_task_factory(asyncio.eager_task_factory)
        return loop
    loop.close()
    pytest.skip("Python 3.11 has no eager tasks")


def debug_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    loop.set_debug(True)
    return loop


def uvloop_loop() -> asyncio.AbstractEventLoop:
    uvloop = pytest.importorskip("uvloop")
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
