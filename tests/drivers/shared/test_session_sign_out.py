"""Signing out with a session: it gives no token afterwards, and no refresh token is left at the provider."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import pytest
from werkzeug import Request, Response

from loginmachine import (
    Credentials,
    FileStore,
    MemoryStore,
    Provider,
    ProviderMismatch,
    SignInRequired,
    SignOutResult,
    StoreBusy,
    StoreError,
)

from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all
from .session_drivers import SESSION_DRIVERS, Do, Driver, InThreads, Start, Until
from .session_support import LASTING, OVER, credentials, mark_of, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_httpserver import HTTPServer

    from .session_support import TokenEndpoint


@pytest.fixture(params=SESSION_DRIVERS, ids=lambda driver: driver.session.__name__)
def driver(request: pytest.FixtureRequest) -> Driver:
    driver: Driver = request.param
    return driver


@pytest.fixture
def revoked(identity_server: HTTPServer, endpoint: TokenEndpoint) -> list[str]:
    """Return the tokens that the provider is asked to revoke."""
    del endpoint
    tokens: list[str] = []

    def revoke(request: Request) -> Response:
        tokens.append(request.get_json()["token"])
        return Response()

    identity_server.expect_request("/oauth/revoke", method="POST").respond_with_handler(revoke)
    return tokens


class Store(MemoryStore):
    """A store that counts how often a refresh, or a sign-out, asks for the lock, and fails as a test wants."""

    def __init__(self, expires_in: float) -> None:
        super().__init__()
        self.credentials = credentials(expires_in)
        self.locks = 0
        self.failing: dict[str, Exception] = {}

    @contextlib.contextmanager
    def renewing(self, *, timeout: float = 5.0) -> Iterator[None]:
        self.locks += 1
        self._fail("renewing")
        with super().renewing(timeout=timeout):
            yield

    def remove(self) -> Credentials | None:
        self._fail("remove")
        return super().remove()

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Any]:
        self._fail("transaction")
        with super().transaction(timeout=timeout) as transaction:
            yield transaction

    def _fail(self, name: str) -> None:
        if name in self.failing:
            raise self.failing[name]


def check_signed_out(driver: Driver, session: Any) -> None:
    for _ in range(2):
        with pytest.raises(SignInRequired, match="nothing is stored"):
            driver.run(session.access_token)
    with pytest.raises(SignInRequired):
        driver.run(session.renew, "canary-old")
    with pytest.raises(SignInRequired):
        driver.run(session.refresh, force=True)


def test_removed_and_revoked(driver: Driver, endpoint: TokenEndpoint, revoked: list[str]) -> None:
    store = Store(LASTING)
    stored = store.credentials
    session = driver.session(store, endpoint.provider)
    assert mark_of(driver.run(session.access_token)) == "old"
    assert driver.run(session.sign_out) == SignOutResult(removed=stored, is_revoked=True)
    assert revoked == ["canary-refresh-old"]
    assert store.credentials is None
    check_signed_out(driver, session)
    assert driver.run(session.sign_out) == SignOutResult()
    store.save(credentials(LASTING, "next"))
    assert mark_of(driver.run(session.access_token)) == "next"
    assert (endpoint.requests, revoked) == (0, ["canary-refresh-old"])


def test_other_threads_and_tasks(driver: Driver, endpoint: TokenEndpoint, revoked: list[str]) -> None:
    store = Store(LASTING)
    session: Any = driver.session(store, endpoint.provider)
    errors: list[type[Exception]] = []

    def ask() -> None:
        try:
            session.access_token()
        except SignInRequired as error:
            errors.append(type(error))

    async def ask_in_trio() -> None:
        try:
            await session.access_token()
        except SignInRequired as error:
            errors.append(type(error))

    call = ask if isinstance(driver, InThreads) else ask_in_trio
    driver.play(Start(session.sign_out), Until(lambda: store.credentials is None), *[Start(call)] * 5)
    assert errors == [SignInRequired] * 5
    assert revoked == ["canary-refresh-old"]


def test_a_refresh_ends_first_and_its_tokens_are_revoked(
    driver: Driver, endpoint: TokenEndpoint, revoked: list[str]
) -> None:
    store = Store(OVER)
    session = driver.session(store, endpoint.provider)
    endpoint.hold()
    token, result = driver.play(
        Start(session.access_token),
        Until(endpoint.asked.is_set),
        Start(session.sign_out),
        Until(lambda: store.locks == 2),
        Do(endpoint.released.set),
    )
    assert mark_of(token) == "new-1"
    assert mark_of(token_of(result.removed)) == "new-1"
    assert (result.is_revoked, revoked) == (True, ["canary-refresh-1"])
    check_signed_out(driver, session)


@pytest.mark.parametrize("error", [StoreBusy("a refresh hangs"), StoreError("read-only"), OSError("canary")])
def test_a_lock_that_cannot_be_taken_is_no_obstacle(
    driver: Driver, endpoint: TokenEndpoint, revoked: list[str], error: Exception
) -> None:
    store = Store(LASTING)
    store.failing["renewing"] = error
    session = driver.session(store, endpoint.provider)
    assert driver.run(session.sign_out).is_revoked
    assert revoked == ["canary-refresh-old"]
    check_signed_out(driver, session)


def test_tokens_that_could_not_be_stored_are_revoked(
    driver: Driver, endpoint: TokenEndpoint, revoked: list[str]
) -> None:
    store = Store(OVER)
    store.failing["transaction"] = StoreError("disk full")
    session = driver.session(store, endpoint.provider, on_warning=lambda _: None)
    assert mark_of(driver.run(session.access_token)) == "new-1"
    store.failing.clear()
    result = driver.run(session.sign_out)
    assert mark_of(token_of(result.removed)) == "new-1"
    assert revoked == ["canary-refresh-1"]
    check_signed_out(driver, session)


def test_a_sign_in_since_then_is_what_is_revoked(driver: Driver, endpoint: TokenEndpoint, revoked: list[str]) -> None:
    store = Store(OVER)
    store.failing["transaction"] = StoreError("disk full")
    session = driver.session(store, endpoint.provider, on_warning=lambda _: None)
    driver.run(session.access_token)
    store.failing.clear()
    store.save(credentials(LASTING, "theirs"))
    driver.run(session.sign_out)
    assert revoked == ["canary-refresh-theirs"]


def test_what_cannot_be_removed_stays_usable(driver: Driver, endpoint: TokenEndpoint, revoked: list[str]) -> None:
    store = Store(LASTING)
    store.failing["remove"] = StoreError("read-only")
    session = driver.session(store, endpoint.provider)
    with pytest.raises(StoreError, match=r"^read-only$"):
        driver.run(session.sign_out)
    assert revoked == []
    assert mark_of(driver.run(session.access_token)) == "old"


def test_another_issuer(driver: Driver, endpoint: TokenEndpoint, revoked: list[str]) -> None:
    theirs = MemoryStore()
    session = driver.session(theirs, endpoint.provider)
    stored = credentials(LASTING)
    assert stored.tokens is not None
    other = Provider.codex(issuer="https://id.example")
    theirs.credentials = stored.__replace__(tokens=stored.tokens.__replace__(provider=other))
    with pytest.raises(ProviderMismatch):
        driver.run(session.sign_out)
    assert theirs.credentials is not None
    assert revoked == []


def test_the_key_in_the_environment_applies_afterwards(
    driver: Driver, endpoint: TokenEndpoint, revoked: list[str]
) -> None:
    session = driver.session(Store(LASTING), endpoint.provider, environment_key="sk-env")
    driver.run(session.sign_out)
    assert driver.run(session.access_token) == "sk-env"
    assert revoked == ["canary-refresh-old"]


def test_nothing_is_created(driver: Driver, endpoint: TokenEndpoint, tmp_path: Path) -> None:
    session = driver.session(FileStore(tmp_path / "home"), endpoint.provider)
    assert driver.run(session.sign_out) == SignOutResult()
    assert list(tmp_path.iterdir()) == []
