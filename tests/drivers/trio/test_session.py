"""Sessions of trio: the twin of `test_session`, and what cancellation does."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import httpx
import pytest
import trio

from loginmachine import (
    Credentials,
    FileStore,
    InsecureRequest,
    MemoryStore,
    Provider,
    RefreshFailed,
    Secret,
    SignInRequired,
    StoreError,
    TrioSession,
)

from ..scripted_server import ScriptedServer, drips
from ..shared.session_support import (
    CANARIES,
    DUE,
    LASTING,
    OVER,
    TokenEndpoint,
    answer,
    credentials,
    mark_of,
    signed_in,
    token_of,
)
from ..support import PATIENCE
from .support import in_thread, no_idle_threads, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from pathlib import Path

__all__ = ["no_idle_threads"]


async def until(is_so: Callable[[], bool]) -> None:
    with trio.fail_after(PATIENCE):
        while not is_so():  # noqa: ASYNC110 - what is waited for knows no trio
            await trio.sleep(0.002)


async def together(count: int, ask: Callable[[], Awaitable[str]]) -> list[str]:
    """What so many tasks are given."""
    tokens: list[str] = []

    async def one() -> None:
        tokens.append(await ask())

    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(one)
    return tokens


def test_a_token_that_lasts_is_handed_out(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, LASTING)

    async def main() -> None:
        session = TrioSession(store, endpoint.provider)
        assert await session.access_token() == token_of(store.load())
        assert await session.credentials() == store.load()
        assert (await session.refresh()).delivery == "current"

    run(main)
    assert endpoint.requests == 0


@pytest.mark.parametrize("expires_in", [DUE, OVER])
def test_twenty_tasks_cause_one_refresh(tmp_path: Path, endpoint: TokenEndpoint, expires_in: int) -> None:
    store = signed_in(tmp_path, expires_in)

    async def main() -> None:
        tokens = await together(20, TrioSession(store, endpoint.provider).access_token)
        assert [mark_of(token) for token in tokens] == ["new-1"] * 20
        assert token_of(store.load()) == tokens[0]

    run(main)
    assert endpoint.bodies == [
        {
            "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
            "grant_type": "refresh_token",
            "refresh_token": "canary-refresh-old",
        }
    ]


def test_twenty_sessions_on_one_home_cause_one_refresh(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    signed_in(tmp_path, OVER)

    async def ask() -> str:
        return await TrioSession(FileStore(tmp_path), endpoint.provider).access_token()

    async def main() -> None:
        assert [mark_of(token) for token in await together(20, ask)] == ["new-1"] * 20

    run(main)
    assert endpoint.requests == 1


def test_twenty_rejections_of_one_token_cause_one_refresh(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    async def main() -> None:
        session = TrioSession(signed_in(tmp_path, LASTING), endpoint.provider)
        old = await session.access_token()
        assert [mark_of(token) for token in await together(20, lambda: session.renew(old))] == ["new-1"] * 20
        assert mark_of(await session.renew(old)) == "new-1"

    run(main)
    assert endpoint.requests == 1


def test_forcing_renews_each_time_and_a_session_outlives_a_run(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = TrioSession(signed_in(tmp_path, LASTING), endpoint.provider)

    async def main() -> None:
        assert (await session.refresh(force=True)).delivery == "refreshed"

    run(main)
    run(main)
    assert [body["refresh_token"] for body in endpoint.bodies] == ["canary-refresh-old", "canary-refresh-1"]


def test_who_forces_is_not_content_with_a_refresh_that_decided_otherwise(
    tmp_path: Path, endpoint: TokenEndpoint
) -> None:
    session = TrioSession(signed_in(tmp_path, DUE), endpoint.provider)
    endpoint.scripted.append(lambda: answer(503))
    endpoint.hold()
    marks: list[str] = []

    async def ask() -> None:
        marks.append(mark_of(await session.access_token()))

    async def force() -> None:
        marks.append(mark_of((await session.refresh(force=True)).token.reveal()))

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            await until(endpoint.asked.is_set)
            nursery.start_soon(force)
            await until(lambda: session._current is not None and session._current.waiting == 2)
            endpoint.released.set()

    run(main)
    assert sorted(marks) == ["new-2", "old"]


# Cancellation


def test_a_task_that_is_cancelled_leaves_the_refresh_to_the_others(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = TrioSession(signed_in(tmp_path, OVER), endpoint.provider)
    endpoint.hold()
    marks: list[str] = []

    async def ask() -> None:
        marks.append(mark_of(await session.access_token()))

    async def main() -> None:
        async with trio.open_nursery() as others, trio.open_nursery() as leader:
            leader.start_soon(ask)
            await until(endpoint.asked.is_set)
            others.start_soon(ask)
            await until(lambda: session._current is not None and session._current.waiting == 2)
            leader.cancel_scope.cancel()
            endpoint.released.set()

    run(main)
    assert marks == ["new-1"]
    assert endpoint.requests == 1


def test_what_was_sent_is_stored_although_nobody_waits_any_more(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = TrioSession(store, endpoint.provider)
    endpoint.hold()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.access_token)
            await until(endpoint.asked.is_set)
            nursery.cancel_scope.cancel()
        endpoint.released.set()

    # The run ends with the refresh still under way, and waits for it.
    trio.run(main)
    assert mark_of(token_of(store.load())) == "new-1"
    assert session._current is None


def test_a_cancellation_before_anything_was_sent_is_the_end_of_it(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = TrioSession(store, endpoint.provider)

    async def main() -> None:
        with store.renewing():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(session.access_token)
                await until(lambda: session._current is not None)
                nursery.cancel_scope.cancel()
            await until(lambda: session._current is None)
        assert endpoint.requests == 0
        assert mark_of(await session.access_token()) == "new-1"

    run(main)


def test_while_somebody_waits_for_the_lock_everybody_else_goes_on(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = TrioSession(store, endpoint.provider)

    async def main() -> None:
        with store.renewing():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(session.access_token)
                await until(lambda: session._current is not None)
                await in_thread(lambda: store.save(credentials(LASTING, "theirs")))
                with trio.fail_after(PATIENCE):
                    assert mark_of(await session.access_token()) == "theirs"

    run(main)
    assert endpoint.requests == 0


# What fails


def test_what_fails_is_told_as_by_the_other_session(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    async def main() -> None:
        session = TrioSession(FileStore(tmp_path), endpoint.provider, environment_key="sk-1")
        assert await session.access_token() == "sk-1"
        (tmp_path / "auth.json").write_text("{")
        with pytest.raises(RefreshFailed, match="credentials_unreadable"):
            await session.access_token()
        (tmp_path / "auth.json").unlink()
        session = TrioSession(signed_in(tmp_path, OVER), endpoint.provider)
        endpoint.scripted += [lambda: answer(503), lambda: answer(401, error="gone")]
        with pytest.raises(RefreshFailed, match="refresh_unavailable"):
            await session.access_token()
        for _ in range(3):
            with pytest.raises(SignInRequired, match="refresh_token_rejected"):
                await session.access_token()

    run(main)
    assert endpoint.requests == 2


def test_an_endpoint_that_drips_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loginmachine.sansio.oauth.token_requests.REFRESH_TIMEOUT", 0.2)

    async def main() -> None:
        session = TrioSession(signed_in(tmp_path, OVER), Provider.chatgpt(issuer=server.url))
        with pytest.raises(RefreshFailed, match="no complete answer in time"):
            await session.access_token()

    with ScriptedServer(drips) as server:
        run(main)


class FullDisk(MemoryStore):
    """A store that nothing can be put into any more."""

    def __init__(self) -> None:
        super().__init__()
        self.credentials = credentials(OVER)

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[FullDisk]:
        with super().transaction(timeout=timeout):
            yield self

    def save(self, credentials: Credentials) -> Credentials | None:  # noqa: ARG002 - the store's own
        raise StoreError("disk full")


@pytest.mark.parametrize("raises", [False, True])
def test_tokens_that_cannot_be_stored_are_handed_out_all_the_same(endpoint: TokenEndpoint, *, raises: bool) -> None:
    warnings: list[str] = []

    def observe(text: str) -> None:
        warnings.append(text)
        if raises:
            raise ValueError

    async def main() -> None:
        session = TrioSession(FullDisk(), endpoint.provider, on_warning=observe)
        assert [mark_of(await session.access_token()) for _ in range(2)] == ["new-1", "new-1"]

    run(main)
    assert warnings == ["the new tokens could not be stored, and are lost when this program ends: disk full"]
    assert endpoint.requests == 1


def test_a_bug_is_told_to_everybody_who_waits(
    tmp_path: Path, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_request: object, _limiter: object) -> None:
        raise LookupError

    async def main() -> None:
        session = TrioSession(signed_in(tmp_path, OVER), endpoint.provider)
        with monkeypatch.context() as patched:
            patched.setattr("loginmachine.drivers.trio.session.send", broken)
            with pytest.raises(RuntimeError, match="the session has failed with LookupError; this is a bug in it"):
                await session.access_token()
        assert mark_of(await session.access_token()) == "new-1"

    run(main)


def test_nothing_secret_is_shown(tmp_path: Path, endpoint: TokenEndpoint, all_logs: pytest.LogCaptureFixture) -> None:
    session = TrioSession(signed_in(tmp_path, OVER), endpoint.provider)

    async def main() -> None:
        async with httpx.AsyncClient(auth=session.auth, trust_env=False) as client:
            assert (await client.get(endpoint.api)).status_code == 200

    run(main)
    shown = f"{all_logs.text} {session!r} {session.auth!r} {session._memory!r}"
    assert not [canary for canary in CANARIES if canary in shown]
    assert repr(session) == "<TrioSession of FileStore>"


# httpx


def with_client(tmp_path: Path, endpoint: TokenEndpoint, work: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
    async def main() -> None:
        session = TrioSession(signed_in(tmp_path, LASTING), endpoint.provider)
        async with httpx.AsyncClient(auth=session.auth, trust_env=False, follow_redirects=True) as client:
            await work(client)

    run(main)


def test_a_401_is_answered_with_a_new_token_once(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"a body "
        yield b"that can be read once"

    async def work(client: httpx.AsyncClient) -> None:
        assert (await client.post(endpoint.api, content=body())).status_code == 200
        assert (await client.get(endpoint.api)).status_code == 200

    with_client(tmp_path, endpoint, work)
    assert [(mark_of(str(bearer)), body) for bearer, body in endpoint.calls] == [
        ("old", b"a body that can be read once"),
        ("new-1", b"a body that can be read once"),
        ("new-1", b""),
    ]
    assert endpoint.requests == 1


def test_a_second_401_is_the_callers(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    endpoint.scripted.append(lambda: answer(access_token="canary-new-unwelcome"))

    async def work(client: httpx.AsyncClient) -> None:
        assert (await client.get(endpoint.api)).status_code == 401

    with_client(tmp_path, endpoint, work)
    assert (len(endpoint.calls), endpoint.requests) == (2, 1)


def test_an_api_key_is_sent_once(endpoint: TokenEndpoint) -> None:
    store = MemoryStore()
    store.save(Credentials.from_api_key(Secret("sk-1")))

    async def main() -> None:
        async with httpx.AsyncClient(auth=TrioSession(store, endpoint.provider).auth, trust_env=False) as client:
            assert (await client.get(endpoint.api)).status_code == 401

    run(main)
    assert endpoint.calls == [("Bearer sk-1", b"")]


def test_a_redirect_to_another_origin_gets_no_token_and_spends_none(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    async def work(client: httpx.AsyncClient) -> None:
        assert (await client.get(f"{endpoint.url}/moved")).status_code == 401

    with_client(tmp_path, endpoint, work)
    assert endpoint.calls == [(None, b"")]
    assert endpoint.requests == 0


def test_a_token_is_never_sent_in_the_clear(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    async def work(client: httpx.AsyncClient) -> None:
        with pytest.raises(InsecureRequest, match="https only"):
            await client.get("http://api.example/")

    with_client(tmp_path, endpoint, work)


def test_it_is_for_the_asynchronous_client_only(tmp_path: Path) -> None:
    session = TrioSession(FileStore(tmp_path))
    with httpx.Client(auth=session.auth) as client, pytest.raises(TypeError, match="use a Session"):
        client.get("https://api.example/")
