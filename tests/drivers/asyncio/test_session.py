"""Sessions of asyncio: cancellation, the end of an event loop, several loops, and the asynchronous client."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from loginmachine import AsyncioSession, Credentials, MemoryStore, RefreshFailed

from ..shared.session_support import DUE, LASTING, OVER, TokenEndpoint, access_token, mark_of, signed_in, token_of
from ..support import PATIENCE
from .support import eager_loop, living_tasks, run, until, uvloop_loop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def test_a_cancelled_task_does_not_end_the_refresh_of_the_others(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = AsyncioSession(signed_in(tmp_path, OVER), endpoint.provider)
    endpoint.hold()

    async def main() -> None:
        leader = asyncio.create_task(session.access_token())
        await until(endpoint.asked.is_set)
        other = asyncio.create_task(session.access_token())
        await until(lambda: session._current is not None and session._current.waiting == 2)
        leader.cancel()
        endpoint.released.set()
        assert mark_of(await other) == "new-1"
        assert leader.cancelled()

    run(main)
    assert endpoint.requests == 1


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, eager_loop, uvloop_loop])
@pytest.mark.parametrize("how", ["cancelled", "left"])
def test_the_end_of_the_loop_during_the_request(
    tmp_path: Path, endpoint: TokenEndpoint, how: str, loop_factory: LoopFactory
) -> None:
    """The loop ends with the refresh still under way, and waits for it."""
    store = signed_in(tmp_path, OVER)
    session = AsyncioSession(store, endpoint.provider)
    endpoint.hold()
    callers: list[asyncio.Task[str]] = []

    async def main() -> None:
        callers.append(asyncio.create_task(session.access_token()))
        await until(endpoint.asked.is_set)
        if how == "cancelled":
            callers[0].cancel()
            await asyncio.wait(callers)
        # The response comes when `asyncio.run` has cancelled every task.
        asyncio.get_running_loop().call_later(0.05, endpoint.released.set)

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(main())
    assert callers[0].cancelled()
    assert mark_of(token_of(store.load())) == "new-1"
    assert session._current is None


def test_a_cancellation_before_the_request_ends_the_refresh(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = AsyncioSession(store, endpoint.provider)

    async def main() -> None:
        with store.renewing():
            caller = asyncio.create_task(session.access_token())
            await until(lambda: session._current is not None)
            caller.cancel()
            await asyncio.wait((caller,))
            await until(lambda: session._current is None)
        assert endpoint.requests == 0
        assert mark_of(await session.access_token()) == "new-1"

    run(main)


@pytest.mark.parametrize("moment", range(12))
def test_a_caller_is_cancelled_at_each_step(tmp_path: Path, endpoint: TokenEndpoint, moment: int) -> None:
    store = signed_in(tmp_path, OVER)
    session = AsyncioSession(store, endpoint.provider)

    async def main() -> None:
        caller = asyncio.create_task(session.access_token())
        for _ in range(moment):
            await asyncio.sleep(0)
        caller.cancel()
        with pytest.raises(asyncio.CancelledError):
            await caller
        await until(lambda: living_tasks() == {asyncio.current_task()})
        assert mark_of(await session.access_token()) == "new-1"

    run(main)
    assert endpoint.requests == 1
    with store.renewing(timeout=0.0):
        pass


CLOSED_LOOP = """
import asyncio, sys
from loginmachine import AsyncioSession, FileStore, Provider

session = AsyncioSession(FileStore(sys.argv[1]), Provider.codex(issuer=sys.argv[2]))
loop = asyncio.new_event_loop()
task = loop.create_task(session.access_token())
while session._current is None or session._current.machine.state != 'exchanging_refresh_token':
    loop.run_until_complete(asyncio.sleep(0.001))
loop.close()
del task
print('closed', flush=True)
sys.stdin.readline()
print(asyncio.run(session.access_token()))
"""


def test_a_loop_that_was_closed_in_the_middle(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    """As by a program that closes its loop itself: its refresh is lost, and the next loop begins one of its own."""
    signed_in(tmp_path, OVER)
    endpoint.hold()
    command = [sys.executable, "-c", CLOSED_LOOP, str(tmp_path), endpoint.url]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "closed\n"
        endpoint.released.set()
        token, _ = program.communicate("\n", PATIENCE)
    # Whether the first request was sent before the loop was closed is a matter of time.
    assert mark_of(token.strip()) == f"new-{endpoint.requests}"


def test_several_loops_at_once(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    """As in a Django view that runs without ASGI: a loop for each request, in a thread of its own."""
    session = AsyncioSession(signed_in(tmp_path, OVER), endpoint.provider)
    marks: list[str] = []
    start = threading.Barrier(4)

    async def ask() -> None:
        start.wait(PATIENCE)
        marks.extend(mark_of(token) for token in await asyncio.gather(*[session.access_token() for _ in range(5)]))

    threads = [threading.Thread(target=asyncio.run, args=(ask(),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    assert marks == ["new-1"] * 20
    assert endpoint.requests == 1


def test_a_valid_token_costs_no_step_of_the_loop(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = AsyncioSession(signed_in(tmp_path, LASTING), endpoint.provider)

    async def main() -> None:
        await session.access_token()
        steps: list[None] = []
        asyncio.get_running_loop().call_soon(steps.append, None)
        for _ in range(100):
            await session.access_token()
        assert steps == []

    run(main)
    assert endpoint.requests == 0


def test_a_token_that_is_due_is_refreshed_in_the_background(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = AsyncioSession(signed_in(tmp_path, DUE), endpoint.provider)

    async def main() -> None:
        assert mark_of(await session.access_token()) == "old"
        await until(lambda: session._current is None and endpoint.requests)
        assert mark_of(await session.access_token()) == "new-1"

    run(main)
    assert endpoint.requests == 1


@pytest.mark.parametrize("left", range(9))
def test_a_system_without_threads_loses_no_tokens(
    tmp_path: Path, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    """So many calls get a thread, and no more."""
    store = signed_in(tmp_path, OVER)
    warnings: list[str] = []
    session = AsyncioSession(store, endpoint.provider, on_warning=warnings.append)
    start = threading.Thread.start
    calls = 0

    def refuse(thread: threading.Thread) -> None:
        nonlocal calls
        calls += thread.name.startswith("loginmachine")
        if thread.name.startswith("loginmachine") and calls > left:
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with contextlib.suppress(RefreshFailed):
            assert mark_of(asyncio.run(session.access_token())) == "new-1"
    assert warnings == []
    assert mark_of(token_of(store.load())) == ("new-1" if endpoint.requests else "old")
    assert mark_of(asyncio.run(session.access_token())) == "new-1"
    assert endpoint.requests == 1
    with store.renewing(timeout=0.0):
        pass


@pytest.mark.parametrize("kind", [SystemExit, StopIteration, KeyboardInterrupt])
def test_an_exception_of_the_store_is_raised_once(endpoint: TokenEndpoint, kind: type[BaseException]) -> None:
    calls: list[str] = []

    class Broken(MemoryStore):
        def load(self) -> Credentials | None:
            calls.append("load")
            raise kind

    with pytest.raises(RefreshFailed if kind is StopIteration else kind):
        asyncio.run(AsyncioSession(Broken(), endpoint.provider).access_token())
    assert calls == ["load"]


def test_the_token_of_a_session_is_the_one_of_the_store(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = AsyncioSession(signed_in(tmp_path, LASTING, "mine"), endpoint.provider)
    assert asyncio.run(session.access_token()) == access_token(LASTING, "mine")
