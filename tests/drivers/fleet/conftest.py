"""Fixtures for the tests of a fleet. They are skipped where there is no `redis-server`."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from loginmachine import RedisStore

from .support import PROGRAM, RedisServer, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session", autouse=True)
def redis_server() -> Iterator[RedisServer]:
    """Run a server, which all tests of a process share."""
    if PROGRAM is None:
        pytest.skip("redis-server is not installed")
    yield from running()


@pytest.fixture
def own_server() -> Iterator[RedisServer]:
    """Run a server for one test, which keeps its data on the disk."""
    yield from running("--appendonly", "yes", "--appendfsync", "always")


@pytest.fixture
def name() -> str:
    """Return the name of a login that no other test uses."""
    return uuid.uuid4().hex


@pytest.fixture
def warnings() -> list[str]:
    """Return the warnings of the stores."""
    return []


@pytest.fixture
def make(redis_server: RedisServer, name: str, warnings: list[str]) -> Iterator[Callable[..., RedisStore]]:
    """Return a function that makes stores of one login, as programs on many machines have them."""
    made: list[RedisStore] = []

    def make(url: str = redis_server.url, **options: object) -> RedisStore:
        chosen = {"name": name, "on_warning": warnings.append, **options}
        made.append(RedisStore(url, **chosen))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(make: Callable[..., RedisStore]) -> RedisStore:
    """Return a store."""
    return make()


@pytest.fixture
def other(make: Callable[..., RedisStore]) -> RedisStore:
    """Return the store of another program."""
    return make()
