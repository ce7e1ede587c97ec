"""A server that cannot be reached, or that refuses: each error says why, and shows no password."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING

import pytest
import redis

from loginmachine import RedisStore, Session, StoreError
from loginmachine.drivers.fleet import redis_store
from loginmachine.drivers.fleet.errors import Unreachable
from loginmachine.drivers.fleet.leased import LeasedStore

from ..shared.session_support import LASTING, OVER, TokenEndpoint, credentials, mark_of, token_of
from ..support import eventually
from .support import PATIENCE, RedisServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CREDENTIALS = credentials(LASTING)


@pytest.fixture
def quick(own_server: RedisServer) -> Iterator[RedisStore]:
    """Return a store that waits for its server for half a second."""
    with RedisStore(own_server.url, name="x", lease=4) as store:
        yield store


def with_password(server: RedisServer, password: str) -> str:
    return server.url.replace("unix://", f"unix://:{password}@") + "?db=0"


# Errors


def test_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loginmachine.drivers.fleet.redis_store.LOCK_TIMEOUT", 0)
    with RedisStore("unix:///nowhere/socket", name="x") as store:
        for use in (store.load, store.check, store.remove, lambda: store.save(CREDENTIALS)):
            with pytest.raises(
                StoreError, match=r"^the login 'x' on the Redis server /nowhere/socket: it cannot be reached$"
            ):
                use()
        with pytest.raises(StoreError, match=r"it cannot be reached$"), store.renewing():
            pass


@pytest.mark.parametrize(("given", "problem"), [("wrong-canary", "the password is wrong"), ("", "it needs a password")])
def test_a_password(given: str, problem: str, all_logs: pytest.LogCaptureFixture) -> None:
    with RedisServer("--requirepass", "right-canary") as server:
        url = with_password(server, given) if given else server.url
        with RedisStore(with_password(server, "right-canary"), name="x") as right, RedisStore(url, name="x") as wrong:
            right.save(CREDENTIALS)
            assert right.load() == CREDENTIALS
            with pytest.raises(StoreError, match=rf": {problem}$") as caught:
                wrong.load()
            with pytest.raises(StoreError, match=rf": {problem}$"):
                wrong.save(CREDENTIALS)
            assert "the Redis server failed" in all_logs.text
            assert "canary" not in f"{wrong!r} {right!r} {caught.value!r} {all_logs.text}"
            assert caught.value.__cause__ is None
            assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("options", "command", "problem"),
    [
        ((), "REPLICAOF 127.0.0.1 1", "it is a read-only replica: use the address of the primary"),
        (("--maxmemory", "1"), "PING", "its memory is full"),
        (
            (),
            "ACL SETUSER default -eval -evalsha -hset",
            r"its user may not use a command \(docs/fleet.md lists them\)",
        ),
    ],
    ids=["replica", "memory", "user"],
)
def test_a_server_that_refuses_to_write(options: tuple[str, ...], command: str, problem: str) -> None:
    with RedisServer(*options) as server, RedisStore(server.url, name="x") as store, server.client() as client:
        client.execute_command(*command.split())
        assert store.load() is None
        with pytest.raises(StoreError, match=rf": {problem}$"):
            store.check()
        with pytest.raises(StoreError, match=rf": {problem}$"):
            store.save(CREDENTIALS)
        # No refresh token is sent if new tokens could not be stored.
        with pytest.raises(StoreError, match=rf": {problem}$"), store.renewing():
            pass


def test_a_key_of_another_program(store: RedisStore, redis_server: RedisServer, name: str) -> None:
    with redis_server.client() as client:
        client.set(f"loginmachine:{{{name}}}", "x")
    for use in (store.load, store.check, store.remove, lambda: store.save(CREDENTIALS)):
        with pytest.raises(StoreError, match=r": it holds something that loginmachine has not stored$"):
            use()


def test_content_of_another_program(
    store: RedisStore, redis_server: RedisServer, name: str, all_logs: pytest.LogCaptureFixture
) -> None:
    with redis_server.client() as client:
        client.hset(f"loginmachine:{{{name}}}", "value", "canary")
    with pytest.raises(StoreError, match=r": it holds something that loginmachine has not stored$"):
        store.load()
    assert "canary" not in all_logs.text


# A partition: the server is there, and does not answer


def test_a_server_that_does_not_answer(own_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loginmachine.drivers.fleet.server.REST", 0.1)
    warned: list[str] = []
    with (
        RedisStore(own_server.url, name="x", lease=4, on_warning=warned.append) as store,
        RedisStore(own_server.url, name="x", lease=4) as new,
    ):
        store.save(CREDENTIALS)
        assert store.load() == CREDENTIALS
        own_server.signal(signal.SIGSTOP)
        with pytest.raises(Unreachable, match=r": it does not answer$"):
            new.load()
        with pytest.raises(StoreError, match=r": it does not answer$"), store.renewing(timeout=0):
            pass
        # What was read last is still good, and so is its access token.
        assert store.load() == store.load() == CREDENTIALS
        assert Session(store).access_token() == token_of(CREDENTIALS)
        own_server.signal(signal.SIGCONT)
        assert new.remove() == CREDENTIALS
        assert eventually(lambda: store.load() is None, PATIENCE)
    assert [text.partition(": ")[2] for text in warned] == [
        "it does not answer; the credentials that were read last are used"
    ]


def test_a_server_that_does_not_answer_is_left_alone_for_a_while(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each attempt takes as long as the time-out."""
    store.save(CREDENTIALS)
    assert store.load() == CREDENTIALS
    attempts: list[str] = []
    with monkeypatch.context() as patch:

        def fail(*keys: str) -> None:
            attempts.append(keys[0])
            raise redis.TimeoutError

        patch.setattr(store._server._redis, "hmget", fail)
        assert [store.load() for _ in range(5)] == [CREDENTIALS] * 5
        assert len(attempts) == 1
        store._server._silent_until = 0.0
        assert store.load() == CREDENTIALS
        assert len(attempts) == 2
    assert store._server.is_silent
    store.save(credentials(LASTING, "new"))
    # It answers again.
    assert mark_of(token_of(store.load())) == "new"


