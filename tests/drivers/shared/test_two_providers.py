"""Credentials of one provider are neither sent to another nor replaced by its login, with each driver."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import (
    AsyncioSession,
    Credentials,
    FileStore,
    LoginFailed,
    MemoryStore,
    Provenance,
    Provider,
    ProviderMismatch,
    RefreshFailed,
    Secret,
    Session,
    StoreError,
    Tokens,
    TrioSession,
    asyncio_open_login,
    asyncio_sign_out,
    open_login,
    sign_out,
    start_login,
    trio_sign_out,
)

from ..trio.support import no_idle_threads, run  # noqa: F401 - a fixture for all

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..conftest import ScriptedProvider

OTHER = Provenance(issuer="https://id.example", client_id="client-1")
STORED = Credentials(
    tokens=Tokens(
        id_token=Secret("canary-i"),
        access_token=Secret("canary-a"),
        refresh_token=Secret("canary-r"),
        provenance=OTHER,
    )
)


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.save(STORED)
    return store


def in_trio(work: Callable[[], Any]) -> None:
    async def program() -> None:
        await work()

    run(program)


def access_token(store: MemoryStore, provider: Provider) -> None:
    Session(store, provider).access_token()


def access_token_with_trio(store: MemoryStore, provider: Provider) -> None:
    in_trio(TrioSession(store, provider).access_token)


def leave(store: MemoryStore, provider: Provider) -> None:
    sign_out(store, provider)


def leave_with_trio(store: MemoryStore, provider: Provider) -> None:
    in_trio(lambda: trio_sign_out(store, provider))


def access_token_with_asyncio(store: MemoryStore, provider: Provider) -> None:
    asyncio.run(AsyncioSession(store, provider).access_token())


def leave_with_asyncio(store: MemoryStore, provider: Provider) -> None:
    asyncio.run(asyncio_sign_out(store, provider))


@pytest.mark.parametrize("use", [access_token, access_token_with_trio, access_token_with_asyncio])
def test_a_session_sends_and_gives_no_token(
    use: Callable[..., None], store: MemoryStore, provider: ScriptedProvider
) -> None:
    with pytest.raises(RefreshFailed) as caught:
        use(store, provider.provider())
    assert caught.value.category == "provider_mismatch"
    assert "https://id.example (client client-1)" in str(caught.value)
    assert provider.url in str(caught.value)
    assert "canary" not in str(caught.value)
    assert provider.forms == []
    assert store.credentials == STORED


@pytest.mark.parametrize("use", [leave, leave_with_trio, leave_with_asyncio])
def test_signing_out_removes_and_revokes_nothing(
    use: Callable[..., None], store: MemoryStore, provider: ScriptedProvider
) -> None:
    with pytest.raises(ProviderMismatch, match=r"they were issued by https://id\.example \(client client-1\), not by"):
        use(store, provider.provider())
    assert provider.revoked == []
    assert store.credentials == STORED


USES = [access_token, access_token_with_trio, access_token_with_asyncio, leave, leave_with_trio, leave_with_asyncio]


@pytest.mark.parametrize("use", USES)
def test_the_provider_of_foreign_tokens_in_a_file_must_be_named(use: Callable[..., None], tmp_path: Path) -> None:
    """The file keeps no endpoints, and nothing is sent to those of Codex's provider."""
    openid = Provider.openid("https://id.example", client_id="client-1")
    held = Tokens(access_token=Secret("canary-a"), refresh_token=Secret("canary-r"), provider=openid)
    store = FileStore(tmp_path)
    store.save(Credentials(auth_mode="oauth", tokens=held))
    with pytest.raises((RefreshFailed, ProviderMismatch), match="that provider must be named"):
        use(store, None)
    assert store.load() is not None


def enter(options: Any, store: MemoryStore) -> None:
    with start_login(options, store=store):
        pytest.fail("the person would be sent to the browser")


def enter_with_trio(options: Any, store: MemoryStore) -> None:
    async def program() -> None:
        async with open_login(options, store=store):
            pytest.fail("the person would be sent to the browser")

    run(program)


def enter_with_asyncio(options: Any, store: MemoryStore) -> None:
    async def program() -> None:
        async with asyncio_open_login(options, store=store):
            pytest.fail("the person would be sent to the browser")

    asyncio.run(program())


@pytest.mark.parametrize("use", [enter, enter_with_trio, enter_with_asyncio])
def test_a_login_fails_before_the_browser(
    use: Callable[..., None], store: MemoryStore, provider: ScriptedProvider
) -> None:
    with pytest.raises(LoginFailed) as caught:
        use(provider.options(), store)
    assert (caught.value.step, caught.value.category) == ("persist_credentials", "persist_failed")
    assert "https://id.example (client client-1)" in str(caught.value)
    assert store.credentials == STORED


def test_a_store_keeps_what_another_provider_issued(tmp_path: Path) -> None:
    assert STORED.tokens is not None
    new = STORED.__replace__(tokens=STORED.tokens.__replace__(provenance=OTHER.__replace__(client_id="client-2")))
    for store in (FileStore(tmp_path), MemoryStore()):
        store.save(STORED)
        with pytest.raises(StoreError, match=r"the stored credentials are kept, because they hold a sign-in at https"):
            store.save(new)
        assert store.load() == STORED
        store.remove()
        store.save(new)
        assert store.load() == new
