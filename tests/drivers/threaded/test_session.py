"""Sessions of threads: interrupts, and the blocking client."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import loginmachine
from loginmachine import FileStore, MemoryStore, Session
from loginmachine.sansio.base.http import HttpResponse

from ..shared.session_support import (
    LASTING,
    OVER,
    TokenEndpoint,
    access_token,
    credentials,
    mark_of,
    signed_in,
    token_of,
)
from ..support import PATIENCE, eventually

if TYPE_CHECKING:
    from typing import Self


def interrupt_main_when(event: threading.Event) -> threading.Thread:
    """Interrupt the thread of this test, as Ctrl-C does."""
    main = threading.get_ident()

    def interrupt() -> None:
        assert event.wait(PATIENCE)
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    return thread


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals are sent to a thread")
def test_an_interrupt_during_the_request_does_not_end_the_refresh(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = Session(store, endpoint.provider)
    endpoint.hold()
    interrupter = interrupt_main_when(endpoint.asked)
    with pytest.raises(KeyboardInterrupt):
        session.access_token()
    interrupter.join(PATIENCE)
    endpoint.released.set()
    assert eventually(lambda: mark_of(token_of(store.load())) == "new-1")
    assert eventually(lambda: session._current is None)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals are sent to a thread")
def test_an_interrupt_before_the_request_ends_the_refresh(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = Session(store, endpoint.provider)
    waits = threading.Event()
    with store.renewing():
        interrupter = interrupt_main_when(waits)

        def announce() -> None:
            assert eventually(lambda: session._current is not None)
            waits.set()

        announcer = threading.Thread(target=announce)
        announcer.start()
        with pytest.raises(KeyboardInterrupt):
            session.access_token()
        announcer.join(PATIENCE)
        interrupter.join(PATIENCE)
        assert eventually(lambda: session._current is None)
    assert endpoint.requests == 0
    assert mark_of(session.access_token()) == "new-1"


def test_without_a_free_thread_the_caller_runs_the_refresh(
    tmp_path: Path, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(signed_in(tmp_path, OVER), endpoint.provider)
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "loginmachine-refresh" or isinstance(thread, threading.Timer):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr("threading.Thread.start", refuse)
    assert mark_of(session.access_token()) == "new-1"


def test_an_asynchronous_client_is_refused(tmp_path: Path) -> None:
    import trio

    async def main() -> None:
        async with httpx.AsyncClient(auth=Session(FileStore(tmp_path)).auth) as client:
            await client.get("https://api.example/")

    with pytest.raises(TypeError, match="with trio use TrioSession"):
        trio.run(main)


# An interrupt at any moment

PACKAGE = Path(loginmachine.__file__).parent
FILES = [str(path) for path in PACKAGE.rglob("*.py") if path.name in {"session.py", "refresh.py", "waiting.py"}]


class Interrupt:
    """Raises `KeyboardInterrupt` in this thread, at the line with this number of those that a session executes."""

    def __init__(self, line: int) -> None:
        self.line = line
        self.raised = False

    def trace(self, frame: Any, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename not in FILES:
            return None
        if event == "line" and not self.raised:
            self.line -= 1
            if self.line < 0:
                self.raised = True
                raise KeyboardInterrupt
        return self.trace

    def __enter__(self) -> Self:
        sys.settrace(self.trace)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)


def answers(*_: object) -> HttpResponse:
    content = {"access_token": access_token(LASTING, "new"), "refresh_token": "canary-refresh-new"}
    return HttpResponse(status=200, headers=(), body=json.dumps(content).encode(), received_at=time.time())


def interrupted_session(line: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Interrupt a call at a line, and call again. Return whether the call was long enough for that."""
    monkeypatch.setattr("loginmachine.drivers.threaded.refresh.send", answers)
    store = MemoryStore()
    store.save(credentials(OVER))
    session = Session(store)
    with contextlib.suppress(KeyboardInterrupt), Interrupt(line) as interrupt:
        session.access_token()
    marks: list[str] = []
    later = [threading.Thread(target=lambda: marks.append(mark_of(session.access_token()))) for _ in range(2)]
    for thread in later:
        thread.start()
    for thread in later:
        thread.join(PATIENCE)
    assert marks == ["new", "new"], f"after an interrupt at line {line}"
    assert eventually(lambda: session._current is None)
    return interrupt.raised


def test_an_interrupt_at_any_line_stops_no_later_call(monkeypatch: pytest.MonkeyPatch) -> None:
    line = 0
    while interrupted_session(line, monkeypatch):
        line += 1
    assert line > 30


@pytest.mark.parametrize("moment", ["before", "after"])
def test_an_interrupt_while_the_thread_is_started(
    tmp_path: Path, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    session = Session(signed_in(tmp_path, OVER), endpoint.provider)
    start = threading.Thread.start

    def interrupt(thread: threading.Thread) -> None:
        if thread.name == "loginmachine-refresh":
            if moment == "after":
                start(thread)
            raise KeyboardInterrupt
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr("threading.Thread.start", interrupt)
        with pytest.raises(KeyboardInterrupt):
            session.access_token()
    assert mark_of(session.access_token()) == "new-1"
    assert endpoint.requests == 1


def test_an_interrupt_where_no_thread_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """The caller runs the refresh itself."""
    store = MemoryStore()
    store.save(credentials(OVER))
    session = Session(store)

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    def interrupt(*_: object) -> HttpResponse:
        raise KeyboardInterrupt

    monkeypatch.setattr("threading.Thread.start", refuse)
    monkeypatch.setattr("loginmachine.drivers.threaded.refresh.send", interrupt)
    with pytest.raises(KeyboardInterrupt):
        session.access_token()
    monkeypatch.setattr("loginmachine.drivers.threaded.refresh.send", answers)
    assert mark_of(session.access_token()) == "new"
