"""The lock of tasks in several event loops."""

from __future__ import annotations

import asyncio
import threading
from typing import Literal

import anyio
import anyio.lowlevel
import pytest

from loginmachine.mcp.turns import Turns

from ..drivers.support import PATIENCE

BACKENDS: tuple[Literal["asyncio", "trio"], ...] = ("asyncio", "trio")


def test_tasks_of_several_loops_take_turns() -> None:
    turns = Turns()
    inside: list[int] = []
    most: list[int] = []

    async def take(number: int) -> None:
        async with turns:
            inside.append(number)
            await anyio.lowlevel.checkpoint()
            most.append(len(inside))
            inside.remove(number)

    async def take_all() -> None:
        async with anyio.create_task_group() as group:
            for number in range(20):
                group.start_soon(take, number)

    threads = [
        threading.Thread(target=anyio.run, args=(take_all,), kwargs={"backend": backend}, daemon=True)
        for backend in BACKENDS * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert most == [1] * 80


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_cancelled_task_leaves_the_queue(backend: Literal["asyncio", "trio"]) -> None:
    async def main() -> list[str]:
        turns, order = Turns(), list[str]()

        async def take(name: str, scope: anyio.CancelScope) -> None:
            with scope:
                async with turns:
                    order.append(name)

        scopes = [anyio.CancelScope() for _ in range(3)]
        async with anyio.create_task_group() as group:
            async with turns:
                for number, scope in enumerate(scopes):
                    group.start_soon(take, str(number), scope)
                    await anyio.wait_all_tasks_blocked()
                scopes[0].cancel()
                await anyio.wait_all_tasks_blocked()
            # The turn has come to this one, which passes it on.
            scopes[1].cancel()
        async with turns:
            return order

    order = anyio.run(main, backend=backend)
    assert order[-1:] == ["2"]
    assert "0" not in order


def test_a_task_whose_loop_was_closed_is_left_out() -> None:
    turns = Turns()
    waiting = turns.__aenter__()

    async def begin() -> None:
        waiting.send(None)

    async def main() -> None:
        async with turns:
            thread = threading.Thread(target=asyncio.run, args=(begin(),), daemon=True)
            thread.start()
            thread.join(PATIENCE)
        async with turns:
            # It had no turn, so that its end passes none on.
            waiting.close()
            task = asyncio.create_task(turns.__aenter__())
            await anyio.wait_all_tasks_blocked()
            assert not task.done()
        await task

    asyncio.run(main())
