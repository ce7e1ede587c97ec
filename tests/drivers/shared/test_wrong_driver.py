"""The driver for trio in another event loop, and the one for threads in an asynchronous statement: errors that help."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trio

from loginmachine import MemoryStore, Session, TrioSession, open_login, start_login, trio_sign_out

from .session_support import LASTING, credentials, signed_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from ..conftest import ScriptedProvider

URL = "https://api.example/"


def in_asyncio(program: Callable[[], Awaitable[object]]) -> None:
    async def main() -> None:
        await program()

    asyncio.run(main())


def test_open_login_in_asyncio(provider: ScriptedProvider) -> None:
    async def program() -> None:
        async with open_login(provider.options(), store=MemoryStore()):
            pytest.fail("the login was entered")

    words = r"^open_login is for trio, which does not run here: use start_login; with asyncio, in a thread"
    with pytest.raises(RuntimeError, match=words):
        in_asyncio(program)


def test_open_login_in_a_blocking_with_statement(provider: ScriptedProvider) -> None:
    login: Any = open_login(provider.options(), store=MemoryStore())
    with pytest.raises(TypeError, match="use it in an async with statement, or use start_login"), login:
        pass


@pytest.mark.parametrize("run", [in_asyncio, trio.run])
def test_start_login_in_an_async_with_statement(run: Callable[..., None], provider: ScriptedProvider) -> None:
    async def program() -> None:
        login: Any = start_login(provider.options(), store=MemoryStore())
        async with login:
            pass

    with pytest.raises(TypeError, match=r"use it in a with statement, .*asyncio.to_thread.*; with trio use open_login"):
        run(program)


@pytest.mark.parametrize("method", ["access_token", "credentials", "refresh"])
def test_a_trio_session_in_asyncio(method: str) -> None:
    with pytest.raises(RuntimeError, match="TrioSession is for trio, which does not run here: use Session; "):
        in_asyncio(getattr(TrioSession(MemoryStore()), method))


def test_signing_out_in_asyncio() -> None:
    store = MemoryStore()
    store.save(credentials(LASTING))
    with pytest.raises(RuntimeError, match="trio_sign_out is for trio, which does not run here: use sign_out; "):
        in_asyncio(lambda: trio_sign_out(store))
    assert store.credentials is not None


@pytest.mark.parametrize("run", [in_asyncio, trio.run])
def test_a_session_in_an_asynchronous_client(run: Callable[..., None], tmp_path: Path) -> None:
    session = Session(signed_in(tmp_path, LASTING))

    async def program() -> None:
        async with httpx.AsyncClient(auth=session.auth, trust_env=False) as client:
            await client.get(URL)

    with pytest.raises(TypeError, match=r"for httpx.Client: .*use a TrioSession; with asyncio use httpx.Client in a"):
        run(program)


def test_a_trio_session_in_a_blocking_client(tmp_path: Path) -> None:
    with (
        httpx.Client(auth=TrioSession(signed_in(tmp_path, LASTING)).auth, trust_env=False) as client,
        pytest.raises(TypeError, match=r"for httpx.AsyncClient with trio: use a Session for httpx.Client"),
    ):
        client.get(URL)


def test_a_trio_session_in_an_asynchronous_client_of_asyncio(tmp_path: Path) -> None:
    session = TrioSession(signed_in(tmp_path, LASTING))

    async def program() -> None:
        async with httpx.AsyncClient(auth=session.auth, trust_env=False) as client:
            await client.get(URL)

    with pytest.raises(RuntimeError, match=r"use Session.auth with httpx.Client; with asyncio, in a thread"):
        in_asyncio(program)
