"""Accepting connections: a cancellation loses none, and the loop of Windows can do it too."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from loginmachine.drivers.asyncio.sockets import accept, wait_readable

from ..support import connect
from .support import CountingLoop, run, uvloop_loop


class LikeWindows(asyncio.SelectorEventLoop):
    """A loop that cannot watch a socket, but accept."""

    def add_reader(self, *_: Any) -> Any:  # type: ignore[override]  # its parameters do not matter here
        raise NotImplementedError

    async def sock_accept(self, sock: socket.socket) -> tuple[socket.socket, Any]:
        while True:
            try:
                client, address = sock.accept()
            except BlockingIOError:
                await asyncio.sleep(0.001)
            else:
                client.setblocking(False)
                return client, address


@pytest.fixture
def listener() -> Any:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop_loop, LikeWindows])
def test_accepting(listener: socket.socket, loop_factory: Any) -> None:
    async def program() -> None:
        accepting = asyncio.create_task(accept(listener))
        await asyncio.sleep(0)
        with connect(listener.getsockname()[1]) as person:
            client, address = await accepting
            with client:
                assert address == person.getsockname()
                assert client.gettimeout() == 0.0

    run(program, loop_factory=loop_factory)


@pytest.mark.parametrize("step", range(1, 9))
def test_a_cancellation_loses_no_connection(listener: socket.socket, step: int) -> None:
    async def program() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, CountingLoop)
        accepting = asyncio.create_task(accept(listener))
        loop.before(step, accepting.cancel)
        await asyncio.sleep(0)
        with connect(listener.getsockname()[1]) as person:
            await asyncio.wait((accepting,))
            client, address = listener.accept() if accepting.cancelled() else accepting.result()
            client.close()
            assert address == person.getsockname()

    run(program, loop_factory=CountingLoop)


def test_a_loop_that_cannot_watch_a_socket(listener: socket.socket) -> None:
    async def program() -> None:
        assert not await wait_readable(listener)

    run(program, loop_factory=LikeWindows)
