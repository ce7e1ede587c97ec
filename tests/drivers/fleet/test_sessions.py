"""Sessions of many programs on one login: one refresh, whoever is killed when."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from loginmachine import RedisStore, Session, SignInRequired
from loginmachine.drivers.fleet.lease import Lease, now

from ..replies import reply
from ..shared.programs import go, line_of, ready
from ..shared.session_drivers import DRIVER_IDS, SESSION_DRIVERS, Driver, Start
from ..shared.session_support import LASTING, OVER, TokenEndpoint, credentials, mark_of, token_of
from ..trio.support import no_idle_threads
from .support import PATIENCE, end_lease

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from loginmachine.drivers.stores.protocols import HeldStore

    from .support import RedisServer

    Make = Callable[..., RedisStore]

__all__ = ["no_idle_threads"]

HEAD = """
import os, signal, sys
from loginmachine import Provider, RedisStore, Session, TrioSession
from loginmachine.drivers.fleet.server import Server
url, name, issuer, is_trio, step = sys.argv[1:]
store = RedisStore(url, name=name)
"""
KILLED = """
if step:
    method, when, number = step.split()
    real = getattr(Server, method)
    calls = []
    def work(*args, **options):
        calls.append(method)
        is_last = len(calls) == int(number)
        if is_last and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **options)
        if is_last:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(Server, method, work)
"""
PROVIDER = """
provider = Provider.codex(issuer=issuer)
"""
ASK = """
print("ready", flush=True)
sys.stdin.readline()
if is_trio == "trio":
    import trio
    print(trio.run(TrioSession(store, provider).access_token), flush=True)
else:
    print(Session(store, provider).access_token(), flush=True)
