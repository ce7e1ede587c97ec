"""Signing out removes what is stored and has its tokens revoked, with each driver."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import (
    Credentials,
    EndpointError,
    MemoryStore,
    Secret,
    SignOutResult,
    StoreError,
    Tokens,
    asyncio_sign_out,
    sign_out,
    trio_sign_out,
)
from loginmachine.drivers.errors import NO_THREAD
from loginmachine.drivers.threaded import signing_out as threaded_module

from ..replies import reply
from ..trio.support import no_idle_threads, run  # noqa: F401 - a fixture for all

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..conftest import ScriptedProvider

STORED = Credentials(tokens=Tokens(id_token=Secret("i"), access_token=Secret("a"), refresh_token=Secret("canary-r")))


def with_trio(*arguments: Any, **options: Any) -> SignOutResult:
    results = []

    async def program() -> None:
        results.append(await trio_sign_out(*arguments, **options))

    run(program)
    return results[0]


def with_asyncio(*arguments: Any, **options: Any) -> SignOutResult:
    return asyncio.run(asyncio_sign_out(*arguments, **options))


each_driver = pytest.mark.parametrize("leave", [sign_out, with_trio, with_asyncio])


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    store.save(STORED)
    return store


@each_driver
def test_removed_and_revoked(leave: Callable[..., Any], store: MemoryStore, provider: ScriptedProvider) -> None:
    assert leave(store, provider.provider()) == SignOutResult(removed=STORED, is_revoked=True)
    assert store.credentials is None
    assert [form["token"] for form in provider.revoked] == ["canary-r"]
    assert leave(store, provider.provider()) == SignOutResult(removed=None, is_revoked=None, problem="")


@each_driver
def test_removed_and_kept_valid(leave: Callable[..., Any], store: MemoryStore, provider: ScriptedProvider) -> None:
    assert leave(store, provider.provider(), keep_tokens=True) == SignOutResult(removed=STORED, is_revoked=None)
    assert store.credentials is None
    assert provider.revoked == []


@each_driver
def test_removed_but_not_revoked(leave: Callable[..., Any], store: MemoryStore, provider: ScriptedProvider) -> None:
    provider.revocation = reply({"error": "canary-r"}, 503)
    result = leave(store, provider.provider())
    assert (result.removed, result.is_revoked) == (STORED, False)
    assert result.problem == f"{provider.url}/oauth/revoke: status 503"
    assert store.credentials is None


@each_driver
def test_the_environment_names_the_endpoint_for_revocations(
    leave: Callable[..., Any], store: MemoryStore, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_REVOKE_TOKEN_URL_OVERRIDE", f"{provider.url}/oauth/revoke")
    assert leave(store) == SignOutResult(removed=STORED, is_revoked=True)
    assert [form["token"] for form in provider.revoked] == ["canary-r"]


@each_driver
def test_nothing_is_removed_if_the_endpoint_cannot_be_used(
    leave: Callable[..., Any], store: MemoryStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_REVOKE_TOKEN_URL_OVERRIDE", "http://id.example/canary")
    with pytest.raises(EndpointError, match="CODEX_REVOKE_TOKEN_URL_OVERRIDE"):
        leave(store)
    assert store.credentials == STORED


@each_driver
def test_an_api_key_has_no_tokens_to_revoke(leave: Callable[..., Any], store: MemoryStore) -> None:
    key = Credentials.from_api_key(Secret("k"))
    store.save(key)
    assert leave(store) == SignOutResult(removed=key)


@each_driver
def test_nothing_is_revoked_while_it_is_stored(leave: Callable[..., Any], provider: ScriptedProvider) -> None:
    class Stuck(MemoryStore):
        def remove(self) -> Credentials | None:
            raise StoreError("it is read-only")

    with pytest.raises(StoreError, match=r"^it is read-only$"):
        leave(Stuck(), provider.provider())
    assert provider.revoked == []


def test_a_system_without_threads(
    store: MemoryStore, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threaded_module, "revoke", refuse)
    assert sign_out(store, provider.provider()).problem == NO_THREAD
    assert store.credentials is None
