"""Tools for the tests of the trio driver."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, TypeVar

import pytest
import trio

from ..support import parse_reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..support import Browser

T = TypeVar("T")


@pytest.fixture(autouse=True)
def no_idle_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """End idle threads of trio soon, so that a thread that a login leaves behind can be found.

    By default trio keeps them for 10 s. The time-out is not 0: a new thread would then spin until its first job.
    """
    monkeypatch.setattr("trio._core._thread_cache.IDLE_TIMEOUT", 0.001)


def run(program: Callable[[], Awaitable[None]]) -> None:
    """Run a program, which must leave no task of the login behind."""

    async def main() -> None:
        before = trio.lowlevel.current_statistics().tasks_living
        try:
            await program()
        finally:
            assert trio.lowlevel.current_statistics().tasks_living == before

    trio.run(main)


def is_free(port: int) -> bool:
    """Return True if the port is free. Raises OSError otherwise."""
    with socket.create_server(("127.0.0.1", port)):
        return True


async def in_thread(work: Callable[[], T]) -> T:
    return await trio.to_thread.run_sync(work)


async def ask(browser: Browser, target: str) -> bytes:
    """Request a page in the same program, and ignore a broken connection."""
    received = b""
    try:
        async with await trio.open_tcp_stream("127.0.0.1", browser.port) as stream:
            await stream.send_all(browser.request_bytes(target))
            async for data in stream:
                received += data
    except (trio.BrokenResourceError, OSError):
        pass
    if b"\r\n\r\n" in received:
        browser.note_redirect(parse_reply(received))
    return received


async def finish(browser: Browser) -> None:
    """Send the callback, and request the last page."""
    await ask(browser, browser.target())
    await ask(browser, browser.last_page)
