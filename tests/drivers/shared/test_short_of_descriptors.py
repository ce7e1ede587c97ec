"""A system that cannot accept a connection or open a file just now, with each driver: the login goes on."""

from __future__ import annotations

import errno
import os
import socket
import sys
import threading
import time
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
import trio

from loginmachine import MemoryStore
from loginmachine.drivers.callback import http11
from loginmachine.drivers.trio import callback_server as trio_server

from ..conformance.drivers import DRIVERS, Play
from ..support import PATIENCE, Browser, Progress
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all

if TYPE_CHECKING:
    from ..conftest import ScriptedProvider

TROUBLES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ECONNABORTED, errno.EPROTO, errno.EPERM)


@pytest.mark.parametrize("number", TROUBLES)
@pytest.mark.parametrize("driver", ["threads", "trio"])
def test_the_login_continues_when_accepting_fails(
    driver: str, number: int, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures, moments = [OSError(number, os.strerror(number))] * 3, []
    of_threads, of_trio = socket.socket.accept, trio._socket._SocketType.accept

    def accept(listener: socket.socket) -> Any:
        if failures:
            moments.append(time.monotonic())
            raise failures.pop()
        return of_threads(listener)

    async def accept_in_trio(listener: Any) -> Any:
        if failures:
            moments.append(time.monotonic())
            await trio.lowlevel.wait_readable(listener)
            raise failures.pop()
        return await of_trio(listener)

    for module in (http11, trio_server):
        monkeypatch.setattr(module, "ACCEPT_RETRY_DELAY", 0.01)

    def visit(play: Play) -> None:
        Browser(play.auth_url).finish()

    play = Play(provider.options(), MemoryStore(), Progress(), visit)
    if driver == "threads":
        monkeypatch.setattr(socket.socket, "accept", accept)
    else:
        monkeypatch.setattr("trio._socket._SocketType.accept", accept_in_trio)
    DRIVERS[driver](play)
    assert play.credentials is not None
    assert failures == []
    # Without room there is a pause, in which room may be made.
    if number in TROUBLES[:4]:
        assert min(later - earlier for earlier, later in pairwise(moments)) >= 0.01


@pytest.mark.parametrize("driver", ["threads", "trio"])
def test_the_login_continues_when_preloading_fails(
    driver: str, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_failed = threading.Event()

    class Short:
        """Fails once to find the first module that both drivers load beforehand."""

        @staticmethod
        def find_spec(name: str, _path: object = None, _target: object = None) -> None:
            if name == "html" and not has_failed.is_set():
                has_failed.set()
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    def visit(play: Play) -> None:
        assert has_failed.wait(PATIENCE)
        Browser(play.auth_url).finish()

    monkeypatch.delitem(sys.modules, "html", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Short, *sys.meta_path])
    play = Play(provider.options(), MemoryStore(), Progress(), visit)
    DRIVERS[driver](play)
    assert play.credentials is not None