"""


def processes(
    count: int, server: RedisServer, name: str, endpoint: TokenEndpoint, step: str = ""
) -> AbstractContextManager[list[subprocess.Popen[str]]]:
    """Programs that are ready to ask for a token, every second one with trio. They are killed at a step."""
    command = [sys.executable, "-c", HEAD + KILLED + PROVIDER + ASK, server.url, name, endpoint.url]
    return ready([*command, ("threads", "trio")[number % 2], step] for number in range(count))


@contextlib.contextmanager
def program(text: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program."""
    process = subprocess.Popen(
        [sys.executable, "-c", text, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def refresh_tokens(endpoint: TokenEndpoint) -> list[str]:
    return [body["refresh_token"] for body in endpoint.bodies]


# In one process


@pytest.mark.parametrize("driver", SESSION_DRIVERS, ids=DRIVER_IDS)
def test_a_session_refreshes_and_another_program_has_the_token(
    driver: Driver, store: RedisStore, other: RedisStore, endpoint: TokenEndpoint
) -> None:
    store.save(credentials(OVER))
    session = driver.session(store, endpoint.provider)
    token = driver.run(session.access_token)
    assert mark_of(token) == "new-1"
    assert token_of(other.load()) == token
    assert driver.run(driver.session(other, endpoint.provider).access_token) == token
    assert refresh_tokens(endpoint) == ["canary-refresh-old"]
    with other.renewing(timeout=0):
        pass


@pytest.mark.parametrize("driver", SESSION_DRIVERS, ids=DRIVER_IDS)
def test_sessions_with_stores_of_their_own_share_one_refresh(
    driver: Driver, make: Make, endpoint: TokenEndpoint
) -> None:
    make().save(credentials(OVER))
    sessions = [driver.session(make(), endpoint.provider) for _ in range(4)]
    tokens = driver.play(*(Start(session.access_token) for session in sessions))
    assert {mark_of(token) for token in tokens} == {"new-1"}
    assert endpoint.requests == 1


@pytest.mark.parametrize("driver", SESSION_DRIVERS, ids=DRIVER_IDS)
def test_a_refused_refresh_token_is_sent_by_one_program(
    driver: Driver, store: RedisStore, other: RedisStore, endpoint: TokenEndpoint
) -> None:
    store.save(credentials(OVER))
    endpoint.scripted.append(reply({"error": "invalid_grant"}, 400))
    for each in (store, other):
        with pytest.raises(SignInRequired):
            driver.run(driver.session(each, endpoint.provider).access_token)
    assert endpoint.requests == 1


def test_the_token_is_written_before_it_is_used(
    store: RedisStore, other: RedisStore, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(credentials(OVER))
    seen: list[str] = []
    real = store._server.write

    def write(*args: object) -> object:
        seen.append(f"{session._current is not None}, {len(tokens)} delivered")
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(store._server, "write", write)
    tokens: list[str] = []
    session = Session(store, endpoint.provider)
    tokens.append(session.access_token())
    assert seen == ["True, 0 delivered"]
    assert token_of(other.load()) == tokens[0]


def test_a_login_during_a_refresh_stays(store: RedisStore, other: RedisStore, endpoint: TokenEndpoint) -> None:
    store.save(credentials(OVER))
    endpoint.hold()
    tokens: list[str] = []
    asking = threading.Thread(target=lambda: tokens.append(Session(store, endpoint.provider).access_token()))
    asking.start()
    assert endpoint.asked.wait(PATIENCE)
    other.save(credentials(LASTING, "login"))
    endpoint.released.set()
    asking.join(PATIENCE)
    assert [mark_of(token) for token in tokens] == ["login"]
    assert mark_of(token_of(store.load())) == "login"


@pytest.mark.parametrize("has_written", [True, False], ids=["written", "died"])
def test_a_program_that_lost_its_lease_waits_for_the_newer_one(  # noqa: PLR0913 - fixtures
    make: Make,
    redis_server: RedisServer,
    name: str,
    endpoint: TokenEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    *,
    has_written: bool,
) -> None:
    """As after a long pause between the lease and the request, in which another program took the lease."""
    store, newer = make(), make()
    store.save(credentials(OVER))
    real = Lease.take

    def take(lease: Lease, patience: float) -> None:
        real(lease, patience)
        with redis_server.client() as client:
            client.delete(f"loginmachine:{{{name}}}:lease")
        assert newer._server.take_lease(0.05) is not None
        if has_written:
            newer.save(credentials(LASTING, "newer"))
        times = iter([now() + 100])
        lease._clock = lambda: next(times, now())

    monkeypatch.setattr(Lease, "take", take)
    token = Session(store, endpoint.provider).access_token()
    assert mark_of(token) == ("newer" if has_written else "new-1")
    assert endpoint.requests == (0 if has_written else 1)
    assert token_of(newer.load()) == token


# In many processes


FIFTY = """
children = []
for number in range(50):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            sys.stdin.readline()
            own = RedisStore(url, name=name)
            os.write(writing, Session(own, provider).access_token().encode())
        except BaseException as error:
            os.write(writing, repr(error).encode())
        finally:
            os._exit(0)
    os.close(writing)
    children.append((child, reading))
print("ready", flush=True)
for child, reading in children:
    with os.fdopen(reading) as pipe:
        print(pipe.read(), flush=True)
    os.waitpid(child, 0)
"""
"""Fifty processes, each with a connection of its own. To fork them takes less time than to start them."""


def test_fifty_processes_cause_one_refresh(
    store: RedisStore, redis_server: RedisServer, name: str, endpoint: TokenEndpoint
) -> None:
    store.save(credentials(OVER))
    endpoint.hold()
    with program(HEAD + PROVIDER + FIFTY, redis_server.url, name, endpoint.url, "threads", "") as parent:
        assert line_of(parent) == "ready"
        # All of them read this until its end.
        assert parent.stdin is not None
        parent.stdin.close()
        assert endpoint.asked.wait(PATIENCE)
        endpoint.released.set()
        tokens = [line_of(parent) for _ in range(50)]
        parent.stdin = None
    assert set(tokens) == {token_of(store.load())}
    assert mark_of(tokens[0]) == "new-1"
    assert refresh_tokens(endpoint) == ["canary-refresh-old"]


def test_programs_with_threads_and_trio_cause_one_refresh(
    store: RedisStore, redis_server: RedisServer, name: str, endpoint: TokenEndpoint
) -> None:
    store.save(credentials(OVER))
    endpoint.hold()
    with processes(4, redis_server, name, endpoint) as asking:
        for process in asking:
            go(process)
        assert endpoint.asked.wait(PATIENCE)
        endpoint.released.set()
        tokens = [line_of(process) for process in asking]
    assert {mark_of(token) for token in tokens} == {"new-1"}
    assert endpoint.requests == 1


@pytest.mark.parametrize("has_written", [True, False], ids=["written", "not yet"])
def test_a_clock_that_stands_still(  # noqa: PLR0913 - fixtures
    make: Make,
    redis_server: RedisServer,
    name: str,
    endpoint: TokenEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    *,
    has_written: bool,
) -> None:
    """A program that takes an old lease for a valid one replaces nothing: the server knows its fence."""
    store, newer = make(), make()
    store.save(credentials(OVER))
    real = Lease.take

    def take(lease: Lease, patience: float) -> None:
        if lease._server is store._server:
            lease._clock = lambda: 1.0
        real(lease, patience)

    monkeypatch.setattr(Lease, "take", take)
    endpoint.hold()
    tokens: list[str] = []
    asking = threading.Thread(target=lambda: tokens.append(Session(store, endpoint.provider).access_token()))
    asking.start()
    assert endpoint.asked.wait(PATIENCE)
    end_lease(redis_server, name)
    with newer.renewing(timeout=0) as held:
        if has_written:
            save(held)
        endpoint.released.set()
        asking.join(PATIENCE)
        assert [mark_of(token) for token in tokens] == ["newer" if has_written else "new-1"]
        if not has_written:
            assert mark_of(token_of(newer.load())) == "old"
            save(held)
    assert mark_of(token_of(store.load())) == "newer"


def save(held: HeldStore) -> None:
    with held.transaction() as transaction:
        transaction.save(credentials(LASTING, "newer"))


STEPS = {
    "take_lease before 1": ["old"],
    "take_lease after 1": ["old"],
    "read after 2": ["old"],
    "read before 3": ["old", "old"],
    "write before 1": ["old", "old"],
    "write after 1": ["old"],
    "return_lease before 1": ["old"],
    "return_lease after 1": ["old"],
}
"""The refresh tokens that the provider gets, if a program is killed at a step and another one goes on.

The store is read before the lease is taken, before the request, and before the write. The provider gets a token twice
only if the program is killed between its request and the write. That costs the login at a provider that has answered
and does not accept a refresh token twice.
"""


@pytest.mark.parametrize("step", STEPS)
def test_a_program_that_is_killed(
    step: str, make: Make, redis_server: RedisServer, name: str, endpoint: TokenEndpoint
) -> None:
    store = make()
    store.save(credentials(OVER))
    with processes(1, redis_server, name, endpoint, step) as (process,):
        go(process)
        assert line_of(process) == ""
        assert process.wait(PATIENCE) == -9
    end_lease(redis_server, name)
    token = Session(store, endpoint.provider).access_token()
    assert refresh_tokens(endpoint) == [f"canary-refresh-{mark}" for mark in STEPS[step]]
    assert mark_of(token) == f"new-{len(STEPS[step])}"
    assert token_of(store.load()) == token


def test_a_program_that_is_killed_during_its_request(
    make: Make, redis_server: RedisServer, name: str, endpoint: TokenEndpoint
) -> None:
    store = make()
    store.save(credentials(OVER))
    endpoint.hold()
    tokens: list[str] = []
    session = Session(store, endpoint.provider)
    waiting = threading.Thread(target=lambda: tokens.append(session.access_token()))
    with processes(1, redis_server, name, endpoint) as (process,):
        go(process)
        assert endpoint.asked.wait(PATIENCE)
        waiting.start()
        process.kill()
        process.wait(PATIENCE)
        end_lease(redis_server, name)
        endpoint.released.set()
        waiting.join(PATIENCE)
    assert [mark_of(token) for token in tokens] == ["new-2"]
    assert token_of(store.load()) == tokens[0]
