"""After a login, the tokens that it replaced are revoked, in the background."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest
import trio

from loginmachine import (
    Credentials,
    LoginSuccess,
    MemoryStore,
    Secret,
    Tokens,
    asyncio_open_login,
    open_login,
    start_login,
)
from loginmachine.drivers.threaded import revocation as driver_module
from loginmachine.drivers.threaded.revocation import revoke
from loginmachine.sansio.oauth import revocation

from ..replies import reply
from ..scripted_server import Peer, ScriptedServer, drips
from ..support import PATIENCE, REFRESH_TOKEN, Browser, eventually, free_port
from ..trio.support import in_thread, no_idle_threads, run  # noqa: F401 - a fixture for all

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine import LoginOptions

    from ..conftest import ScriptedProvider

OLD = Credentials(
    tokens=Tokens(id_token=Secret("i"), access_token=Secret("canary-a"), refresh_token=Secret("canary-old"))
)
REVOKED = {
    "token": "canary-old",
    "token_type_hint": "refresh_token",
    "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
}


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.save(OLD)
    return store


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the time limit of a revocation longer than any test."""
    monkeypatch.setattr(revocation, "REVOCATION_TIMEOUT", 3600.0)


def test_the_result_does_not_wait_for_the_revocation_in_threads(provider: ScriptedProvider, store: MemoryStore) -> None:
    provider.revocation = provider.hang
    with start_login(provider.options(), store=store) as login:
        Browser(login.auth_url).finish()
        assert login.wait(PATIENCE).tokens is not None
        assert eventually(lambda: provider.revoked == [REVOKED])
        provider.released.set()


def test_the_result_does_not_wait_for_the_revocation_in_trio(provider: ScriptedProvider, store: MemoryStore) -> None:
    provider.revocation = provider.hang

    async def program() -> None:
        async with open_login(provider.options(), store=store) as login:
            browser = Browser(login.auth_url)
            await in_thread(browser.finish)
            with trio.fail_after(PATIENCE):
                await login.wait()
            assert await in_thread(lambda: eventually(lambda: provider.revoked == [REVOKED]))
            provider.released.set()

    run(program)


def by_cancelling(login: Any) -> None:
    login.cancel()


def by_a_canceller(login: Any) -> None:
    login.canceller().cancel()


def by_raising(_login: Any) -> None:
    raise KeyboardInterrupt


WAYS_TO_LEAVE = [by_cancelling, by_a_canceller, by_raising]


def in_threads(options: LoginOptions, store: MemoryStore, leave: Callable[[Any], None], asked: threading.Event) -> Any:
    with start_login(options, store=store) as login:
        Browser(login.auth_url).finish()
        login.wait(PATIENCE)
        assert asked.wait(PATIENCE)
        leave(login)
    return login


def in_trio(options: LoginOptions, store: MemoryStore, leave: Callable[[Any], None], asked: threading.Event) -> Any:
    async def program() -> Any:
        async with open_login(options, store=store) as login:
            await in_thread(Browser(login.auth_url).finish)
            await login.wait()
            assert await in_thread(lambda: asked.wait(PATIENCE))
            leave(login)
        return login

    return trio.run(program)


def in_asyncio(options: LoginOptions, store: MemoryStore, leave: Callable[[Any], None], asked: threading.Event) -> Any:
    async def program() -> Any:
        async with asyncio_open_login(options, store=store) as login:
            await asyncio.to_thread(Browser(login.auth_url).finish)
            await login.wait()
            assert await asyncio.to_thread(asked.wait, PATIENCE)
            leave(login)
        return login

    return asyncio.run(program())


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("leave", WAYS_TO_LEAVE)
@pytest.mark.parametrize("driver", [in_threads, in_trio, in_asyncio])
def test_a_program_that_leaves_does_not_wait_for_the_revocation(
    *,
    provider: ScriptedProvider,
    store: MemoryStore,
    caplog: pytest.LogCaptureFixture,
    driver: Callable[..., Any],
    leave: Callable[[Any], None],
) -> None:
    with ScriptedServer(Peer.wait_for_end) as server:
        options = provider.options(provider=provider.provider(revocation_endpoint=f"{server.url}/revoke"))
        try:
            login = driver(options, store, leave, server.reached)
        except KeyboardInterrupt:
            assert leave is by_raising
        else:
            assert isinstance(login.outcome, LoginSuccess)
        (message,) = [record.getMessage() for record in caplog.records if record.name == "loginmachine"]
        assert message.endswith(f"could not be revoked: {server.url}/revoke: the program did not wait for the answer")
    assert store.credentials is not None
    assert store.credentials.tokens is not None
    assert store.credentials.tokens.refresh_token == Secret(REFRESH_TOKEN)


@pytest.mark.parametrize("driver", [in_threads, in_trio, in_asyncio])
def test_a_failed_revocation_is_logged(
    provider: ScriptedProvider, store: MemoryStore, driver: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    url = f"http://127.0.0.1:{free_port()}/revoke"
    asked = threading.Event()
    asked.set()
    driver(provider.options(provider=provider.provider(revocation_endpoint=url)), store, lambda _: None, asked)
    (message,) = [record.getMessage() for record in caplog.records if record.name == "loginmachine"]
    assert message.startswith(f"the tokens of the previous sign-in could not be revoked: {url}: no connection")
    assert "canary" not in caplog.text


def test_a_host_store_that_returns_nonsense(provider: ScriptedProvider) -> None:
    class Odd:
        def save(self, _credentials: Credentials) -> Any:
            return "whatever"

    with start_login(provider.options(), store=Odd()) as login:
        Browser(login.auth_url).finish()
        login.wait(PATIENCE)
    assert provider.revoked == []


def test_a_system_without_threads(
    provider: ScriptedProvider, store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_order: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(driver_module, "Revocation", refuse)
    with start_login(provider.options(), store=store) as login:
        Browser(login.auth_url).finish()
        assert login.wait(PATIENCE).tokens is not None


# By itself, as after a logout


def order(provider: ScriptedProvider, **changes: Any) -> Any:
    return revocation.revocation(provider.provider(**changes), OLD)


def test_revoked(provider: ScriptedProvider) -> None:
    assert revoke(order(provider)).problem == ""
    assert provider.revoked == [REVOKED]


def test_refused(provider: ScriptedProvider) -> None:
    provider.revocation = reply({"error": "canary"}, 503)
    assert revoke(order(provider)).problem == f"{provider.url}/oauth/revoke: status 503"


def test_an_endpoint_that_drips(provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(revocation, "REVOCATION_TIMEOUT", 0.2)

    with ScriptedServer(drips) as server:
        url = f"{server.url}/revoke"
        problem = revoke(order(provider, revocation_endpoint=url)).problem
        server.reached.set()
    assert problem == f"{url}: no complete answer in time"
