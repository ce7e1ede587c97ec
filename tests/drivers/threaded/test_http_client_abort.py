"""HTTP requests that are aborted from another thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from loginmachine.drivers.threaded.http_client import HttpClient
from loginmachine.sansio.base.http import HttpRequest, HttpRequestFailed, HttpResponse

from ..scripted_server import OK, Peer, ScriptedServer
from ..support import PATIENCE, eventually, trust_only

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

    import trustme

FORM = (("code", "canary"),)


class Aborted:
    """A client with a request in another thread, which the test aborts."""

    def __init__(self, url: str) -> None:
        self.client = HttpClient()
        self.request = HttpRequest(url=url, form=FORM, timeout=PATIENCE)
        self.events: list[object] = []
        self._thread = threading.Thread(target=lambda: self.events.append(self.client.send(self.request)))

    def start(self) -> None:
        self._thread.start()

    def abort(self) -> bool:
        """Abort the request. Return whether the thread ends long before the time limit of the request."""
        self.client.abort()
        self._thread.join(1)
        return not self._thread.is_alive()

    def close(self) -> None:
        self._thread.join()
        self.client.close()


def silent(peer: Peer) -> None:
    peer.read_request()
    peer.wait_for_end()


def half_an_answer(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")
    peer.wait_for_end()


@pytest.mark.parametrize("script", [silent, half_an_answer])
@pytest.mark.parametrize("with_tls", [False, True])
def test_an_abort_wakes_a_reader_at_once(  # noqa: PLR0913
    *,
    script: Callable[[Peer], None],
    with_tls: bool,
    authority: trustme.CA,
    server_tls: ssl.SSLContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trust_only(authority, tmp_path, monkeypatch, "SSL_CERT_FILE")
    with ScriptedServer(script, tls=server_tls if with_tls else None) as server:
        aborted = Aborted(f"{server.url}/oauth/token")
        aborted.start()
        assert server.reached.wait(PATIENCE)
        woken = aborted.abort()
    aborted.close()
    assert woken
    assert [type(event) for event in aborted.events] == [HttpRequestFailed]


def test_an_abort_wakes_the_reader_of_a_second_answer() -> None:
    def one_answer_only(peer: Peer) -> None:
        # The second request comes on the same connection, or on another one: as the client likes.
        if peer.server.accepted == 1:
            peer.read_request()
            peer.send(OK % (2, b"{}"))
        silent(peer)

    with ScriptedServer(one_answer_only) as server:
        aborted = Aborted(f"{server.url}/oauth/token")
        assert isinstance(aborted.client.send(aborted.request), HttpResponse)
        aborted.start()
        assert eventually(lambda: len(server.requests) == 2)
        woken = aborted.abort()
    aborted.close()
    assert woken
    assert [type(event) for event in aborted.events] == [HttpRequestFailed]


@pytest.mark.parametrize("with_tls", [False, True])
def test_nothing_is_sent_after_an_abort(*, with_tls: bool, server_tls: ssl.SSLContext) -> None:
    # The socket that was made in vain is closed: warnings are errors here.
    with ScriptedServer(silent, tls=server_tls if with_tls else None) as server:
        aborted = Aborted(f"{server.url}/oauth/token")
        aborted.client.abort()
        aborted.start()
        aborted.close()
        assert server.requests == []
    assert [type(event) for event in aborted.events] == [HttpRequestFailed]


def test_nothing_is_sent_after_an_abort_on_a_connection_that_is_there() -> None:
    def two_answers(peer: Peer) -> None:
        while peer.read_request()[0]:
            peer.send(OK % (2, b"{}"))

    with ScriptedServer(two_answers) as server:
        aborted = Aborted(f"{server.url}/oauth/token")
        assert isinstance(aborted.client.send(aborted.request), HttpResponse)
        aborted.client.abort()
        aborted.start()
        aborted.close()
        assert len(server.requests) == 1
    assert [type(event) for event in aborted.events] == [HttpRequestFailed]


def test_a_connection_made_after_the_close_is_closed() -> None:
    # What an abandoned thread does: it could not be interrupted while it connected.
    with ScriptedServer(silent) as server:
        aborted = Aborted(f"{server.url}/oauth/token")
        aborted.client.abort()
        aborted.client.close()
        aborted.start()
        aborted._thread.join()
        del aborted
        assert server.requests == []


def test_abort_and_close_may_come_in_any_order_and_twice() -> None:
    client = HttpClient()
    for call in (client.abort, client.close, client.abort, client.close):
        call()
