"""Sessions of trio: cancellation, and the asynchronous client."""

from __future__ import annotations

import contextlib
import signal
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trio

from loginmachine import Credentials, FileStore, MemoryStore, RefreshFailed, TrioSession

from ..shared.session_drivers import until
from ..shared.session_support import OVER, TokenEndpoint, mark_of, signed_in, token_of
from .support import no_idle_threads, run

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["no_idle_threads"]


def test_a_cancelled_task_does_not_end_the_refresh_of_the_others(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = TrioSession(signed_in(tmp_path, OVER), endpoint.provider)
    endpoint.hold()
    marks: list[str] = []

    async def ask() -> None:
        marks.append(mark_of(await session.access_token()))

    async def main() -> None:
        async with trio.open_nursery() as others, trio.open_nursery() as leader:
            leader.start_soon(ask)
            await until(endpoint.asked.is_set)
            others.start_soon(ask)
            await until(lambda: session._current is not None and session._current.waiting == 2)
            leader.cancel_scope.cancel()
            endpoint.released.set()

    run(main)
    assert marks == ["new-1"]
    assert endpoint.requests == 1


def test_a_cancellation_during_the_request_does_not_end_the_refresh(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = TrioSession(store, endpoint.provider)
    endpoint.hold()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.access_token)
            await until(endpoint.asked.is_set)
            nursery.cancel_scope.cancel()
        endpoint.released.set()

    # The run ends with the refresh still under way, and waits for it.
    trio.run(main)
    assert mark_of(token_of(store.load())) == "new-1"
    assert session._current is None


def test_a_cancellation_before_the_request_ends_the_refresh(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = TrioSession(store, endpoint.provider)

    async def main() -> None:
        with store.renewing():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(session.access_token)
                await until(lambda: session._current is not None)
                nursery.cancel_scope.cancel()
            await until(lambda: session._current is None)
        assert endpoint.requests == 0
        assert mark_of(await session.access_token()) == "new-1"

    run(main)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_interrupt_while_the_task_is_started(
    tmp_path: Path, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    session = TrioSession(signed_in(tmp_path, OVER), endpoint.provider)
    spawn = trio.lowlevel.spawn_system_task

    def interrupt(*arguments: Any, **options: Any) -> object:
        if moment == "before":
            signal.raise_signal(signal.SIGINT)
        task = spawn(*arguments, **options)
        signal.raise_signal(signal.SIGINT)
        return task

    with monkeypatch.context() as patched:
        patched.setattr("trio.lowlevel.spawn_system_task", interrupt)
        with pytest.raises(KeyboardInterrupt):
            trio.run(session.access_token)
    assert mark_of(trio.run(session.access_token)) == "new-1"
    assert session._current is None


@pytest.mark.parametrize("left", range(9))
def test_a_system_without_threads_loses_no_tokens(
    tmp_path: Path, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    """So many calls get a thread, and no more."""
    store = signed_in(tmp_path, OVER)
    warnings: list[str] = []
    session = TrioSession(store, endpoint.provider, on_warning=warnings.append)
    in_thread = trio.to_thread.run_sync
    calls = 0

    async def refuse(*arguments: Any, **options: Any) -> object:
        nonlocal calls
        calls += 1
        if calls > left:
            raise RuntimeError("can't start new thread")
        return await in_thread(*arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr("trio.to_thread.run_sync", refuse)
        with contextlib.suppress(RefreshFailed):
            assert mark_of(trio.run(session.access_token)) == "new-1"
    assert warnings == []
    assert mark_of(token_of(store.load())) == ("new-1" if endpoint.requests else "old")
    assert mark_of(trio.run(session.access_token)) == "new-1"
    assert endpoint.requests == 1
    with store.renewing(timeout=0.0):
        pass


def test_an_exception_of_the_store_is_not_taken_for_a_missing_thread(endpoint: TokenEndpoint) -> None:
    calls: list[str] = []

    class Broken(MemoryStore):
        def load(self) -> Credentials | None:
            calls.append("load")
            raise SystemExit

    with pytest.raises(SystemExit):
        trio.run(TrioSession(Broken(), endpoint.provider).access_token)
    assert calls == ["load"]


def test_a_blocking_client_is_refused(tmp_path: Path) -> None:
    session = TrioSession(FileStore(tmp_path))
    with httpx.Client(auth=session.auth) as client, pytest.raises(TypeError, match="use a Session"):
        client.get("https://api.example/")
