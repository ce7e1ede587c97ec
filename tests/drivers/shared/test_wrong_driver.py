"""A driver in the wrong kind of program: the error names what to use there."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trio

from loginmachine import (
    AsyncioSession,
    MemoryStore,
    Session,
    TrioSession,
    asyncio_open_login,
    asyncio_sign_out,
    open_login,
    start_login,
    trio_sign_out,
)
from loginmachine.drivers import asyncio as asyncio_names
from loginmachine.drivers import threaded as threaded_names
from loginmachine.drivers import trio as trio_names

from .session_support import LASTING, credentials, signed_in

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path
    from types import ModuleType

    from ..conftest import ScriptedProvider

URL = "https://api.example/"
METHODS = ("access_token", "credentials", "refresh", "sign_out")


def in_asyncio(program: Callable[[], Awaitable[object]]) -> None:
    async def main() -> None:
        await program()

    asyncio.run(main())


def in_nothing(program: Callable[[], Awaitable[object]]) -> None:
    """Run a program without an event loop, until it waits for the first time."""
    program().__await__().send(None)


WRONG = [
    pytest.param(
        open_login, in_asyncio, "open_login is for trio, which does not run here: with asyncio use {}", id="a"
    ),
    pytest.param(
        asyncio_open_login,
        trio.run,
        "asyncio_open_login is for asyncio, which does not run here: with trio use {}",
        id="t",
    ),
    pytest.param(asyncio_open_login, in_nothing, "here: without an event loop use {}", id="n"),
]
NAMES = {in_asyncio: "asyncio_open_login", trio.run: "open_login", in_nothing: "start_login"}


@pytest.mark.parametrize(("sign_in", "run", "words"), WRONG)
def test_a_login(sign_in: Any, run: Callable[..., None], words: str, provider: ScriptedProvider) -> None:
    async def program() -> None:
        async with sign_in(provider.options(), store=MemoryStore()):
            pytest.fail("the login was entered")

    with pytest.raises(RuntimeError, match=words.format(NAMES[run]) + "$"):
        run(program)


@pytest.mark.parametrize(("sign_in", "word"), [(open_login, "trio"), (asyncio_open_login, "asyncio")])
def test_an_asynchronous_login_in_a_blocking_with_statement(
    sign_in: Any, word: str, provider: ScriptedProvider
) -> None:
    login = sign_in(provider.options(), store=MemoryStore())
    with (
        pytest.raises(TypeError, match=rf"is for {word}: use it in an async with statement, or use start_login$"),
        login,
    ):
        pass


@pytest.mark.parametrize(("run", "name"), [(in_asyncio, "asyncio_open_login"), (trio.run, "open_login")])
def test_start_login_in_an_async_with_statement(
    run: Callable[..., None], name: str, provider: ScriptedProvider
) -> None:
    async def program() -> None:
        login: Any = start_login(provider.options(), store=MemoryStore())
        async with login:
            pass

    words = rf"^start_login is for threads: use it in a with statement, or .* use {name} in an async with statement$"
    with pytest.raises(TypeError, match=words):
        run(program)


@pytest.mark.parametrize("method", METHODS)
def test_a_trio_session_in_asyncio(method: str) -> None:
    words = "^TrioSession is for trio, which does not run here: with asyncio use AsyncioSession$"
    with pytest.raises(RuntimeError, match=words):
        in_asyncio(getattr(TrioSession(MemoryStore()), method))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("run", "words"), [(trio.run, "with trio use TrioSession"), (in_nothing, "without an event loop use Session")]
)
def test_an_asyncio_session_elsewhere(method: str, run: Callable[..., None], words: str) -> None:
    with pytest.raises(RuntimeError, match=f"^AsyncioSession is for asyncio, which does not run here: {words}$"):
        run(getattr(AsyncioSession(MemoryStore()), method))


@pytest.mark.parametrize(
    ("sign_out", "run", "words"),
    [
        (trio_sign_out, in_asyncio, "^trio_sign_out is for trio, .* use asyncio_sign_out$"),
        (asyncio_sign_out, trio.run, "^asyncio_sign_out is for asyncio, .* use trio_sign_out$"),
    ],
)
def test_signing_out(sign_out: Callable[..., Awaitable[object]], run: Callable[..., None], words: str) -> None:
    store = MemoryStore()
    store.save(credentials(LASTING))
    with pytest.raises(RuntimeError, match=words):
        run(lambda: sign_out(store))
    assert store.credentials is not None


# The authentication of an httpx client


@pytest.mark.parametrize(
    ("session", "run", "error", "words"),
    [
        (Session, in_asyncio, TypeError, "^Session.auth is for httpx.Client: .* with asyncio use AsyncioSession$"),
        (Session, trio.run, TypeError, "^Session.auth is for httpx.Client: .* with trio use TrioSession$"),
        (TrioSession, in_asyncio, RuntimeError, "^TrioSession is for trio, .* use AsyncioSession$"),
        (AsyncioSession, trio.run, RuntimeError, "^AsyncioSession is for asyncio, .* use TrioSession$"),
    ],
)
def test_an_asynchronous_client(
    session: Any, run: Callable[..., None], error: type[Exception], words: str, tmp_path: Path
) -> None:
    auth = session(signed_in(tmp_path, LASTING)).auth

    async def program() -> None:
        async with httpx.AsyncClient(auth=auth, trust_env=False) as client:
            await client.get(URL)

    with pytest.raises(error, match=words):
        run(program)


@pytest.mark.parametrize("session", [TrioSession, AsyncioSession])
def test_an_asynchronous_session_in_a_blocking_client(session: Any, tmp_path: Path) -> None:
    auth = session(signed_in(tmp_path, LASTING)).auth
    words = f"^{session.__name__}.auth is for httpx.AsyncClient: for httpx.Client use a Session$"
    with httpx.Client(auth=auth, trust_env=False) as client, pytest.raises(TypeError, match=words):
        client.get(URL)


# The names of each package


@pytest.mark.parametrize(
    ("package", "names"),
    [
        (threaded_names, "ThreadedLogin Session WebLogins start_login sign_out"),
        (trio_names, "TrioLogin TrioSession TrioWebLogins open_login trio_sign_out"),
        (asyncio_names, "AsyncioLogin AsyncioSession AsyncioWebLogins asyncio_open_login asyncio_sign_out"),
    ],
    ids=["threaded", "trio", "asyncio"],
)
def test_each_package_has_the_same_names(package: ModuleType, names: str) -> None:
    assert package.__all__ == dir(package) == ["Login", "Session", "WebLogins", "open_login", "sign_out"]
    import loginmachine

    for name, top in zip(package.__all__, names.split(), strict=True):
        assert getattr(package, name) is getattr(loginmachine, top)
    with pytest.raises(AttributeError, match="has no attribute 'close_login'"):
        package.close_login  # noqa: B018 - the access is the test


@pytest.mark.parametrize("package", ["threaded", "trio", "asyncio"])
def test_a_name_is_loaded_without_the_other_drivers(package: str) -> None:
    code = (
        f"import sys, loginmachine.drivers.{package} as names; before = 'asyncio' in sys.modules\n"
        "names.sign_out; names.open_login; names.Session; names.Login; names.WebLogins\n"
        "print(before, *sorted({name.split('.')[2] for name in sys.modules if name.startswith('loginmachine.drivers.')}"
        " & {'threaded', 'trio', 'asyncio'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50)
    assert done.stdout.split() == ["False", package]
