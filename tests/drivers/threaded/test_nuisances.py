"""What else comes to the callback listener: none of it ends, delays or harms a login."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from loginmachine import MemoryStore, ThreadedLogin, start_login
from loginmachine.drivers.callback import http11

from ..support import PATIENCE, Browser, Progress, connect, eventually, parse_reply, raw, read_to_end, reset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..conftest import ScriptedProvider


@pytest.fixture
def login(provider: ScriptedProvider, progress: Progress) -> Iterator[ThreadedLogin]:
    with start_login(provider.options(), store=MemoryStore(), on_progress=progress) as running:
        yield running


@pytest.fixture
def browser(login: ThreadedLogin) -> Browser:
    return Browser(login.auth_url)


@pytest.fixture
def idle(browser: Browser) -> Iterator[Callable[[], socket.socket]]:
    """Connections that say nothing."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(connect(browser.port))


def come_and_go(port: int) -> int:
    connect(port).close()
    return 0


NUISANCES: dict[str, tuple[Callable[[Browser], int], int]] = {
    "favicon": (lambda browser: browser.request("/favicon.ico").status, 404),
    "wrong state": (lambda browser: browser.callback("code=x&state=y").status, 400),
    "error without state": (lambda browser: browser.callback("error=access_denied").status, 400),
    "OPTIONS": (lambda browser: browser.request("*", "OPTIONS").status, 405),
    "HEAD": (lambda browser: browser.request(browser.target(), "HEAD").status, 405),
    "POST": (lambda browser: browser.request(browser.target(), "POST", Content_Length="0").status, 405),
    "prefetch": (lambda browser: browser.request(browser.target(), Sec_Purpose="prefetch").status, 503),
    "prerender": (lambda browser: browser.request(browser.target(), Sec_Purpose="prefetch;prerender").status, 503),
    "foreign Host": (
        lambda browser: browser.request(browser.target(), Host=f"evil.example:{browser.port}").status,
        403,
    ),
    "no port in Host": (lambda browser: browser.request(browser.target(), Host="127.0.0.1").status, 403),
    "empty Host": (lambda browser: browser.request(browser.target(), Host="").status, 400),
    "wrong path": (lambda browser: browser.request("/" + browser.target()).status, 404),
    "early /success": (lambda browser: browser.request("/success").status, 404),
    "/cancel by a page": (lambda browser: browser.request("/cancel", Origin="https://evil.example").status, 403),
    "body": (lambda browser: browser.request(browser.target(), Content_Length="3").status, 413),
    "not HTTP": (lambda browser: parse_reply(raw(browser.port, b"\x16\x03\x01\x02\x00\x01")).status, 400),
    "closed at once": (lambda browser: come_and_go(browser.port), 0),
}


@pytest.mark.parametrize("count", [1, 50])
@pytest.mark.parametrize("name", NUISANCES)
def test_a_nuisance_changes_nothing(
    name: str, count: int, provider: ScriptedProvider, login: ThreadedLogin, browser: Browser
) -> None:
    disturb, expected = NUISANCES[name]
    assert [disturb(browser) for _ in range(count)] == [expected] * count
    browser.finish()
    login.wait()
    assert len(provider.forms) == 2


@pytest.mark.parametrize("count", [1, 50, 64])
def test_idle_connections_delay_nobody(
    count: int, login: ThreadedLogin, browser: Browser, idle: Callable[[], socket.socket]
) -> None:
    for _ in range(count):
        idle()
    browser.finish()
    login.wait()


def test_the_oldest_idle_connection_is_dropped_first(
    login: ThreadedLogin, browser: Browser, idle: Callable[[], socket.socket]
) -> None:
    oldest, *others = [idle() for _ in range(http11.MAX_CONNECTIONS + 1)]
    assert read_to_end(oldest) == b""
    others[0].sendall(browser.request_bytes("/favicon.ico"))
    assert parse_reply(read_to_end(others[0])).status == 404
    browser.finish()
    login.wait()


def test_answered_connections_that_stay_open_keep_nobody_out(
    login: ThreadedLogin, browser: Browser, idle: Callable[[], socket.socket]
) -> None:
    for _ in range(http11.MAX_CONNECTIONS):
        client = idle()
        client.sendall(browser.request_bytes("/favicon.ico"))
        assert client.recv(1) == b"H"
    browser.finish()
    login.wait()


