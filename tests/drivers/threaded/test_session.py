"""Sessions of threads: interrupts, and the blocking client."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import httpx
import pytest

from loginmachine import FileStore, Session

from ..shared.session_support import OVER, TokenEndpoint, mark_of, signed_in, token_of
from ..support import PATIENCE, eventually

if TYPE_CHECKING:
    from pathlib import Path


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

    with pytest.raises(TypeError, match="use a TrioSession"):
        trio.run(main)
