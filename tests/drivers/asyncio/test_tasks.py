"""Cancel scopes, and work that a cancellation does not end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.drivers.asyncio.tasks import (
    CancelScope,
    cancel_again,
    finished,
    move_on_after,
    start_shielded,
    uninterrupted,
)

from ..support import PATIENCE
from .support import run

if TYPE_CHECKING:
    from collections.abc import Callable


def me() -> asyncio.Task[Any]:
    task = asyncio.current_task()
    assert task is not None
    return task


async def long() -> None:
    await asyncio.sleep(PATIENCE)
    pytest.fail("it was not cancelled")


# Scopes


def test_a_scope_ends_its_block_and_no_more() -> None:
    async def program() -> None:
        async with CancelScope() as scope:
            asyncio.get_running_loop().call_soon(scope.cancel)
            await long()
        # Nothing is left of the cancellation.
        await asyncio.sleep(0)
        assert me().cancelling() == 0

    run(program)


def test_a_scope_that_was_cancelled_before() -> None:
    async def program() -> None:
        scope = CancelScope()
        scope.cancel()
        async with scope:
            await long()
        await asyncio.sleep(0)
        assert me().cancelling() == 0

    run(program)


@pytest.mark.parametrize("when", ["before", "within"])
def test_a_block_that_awaits_nothing(when: str) -> None:
    async def program() -> None:
        scope, done = CancelScope(), False
        if when == "before":
            scope.cancel()
        async with scope:
            done = True
            scope.cancel()
        assert done
        # The cancellation does not strike behind the block.
        await asyncio.sleep(0)
        assert me().cancelling() == 0

    run(program)


def test_a_value_is_returned_from_a_cancelled_block() -> None:
    async def value() -> str:
        async with CancelScope() as scope:
            scope.cancel()
            return "value"
        return "the block was left"

    async def program() -> None:
        assert await value() == "value"

    run(program)


def test_an_exception_in_a_cancelled_block_is_raised() -> None:
    async def fail() -> None:
        async with CancelScope() as scope:
            scope.cancel()
            raise KeyError

    async def program() -> None:
        with pytest.raises(KeyError):
            await fail()
        await asyncio.sleep(0)

    run(program)


def test_cancelling_twice_is_cancelling_once() -> None:
    async def program() -> None:
        async with CancelScope() as scope:
            scope.cancel()
            scope.cancel()
            await long()
        scope.cancel()
        await asyncio.sleep(0)
        assert me().cancelling() == 0

    run(program)


@pytest.mark.parametrize("outer", [False, True])
def test_nested_scopes(*, outer: bool) -> None:
    passed: list[str] = []

    async def program() -> None:
        async with CancelScope() as first:
            async with CancelScope() as second:
                (first if outer else second).cancel()
                await long()
            passed.append("inner")
            await asyncio.sleep(0)
        passed.append("outer")
        await asyncio.sleep(0)
        assert me().cancelling() == 0

    run(program)
    assert passed == (["outer"] if outer else ["inner", "outer"])


def test_a_time_limit() -> None:
    async def program() -> None:
        async with move_on_after(0.001):
            await long()
        async with move_on_after(PATIENCE):
            pass
        # Its timer is gone.
        await asyncio.sleep(0)

    run(program)


@pytest.mark.parametrize("first", ["scope", "task"])
@pytest.mark.parametrize("awaits", [True, False])
def test_a_cancellation_from_outside_at_the_same_moment(first: str, *, awaits: bool) -> None:
    """The task ends, whichever came first, and whether the block awaits something after that or not."""

    async def host(scopes: list[CancelScope], go: asyncio.Event) -> None:
        async with CancelScope() as scope:
            scopes.append(scope)
            if awaits:
                await long()
            await go.wait()
            for cancel in order(scope, me()):
                cancel()
        await long()

    def order(scope: CancelScope, task: asyncio.Task[Any]) -> list[Callable[[], object]]:
        both: list[Callable[[], object]] = [scope.cancel, task.cancel]
        return both if first == "scope" else both[::-1]

    async def program() -> None:
        scopes, go = list[CancelScope](), asyncio.Event()
        task = asyncio.create_task(host(scopes, go))
        await asyncio.sleep(0)
        go.set()
        if awaits:
            for cancel in order(scopes[0], task):
                cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(program)


def test_a_time_limit_of_asyncio_around_a_scope() -> None:
    async def program() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001), CancelScope():
                await long()
        async with CancelScope() as scope, asyncio.timeout(PATIENCE):
            scope.cancel()
            await long()
        assert me().cancelling() == 0

    run(program)


# Shielded work


def test_a_shielded_task_is_not_among_those_of_the_loop() -> None:
    async def work(go: asyncio.Event) -> str:
        await go.wait()
        return "done"

    async def program() -> None:
        go = asyncio.Event()
        task = start_shielded(work(go))
        assert task not in asyncio.all_tasks()
        for each in asyncio.all_tasks() - {me()}:
            each.cancel()
        go.set()
        assert await task == "done"

    run(program)


def test_waiting_for_the_end_of_a_task() -> None:
    noted: list[str] = []

    async def host(future: asyncio.Future[str]) -> None:
        interrupted = await finished(future, lambda: noted.append("cancelled"))
        assert isinstance(interrupted, asyncio.CancelledError)
        raise interrupted

    async def program() -> None:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(host(future))
        for _ in range(3):
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.sleep(0)
        future.set_result("")
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await finished(future) is None

    run(program)
    assert noted == ["cancelled"] * 3


def test_uninterrupted_work() -> None:
    async def work(go: asyncio.Event) -> str:
        await go.wait()
        return "done"

    async def host(go: asyncio.Event) -> str:
        result = await uninterrupted(work(go))
        # The cancellation was forgotten.
        await asyncio.sleep(0)
        assert me().cancelling() == 0
        return result

    async def program() -> None:
        go = asyncio.Event()
        task = asyncio.create_task(host(go))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        go.set()
        assert await task == "done"

    run(program)


def test_an_exception_of_uninterrupted_work() -> None:
    async def work() -> None:
        raise KeyError("mine")

    async def program() -> None:
        with pytest.raises(KeyError, match="mine"):
            await uninterrupted(work())

    run(program)


def test_cancelling_again_keeps_the_number_of_cancellations() -> None:
    async def host() -> None:
        try:
            await long()
        except asyncio.CancelledError:
            assert me().cancelling() == 1
        cancel_again()
        assert me().cancelling() == 1
        await long()

    async def program() -> None:
        task = asyncio.create_task(host())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(program)