def test_a_session_that_refreshes_does_not_make_others_fail(
    quick: RedisStore, own_server: RedisServer, endpoint: TokenEndpoint
) -> None:
    """While the one that holds the lease is cut off, the others have the token that was read last."""
    quick.save(CREDENTIALS)
    assert quick.load() == CREDENTIALS
    first, second = Session(quick, endpoint.provider), Session(quick, endpoint.provider)
    endpoint.hold()
    refreshing = threading.Thread(target=lambda: first.renew(token_of(CREDENTIALS)))
    refreshing.start()
    assert endpoint.asked.wait(PATIENCE)
    own_server.signal(signal.SIGSTOP)
    assert second.access_token() == token_of(CREDENTIALS)
    own_server.signal(signal.SIGCONT)
    endpoint.released.set()
    refreshing.join(PATIENCE)
    assert mark_of(token_of(quick.load())) == "new-1"


def test_tokens_that_come_during_a_partition_are_stored_after_it(
    quick: RedisStore, own_server: RedisServer, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("contents", "leased"):
        monkeypatch.setattr(f"loginmachine.drivers.fleet.{module}.LOCK_TIMEOUT", 0)
    # It gives up after a second attempt, not after the length of the lease.
    monkeypatch.setattr(redis_store, "LeasedStore", lambda contents, lease, _: LeasedStore(contents, lease, 0.6))
    quick.save(credentials(OVER))
    warned: list[str] = []
    session = Session(quick, endpoint.provider, on_warning=warned.append)
    tokens: list[str] = []
    endpoint.hold()
    asking = threading.Thread(target=lambda: tokens.append(session.access_token()))
    asking.start()
    assert endpoint.asked.wait(PATIENCE)
    own_server.signal(signal.SIGSTOP)
    endpoint.released.set()
    asking.join(PATIENCE)
    own_server.signal(signal.SIGCONT)
    assert [mark_of(token) for token in tokens] == ["new-1"]
    assert any("could not be stored" in text for text in warned)
    assert mark_of(token_of(quick.load())) == "old"
    session.refresh(force=True)
    assert endpoint.bodies[-1]["refresh_token"] == "canary-refresh-1"
    assert mark_of(token_of(quick.load())) == "new-2"


# A restart


def test_a_restart_with_its_data(quick: RedisStore, own_server: RedisServer) -> None:
    quick.save(CREDENTIALS)
    own_server.stop()
    with pytest.raises(StoreError, match=r": it cannot be reached$"):
        quick.check()
    own_server.start()
    assert quick.load() == CREDENTIALS


def test_a_restart_without_its_data(quick: RedisStore, own_server: RedisServer) -> None:
    """The login is lost, and nothing that a program remembers comes back by mistake."""
    quick.save(CREDENTIALS)
    with quick.transaction() as transaction, quick.renewing():
        assert transaction.load() == CREDENTIALS
        with own_server.client() as client:
            client.flushall()
        own_server.stop()
        own_server.start()
        assert quick.load() is None
        with pytest.raises(StoreError, match=r"another program has changed it meanwhile$"):
            transaction.save(CREDENTIALS)
    assert quick.load() is None
    quick.save(CREDENTIALS)
    assert quick.load() == CREDENTIALS


@pytest.mark.parametrize("data", ["kept", "lost"])
def test_a_lease_from_before_a_restart(own_server: RedisServer, data: str, make: Callable[..., RedisStore]) -> None:
    store, other = (make(own_server.url, name="x") for _ in range(2))
    store.save(CREDENTIALS)
    with store.renewing() as held:
        if data == "lost":
            with own_server.client() as client:
                client.flushall()
        own_server.stop()
        own_server.start()
        if data == "lost":
            with other.renewing(timeout=0):
                other.save(credentials(LASTING, "other"))
                with pytest.raises(StoreError), held.transaction() as transaction:
                    transaction.save(CREDENTIALS)
            assert mark_of(token_of(other.load())) == "other"
        else:
            with pytest.raises(StoreError), other.renewing(timeout=0):
                pass
