"""Leaving the block of a login that has connections: with each driver, silent clients do not hold it up."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import pytest

from loginmachine import MemoryStore
from loginmachine.drivers.asyncio import callback_server as asyncio_server
from loginmachine.drivers.callback import http11
from loginmachine.drivers.trio import callback_server as trio_server

from ..conformance.drivers import DRIVERS, Play
from ..support import Browser, Progress, connect
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all

if TYPE_CHECKING:
    import socket

    from ..conftest import ScriptedProvider

LIMIT = 40.0
"""Seconds after which a connection is closed that sends nothing. Leaving takes a small part of a second."""


@pytest.mark.parametrize("driver", ["threads", "trio", "asyncio"])
def test_idle_connections_are_closed_when_the_block_is_left(
    driver: str, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (http11, trio_server, asyncio_server):
        monkeypatch.setattr(module, "HEAD_TIMEOUT", LIMIT)
    clients: list[socket.socket] = []

    def visit(play: Play) -> None:
        browser = Browser(play.auth_url)
        for data in (b"", b"GET /auth/callback?code", b"GET / HTTP/1.1\r\nHost: "):
            clients.append(connect(play.port))
            clients[-1].sendall(data)
        # All of them are accepted, because this one is.
        assert browser.request("/favicon.ico").status == 404
        play.goes.set()

    play = Play(provider.options(), MemoryStore(), Progress(), visit, host="leaves")
    started = time.monotonic()
    DRIVERS[driver](play)
    assert time.monotonic() - started < LIMIT / 2
    for client in clients:
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
        client.close()
