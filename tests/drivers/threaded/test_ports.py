"""The callback port of a login: taken, freed by an earlier login, or not available."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import LoginCancelled, LoginFailed, MemoryStore, Provider, start_login
from loginmachine.sansio.login.progress import Cancelled

from ..scripted_server import OK, Peer, ScriptedServer
from ..support import Browser, Progress, free_port, raw

if TYPE_CHECKING:
    from ..conftest import ScriptedProvider


def stranger(peer: Peer) -> None:
    peer.read_request()
    peer.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


def stubborn(peer: Peer) -> None:
    """A program that agrees to stop, and keeps the port."""
    peer.read_request()
    peer.send(OK % (15, b"Login cancelled"))


@pytest.fixture
def ports() -> tuple[int, int]:
    """Return a first port and a fallback port, both free."""
    return free_port(), free_port()


@pytest.fixture
def options(provider: ScriptedProvider, ports: tuple[int, int]) -> Any:
    first, fallback = ports
    return provider.options(provider=provider.provider(port=first, fallback_port=fallback))


def test_a_free_first_port(options: Any, ports: tuple[int, int], progress: Progress) -> None:
    with start_login(options, store=MemoryStore(), on_progress=progress) as login:
        assert login.port == ports[0]
        assert Browser(login.auth_url).redirect_uri == f"http://127.0.0.1:{ports[0]}/auth/callback"
    assert progress.names[:2] == ["binding", "listening"]


def test_another_server_on_the_first_port(options: Any, ports: tuple[int, int], progress: Progress) -> None:
    with ScriptedServer(stranger, port=ports[0]) as holder:
        with start_login(options, store=MemoryStore(), on_progress=progress) as login:
            assert login.port == ports[1]
            Browser(login.auth_url).finish()
            login.wait()
        ((request, _),) = holder.requests
    assert request.startswith(b"GET /cancel HTTP/1.1\r\n")
    assert progress.names[:5] == ["binding", "cancelling_previous", "using_fallback_port", "binding", "listening"]
    assert progress.problems == []


def test_both_ports_taken(options: Any, ports: tuple[int, int], progress: Progress) -> None:
    with ScriptedServer(stranger, port=ports[0]), ScriptedServer(stranger, port=ports[1]) as second:
        login = start_login(options, store=MemoryStore(), on_progress=progress)
        with pytest.raises(LoginFailed) as caught, login:
            pytest.fail("entered")
        # The holder of the fallback port is not asked to stop.
        assert second.accepted == 0
    error = caught.value
    assert (error.step, error.category) == ("bind_local_server", "local_server_unavailable")
    assert error.message == f"port {ports[1]}: Address already in use"
    assert progress.problems == [("bind_local_server", "local_server_unavailable", True)]
    with pytest.raises(LoginFailed):
        login.wait()


def test_a_port_of_the_callers_own_has_no_fallback(provider: ScriptedProvider, ports: tuple[int, int]) -> None:
    with ScriptedServer(stranger) as holder:
        own = provider.provider(port=ports[0], fallback_port=ports[1])
        login = start_login(provider.options(provider=own, port=holder.port), store=MemoryStore())
        with pytest.raises(LoginFailed, match=f"port {holder.port} is in use by another program"), login:
            pytest.fail("entered")


def test_a_holder_that_agrees_to_go_and_stays(
    options: Any, ports: tuple[int, int], progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loginmachine.sansio.login.port.effects.BIND_RETRY_DELAY", 0.001)
    with (
        ScriptedServer(stubborn, port=ports[0]) as holder,
        start_login(options, store=MemoryStore(), on_progress=progress) as login,
    ):
        assert login.port == ports[1]
        assert holder.accepted == 1
    attempts = [(phase.port, phase.attempt) for phase in progress.phases if phase.name == "binding"]  # type: ignore[union-attr]
    assert attempts == [*((ports[0], number) for number in range(1, 11)), (ports[1], 1)]


def test_a_second_login_cancels_the_first(provider: ScriptedProvider, ports: tuple[int, int]) -> None:
    options = provider.options(provider=provider.provider(port=ports[0], fallback_port=ports[1]))
    seen, progress, store = Progress(), Progress(), MemoryStore()
    with (
        start_login(options, store=store, on_progress=seen) as first,
        start_login(options, store=store, on_progress=progress) as second,
    ):
        assert second.port == first.port == ports[0]
        with pytest.raises(LoginCancelled) as caught:
            first.wait()
        assert store.credentials is None
        Browser(second.auth_url).finish()
        assert second.wait() is store.credentials
    assert (caught.value.step, caught.value.category) == ("wait_for_callback", "login_cancelled")
    assert caught.value.message == "another sign-in on this machine took over"
    assert seen.names == ["binding", "listening", "cancelled"]
    assert isinstance(seen.phases[-1], Cancelled)
    assert progress.names[:4] == ["binding", "cancelling_previous", "binding", "listening"]


def test_a_login_gives_way_with_the_expected_words(options: Any) -> None:
    with start_login(options, store=MemoryStore()) as login:
        # As the Codex CLI asks.
        request = f"GET /cancel HTTP/1.1\r\nHost: 127.0.0.1:{login.port}\r\nConnection: close\r\n\r\n"
        answer = raw(login.port, request.encode())
        with pytest.raises(LoginCancelled):
            login.wait()
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert answer.endswith(b"\r\n\r\nLogin cancelled")


def test_a_login_that_stores_its_credentials_does_not_give_way(provider: ScriptedProvider, progress: Progress) -> None:
    asked = threading.Event()

    class SlowStore(MemoryStore):
        def save(self, credentials: Any) -> None:
            assert asked.wait(5)
            super().save(credentials)

    store = SlowStore()
    with start_login(provider.options(), store=store, on_progress=progress) as login:
        browser = Browser(login.auth_url)
        tab = threading.Thread(target=browser.finish)
        tab.start()
        progress.wait_for("saving_credentials")
        login.cancel()
        assert browser.request("/cancel").status == 409
        asked.set()
        assert login.wait() is store.credentials
        tab.join()


def test_a_listener_that_is_closed_frees_its_port(options: Any, ports: tuple[int, int]) -> None:
    for _ in range(3):
        with start_login(options, store=MemoryStore()) as login:
            assert login.port == ports[0]


def test_no_descriptor_for_the_listener(
    provider: ScriptedProvider, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(24, "Too many open files")

    login = start_login(provider.options(), store=MemoryStore(), on_progress=progress)
    with monkeypatch.context() as patched:
        patched.setattr(socket, "socketpair", refuse)
        with pytest.raises(LoginFailed, match="Too many open files") as caught, login:
            pytest.fail("entered")
    assert caught.value.category == "local_server_unavailable"


def is_free(port: int) -> bool:
    try:
        with socket.create_server(("127.0.0.1", port)):
            return True
    except OSError:
        return False


@pytest.mark.skipif(
    not (is_free(1455) and is_free(1457)), reason="another program on this machine holds port 1455 or 1457"
)
def test_the_registered_ports(provider: ScriptedProvider, progress: Progress) -> None:
    options = provider.options(provider=Provider.codex(issuer=provider.url))
    with start_login(options, store=MemoryStore(), on_progress=progress) as login:
        assert Browser(login.auth_url).redirect_uri == "http://127.0.0.1:1455/auth/callback"
        Browser(login.auth_url).finish()
        login.wait()
    with (
        ScriptedServer(stranger, port=1455),
        start_login(options, store=MemoryStore()) as login,
    ):
        assert Browser(login.auth_url).redirect_uri == "http://127.0.0.1:1457/auth/callback"
