"""Work that blocks, in threads."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
import weakref
from typing import NoReturn

import pytest

from loginmachine.drivers.asyncio.threads import NoThread, in_thread, in_thread_or_here

from ..support import PATIENCE
from .support import loginmachine_threads, run, until

VARIABLE: contextvars.ContextVar[str] = contextvars.ContextVar("VARIABLE")


def test_the_result_and_the_context() -> None:
    def work(first: int, second: int) -> tuple[int, str, bool]:
        return first + second, VARIABLE.get(), threading.current_thread() is threading.main_thread()

    async def program() -> None:
        VARIABLE.set("value")
        assert await in_thread(work, 1, 2) == (3, "value", False)
        assert await in_thread_or_here(work, 1, 2) == (3, "value", False)

    run(program)


@pytest.mark.parametrize("error", [KeyError("mine"), SystemExit(3), KeyboardInterrupt()])
def test_an_exception(error: BaseException) -> None:
    def work() -> NoReturn:
        raise error

    async def program() -> None:
        with pytest.raises(type(error)) as caught:
            await in_thread(work)
        assert caught.value is error

    run(program)


def test_an_exception_is_freed_with_its_last_reference() -> None:
    class Mine(Exception):  # noqa: N818 - short
        pass

    def work() -> NoReturn:
        raise Mine

    async def program() -> None:
        try:
            await in_thread(work)
        except Mine as mine:
            reference = weakref.ref(mine)
        await until(lambda: not loginmachine_threads())
        assert reference() is None

    gc.disable()
    try:
        asyncio.run(program())
    finally:
        gc.enable()


def test_a_cancellation_waits_for_the_thread() -> None:
    begun, goes_on, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert goes_on.wait(PATIENCE)
        ended.set()

    async def program() -> None:
        task = asyncio.create_task(in_thread(work))
        await until(begun.is_set)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        goes_on.set()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()

    run(program)


def test_an_abandoned_thread_does_not_keep_the_program() -> None:
    begun, goes_on = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert goes_on.wait(PATIENCE)

    async def main() -> None:
        task = asyncio.create_task(in_thread(work, abandon_on_cancel=True))
        await until(begun.is_set)
        assert [thread.daemon for thread in loginmachine_threads()] == [True]
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    # Its result finds a closed loop, and is dropped.
    (thread,) = loginmachine_threads()
    goes_on.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_system_without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_thread: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    async def main() -> None:
        assert await in_thread_or_here(threading.current_thread) is threading.main_thread()
        with pytest.raises(NoThread):
            await in_thread(threading.current_thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    asyncio.run(main())
