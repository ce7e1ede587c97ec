"""A session answers from memory while the store is unchanged, and refreshes tokens ahead of their end."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio

from loginmachine import Credentials, FileStore, MemoryStore, RefreshFailed, Secret, SignInRequired, TrioSession
from loginmachine.drivers.shared import recall
from loginmachine.drivers.stores.protocols import StoreVersion
from loginmachine.sansio.refresh.outcome import Delivery, RefreshSuccess

from ..replies import reply
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all
from .session_drivers import DRIVER_IDS, SESSION_DRIVERS, Do, Start, Until
from .session_support import DUE, LASTING, TokenEndpoint, credentials, mark_of, signed_in, token_of

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_httpserver import HTTPServer

    Driver = Any

NOW = 1_800_000_000.0
TOLD = StoreVersion("a")
SAID = "the access token could not be refreshed ahead of its end, and is still used: "


@pytest.fixture(params=SESSION_DRIVERS, ids=DRIVER_IDS)
def driver(request: pytest.FixtureRequest) -> Driver:
    return request.param


@pytest.fixture
def endpoint(httpserver: HTTPServer) -> TokenEndpoint:
    return TokenEndpoint(httpserver)


class CountingStore(FileStore):
    """Counts how often it is read."""

    loads = 0

    def load(self) -> Credentials | None:
        self.loads += 1
        return super().load()


def settled(home: Path, expires_in: float) -> CountingStore:
    """Return a store with a file that was changed an hour ago."""
    path = signed_in(home, expires_in).path
    set_time(path)
    return CountingStore(home)


def set_time(path: Path) -> None:
    """Set back the time of the last change. (The time of the inode stays, and with it the doubt about fast changes.)"""
    an_hour_ago = path.stat().st_mtime_ns - 3600 * 10**9
    os.utime(path, ns=(an_hour_ago, an_hour_ago))


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two changes of a file always have different times."""
    monkeypatch.setattr(recall, "SETTLED", 0.0)


# The store is not read


