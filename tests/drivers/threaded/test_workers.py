"""The worker threads of a login, when the system has none left."""

from __future__ import annotations

import threading

import pytest

from loginmachine.drivers.threaded.workers import Workers
from loginmachine.sansio.login import events


def test_what_is_posted_when_no_thread_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    posted: list[events.Event] = []
    workers = Workers(posted.append, lambda crash: pytest.fail(repr(crash)))
    failed = events.SaveFailed(message="no thread")
    monkeypatch.setattr(threading.Thread, "start", refuse)
    # Nobody waits for the result of the first.
    workers.start(lambda: pytest.fail("it was done"))
    assert posted == []
    workers.start(lambda: pytest.fail("it was done"), otherwise=failed)
    assert posted == [failed]
    workers.join()
