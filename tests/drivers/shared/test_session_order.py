"""The order in which the sessions of the drivers use a store, and that the lock is released in any case."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest

from loginmachine import Credentials, MemoryStore, RefreshFailed, SignInRequired

from ..replies import reply
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all
from .session_drivers import DRIVER_IDS, SESSION_DRIVERS, Driver
from .session_support import OVER, credentials

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginmachine.drivers.stores.protocols import Transaction
    from loginmachine.sansio.refresh.outcome import Refusal

    from .session_support import TokenEndpoint


class NotingStore(MemoryStore):
    """A store that notes what is done with it."""

    def __init__(self) -> None:
        super().__init__()
        self.credentials = credentials(OVER)
        self.done: list[str] = []

    def load(self) -> Credentials | None:
        self.done.append("load")
        return super().load()

    @contextlib.contextmanager
    def renewing(self, *, timeout: float = 5.0) -> Iterator[None]:
        with super().renewing(timeout=timeout):
            self.done.append("lock")
            try:
                yield
            finally:
                self.done.append("release")

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Transaction]:
        with super().transaction(timeout=timeout) as transaction:
            self.done.append("write")
            yield transaction

    def save_refusal(self, refusal: Refusal) -> None:
        self.done.append("remember the refusal")
        super().save_refusal(refusal)


@pytest.fixture(params=SESSION_DRIVERS, ids=DRIVER_IDS)
def driver(request: pytest.FixtureRequest) -> Driver:
    chosen: Driver = request.param
    return chosen


def test_new_tokens_are_stored_before_the_lock_is_released(driver: Driver, endpoint: TokenEndpoint) -> None:
    store = NotingStore()
    driver.run(driver.session(store, endpoint.provider).access_token)
    assert store.done == ["load", "lock", "load", "load", "write", "release", "load"]


def test_a_refusal_is_remembered_before_the_lock_is_released(driver: Driver, endpoint: TokenEndpoint) -> None:
    store = NotingStore()
    endpoint.scripted = [reply({"error": "invalid_grant"}, 400)]
    with pytest.raises(SignInRequired):
        driver.run(driver.session(store, endpoint.provider).access_token)
    assert store.done == ["load", "lock", "load", "load", "remember the refusal", "release"]


def test_the_lock_is_released_after_a_crash(
    driver: Driver, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = NotingStore()

    def crash(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(f"{driver.module}.token_event", crash)
        with pytest.raises(RuntimeError, match="the session has failed with ZeroDivisionError"):
            driver.run(driver.session(store, endpoint.provider).access_token)
    assert store.done == ["load", "lock", "load", "release"]
    with store.renewing(timeout=0.0):
        pass
    assert not [thread for thread in threading.enumerate() if thread.name == "loginmachine-refresh"]


def test_a_failure_releases_the_lock(driver: Driver, endpoint: TokenEndpoint) -> None:
    store = NotingStore()
    endpoint.scripted = [reply({"error": "server_error"}, 500)]
    with pytest.raises(RefreshFailed):
        driver.run(driver.session(store, endpoint.provider).access_token)
    assert store.done[-1] == "release"
