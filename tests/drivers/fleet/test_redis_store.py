"""`RedisStore` on a real server: a store like the others, with compare-and-set and a lease."""

from __future__ import annotations

import functools
import os
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
import redis

from loginmachine import Credentials, RedisStore, Secret, SessionStore, StoreBusy, StoreError
from loginmachine.drivers.fleet.errors import Unreachable
from loginmachine.drivers.stores.protocols import HeldStore, RefusalStore
from loginmachine.sansio.refresh.failures import RefreshFailureCategory
from loginmachine.sansio.refresh.outcome import Refusal

from ..accounts import samples
from ..shared.session_support import LASTING, credentials
from ..support import eventually
from .support import PATIENCE, end_lease

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine.drivers.fleet.leased import LeasedStore

    from .support import RedisServer

    Make = Callable[..., RedisStore]

FIRST, SECOND = credentials(LASTING, "first"), credentials(LASTING, "second")
API_KEY = Credentials(auth_mode="apikey", api_key=Secret("canary-key"))


def field(server: RedisServer, name: str, key: str) -> Any:
    with server.client() as client:
        return client.hget(f"loginmachine:{{{name}}}", key)


# A store like the others


def test_what_one_program_saves_another_loads(store: RedisStore, other: RedisStore) -> None:
    assert store.load() is None
    assert store.save(API_KEY) is None
    assert other.save(FIRST) == API_KEY
    assert store.load() == FIRST
    assert other.remove() == FIRST
    assert store.remove() is None
    assert store.load() is None


def test_it_has_the_methods_of_a_store(store: RedisStore) -> None:
    checked: SessionStore = store
    checked.save(FIRST)
    assert isinstance(store, RefusalStore)
    store.check()
    assert store.load() == FIRST
    assert store.kind == "redis"


def test_logins_with_other_names_are_apart(store: RedisStore, make: Make) -> None:
    store.save(FIRST)
    assert make(name="another").load() is None


def test_the_credentials_of_any_provider(store: RedisStore, other: RedisStore) -> None:
    of_other_provider = samples.credentials()
    assert store.save(of_other_provider) is None
    assert other.load() == of_other_provider


def test_credentials_of_another_provider_are_not_replaced(store: RedisStore) -> None:
    store.save(samples.credentials())
    with pytest.raises(StoreError, match="the stored credentials are kept, because"):
        store.save(samples.credentials(provider=samples.OTHER))
    assert store.load() == samples.credentials()


def test_a_transaction(store: RedisStore) -> None:
    with store.transaction() as transaction:
        assert transaction.load() is None
        assert transaction.save(FIRST) is None
        assert transaction.load() == store.load() == FIRST
        assert transaction.save(SECOND) == FIRST
        assert transaction.remove() == SECOND
        assert transaction.remove() is None
        transaction.save(FIRST)
    assert store.load() == FIRST


def test_a_transaction_locks_out_other_threads(store: RedisStore) -> None:
    with (
        store.transaction(),
        pytest.raises(StoreBusy, match=r"for more than 0\.05 seconds$"),
        store.transaction(timeout=0.05),
    ):
        pass
    store.save(FIRST)


def test_a_transaction_saves_nothing_over_a_change_of_another_program(store: RedisStore, other: RedisStore) -> None:
    store.save(API_KEY)
    with store.transaction() as transaction:
        assert transaction.load() == API_KEY
        other.save(FIRST)
        with pytest.raises(StoreBusy, match="another program has changed it meanwhile"):
            transaction.save(SECOND)
        with pytest.raises(StoreBusy, match="another program has changed it meanwhile"):
            transaction.remove()
    assert store.load() == FIRST


def test_credentials_that_were_removed_meanwhile_do_not_come_back(store: RedisStore, other: RedisStore) -> None:
    store.save(FIRST)
    with store.transaction() as transaction:
        transaction.load()
        other.remove()
        other.save(FIRST)
        other.remove()
        with pytest.raises(StoreBusy):
            transaction.save(SECOND)
    assert store.load() is None