def test_two_tabs(provider: ScriptedProvider, login: ThreadedLogin, browser: Browser) -> None:
    replies = []
    provider.hold()
    tabs = [threading.Thread(target=lambda: replies.append(browser.callback())) for _ in range(2)]
    for tab in tabs:
        tab.start()
    assert provider.asked.wait(PATIENCE)
    # A reload that brings another code does not disturb those that wait.
    assert browser.callback("code=another&state={state}").status == 409
    provider.released.set()
    for tab in tabs:
        tab.join(PATIENCE)
    login.wait()
    assert [(reply.status, reply.headers["location"]) for reply in replies] == [(302, "/success")] * 2
    assert [form[0][1] for form in provider.forms].count("authorization_code") == 1
    for _ in replies:
        assert browser.request("/success").status == 200


@pytest.mark.parametrize("drip", [b"", b"G", b"GET /auth/callback?code=x HTTP/1.1\r\nHost: "])
def test_a_slow_client_is_closed_without_a_word(
    drip: bytes, login: ThreadedLogin, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http11, "HEAD_TIMEOUT", 0.15)
    with connect(browser.port) as client:
        client.sendall(drip)
        client.settimeout(0.02)
        received = None
        while received is None:
            # Each byte comes in time; the whole head does not. A byte too late is answered with a reset.
            with contextlib.suppress(TimeoutError):
                try:
                    received = client.recv(100)
                except ConnectionResetError:
                    received = b""
            with contextlib.suppress(OSError):
                client.sendall(drip[-1:])
    assert received == b""
    browser.finish()
    login.wait()


@pytest.mark.parametrize("leave", [reset, socket.socket.close])
def test_a_client_that_leaves_while_it_waits(  # noqa: PLR0913
    *,
    leave: Callable[[socket.socket], None],
    provider: ScriptedProvider,
    login: ThreadedLogin,
    browser: Browser,
    progress: Progress,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("loginmachine.sansio.login.state.LINGER", 0.3)
    provider.hold()
    client = connect(browser.port)
    client.sendall(browser.callback_bytes())
    assert provider.asked.wait(PATIENCE)
    leave(client)
    provider.released.set()
    login.wait()
    assert eventually(lambda: bool(progress.problems), 0.2)
    assert progress.problems == [("redirect_back", "redirect_failed", False)]
    assert progress.names[-2:] == ["succeeded", "failed"]


def test_a_client_that_resets_before_its_request(login: ThreadedLogin, browser: Browser) -> None:
    for part in (b"", b"GET /auth"):
        client = connect(browser.port)
        client.sendall(part)
        reset(client)
    browser.finish()
    login.wait()


def test_a_half_closed_client_gets_its_answer(login: ThreadedLogin, browser: Browser) -> None:
    with connect(browser.port) as client:
        client.sendall(browser.callback_bytes())
        client.shutdown(socket.SHUT_WR)
        assert parse_reply(read_to_end(client)).status == 302
    browser.request("/success")
    login.wait()


@pytest.mark.parametrize("target", ["/favicon.ico", None])
def test_a_client_that_sends_more_than_its_request_gets_its_answer(
    target: str | None, login: ThreadedLogin, browser: Browser
) -> None:
    request = browser.callback_bytes() if target is None else browser.request_bytes(target)
    with connect(browser.port) as client:
        client.sendall(request + b"x" * 100_000)
        received = bytearray()
        # What is left unread is answered with a reset, behind the answer.
        with contextlib.suppress(ConnectionResetError):
            while data := client.recv(65536):
                received += data
    reply = parse_reply(bytes(received))
    assert reply.status == (302 if target is None else 404)
    assert int(reply.headers["content-length"]) == len(reply.body)
    if target is None:
        browser.request("/success")
    else:
        browser.finish()
    login.wait()


def test_a_client_that_never_reads(login: ThreadedLogin, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http11, "SEND_TIMEOUT", 0.1)
    monkeypatch.setattr(http11, "CLOSE_TIMEOUT", 0.1)
    with connect(browser.port) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.sendall(browser.request_bytes("/favicon.ico"))
        browser.finish()
        login.wait()


def test_localhost_answers_on_both_addresses(provider: ScriptedProvider) -> None:
    with start_login(provider.options(redirect_host="localhost"), store=MemoryStore()) as login:
        for host in ("localhost", "[::1]", "127.0.0.1"):
            request = f"GET /favicon.ico HTTP/1.1\r\nHost: {host}:{login.port}\r\n\r\n".encode()
            for address in ("127.0.0.1", "::1"):
                try:
                    answer = raw(login.port, request, address)
                except OSError:
                    pytest.skip("this machine has no IPv6 loopback address")
                assert parse_reply(answer).status == 404
