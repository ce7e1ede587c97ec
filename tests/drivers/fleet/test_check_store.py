"""`RedisStore` passes the test that hosts run on their own stores, with one exception that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginmachine import RedisStore
from loginmachine.testing import check_store
from loginmachine.testing.stores.locking import SHARED, transactions_exclude_those_of_another_object
from loginmachine.testing.stores.probe import Probe

if TYPE_CHECKING:
    from .support import RedisServer

OPTIMISTIC = (transactions_exclude_those_of_another_object,)
"""A transaction locks out no other program: the server compares the version when it writes."""


def test_the_store_passes(redis_server: RedisServer, name: str) -> None:
    opened: list[RedisStore] = []

    def open_store() -> RedisStore:
        opened.append(RedisStore(redis_server.url, name=name, keys=[b"k" * 32], on_warning=lambda _: None))
        return opened[-1]

    def spoil(_: RedisStore, content: bytes) -> None:
        with redis_server.client() as client:
            client.hset(f"loginmachine:{{{name}}}", "value", content)

    check_store(open_store, spoil=spoil)
    for check in SHARED:
        if check not in OPTIMISTIC:
            check(Probe(open_store(), open_store, None, 30))
    for store in opened:
        store.close()