@pytest.mark.usefixtures("at_once")
def test_an_unchanged_file_is_read_once(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = settled(tmp_path, LASTING)
    session = driver.session(store, endpoint.provider)
    tokens = {driver.run(session.access_token) for _ in range(5)}
    assert driver.run(session.credentials) == credentials_of(store)
    assert tokens == {token_of(credentials_of(store))}
    assert store.loads == 1 + 2


def credentials_of(store: FileStore) -> Credentials:
    found = store.load()
    assert found is not None
    return found


def saved(store: FileStore) -> None:
    FileStore(store.path.parent).save(credentials(LASTING, "new"))


def written_in_place(store: FileStore) -> None:
    """As the Codex CLI writes it: the same file, the same size."""
    data = store.path.read_bytes().replace(b"canary-old", b"canary-new")
    times = store.path.stat()
    store.path.write_bytes(data)
    os.utime(store.path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("change", [saved, written_in_place])
def test_a_change_by_another_program_counts_at_once(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint, change: Any
) -> None:
    store = settled(tmp_path, LASTING)
    session = driver.session(store, endpoint.provider)
    assert [mark_of(driver.run(session.access_token)) for _ in range(2)] == ["old", "old"]
    change(store)
    assert [mark_of(driver.run(session.access_token)) for _ in range(2)] == ["new", "new"]


@pytest.mark.usefixtures("at_once")
def test_a_sign_out_counts_at_once(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = settled(tmp_path, LASTING)
    session = driver.session(store, endpoint.provider)
    driver.run(session.access_token)
    FileStore(tmp_path).remove()
    for _ in range(2):
        with pytest.raises(SignInRequired):
            driver.run(session.access_token)
    FileStore(tmp_path).save(credentials(LASTING, "again"))
    assert mark_of(driver.run(session.access_token)) == "again"


def test_a_store_in_memory_is_compared_with_what_it_held(driver: Driver, endpoint: TokenEndpoint) -> None:
    store = MemoryStore()
    store.save(credentials(LASTING))
    session = driver.session(store, endpoint.provider)
    assert mark_of(driver.run(session.access_token)) == "old"
    store.credentials = credentials(LASTING, "new")
    assert mark_of(driver.run(session.access_token)) == "new"
    store.remove()
    with pytest.raises(SignInRequired):
        driver.run(session.access_token)


def test_a_rejected_token_is_not_recalled(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = driver.session(settled(tmp_path, LASTING), endpoint.provider)
    token = driver.run(session.access_token)
    assert mark_of(driver.run(session.renew, token)) == "new-1"
    assert mark_of(driver.run(session.access_token)) == "new-1"


def test_the_key_of_the_environment_counts_until_there_is_a_sign_in(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint
) -> None:
    session = driver.session(FileStore(tmp_path), endpoint.provider, environment_key="sk-1")
    assert [driver.run(session.access_token) for _ in range(2)] == ["sk-1", "sk-1"]
    signed_in(tmp_path, LASTING)
    assert mark_of(driver.run(session.access_token)) == "old"


def test_a_cancelled_task_gets_no_token(tmp_path: Path) -> None:
    session = TrioSession(settled(tmp_path, LASTING))

    async def main() -> bool:
        await session.access_token()
        with trio.CancelScope() as scope:
            scope.cancel()
            await session.access_token()
        return scope.cancelled_caught

    assert trio.run(main)


# Ahead of time


def test_callers_get_the_old_token_while_the_new_one_is_fetched(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint
) -> None:
    store = signed_in(tmp_path, DUE)
    session = driver.session(store, endpoint.provider)
    endpoint.hold()
    first, second, held, *late = driver.play(
        Start(session.access_token),
        Until(endpoint.asked.is_set),
        Start(session.access_token),
        Start(session.credentials),
        Do(endpoint.released.set),
        Until(lambda: mark_of(token_of(store.load())) == "new-1"),
        Until(lambda: session._current is None),
        *[Start(session.access_token)] * 20,
    )
    assert [mark_of(token) for token in (first, second, token_of(held))] == ["old"] * 3
    assert [mark_of(token) for token in late] == ["new-1"] * 20
    assert endpoint.requests == 1


def test_within_half_a_minute_of_the_end_callers_wait(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = driver.session(signed_in(tmp_path, 29), endpoint.provider)
    assert mark_of(driver.run(session.access_token)) == "new-1"


def test_a_caller_that_wants_a_refresh_waits_for_it(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = driver.session(signed_in(tmp_path, DUE), endpoint.provider)
    endpoint.hold()
    old, done = driver.play(
        Start(session.access_token),
        Until(endpoint.asked.is_set),
        Start(partial(session.refresh)),
        Until(lambda: session._current is not None and session._current.waiting == 1),
        Do(endpoint.released.set),
    )
    assert (mark_of(old), mark_of(done.token.reveal())) == ("old", "new-1")
    assert endpoint.requests == 1


def test_a_failure_ahead_of_time_is_said_once_and_not_repeated_soon(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint
) -> None:
    warnings = list[str]()
    session = driver.session(signed_in(tmp_path, DUE), endpoint.provider, on_warning=warnings.append)
    endpoint.scripted.append(reply({}, 503))
    assert [mark_of(driver.run(session.access_token)) for _ in range(5)] == ["old"] * 5
    assert endpoint.requests == 1
    (warning,) = warnings
    assert warning.startswith(SAID)


def test_a_bug_ahead_of_time_is_said_and_the_old_token_is_used(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> object:
        raise LookupError

    warnings = list[str]()
    session = driver.session(signed_in(tmp_path, DUE), endpoint.provider, on_warning=warnings.append)
    monkeypatch.setattr(f"{driver.module}.send", broken)
    assert [mark_of(driver.run(session.access_token)) for _ in range(3)] == ["old"] * 3
    assert warnings == [f"{SAID}LookupError; this is a bug in the session"]


# What is remembered


class Store:
    """Tells a version."""

    def __init__(self) -> None:
        self.told = StoreVersion("a")

    def version(self) -> StoreVersion:
        return self.told


def success(expires_at: float | None = None) -> RefreshSuccess:
    held = credentials(LASTING)
    assert held.tokens is not None
    tokens = held.tokens.__replace__(expiry=expires_at)
    return RefreshSuccess(
        credentials=held.__replace__(tokens=tokens), token=tokens.access_token, delivery=Delivery.CURRENT
    )


def looks(store: object, told: StoreVersion = TOLD, ends: float = NOW + 3600) -> recall.StoreLooks:
    found = recall.StoreLooks(store)  # type: ignore[arg-type]
    found.remember(success(ends), told, NOW)
    return found


@pytest.mark.parametrize(
    ("at", "is_recalled"),
    [(NOW - 0.1, False), (NOW, True), (NOW + 3569.9, True), (NOW + 3570, False)],
)
def test_how_long_a_token_is_recalled(at: float, *, is_recalled: bool) -> None:
    """Not before it was stored, by a clock that was set back, and not in its last 30 seconds."""
    assert (looks(Store()).recall(at) is not None) is is_recalled


def test_a_token_with_a_short_life_is_recalled_until_it_is_due() -> None:
    found = recall.StoreLooks(Store())  # type: ignore[arg-type]
    short = success(NOW + 60)
    received = short.credentials.__replace__(last_refresh="2027-01-15T08:00:00Z")
    found.remember(short.__replace__(credentials=received), StoreVersion("a"), NOW)
    assert found.recall(NOW + 53.9) is not None
    assert found.recall(NOW + 54) is None


def test_another_version_is_not_recalled() -> None:
    store = Store()
    found = looks(store)
    store.told = StoreVersion("b")
    assert found.recall(NOW) is None


def test_a_file_that_was_just_changed_is_read_once_more() -> None:
    found = looks(Store(), StoreVersion("a", NOW - 0.015))
    assert (found.recall(NOW + 0.019) is None, found.recall(NOW + 0.021) is None) == (False, True)
    assert looks(Store(), StoreVersion("a", NOW - 0.025)).recall(NOW + 60) is not None


def test_a_store_that_tells_no_version_is_read_again_after_a_second() -> None:
    found = looks(object())
    assert (found.recall(NOW + 0.99) is None, found.recall(NOW + 1.01) is None) == (False, True)


# When it is tried again


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, in a list of one."""
    now = [0.0]
    monkeypatch.setattr("loginmachine.drivers.shared.recall.time.monotonic", lambda: now[0])
    return now


TOKEN = Secret("canary-old")


@pytest.mark.parametrize(("draw", "pauses"), [(1.0, (30, 60, 120, 120)), (1.5, (45, 90, 180, 180))])
def test_the_pauses_between_attempts_grow(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, draw: float, pauses: tuple[float, ...]
) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: {1.0: low, 1.5: high}[draw])
    attempts = recall.EarlyAttempts()
    first = []
    for pause in pauses:
        first.append(attempts.note(TOKEN, failed=True))
        clock[0] += pause - 0.1
        assert not attempts.may_try(TOKEN)
        clock[0] += 0.2
        assert attempts.may_try(TOKEN)
    assert first == [True, False, False, False]


@pytest.mark.usefixtures("clock")
def test_another_token_is_tried_at_once() -> None:
    attempts = recall.EarlyAttempts()
    attempts.note(TOKEN, failed=True)
    assert (attempts.may_try(TOKEN), attempts.may_try(Secret("canary-new"))) == (False, True)


@pytest.mark.usefixtures("clock")
def test_after_a_success_the_next_failure_is_the_first() -> None:
    attempts = recall.EarlyAttempts()
    assert attempts.note(TOKEN, failed=True)
    assert not attempts.note(TOKEN, failed=False)
    assert attempts.may_try(TOKEN)
    assert attempts.note(TOKEN, failed=True)


def test_without_a_valid_token_a_failure_is_raised(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = driver.session(signed_in(tmp_path, -5), endpoint.provider)
    endpoint.scripted.append(reply({}, 503))
    with pytest.raises(RefreshFailed):
        driver.run(session.access_token)


class OwnStore:
    """A program's own store, which tells no version."""

    def __init__(self, inner: MemoryStore) -> None:
        for name in ("load", "save", "remove", "transaction", "renewing"):
            setattr(self, name, getattr(inner, name))


def test_after_a_sign_out_nothing_is_recalled(driver: Driver, endpoint: TokenEndpoint) -> None:
    inner, stored = MemoryStore(), credentials(LASTING)
    inner.save(stored)
    session = driver.session(OwnStore(inner), endpoint.provider)
    assert [mark_of(driver.run(session.access_token)) for _ in range(2)] == ["old", "old"]
    assert driver.run(session.sign_out).removed == stored
    with pytest.raises(SignInRequired):
        driver.run(session.access_token)
