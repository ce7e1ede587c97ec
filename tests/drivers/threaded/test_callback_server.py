"""The callback server when the system runs short, and what stays secret."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import socket
import threading
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import LoginFailed, MemoryStore, start_login
from loginmachine.drivers.callback import http11
from loginmachine.drivers.callback.listeners import ACCEPT_RETRY_DELAY, open_listeners, port_of
from loginmachine.drivers.threaded import callback_server
from loginmachine.drivers.threaded.callback_server import start_server
from loginmachine.sansio.login import events

from ..replies import reply
from ..support import CANARIES, CODE, PATIENCE, Browser, Progress, connect, eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..conftest import ScriptedProvider

resource = pytest.importorskip("resource", reason="this system has no limits on descriptors")


@pytest.fixture
def no_descriptors() -> Iterator[Callable[[], None]]:
    """Let this process open no more descriptors."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)

    def use_up() -> None:
        lowest_free = os.dup(0)
        os.close(lowest_free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, before[1]))

    yield use_up
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_no_descriptor_for_a_connection(
    provider: ScriptedProvider, no_descriptors: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, refused = socket.socket.accept, []

    def accept(listener: socket.socket) -> tuple[socket.socket, object]:
        try:
            return real(listener)
        except OSError as error:
            refused.append(error.errno)
            raise

    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with start_login(provider.options(), store=MemoryStore()) as login:
        browser = Browser(login.auth_url)
        # Everything that needs a descriptor to be loaded is loaded.
        browser.request("/favicon.ico")
        assert eventually(lambda: "loginmachine-connection" not in {thread.name for thread in threading.enumerate()})
        with socket.socket() as client:
            client.settimeout(PATIENCE)
            monkeypatch.setattr(socket.socket, "accept", accept)
            no_descriptors()
            client.connect(("127.0.0.1", login.port))
            assert eventually(lambda: bool(refused))
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            client.sendall(browser.request_bytes("/favicon.ico"))
            assert client.recv(12) == b"HTTP/1.1 404"
        browser.finish()
        login.wait()
    assert set(refused) == {24}


def test_a_client_that_leaves_before_it_is_accepted(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = socket.socket.accept, [ConnectionAbortedError(103, "gone"), InterruptedError(4, "again")]

    def accept(listener: socket.socket) -> tuple[socket.socket, object]:
        if failures:
            raise failures.pop()
        return real(listener)

    with start_login(provider.options(), store=MemoryStore()) as login:
        monkeypatch.setattr(socket.socket, "accept", accept)
        Browser(login.auth_url).finish()
        login.wait()
    assert failures == []


def test_a_connection_that_stays_open_is_closed_in_time(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http11, "CLOSE_TIMEOUT", 0.05)
    with start_login(provider.options(), store=MemoryStore()) as login, connect(login.port) as client:
        client.sendall(Browser(login.auth_url).request_bytes("/favicon.ico"))
        while client.recv(4096):
            pass
        # The server is through with it: a write is answered with a reset, sooner or later.
        assert eventually(lambda: broken(client))


def broken(client: socket.socket) -> bool:
    try:
        client.sendall(b"x")
    except OSError:
        return True
    return False


def test_the_open_port_is_posted_before_any_request() -> None:
    posted: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
    listeners = open_listeners(0, "127.0.0.1")
    assert isinstance(listeners, list)
    port = port_of(listeners)
    with connect(port) as client:
        client.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        server = start_server(listeners, posted.put, lambda _: False)
        assert server is not None
        assert posted.get(timeout=PATIENCE) == events.Bound(port=port)
        assert isinstance(posted.get(timeout=PATIENCE), events.RequestReceived)
        server.close()


def test_no_error_ends_the_accepting_thread(provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callback_server, "ACCEPT_RETRY_DELAY", 0.001)
    real, failures = http11.enforce_limit, [MemoryError(), ImportError("no"), ValueError()]

    def enforce_limit(connections: Any) -> bool:
        if failures:
            raise failures.pop()
        return real(connections)

    monkeypatch.setattr(http11, "enforce_limit", enforce_limit)
    with start_login(provider.options(), store=MemoryStore()) as login:
        for _ in range(3):
            with contextlib.suppress(OSError), connect(login.port) as client:
                client.recv(1)
        Browser(login.auth_url).finish()
        login.wait()
    assert failures == []


def test_a_pause_when_no_thread_is_left_for_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    listeners = open_listeners(0, "127.0.0.1")
    assert isinstance(listeners, list)
    port, pauses = port_of(listeners), []
    server = start_server(listeners, lambda _: None, lambda _: False)
    assert server is not None

    def pause(seconds: float) -> bool:
        pauses.append(seconds)
        return True

    def refuse(_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(server._closing, "wait", pause)
    monkeypatch.setattr(callback_server._Connection, "start", refuse)
    with contextlib.closing(server), connect(port) as client:
        with contextlib.suppress(ConnectionResetError):
            assert client.recv(1) == b""
        assert eventually(lambda: pauses == [ACCEPT_RETRY_DELAY])


# Secrets


def seen(caplog: pytest.LogCaptureFixture) -> str:
    """Return everything that was logged, without the records of the provider."""
    assert caplog.records
    ours = [record for record in caplog.records if not record.name.startswith(("werkzeug", "pytest_httpserver"))]
    return "\n".join(f"{record.name} {record.getMessage()} {record.exc_info}" for record in ours)


def shown_locals(error: BaseException) -> str:
    """Return what a traceback with local variables shows of the frames of this package."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in report.stack if "loginmachine" in frame.filename]
    assert frames
    return "\n".join(f"{frame.name} {frame.locals}" for frame in frames)


def test_a_login_logs_no_secret(
    provider: ScriptedProvider, progress: Progress, all_logs: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    with start_login(provider.options(), store=store, on_progress=progress) as login:
        browser = Browser(login.auth_url)
        browser.callback("code=canary-other&state=canary-wrong")
        browser.finish()
        credentials = login.wait()
        shown = repr((login, login.outcome, credentials, progress.phases, login.canceller()))
    verifier = dict(provider.forms[0])["code_verifier"]
    for secret in (*CANARIES, browser.state, verifier, "canary"):
        assert secret not in seen(all_logs)
        assert secret not in shown


def test_a_failure_shows_no_secret(
    provider: ScriptedProvider, progress: Progress, all_logs: pytest.LogCaptureFixture
) -> None:
    echo = {"error": "invalid_grant", "error_description": f"you sent {CODE} and more"}
    provider.answers = [reply(echo, 400)]
    with start_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
        browser = Browser(login.auth_url)
        page = browser.callback()
        with pytest.raises(LoginFailed) as caught:
            login.wait()
    shown = shown_locals(caught.value)
    for secret in (*CANARIES, browser.state, dict(provider.forms[0])["code_verifier"]):
        assert secret not in seen(all_logs)
        assert secret not in shown + repr(caught.value) + repr(progress.phases)
        assert secret.encode() not in page.body


def test_the_location_of_a_redirect_is_not_logged(
    provider: ScriptedProvider, all_logs: pytest.LogCaptureFixture
) -> None:
    provider.answers = [reply(b"", 307, Location=f"https://evil.example/?code={CODE}")]
    with start_login(provider.options(), store=MemoryStore()) as login:
        Browser(login.auth_url).callback()
        with pytest.raises(LoginFailed, match="redirect"):
            login.wait()
    assert CODE not in seen(all_logs)
    assert "evil.example" not in seen(all_logs)


class RaisingHandler(logging.Handler):
    """A log handler of a host that raises an exception."""

    def emit(self, record: logging.LogRecord) -> None:
        raise RuntimeError(f"a mistake in a handler, not in {record.name}")


@pytest.mark.parametrize("name", ["loginmachine", "httpcore", "transitions"])
def test_a_log_handler_that_raises_does_no_harm(provider: ScriptedProvider, name: str) -> None:
    def observer(_: object) -> None:
        raise ValueError

    logger, handler = logging.getLogger(name), RaisingHandler()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        with start_login(provider.options(), store=MemoryStore(), on_progress=observer) as login:
            Browser(login.auth_url).finish()
            login.wait()
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
