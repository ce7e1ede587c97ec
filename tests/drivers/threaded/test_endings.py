"""The ends of a login in threads: cancelled, left, interrupted. No thread, socket or file is left behind."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import LoginCancelled, MemoryStore, start_login
from loginmachine.drivers.threaded import http_client

from ..replies import reply
from ..scripted_server import OK, Peer, ScriptedServer
from ..support import PATIENCE, TOKENS, Browser, Progress, connect, eventually

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine import ThreadedLogin
    from loginmachine.sansio.base.http import HttpRequest, HttpRequestFailed, HttpResponse
    from loginmachine.sansio.login.progress import LoginPhase

    from ..conftest import ScriptedProvider


def own_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("loginmachine")]


def by_itself(login: ThreadedLogin) -> None:
    login.cancel()


def by_a_handle(login: ThreadedLogin) -> None:
    login.canceller().cancel()


def from_another_thread(login: ThreadedLogin) -> None:
    thread = threading.Thread(target=login.canceller().cancel, args=("cancelled by the caller",))
    thread.start()
    thread.join()


@pytest.mark.parametrize("cancel", [by_itself, by_a_handle, from_another_thread])
def test_cancelling_while_waiting(
    provider: ScriptedProvider, progress: Progress, cancel: Callable[[ThreadedLogin], None]
) -> None:
    store = MemoryStore()
    with start_login(provider.options(), store=store, on_progress=progress) as login:
        cancel(login)
        with pytest.raises(LoginCancelled) as caught:
            login.wait(PATIENCE)
        # Too late, and harmless.
        cancel(login)
    cancel(login)
    assert (caught.value.step, caught.value.category) == ("wait_for_callback", "login_cancelled")
    assert caught.value.message == "cancelled by the caller"
    assert progress.names == ["binding", "listening", "cancelled"]
    assert store.credentials is None


def test_a_waiting_caller_is_woken(provider: ScriptedProvider) -> None:
    with start_login(provider.options(), store=MemoryStore()) as login:
        errors: list[LoginCancelled] = []

        def wait() -> None:
            with pytest.raises(LoginCancelled) as caught:
                login.wait()
            errors.append(caught.value)

        waiters = [threading.Thread(target=wait) for _ in range(3)]
        for waiter in waiters:
            waiter.start()
        login.cancel("enough")
        for waiter in waiters:
            waiter.join(PATIENCE)
    assert [error.message for error in errors] == ["enough"] * 3


@pytest.mark.parametrize("position", [0, 1])
def test_cancelling_while_exchanging(provider: ScriptedProvider, progress: Progress, position: int) -> None:
    store = MemoryStore()
    provider.answers[position] = provider.hang
    with start_login(provider.options(), store=store, on_progress=progress) as login:
        pages = []
        tab = threading.Thread(target=lambda: pages.append(Browser(login.auth_url).callback()))
        tab.start()
        assert eventually(lambda: len(provider.forms) == position + 1)
        login.cancel()
        with pytest.raises(LoginCancelled) as caught:
            login.wait(PATIENCE)
        tab.join(PATIENCE)
    assert own_threads() == []
    assert caught.value.step == "exchange_token"
    assert store.credentials is None
    (page,) = pages
    assert page.status == 410
    assert b"This sign-in is over" in page.body
    assert progress.names[-1] == "cancelled"


def test_cancelling_the_second_exchange_on_one_connection(provider: ScriptedProvider) -> None:
    tokens = reply(TOKENS)().get_data()

    def keeps_the_connection(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK % (len(tokens), tokens))
        # The API-key exchange comes on the same connection, or on another one.
        if peer.server.accepted == 1:
            peer.read_request()
        peer.wait_for_end()

    with ScriptedServer(keeps_the_connection) as server:
        own = provider.provider(token_endpoint=f"{server.url}/oauth/token")
        with (
            start_login(provider.options(provider=own), store=MemoryStore()) as login,
            connect(login.port) as client,
        ):
            client.sendall(Browser(login.auth_url).callback_bytes())
            assert server.reached.wait(PATIENCE)
            login.cancel()
            with pytest.raises(LoginCancelled):
                login.wait(PATIENCE)
        assert own_threads() == []


def test_an_observer_may_cancel(provider: ScriptedProvider) -> None:
    store = MemoryStore()
    logins: list[ThreadedLogin] = []

    def observer(phase: LoginPhase) -> None:
        if phase.name == "exchanging_code":
            logins[0].cancel("by the observer")

    with start_login(provider.options(), store=store, on_progress=observer) as login:
        logins.append(login)
        assert Browser(login.auth_url).callback().status == 410
        with pytest.raises(LoginCancelled, match="by the observer"):
            login.wait()
    assert store.credentials is None


def test_cancelling_before_the_token_request_is_sent(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The caller has not waited yet, so that everything is being loaded when the cancellation comes.
    cancelled, pause, aborted = threading.Event(), threading.Event(), threading.Event()

    class LoadedSlowly(http_client.HttpClient):
        def __init__(self) -> None:
            cancelled.wait(0.1)
            pause.wait(0.1)
            super().__init__()

        def abort(self) -> None:
            super().abort()
            aborted.set()

        def send(self, request: HttpRequest) -> HttpResponse | HttpRequestFailed:
            assert aborted.wait(PATIENCE)
            return super().send(request)

    def observer(phase: LoginPhase) -> None:
        if phase.name == "exchanging_code":
            logins[0].cancel()
        if phase.name == "cancelled":
            cancelled.set()

    logins: list[ThreadedLogin] = []
    monkeypatch.setattr(http_client, "HttpClient", LoadedSlowly)
    with start_login(provider.options(), store=MemoryStore(), on_progress=observer) as login:
        logins.append(login)
        assert Browser(login.auth_url).callback().status == 410
    assert own_threads() == []
    assert provider.forms == []


def test_cancelling_before_the_login_is_entered(provider: ScriptedProvider, progress: Progress) -> None:
    login = start_login(provider.options(), store=MemoryStore(), on_progress=progress)
    login.cancel()
    with pytest.raises(LoginCancelled), login:
        pytest.fail("entered")
    assert progress.names == ["cancelled"]


def test_leaving_without_waiting(provider: ScriptedProvider, progress: Progress) -> None:
    with start_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
        port = login.port
    assert own_threads() == []
    assert progress.names == ["binding", "listening", "cancelled"]
    with pytest.raises(LoginCancelled, match="the program left before the sign-in was over"):
        login.wait()
    with pytest.raises(ConnectionRefusedError):
        connect(port)


def test_leaving_while_the_token_endpoint_is_silent(provider: ScriptedProvider) -> None:
    provider.answers[0] = provider.hang
    with (
        start_login(provider.options(), store=MemoryStore()) as login,
        connect(login.port) as client,
    ):
        client.sendall(Browser(login.auth_url).callback_bytes())
        assert provider.asked.wait(PATIENCE)
    assert own_threads() == []


def test_leaving_while_the_credentials_are_being_stored(provider: ScriptedProvider, progress: Progress) -> None:
    # From there on it is too late: leaving waits for it, and it is a success.
    going_on = threading.Event()

    class SlowStore(MemoryStore):
        def save(self, credentials: Any) -> None:
            assert going_on.wait(PATIENCE)
            super().save(credentials)

    store = SlowStore()
    with start_login(provider.options(), store=store, on_progress=progress) as login:
        tab = threading.Thread(target=Browser(login.auth_url).finish)
        tab.start()
        progress.wait_for("saving_credentials")
        threading.Timer(0.02, going_on.set).start()
    tab.join()
    assert login.wait() is store.credentials
    assert progress.names[-1] == "succeeded"


def test_an_exception_in_the_block_propagates(provider: ScriptedProvider, progress: Progress) -> None:
    with (
        pytest.raises(KeyError, match="mine"),
        start_login(provider.options(), store=MemoryStore(), on_progress=progress),
    ):
        raise KeyError("mine")
    assert own_threads() == []
    assert progress.names[-1] == "cancelled"


def signal_in_a_moment(number: signal.Signals) -> threading.Timer:
    """Send a signal to the main thread when it waits."""
    main = threading.main_thread().ident
    assert main is not None
    timer = threading.Timer(0.02, signal.pthread_kill, (main, number))
    timer.start()
    return timer


def test_an_interrupt_while_waiting(provider: ScriptedProvider, progress: Progress) -> None:
    def wait_for_a_person() -> None:
        with start_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
            signal_in_a_moment(signal.SIGINT)
            login.wait()

    with pytest.raises(KeyboardInterrupt):
        wait_for_a_person()
    assert own_threads() == []
    assert progress.names[-1] == "cancelled"


def test_cancelling_from_a_signal_handler(provider: ScriptedProvider) -> None:
    with start_login(provider.options(), store=MemoryStore()) as login:
        canceller = login.canceller()
        before = signal.signal(signal.SIGUSR1, lambda *_: canceller.cancel("by a signal"))
        timer = signal_in_a_moment(signal.SIGUSR1)
        with pytest.raises(LoginCancelled, match="by a signal"):
            login.wait(PATIENCE)
        timer.join()
        signal.signal(signal.SIGUSR1, before)


def test_a_login_can_be_entered_once_only(provider: ScriptedProvider) -> None:
    with start_login(provider.options(), store=MemoryStore()) as login:
        pass
    with pytest.raises(RuntimeError), login:
        pytest.fail("entered")


def test_leaving_does_not_wait_for_the_last_page(provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    # The listener stays for the last page: at most for the linger, which is the only thing that can end this.
    monkeypatch.setattr("loginmachine.sansio.login.state.LINGER", 0.05)
    with start_login(provider.options(), store=MemoryStore()) as login:
        assert Browser(login.auth_url).callback().status == 302
        login.wait()
