"""The callback servers of the drivers, without a login: what a client cannot do to them, and what it still gets."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from typing import TYPE_CHECKING

import pytest
import trio

from loginmachine.drivers.asyncio import callback_server as asyncio_server
from loginmachine.drivers.callback import http11
from loginmachine.drivers.callback.listeners import open_listeners, port_of
from loginmachine.drivers.threaded import callback_server as threaded_server
from loginmachine.drivers.trio import callback_server as trio_server
from loginmachine.sansio.callback.responses import Response
from loginmachine.sansio.login import events

from ..support import PATIENCE, connect, read_to_end
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

MIB = 1024 * 1024
REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Served:
    """A running server.

    Args:
        listeners: Its sockets.
    """

    def __init__(self, listeners: list[socket.socket]) -> None:
        self.listeners = listeners
        self.port = port_of(listeners)
        self.posted: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
        self.server: threaded_server.CallbackServer | trio_server.CallbackServer | asyncio_server.CallbackServer
        self.call: Callable[[Callable[[], object]], object] = lambda work: work()
        """Calls a function in the thread of the server's owner."""

    def next(self, *kinds: type) -> events.Event:
        """Return the next event of one of these kinds."""
        while True:
            event = self.posted.get(timeout=PATIENCE)
            if isinstance(event, kinds):
                return event

    def respond(self, body: bytes) -> None:
        """Respond to the first request."""
        answer = Response(status=200, headers=((b"Content-Length", b"%d" % len(body)),), body=body)
        self.call(lambda: self.server.respond(1, answer))


@contextlib.contextmanager
def in_threads() -> Iterator[Served]:
    served = Served(_listeners())
    server = threaded_server.start_server(served.listeners, served.posted.put, lambda _: False)
    assert server is not None
    served.server = server
    try:
        yield served
    finally:
        server.close()


@contextlib.contextmanager
def in_trio() -> Iterator[Served]:
    served, started = Served(_listeners()), threading.Event()

    async def serve() -> None:
        server = served.server = trio_server.CallbackServer(served.listeners, served.posted.put, lambda _: False)
        served.call = trio.lowlevel.current_trio_token().run_sync_soon
        started.set()
        await server.serve()

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    assert started.wait(PATIENCE)
    try:
        yield served
    finally:
        # A server that the test has closed may be gone, and its run with it.
        with contextlib.suppress(trio.RunFinishedError):
            served.call(served.server.close)
        thread.join()


@contextlib.contextmanager
def in_asyncio() -> Iterator[Served]:
    served, started = Served(_listeners()), threading.Event()

    async def serve() -> None:
        server = served.server = asyncio_server.CallbackServer(served.listeners, served.posted.put, lambda _: False)
        served.call = asyncio.get_running_loop().call_soon_threadsafe
        started.set()
        await server.serve()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert started.wait(PATIENCE)
        yield served
    finally:
        with contextlib.suppress(RuntimeError):
            served.call(served.server.close)
        thread.join()


def _listeners() -> list[socket.socket]:
    listeners = open_listeners(0, "127.0.0.1")
    assert isinstance(listeners, list)
    return listeners


SERVERS = pytest.mark.parametrize("serving", [in_threads, in_trio, in_asyncio])


def set_limits(monkeypatch: pytest.MonkeyPatch, **limits: float) -> None:
    for name, value in limits.items():
        for module in (http11, trio_server, asyncio_server):
            monkeypatch.setattr(module, name, value)


@SERVERS
def test_a_client_that_reads_nothing_is_given_up(
    serving: Callable[[], contextlib.AbstractContextManager[Served]], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_limits(monkeypatch, SEND_TIMEOUT=0.05, CLOSE_TIMEOUT=0.05)
    with serving() as served, connect(served.port) as client:
        client.sendall(REQUEST)
        served.next(events.RequestReceived)
        served.respond(b"x" * 20 * MIB)
        assert served.next(events.ResponseSent, events.ClientGone) == events.ClientGone(request_id=1)


@SERVERS
def test_a_client_that_goes_on_sending_is_cut_off(
    serving: Callable[[], contextlib.AbstractContextManager[Served]], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_limits(monkeypatch, CLOSE_TIMEOUT=60.0)
    with serving() as served, connect(served.port) as client:
        client.sendall(REQUEST)
        served.next(events.RequestReceived)
        served.respond(b"x")
        # 64 KiB are read and discarded. The rest is what the system keeps for both ends.
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            client.sendall(b"x" * 64 * MIB)


@SERVERS
def test_a_client_is_answered_although_the_server_closes(
    serving: Callable[[], contextlib.AbstractContextManager[Served]], monkeypatch: pytest.MonkeyPatch
) -> None:
    closing = threading.Event()
    real, join = http11.CallbackConnection.answer, threaded_server._Connection.join

    def late(http: http11.CallbackConnection, answer: Response) -> bytes:
        # In the thread of the connection, when every connection is closing.
        assert serving is not in_threads or closing.wait(PATIENCE)
        return real(http, answer)

    def waited_for(connection: threaded_server._Connection) -> None:
        closing.set()
        join(connection)

    monkeypatch.setattr(http11.CallbackConnection, "answer", late)
    monkeypatch.setattr(threaded_server._Connection, "join", waited_for)
    with serving() as served, connect(served.port) as client:
        client.sendall(REQUEST)
        served.next(events.RequestReceived)
        served.respond(b"the last page")
        served.call(served.server.close)
        assert read_to_end(client).endswith(b"the last page")
