"""Sessions of the drivers: one refresh for all callers, and the authentication of an httpx client."""

from __future__ import annotations

import contextlib
import pickle
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from loginmachine import (
    Credentials,
    EndpointError,
    FileStore,
    InsecureRequest,
    MemoryStore,
    Provider,
    RefreshFailed,
    Secret,
    SignInRequired,
    StoreError,
)

from ..replies import reply
from ..scripted_server import ScriptedServer, drips
from ..support import free_port
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all
from .session_drivers import DRIVER_IDS, SESSION_DRIVERS, Do, Driver, Fetch, Start, Until
from .session_support import CANARIES, DUE, LASTING, OVER, access_token, credentials, mark_of, signed_in, token_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from loginmachine import SessionStore
    from loginmachine.sansio.refresh.outcome import Refusal

    from .session_support import TokenEndpoint


@pytest.fixture(params=SESSION_DRIVERS, ids=DRIVER_IDS)
def driver(request: pytest.FixtureRequest) -> Driver:
    """Return each driver in turn."""
    chosen: Driver = request.param
    return chosen


# The endpoint

REFRESH_OVERRIDE = "CODEX_REFRESH_TOKEN_URL_OVERRIDE"


@pytest.mark.parametrize("provider", [None, Provider.codex()], ids=["recorded", "named"])
def test_the_environment_names_the_endpoint_for_refreshes(
    driver: Driver, provider: Provider | None, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    store.save(credentials(OVER))
    monkeypatch.setenv(REFRESH_OVERRIDE, f"{endpoint.url}/oauth/token")
    session = driver.session(store, provider)
    monkeypatch.delenv(REFRESH_OVERRIDE)
    assert mark_of(driver.run(session.access_token)) == "new-1"
    assert [body["refresh_token"] for body in endpoint.bodies] == ["canary-refresh-old"]


def test_another_issuer_keeps_its_endpoint(
    driver: Driver, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = MemoryStore()
    store.save(credentials(OVER))
    monkeypatch.setenv(REFRESH_OVERRIDE, f"http://127.0.0.1:{free_port()}/oauth/token")
    assert mark_of(driver.run(driver.session(store, endpoint.provider).access_token)) == "new-1"


@pytest.mark.parametrize("name", [REFRESH_OVERRIDE, "CODEX_REVOKE_TOKEN_URL_OVERRIDE"])
def test_an_endpoint_that_must_not_get_tokens(driver: Driver, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://id.example/canary")
    words = (
        f"^the environment variable {name} cannot be used: the provider's URL must be https .http only on loopback.$"
    )
    with pytest.raises(EndpointError, match=words):
        driver.session(MemoryStore())


# One refresh


def test_a_valid_token_is_returned(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, LASTING)
    session = driver.session(store, endpoint.provider)
    assert driver.run(session.access_token) == token_of(store.load())
    assert driver.run(session.credentials) == store.load()
    assert driver.run(session.refresh).delivery == "current"
    assert endpoint.requests == 0


@pytest.mark.parametrize("expires_in", [DUE, OVER])
def test_twenty_callers_share_one_refresh(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint, expires_in: int
) -> None:
    store = signed_in(tmp_path, expires_in)
    session = driver.session(store, endpoint.provider)
    done = driver.play(*[Start(session.refresh)] * 20)
    assert [mark_of(each.token.reveal()) for each in done] == ["new-1"] * 20
    assert token_of(store.load()) == done[0].token.reveal()
    assert endpoint.bodies == [
        {
            "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
            "grant_type": "refresh_token",
            "refresh_token": "canary-refresh-old",
        }
    ]
    assert list(endpoint.bodies[0]) == ["client_id", "grant_type", "refresh_token"]


def test_twenty_sessions_on_one_home_share_one_refresh(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    signed_in(tmp_path, OVER)
    sessions = [driver.session(FileStore(tmp_path), endpoint.provider) for _ in range(20)]
    tokens = driver.play(*(Start(session.access_token) for session in sessions))
    assert [mark_of(token) for token in tokens] == ["new-1"] * 20
    assert endpoint.requests == 1


def test_twenty_callers_of_a_store_in_memory_share_one_refresh(driver: Driver, endpoint: TokenEndpoint) -> None:
    store = MemoryStore()
    store.save(credentials(OVER))
    session = driver.session(store, endpoint.provider)
    tokens = driver.play(*[Start(session.access_token)] * 20)
    assert [mark_of(token) for token in tokens] == ["new-1"] * 20
    assert endpoint.requests == 1


def test_twenty_rejections_of_one_token_share_one_refresh(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint
) -> None:
    session = driver.session(signed_in(tmp_path, LASTING), endpoint.provider)
    old = driver.run(session.access_token)
    tokens = driver.play(*[Start(partial(session.renew, old))] * 20)
    assert [mark_of(token) for token in tokens] == ["new-1"] * 20
    assert driver.run(session.renew, old) == tokens[0]
    assert endpoint.requests == 1


def test_forcing_refreshes_each_time(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = driver.session(signed_in(tmp_path, LASTING), endpoint.provider)
    assert [driver.run(session.refresh, force=True).delivery for _ in range(2)] == ["refreshed", "refreshed"]
    assert [body["refresh_token"] for body in endpoint.bodies] == ["canary-refresh-old", "canary-refresh-1"]


def test_a_forced_refresh_does_not_share_a_failed_one(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    """After a temporary failure one caller may use the old token. The other needs a new one."""
    session = driver.session(signed_in(tmp_path, DUE), endpoint.provider)
    endpoint.scripted.append(reply({}, 503))
    endpoint.hold()
    kept, forced = driver.play(
        Start(session.refresh),
        Until(endpoint.asked.is_set),
        Start(partial(session.refresh, force=True)),
        Until(lambda: session._current is not None and session._current.waiting == 2),
        Do(endpoint.released.set),
    )
    assert mark_of(kept.token.reveal()) == "old"
    assert mark_of(forced.token.reveal()) == "new-2"


def test_two_sessions_with_a_wrong_clock_cause_one_refresh(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint
) -> None:
    """By our clock the new token has ended an hour ago. It was received just now, which is stored."""
    signed_in(tmp_path, OVER)
    endpoint.scripted.append(reply({"access_token": access_token(-3600, "new"), "refresh_token": "canary-refresh-new"}))
    sessions = [driver.session(FileStore(tmp_path), endpoint.provider) for _ in range(2)]
    tokens = [driver.run(session.access_token) for session in (*sessions, *sessions)]
    assert [mark_of(token) for token in tokens] == ["new"] * 4
    assert endpoint.requests == 1
    assert mark_of(driver.run(sessions[1].renew, tokens[0])) == "new-2"


# Failures


def test_nothing_is_stored(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = driver.session(FileStore(tmp_path), endpoint.provider, environment_key="")
    with pytest.raises(SignInRequired) as caught:
        driver.run(session.access_token)
    assert (caught.value.category, caught.value.final, caught.value.message) == (
        "not_signed_in",
        True,
        "nothing is stored",
    )
    assert str(caught.value).startswith("You are not signed in.\nSign in first.\n")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.failure) == (SignInRequired, caught.value.failure)


def test_the_key_in_the_environment(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = driver.session(FileStore(tmp_path), endpoint.provider, environment_key="sk-1")
    assert driver.run(session.access_token) == "sk-1"
    assert driver.run(session.credentials) == Credentials.from_api_key(Secret("sk-1"))
    (tmp_path / "auth.json").write_text("{")
    with pytest.raises(RefreshFailed) as caught:
        driver.run(session.access_token)
    assert (caught.value.category, caught.value.final) == ("credentials_unreadable", True)
    assert not isinstance(caught.value, SignInRequired)


def test_a_refused_refresh_token(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = driver.session(store, endpoint.provider)
    before = store.path.read_bytes()
    endpoint.scripted.append(reply({"error": {"code": "refresh_token_reused", "message": "again?"}}, 400))
    for _ in range(3):
        with pytest.raises(SignInRequired, match=r"refresh_token_rejected - .*status 400: refresh_token_reused: again"):
            driver.run(session.access_token)
    assert endpoint.requests == 1
    assert store.path.read_bytes() == before
    store.save(credentials(OVER, "signed-in-again"))
    assert mark_of(driver.run(session.access_token)) == "new-2"


def test_a_token_that_lasts_longer_than_its_sign_in(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store, warnings = signed_in(tmp_path, DUE), list[str]()
    session = driver.session(store, endpoint.provider, on_warning=warnings.append)
    endpoint.scripted.append(reply({"error": "invalid_grant"}, 400))
    assert [mark_of(driver.run(session.access_token)) for _ in range(2)] == ["old", "old"]
    done = driver.run(session.refresh)
    assert (done.delivery, done.failure.category) == ("kept", "refresh_token_rejected")
    assert [warning.partition(":")[0] for warning in warnings] == [
        "the sign-in has ended, and its last access token is used until it expires"
    ]
    for call in (partial(session.refresh, force=True), partial(session.renew, token_of(store.load()))):
        with pytest.raises(SignInRequired):
            driver.run(call)
    assert endpoint.requests == 1


def test_another_session_warns_once_too(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store, warnings = signed_in(tmp_path, DUE), list[str]()
    endpoint.scripted.append(reply({"error": "invalid_grant"}, 400))
    driver.run(driver.session(store, endpoint.provider).access_token)

    def warn(text: str) -> None:
        warnings.append(text)
        raise ValueError

    session = driver.session(store, endpoint.provider, on_warning=warn)
    assert [mark_of(driver.run(session.access_token)) for _ in range(3)] == ["old"] * 3
    assert [warning.partition(":")[0] for warning in warnings] == [
        "the sign-in has ended, and its last access token is used until it expires"
    ]
    assert endpoint.requests == 1


@pytest.mark.parametrize("in_memory", [False, True])
def test_no_session_sends_a_refused_token_again(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint, *, in_memory: bool
) -> None:
    store: SessionStore = MemoryStore() if in_memory else FileStore(tmp_path)
    store.save(credentials(OVER))
    endpoint.scripted.append(reply({"error": "invalid_grant"}, 400))
    for _ in range(3):
        another = store if in_memory else FileStore(tmp_path)
        with pytest.raises(SignInRequired, match="refresh_token_rejected"):
            driver.run(driver.session(another, endpoint.provider).access_token)
    assert endpoint.requests == 1
    assert [path.name for path in tmp_path.iterdir() if b"canary" in path.read_bytes()] == ["auth.json"] * (
        not in_memory
    )
    store.save(credentials(OVER, "again"))
    assert mark_of(driver.run(driver.session(store, endpoint.provider).access_token)) == "new-2"


@pytest.mark.parametrize("error", [StoreError("disk full"), OSError("canary-old")])
def test_a_refusal_that_cannot_be_remembered_is_logged(
    driver: Driver, endpoint: TokenEndpoint, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    store = FaultyStore()
    store.failing = {"load refusal": LookupError(), "save refusal": error}
    endpoint.scripted.append(reply({"error": "invalid_grant"}, 400))
    with pytest.raises(SignInRequired):
        driver.run(driver.session(store, endpoint.provider).access_token)
    why = "disk full" if isinstance(error, StoreError) else "the store raised OSError"
    ours = [record.getMessage() for record in caplog.records if record.name == "loginmachine"]
    assert ours == [f"the refusal of the refresh token could not be remembered: {why}"]


def test_a_failure_that_may_pass(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, DUE)
    session = driver.session(store, endpoint.provider)
    endpoint.scripted += [reply({}, 503)] * 2
    assert mark_of(driver.run(session.access_token)) == "old"
    assert driver.run(session.refresh).delivery == "kept"
    assert endpoint.requests == 1
    store.save(credentials(OVER))
    with pytest.raises(RefreshFailed, match="refresh_unavailable") as caught:
        driver.run(session.access_token)
    assert not caught.value.final
    assert mark_of(driver.run(session.access_token)) == "new-3"


def test_a_failure_that_may_pass_and_then_a_refusal(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = driver.session(signed_in(tmp_path, OVER), endpoint.provider)
    endpoint.scripted += [reply({}, 503), reply({}, 401), reply({"error": "invalid_grant"}, 401)]
    for _ in range(2):
        with pytest.raises(RefreshFailed, match="refresh_unavailable"):
            driver.run(session.access_token)
    for _ in range(3):
        with pytest.raises(SignInRequired, match="refresh_token_rejected"):
            driver.run(session.access_token)
    assert endpoint.requests == 3


@pytest.mark.parametrize(("status", "code"), [(401, "invalid_client"), (400, "unauthorized_client")])
def test_a_refused_client_asks_for_no_sign_in(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint, status: int, code: str
) -> None:
    store = signed_in(tmp_path, OVER)
    session = driver.session(store, endpoint.provider)
    endpoint.scripted.append(reply({"error": code}, status))
    with pytest.raises(RefreshFailed, match="does not accept this program's client") as caught:
        driver.run(session.access_token)
    assert not isinstance(caught.value, SignInRequired)
    assert (caught.value.category, mark_of(token_of(store.load()))) == ("client_refused", "old")
    assert mark_of(driver.run(session.access_token)) == "new-2"


def test_an_empty_refresh_token_is_none(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    endpoint.scripted.append(reply({"access_token": access_token(LASTING, "new"), "refresh_token": ""}))
    assert mark_of(driver.run(driver.session(store, endpoint.provider).access_token)) == "new"
    stored = store.load()
    assert stored is not None
    assert stored.tokens is not None
    assert stored.tokens.refresh_token == Secret("canary-refresh-old")


def test_an_endpoint_that_cannot_be_reached(driver: Driver, tmp_path: Path) -> None:
    session = driver.session(signed_in(tmp_path, OVER), Provider.codex(issuer=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(RefreshFailed, match="no connection") as caught:
        driver.run(session.access_token)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert not [canary for canary in CANARIES if canary in shown]


def test_an_endpoint_that_drips_is_given_up(driver: Driver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loginmachine.sansio.oauth.token_requests.REFRESH_TIMEOUT", 0.2)
    with ScriptedServer(drips) as server:
        session = driver.session(signed_in(tmp_path, OVER), Provider.codex(issuer=server.url))
        with pytest.raises(RefreshFailed, match="no complete answer in time"):
            driver.run(session.access_token)


class FaultyStore(MemoryStore):
    """A store of a program. Its methods raise the exceptions of a test."""

    def __init__(self) -> None:
        super().__init__()
        self.failing: dict[str, BaseException] = {}
        self.credentials = credentials(OVER)

    def load(self) -> Credentials | None:
        self._fail("load")
        return super().load()

    @contextlib.contextmanager
    def renewing(self, *, timeout: float = 5.0) -> Iterator[None]:
        self._fail("lock")
        with super().renewing(timeout=timeout):
            yield
        self._fail("release")

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[FaultyStore]:
        with super().transaction(timeout=timeout):
            yield self

    def save(self, credentials: Credentials) -> Credentials | None:
        self._fail("save")
        self.credentials = credentials
        return None

    def load_refusal(self) -> Refusal | None:
        self._fail("load refusal")
        return super().load_refusal()

    def save_refusal(self, refusal: Refusal) -> None:
        self._fail("save refusal")
        super().save_refusal(refusal)

    def _fail(self, name: str) -> None:
        if name in self.failing:
            raise self.failing[name]


@pytest.mark.parametrize("error", [StoreError("disk full"), OSError("canary-old")])
def test_tokens_that_cannot_be_stored_are_returned(driver: Driver, endpoint: TokenEndpoint, error: Exception) -> None:
    store, warnings = FaultyStore(), list[str]()
    store.failing = {"save": error}
    session = driver.session(store, endpoint.provider, on_warning=warnings.append)
    assert mark_of(driver.run(session.access_token)) == "new-1"
    why = "disk full" if isinstance(error, StoreError) else "the store raised OSError"
    assert warnings == [f"the new tokens could not be stored, and are lost when this program ends: {why}"]
    assert mark_of(driver.run(session.access_token)) == "new-1"
    assert endpoint.requests == 1
    assert mark_of(token_of(store.credentials)) == "old"


def test_an_exception_of_on_warning_is_ignored(driver: Driver, endpoint: TokenEndpoint) -> None:
    store, warnings = FaultyStore(), list[str]()
    store.failing = {"save": StoreError("disk full")}

    def observe(text: str) -> None:
        warnings.append(text)
        raise ValueError

    session = driver.session(store, endpoint.provider, on_warning=observe)
    assert [mark_of(driver.run(session.access_token)) for _ in range(2)] == ["new-1", "new-1"]
    assert warnings == ["the new tokens could not be stored, and are lost when this program ends: disk full"]
    assert endpoint.requests == 1


class OvertakenStore(FaultyStore):
    """A store into which another program signs in at the last moment."""

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[FaultyStore]:
        with super().transaction(timeout=timeout):
            self.credentials = credentials(LASTING, "theirs")
            yield self


def test_a_sign_in_at_the_last_moment_is_not_overwritten(driver: Driver, endpoint: TokenEndpoint) -> None:
    store, warnings = OvertakenStore(), list[str]()
    session = driver.session(store, endpoint.provider, on_warning=warnings.append)
    assert mark_of(driver.run(session.access_token)) == "new-1"
    assert mark_of(token_of(store.credentials)) == "theirs"
    assert warnings[0].endswith(": other credentials were stored meanwhile")
    assert mark_of(driver.run(session.access_token)) == "theirs"
    assert endpoint.requests == 1


@pytest.mark.parametrize("error", [StoreError("no lock"), OSError("canary-old")])
def test_a_store_that_cannot_be_locked(driver: Driver, endpoint: TokenEndpoint, error: Exception) -> None:
    store = FaultyStore()
    store.failing = {"lock": error}
    with pytest.raises(RefreshFailed, match=r"store_unavailable - (no lock|the store raised OSError)$"):
        driver.run(driver.session(store, endpoint.provider).access_token)
    assert endpoint.requests == 0


def test_a_store_that_cannot_be_read(driver: Driver, endpoint: TokenEndpoint) -> None:
    store = FaultyStore()
    store.failing = {"load": OSError("canary-old")}
    with pytest.raises(RefreshFailed, match=r"credentials_unreadable - the store raised OSError$"):
        driver.run(driver.session(store, endpoint.provider).access_token)


def test_a_lock_that_cannot_be_released_is_logged(
    driver: Driver, endpoint: TokenEndpoint, caplog: pytest.LogCaptureFixture
) -> None:
    store = FaultyStore()
    store.failing = {"release": OSError("canary-old")}
    assert mark_of(driver.run(driver.session(store, endpoint.provider).access_token)) == "new-1"
    ours = [record.getMessage() for record in caplog.records if record.name == "loginmachine"]
    assert ours == ["the lock on the credentials could not be released: the store raised OSError"]


def test_a_bug_is_raised_in_every_caller(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> None:
        raise LookupError

    session = driver.session(signed_in(tmp_path, OVER), endpoint.provider)
    with monkeypatch.context() as patched:
        patched.setattr(f"{driver.module}.send", broken)
        with pytest.raises(RuntimeError, match="the session has failed with LookupError; this is a bug in it"):
            driver.run(session.access_token)
    assert mark_of(driver.run(session.access_token)) == "new-1"


# The lock


def test_a_valid_token_does_not_wait_long_for_the_lock(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loginmachine.sansio.refresh.effects.PATIENCE", 0.5)
    store = signed_in(tmp_path, DUE)
    with store.renewing():
        done = driver.run(driver.session(store, endpoint.provider).refresh)
    assert (done.delivery, mark_of(done.token.reveal()), endpoint.requests) == ("kept", "old", 0)


def test_tokens_stored_by_the_holder_of_the_lock_are_used_at_once(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint
) -> None:
    """Another caller that comes meanwhile does not wait for the lock either."""
    store = signed_in(tmp_path, OVER)
    session = driver.session(store, endpoint.provider)
    with store.renewing():
        tokens = driver.play(
            Start(session.access_token),
            Until(lambda: session._current is not None),
            Do(lambda: store.save(credentials(LASTING, "theirs"))),
            Start(session.access_token),
        )
    assert [mark_of(token) for token in tokens] == ["theirs", "theirs"]
    assert endpoint.requests == 0


def test_a_sign_in_during_a_request_is_not_overwritten(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = driver.session(store, endpoint.provider)
    endpoint.hold()
    tokens = driver.play(
        Start(session.access_token),
        Until(endpoint.asked.is_set),
        # The store is not locked during the request.
        Do(lambda: store.save(credentials(LASTING, "theirs"))),
        Do(endpoint.released.set),
    )
    assert [mark_of(token) for token in tokens] == ["theirs"]
    assert mark_of(token_of(store.load())) == "theirs"


# Secrets


def test_no_secret_is_shown(
    driver: Driver, tmp_path: Path, endpoint: TokenEndpoint, all_logs: pytest.LogCaptureFixture
) -> None:
    session = driver.session(signed_in(tmp_path, OVER), endpoint.provider)
    (response,) = driver.fetch(session.auth, Fetch(endpoint.api))
    assert response.status_code == 200
    refreshed = driver.run(session.refresh)
    shown = f"{all_logs.text} {session!r} {session.auth!r} {session._memory!r} {refreshed!r}"
    assert not [canary for canary in CANARIES if canary in shown]
    assert repr(session) == f"<{driver.session.__name__} of FileStore>"


# httpx


@pytest.fixture
def auth(driver: Driver, tmp_path: Path, endpoint: TokenEndpoint) -> Any:
    """Return the authentication of a session with a valid token that the API does not know."""
    return driver.session(signed_in(tmp_path, LASTING), endpoint.provider).auth


def test_a_request_with_a_rejected_token_is_sent_again(driver: Driver, auth: Any, endpoint: TokenEndpoint) -> None:
    first, second = driver.fetch(auth, Fetch(endpoint.api), Fetch(endpoint.api, "POST", (b"a ", b"body")))
    assert (first.status_code, second.status_code) == (200, 200)
    assert [(mark_of(str(bearer)), body) for bearer, body in endpoint.calls] == [
        ("old", b""),
        ("new-1", b""),
        ("new-1", b"a body"),
    ]
    assert endpoint.requests == 1


def test_a_second_401_is_returned(driver: Driver, auth: Any, endpoint: TokenEndpoint) -> None:
    endpoint.scripted.append(reply({"access_token": "canary-new-unwelcome"}))
    (response,) = driver.fetch(auth, Fetch(endpoint.api))
    assert response.status_code == 401
    assert (len(endpoint.calls), endpoint.requests) == (2, 1)


def test_a_rejected_api_key_is_not_sent_again(driver: Driver, endpoint: TokenEndpoint) -> None:
    store = MemoryStore()
    store.save(Credentials.from_api_key(Secret("sk-1")))
    (response,) = driver.fetch(driver.session(store, endpoint.provider).auth, Fetch(endpoint.api))
    assert response.status_code == 401
    assert endpoint.calls == [("Bearer sk-1", b"")]


def test_a_redirect_to_another_origin_carries_no_token(driver: Driver, auth: Any, endpoint: TokenEndpoint) -> None:
    (response,) = driver.fetch(auth, Fetch(f"{endpoint.url}/moved"))
    assert response.status_code == 401
    assert endpoint.calls == [(None, b"")]
    assert endpoint.requests == 0


@pytest.mark.parametrize(
    "url", ["http://api.example/", "http://10.0.0.1/", "http://127.0.0.1.example/", "ftp://api.example/"]
)
def test_a_token_is_never_sent_in_the_clear(driver: Driver, auth: Any, url: str) -> None:
    with pytest.raises(InsecureRequest, match="https only"):
        driver.fetch(auth, Fetch(url))


@pytest.mark.parametrize("url", ["https://api.example/", "http://localhost:1/", "http://[::1]:1/", "http://127.1.2.3/"])
def test_where_a_token_may_be_sent(driver: Driver, tmp_path: Path, url: str) -> None:
    def receive(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Seen": request.headers["Authorization"]})

    session = driver.session(signed_in(tmp_path, LASTING))
    (response,) = driver.fetch(session.auth, Fetch(url), transport=httpx.MockTransport(receive))
    assert mark_of(response.headers["Seen"]) == "old"


def test_a_request_raises_what_the_session_raises(driver: Driver, auth: Any, endpoint: TokenEndpoint) -> None:
    endpoint.scripted.append(reply({"error": "invalid_grant"}, 401))
    with pytest.raises(SignInRequired):
        driver.fetch(auth, Fetch(endpoint.api))


def test_any_store_with_these_methods_will_do(driver: Driver) -> None:
    store: SessionStore = FaultyStore()
    assert repr(driver.session(store)) == f"<{driver.session.__name__} of FaultyStore>"
