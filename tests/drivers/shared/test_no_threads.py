"""A system that has no thread left just when credentials are saved: they are saved all the same, with each driver."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import trio

from loginmachine import (
    AsyncioSession,
    Credentials,
    KeyringStore,
    MemoryStore,
    TrioSession,
    asyncio_open_login,
    asyncio_sign_out,
    open_login,
    start_login,
    trio_sign_out,
)

from ..stores.keyring_support import FakeKeyring, keyring
from ..support import PATIENCE, Browser
from ..trio.support import no_idle_threads, run  # noqa: F401 - a fixture for all
from .session_drivers import SESSION_DRIVERS
from .session_support import OVER, TokenEndpoint, credentials, mark_of, signed_in, token_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loginmachine import CredentialStore

    from ..conftest import ScriptedProvider

__all__ = ["keyring"]


def refuse_thread(*_: object, **_options: object) -> NoReturn:
    raise RuntimeError("can't start new thread")


def log_in_with_threads(provider: ScriptedProvider, store: CredentialStore) -> Credentials:
    with start_login(provider.options(), store=store) as login:
        browser = Browser(login.auth_url)
        person = threading.Thread(target=browser.callback)
        person.start()
        stored = login.wait()
        person.join(PATIENCE)
    return stored


def log_in_with_trio(provider: ScriptedProvider, store: CredentialStore) -> Credentials:
    results: list[Credentials] = []

    async def main() -> None:
        async with open_login(provider.options(), store=store) as login:
            browser = Browser(login.auth_url)
            person = threading.Thread(target=browser.callback)
            person.start()
            results.append(await login.wait())
        person.join(PATIENCE)

    trio.run(main)
    return results[0]


def log_in_with_asyncio(provider: ScriptedProvider, store: CredentialStore) -> Credentials:
    async def main() -> Credentials:
        async with asyncio_open_login(provider.options(), store=store) as login:
            browser = asyncio.create_task(asyncio.to_thread(Browser(login.auth_url).callback))
            stored = await login.wait()
            await browser
        return stored

    return asyncio.run(main())


def without_threads_for_saving(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let no thread start that would save, or call a keyring. Return the list to which the refused ones are added."""
    refused: list[str] = []
    start, run_sync = threading.Thread.start, trio.to_thread.run_sync

    def start_other(thread: threading.Thread) -> None:
        if thread.name in {"loginmachine-save", "loginmachine-keyring"}:
            refused.append(thread.name)
            refuse_thread()
        start(thread)

    async def run_other(work: Callable[..., object], *arguments: object, **options: Any) -> object:
        if work.__name__ == "save":
            refused.append("save")
            refuse_thread()
        return await run_sync(work, *arguments, **options)

    monkeypatch.setattr("threading.Thread.start", start_other)
    monkeypatch.setattr("trio.to_thread.run_sync", run_other)
    return refused


@pytest.mark.parametrize("log_in", [log_in_with_threads, log_in_with_trio, log_in_with_asyncio])
def test_a_login(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch, log_in: Callable[..., Credentials]
) -> None:
    store = MemoryStore()
    refused = without_threads_for_saving(monkeypatch)
    assert log_in(provider, store) == store.credentials
    assert len(refused) == 1


@pytest.mark.parametrize("log_in", [log_in_with_threads, log_in_with_trio, log_in_with_asyncio])
@pytest.mark.usefixtures("keyring")
def test_a_login_with_a_keyring(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, log_in: Callable[..., Credentials]
) -> None:
    store = KeyringStore(tmp_path)
    refused = without_threads_for_saving(monkeypatch)
    assert log_in(provider, store) == store.load()
    assert "loginmachine-keyring" in refused


@pytest.mark.parametrize("driver", SESSION_DRIVERS)
@pytest.mark.usefixtures("keyring")
def test_a_session_with_a_keyring(
    driver: Any, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = KeyringStore(tmp_path)
    store.save(credentials(OVER))
    warnings: list[str] = []
    session = driver.session(store, endpoint.provider, on_warning=warnings.append)
    refused = without_threads_for_saving(monkeypatch)
    assert mark_of(driver.run(session.access_token)) == "new-1"
    assert mark_of(token_of(store.load())) == "new-1"
    assert (warnings, set(refused) >= {"loginmachine-keyring"}) == ([], True)


def test_an_interrupt_of_a_keyring_in_the_caller_s_thread(
    tmp_path: Path, keyring: FakeKeyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_call: str) -> None:
        raise KeyboardInterrupt

    keyring.trouble = interrupt
    without_threads_for_saving(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        KeyringStore(tmp_path).load()
    keyring.trouble = lambda _call: None
    assert KeyringStore(tmp_path).load() is None


def test_signing_out_with_trio(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    store.save(Credentials(auth_mode="apikey"))
    monkeypatch.setattr("trio.to_thread.run_sync", refuse_thread)

    async def program() -> None:
        await trio_sign_out(store)

    run(program)
    assert store.credentials is None


def test_signing_out_with_asyncio(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    store.save(Credentials(auth_mode="apikey"))

    def refuse(_thread: threading.Thread) -> None:
        refuse_thread()

    monkeypatch.setattr("threading.Thread.start", refuse)
    asyncio.run(asyncio_sign_out(store))
    assert store.credentials is None


def test_the_limit_of_the_program_s_own_threads_is_another(
    tmp_path: Path, endpoint: TokenEndpoint, provider: ScriptedProvider
) -> None:
    """A program whose threads are all busy."""
    store = signed_in(tmp_path, OVER)
    session = TrioSession(store, endpoint.provider)

    async def main() -> None:
        limiter = trio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = 1
        limiter.acquire_on_behalf_of_nowait("the program")
        with trio.fail_after(PATIENCE):
            assert mark_of(await session.access_token()) == "new-1"
            login = open_login(provider.options(), store=MemoryStore())
            async with login:
                login.cancel()
            await trio_sign_out(MemoryStore())
        limiter.release_on_behalf_of("the program")

    trio.run(main)
    assert mark_of(token_of(store.load())) == "new-1"


def test_the_executor_of_the_program_may_be_busy(
    tmp_path: Path, endpoint: TokenEndpoint, provider: ScriptedProvider
) -> None:
    """A program of asyncio whose default executor has no thread left for anything else."""
    store = signed_in(tmp_path, OVER)
    session = AsyncioSession(store, endpoint.provider)
    goes_on = threading.Event()

    async def main() -> None:
        with ThreadPoolExecutor(1) as executor:
            asyncio.get_running_loop().set_default_executor(executor)
            busy = asyncio.create_task(asyncio.to_thread(goes_on.wait, 2 * PATIENCE))
            async with asyncio.timeout(PATIENCE):
                assert mark_of(await session.access_token()) == "new-1"
                async with asyncio_open_login(provider.options(), store=MemoryStore()) as login:
                    login.cancel()
                await asyncio_sign_out(MemoryStore())
            goes_on.set()
            await busy

    asyncio.run(main())
    assert mark_of(token_of(store.load())) == "new-1"
