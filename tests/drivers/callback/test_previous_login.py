"""Asking an older login server to free the port."""

from __future__ import annotations

import contextlib

import pytest

from loginmachine.drivers.callback import previous_login as previous
from loginmachine.drivers.callback.previous_login import cancel_previous

from ..scripted_server import OK, Peer, ScriptedServer, sends
from ..support import free_port

CANCELLED = OK % (15, b"Login cancelled")


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param((CANCELLED,), id="ours"),
        pytest.param((b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nLogin cancelled",), id="until the end"),
        pytest.param(tuple(CANCELLED[n : n + 1] for n in range(len(CANCELLED))), id="byte by byte"),
        pytest.param((CANCELLED, b"x" * 100_000), id="with more behind it"),
    ],
)
def test_a_login_server_gives_way(parts: tuple[bytes, ...]) -> None:
    with ScriptedServer(sends(*parts)) as server:
        assert cancel_previous(server.port) is True
        ((head, body),) = server.requests
    request = f"GET /cancel HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nConnection: close\r\n\r\n"
    assert (head, body) == (request.encode(), b"")


def test_a_login_server_that_keeps_the_connection_open() -> None:
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(CANCELLED)
        peer.wait_for_end()

    with ScriptedServer(script) as server:
        assert cancel_previous(server.port) is True


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 404 Not Found\r\nContent-Length: 15\r\n\r\nLogin cancelled", id="404"),
        pytest.param(OK % (5, b"hello"), id="200 of a stranger"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: Login cancelled\r\n\r\nhello", id="in a header"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\nLogin cancel", id="cut short"),
        pytest.param(b"\x16\x03\x01\x00\xff" * 20, id="garbage"),
        pytest.param(b"Login cancelled", id="no HTTP"),
        pytest.param(b" \r\n\r\nLogin cancelled", id="empty status line"),
        pytest.param(b"", id="closed at once"),
    ],
)
def test_another_server_does_not_give_way(answer: bytes) -> None:
    with ScriptedServer(sends(answer)) as server:
        assert cancel_previous(server.port) is False


def test_a_server_that_does_not_read() -> None:
    with ScriptedServer(lambda _: None) as server:
        assert cancel_previous(server.port) is False


def test_a_port_without_a_listener() -> None:
    assert cancel_previous(free_port()) is False


def test_silence_ends_with_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previous, "CANCEL_TIMEOUT", 0.05)
    with ScriptedServer(Peer.wait_for_end) as server:
        assert cancel_previous(server.port) is False


def test_a_drip_ends_with_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previous, "CANCEL_TIMEOUT", 0.1)
    sent = []

    def drip(peer: Peer) -> None:
        peer.read_request()
        # The budget is for the whole: each of these comes long before a read of its own would time out.
        while not peer.server.reached.wait(0.02):
            sent.append(1)
            peer.send(b"x")

    with ScriptedServer(drip) as server:
        assert cancel_previous(server.port) is False
        server.reached.set()
    assert len(sent) < 100


def test_endless_data_is_read_up_to_1_kib(monkeypatch: pytest.MonkeyPatch) -> None:
    # Far more than the budget would let through, if the amount were not limited.
    monkeypatch.setattr(previous, "CANCEL_TIMEOUT", 60.0)

    def endless(peer: Peer) -> None:
        peer.read_request()
        with contextlib.suppress(OSError):
            while True:
                peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 65536)

    with ScriptedServer(endless) as server:
        assert cancel_previous(server.port) is False


@pytest.mark.parametrize(("filler", "accepted"), [(990, True), (991, False)])
def test_only_the_first_1024_bytes_of_the_answer_are_compared(filler: int, accepted: bool) -> None:  # noqa: FBT001
    answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * filler + b"Login cancelled"
    with ScriptedServer(sends(answer)) as server:
        assert cancel_previous(server.port) is accepted


def test_no_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(sends(CANCELLED)) as server, ScriptedServer(sends(b"")) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert cancel_previous(server.port) is True
        assert proxy.accepted == 0