def test_saves_of_many_threads_all_succeed(make: Make) -> None:
    stores = [make() for _ in range(4)]
    replaced: list[Credentials | None] = []
    together = threading.Barrier(4)

    def save(store: RedisStore, mark: str) -> None:
        together.wait(PATIENCE)
        replaced.append(store.save(credentials(LASTING, mark)))

    threads = [threading.Thread(target=save, args=(each, f"{number}")) for number, each in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    # Each replaced another one: none was lost without a trace.
    marks = [
        each.tokens.refresh_token.reveal()[-1]
        for each in replaced
        if each and each.tokens and each.tokens.refresh_token
    ]
    assert len(set(marks)) == 3
    assert len(replaced) == 4


def test_a_refusal_is_remembered_for_all(
    store: RedisStore, other: RedisStore, redis_server: RedisServer, name: str
) -> None:
    assert store.load_refusal() is None
    refusal = Refusal(digest="abc", category=RefreshFailureCategory.REFRESH_TOKEN_REJECTED)
    store.save_refusal(refusal)
    assert other.load_refusal() == refusal
    with redis_server.client() as client:
        client.hset(f"loginmachine:{{{name}}}", "refusal", '{"digest": 1, "category": "refresh_token_rejected"}')
        assert other.load_refusal() is None
        client.hset(f"loginmachine:{{{name}}}", "refusal", "nonsense")
    assert other.load_refusal() is None


def test_close_closes_the_connections(store: RedisStore, redis_server: RedisServer) -> None:
    with redis_server.client() as client:
        for _ in range(2):
            # They are opened again when they are needed.
            store.save(FIRST)
            number = store._server._redis.client_id()
            assert not no_client(client, number)
            store.close()
            assert eventually(functools.partial(no_client, client, number), PATIENCE)


def no_client(client: redis.Redis, number: int) -> bool:
    return not client.client_list(client_id=[number])


# The lease


def test_one_program_refreshes_at_a_time(store: RedisStore, other: RedisStore) -> None:
    with store.renewing():
        with pytest.raises(StoreBusy, match=r"for more than 0\.05 seconds$"), other.renewing(timeout=0.05):
            pass
        with pytest.raises(StoreBusy), store.renewing(timeout=0):
            pass
        # A login does not wait for a refresh.
        other.save(FIRST)
        assert store.load() == FIRST
    with other.renewing(timeout=0):
        pass


def test_a_waiting_program_gets_the_lease_next(store: RedisStore, other: RedisStore) -> None:
    entered = threading.Event()

    def wait() -> None:
        with other.renewing(timeout=PATIENCE):
            entered.set()

    with store.renewing():
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert not entered.is_set()
    waiting.join(PATIENCE)
    assert entered.is_set()


def test_a_stale_fence_writes_nothing(
    store: RedisStore, other: RedisStore, redis_server: RedisServer, name: str
) -> None:
    store.save(FIRST)
    with store.renewing() as held:
        assert end_lease(redis_server, name)
        with other.renewing(timeout=0) as newer:
            with held.transaction() as transaction:
                with pytest.raises(StoreBusy, match="another worker is refreshing the tokens, because this one took"):
                    transaction.save(SECOND)
                with pytest.raises(StoreBusy):
                    transaction.remove()
            with newer.transaction() as transaction:
                transaction.save(SECOND)
        # The lease of the other one has ended. That of the first stays stale.
        with held.transaction() as transaction, pytest.raises(StoreBusy):
            transaction.save(FIRST)
    assert other.load() == SECOND


def test_the_end_of_a_stale_lease_does_not_end_the_newer_one(
    make: Make, store: RedisStore, other: RedisStore, redis_server: RedisServer, name: str
) -> None:
    with store.renewing():
        assert end_lease(redis_server, name)
        newer = other.renewing(timeout=0)
        newer.__enter__()
    with pytest.raises(StoreBusy), make().renewing(timeout=0):
        pass
    newer.__exit__(None, None, None)


def test_a_lease_that_ended_by_time_still_writes_if_no_other_has_it(
    store: RedisStore, redis_server: RedisServer, name: str
) -> None:
    """The tokens that came would be lost otherwise."""
    store.save(FIRST)
    with store.renewing() as held:
        assert end_lease(redis_server, name)
        with held.transaction() as transaction:
            transaction.save(SECOND)
    assert store.load() == SECOND


def test_what_was_read_under_the_lease_is_not_read_again_to_write(
    store: RedisStore, other: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time between the provider's answer and the write is that of two commands."""
    store.save(FIRST)
    with store.renewing() as held:
        read = store._server.read
        reads: list[float] = []

        def count(patience: float = 0) -> object:
            reads.append(patience)
            return read(patience)

        monkeypatch.setattr(store._server, "read", count)
        assert held.load() == FIRST
        with held.transaction() as transaction:
            assert transaction.load() == FIRST
            transaction.save(SECOND)
        assert len(reads) == 1
        # The next transaction reads anew, and one over a change of another program writes nothing.
        with held.transaction() as transaction:
            assert transaction.load() == SECOND
        assert len(reads) == 2
        held.load()
        other.save(API_KEY)
        with held.transaction() as transaction, pytest.raises(StoreBusy, match="another program has changed it"):
            transaction.save(FIRST)
    assert other.load() == API_KEY


def test_the_lease_ends_by_itself(store: RedisStore, other: RedisStore, redis_server: RedisServer, name: str) -> None:
    """As after the death of the program: nothing returns it, and nothing renews it."""
    assert store._server.take_lease(1.0) is not None
    with redis_server.client() as client:
        assert 0 < client.pttl(f"loginmachine:{{{name}}}:lease") <= 1000
    with other.renewing(timeout=PATIENCE):
        pass


def test_a_lease_is_renewed_while_the_block_runs(make: Make, redis_server: RedisServer, name: str) -> None:
    store = make(lease=4)
    with store.renewing(), redis_server.client() as client:
        before = client.get(f"loginmachine:{{{name}}}:lease")
        client.pexpire(f"loginmachine:{{{name}}}:lease", 100_000)
        # The renewal sets the time to live anew.
        assert eventually(lambda: client.pttl(f"loginmachine:{{{name}}}:lease") < 50_000, PATIENCE)
        assert client.get(f"loginmachine:{{{name}}}:lease") == before


@pytest.mark.parametrize("command", ["read", "write"])
def test_a_lease_is_kept_while_new_tokens_could_not_be_stored(
    command: str, store: RedisStore, other: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another program would send the old refresh token."""
    store.save(FIRST)
    for _ in range(2):
        with store.renewing(timeout=0) as held:
            held._patience = 0
            held.load()
            with monkeypatch.context() as patch:
                patch.setattr(store._server, command, no_answer)
                with pytest.raises(Unreachable):
                    refreshed(held)
        with pytest.raises(StoreBusy), other.renewing(timeout=0):
            pass
    with store.renewing(timeout=0) as held:
        held.load()
        refreshed(held)
    with other.renewing(timeout=0):
        assert other.load() == SECOND


def refreshed(held: HeldStore) -> None:
    """Do what a session does when new tokens have come."""
    held.load()
    with held.transaction() as transaction:
        transaction.save(SECOND)


def fail_to_load(held: LeasedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(held._contents.server, "read", no_answer)
        with pytest.raises(Unreachable):
            held.load()


def no_answer(*_: object) -> None:
    raise Unreachable("it does not answer")


def test_a_lease_is_not_kept_for_ever(
    store: RedisStore, other: RedisStore, redis_server: RedisServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loginmachine.drivers.fleet.redis_store.KEEP", 0)
    with store.renewing() as held:
        held._patience = 0
        held.load()
        fail_to_load(held, monkeypatch)
    assert store._kept is not None
    store.close()
    assert store._kept is None
    end_lease(redis_server, name)
    with other.renewing(timeout=0):
        pass


def test_a_lease_is_returned_if_no_request_can_have_been_sent(
    store: RedisStore, other: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loginmachine.drivers.fleet.leased.LOCK_TIMEOUT", 0)
    with store.renewing() as held:
        fail_to_load(held, monkeypatch)
    with other.renewing(timeout=0):
        pass


def test_each_lease_has_a_higher_fence_even_when_the_data_is_lost(
    store: RedisStore, redis_server: RedisServer, name: str
) -> None:
    fences = []
    for _ in range(3):
        with store.renewing(timeout=0):
            fences.append(int(field(redis_server, name, "fence")))
        with redis_server.client() as client:
            client.delete(f"loginmachine:{{{name}}}")
    assert fences == sorted(set(fences))


def test_the_child_of_a_fork_does_not_hold_the_lease(store: RedisStore, other: RedisStore) -> None:
    store.save(FIRST)
    block = store.renewing()
    with block:
        child = os.fork()
        if child == 0:
            try:
                block.__exit__(None, None, None)
                good = store.load() == FIRST and not store._leases
            except BaseException:  # noqa: BLE001 - a child of a test must not go on with the tests
                good = False
            os._exit(0 if good else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        with pytest.raises(StoreBusy), other.renewing(timeout=0):
            pass


# Answers that do not come


def test_a_lease_whose_answer_is_lost_once_is_asked_for_again(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = store._server._redis.connection_pool.get_connection
    lost: list[object] = []

    def lose(*args: Any, **options: Any) -> Any:
        if not lost:
            lost.append(args)
            raise redis.TimeoutError
        return real(*args, **options)

    monkeypatch.setattr(store._server._redis.connection_pool, "get_connection", lose)
    with store.renewing(timeout=0):
        assert len(lost) == 1


@pytest.mark.parametrize("error", [redis.TimeoutError, redis.ConnectionError])
def test_a_write_whose_answer_is_lost_is_found_out(
    store: RedisStore, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    store.save(API_KEY)
    real = store._server._ask
    lost: list[object] = []

    def lose(command: Callable[[], object]) -> object:
        def work() -> object:
            result = command()
            if not lost and isinstance(result, bytes) and result.isdigit():
                lost.append(result)
                raise error("canary")
            return result

        return real(work)

    monkeypatch.setattr(store._server, "_ask", lose)
    assert store.save(FIRST) == API_KEY
    assert len(lost) == 1
    assert store.load() == FIRST
    lost.clear()
    assert store.remove() == FIRST
    assert store.load() is None


# Arguments


URLS = ("redis://ada:canary@host", "rediss://:canary@host", "redis://host?password=canary", "unix://:canary@/socket")


@pytest.mark.parametrize("url", URLS)
def test_no_repr_shows_the_password(url: str) -> None:
    """Error reporters show the attributes of objects, and the library shows a password in its own."""
    store = RedisStore(url, name="x", keys=[b"canary" + b"k" * 26])
    parts = (store, store._server, store._contents, store._contents._sealer, store._server._redis)
    assert "canary" not in f"{store!r} {[vars(part) for part in parts]!r}"


@pytest.mark.parametrize(
    "url",
    [
        *("", "localhost", "http://:canary@host", "redis://:canary@host:port", "redis://host:70000000?db=canary"),
        *("redis://:canary@host?unknown=1", "redis://host?socket_timeout=canary"),
    ],
)
def test_a_wrong_address_is_not_shown(url: str) -> None:
    with pytest.raises(ValueError, match=r"^the address of a Redis server begins with redis://") as caught:
        RedisStore(url, name="x")
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("name", ["", "a{b", "a}b", "line\nfeed", "x" * 201])
def test_a_wrong_name(name: str) -> None:
    with pytest.raises(ValueError, match=r"^a name has 1 to 200 printable characters without braces$"):
        RedisStore("redis://localhost", name=name)


@pytest.mark.parametrize("lease", [0, 0.4, 61, float("nan")])
def test_a_wrong_lease(lease: float) -> None:
    with pytest.raises(ValueError, match=r"^lease is from 0\.5 to 60 seconds$"):
        RedisStore("redis://localhost", name="x", lease=lease)


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    for module in [module for module in sys.modules if module.startswith("loginmachine.drivers.fleet.server")]:
        monkeypatch.delitem(sys.modules, module)
    with pytest.raises(StoreError, match=r"install loginmachine\[redis\]$"):
        RedisStore("redis://localhost", name="x")
