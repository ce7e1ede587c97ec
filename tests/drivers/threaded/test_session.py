"""Sessions of threads: one refresh whoever asks how often, and an `httpx.Client` that need not care."""

from __future__ import annotations

import contextlib
import pickle
import signal
import threading
import traceback
from typing import TYPE_CHECKING

import httpx
import pytest

from loginmachine import (
    Credentials,
    FileStore,
    InsecureRequest,
    MemoryStore,
    Provider,
    RefreshFailed,
    Secret,
    Session,
    SignInRequired,
    StoreError,
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
from ..support import PATIENCE, eventually, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from loginmachine import SessionStore


def together(work: list[threading.Thread]) -> None:
    for thread in work:
        thread.start()
    for thread in work:
        thread.join(PATIENCE * 2)


def ask_often(session: Session, count: int = 20) -> list[str]:
    """What so many threads are given."""
    tokens: list[str] = []
    together([threading.Thread(target=lambda: tokens.append(session.access_token())) for _ in range(count)])
    assert len(tokens) == count
    return tokens


def test_a_token_that_lasts_is_handed_out(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, LASTING)
    session = Session(store, endpoint.provider)
    assert session.access_token() == token_of(store.load())
    assert session.credentials() == store.load()
    assert session.refresh().delivery == "current"
    assert endpoint.requests == 0


@pytest.mark.parametrize("expires_in", [DUE, OVER])
def test_twenty_threads_cause_one_refresh(tmp_path: Path, endpoint: TokenEndpoint, expires_in: int) -> None:
    store = signed_in(tmp_path, expires_in)
    tokens = ask_often(Session(store, endpoint.provider))
    assert {mark_of(token) for token in tokens} == {"new-1"}
    assert token_of(store.load()) == tokens[0]
    assert endpoint.bodies == [
        {
            "client_id": "app_EMoamEEZ73f0CkXaXp7hrann",
            "grant_type": "refresh_token",
            "refresh_token": "canary-refresh-old",
        }
    ]
    assert list(endpoint.bodies[0]) == ["client_id", "grant_type", "refresh_token"]


def test_twenty_sessions_on_one_home_cause_one_refresh(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    signed_in(tmp_path, OVER)
    tokens: list[str] = []

    def ask() -> None:
        tokens.append(Session(FileStore(tmp_path), endpoint.provider).access_token())

    together([threading.Thread(target=ask) for _ in range(20)])
    assert [mark_of(token) for token in tokens] == ["new-1"] * 20
    assert endpoint.requests == 1


def test_twenty_threads_on_a_store_in_memory(endpoint: TokenEndpoint) -> None:
    store = MemoryStore()
    store.save(credentials(OVER))
    assert {mark_of(token) for token in ask_often(Session(store, endpoint.provider))} == {"new-1"}
    assert endpoint.requests == 1


def test_twenty_rejections_of_one_token_cause_one_refresh(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = Session(signed_in(tmp_path, LASTING), endpoint.provider)
    old = session.access_token()
    tokens: list[str] = []
    together([threading.Thread(target=lambda: tokens.append(session.renew(old))) for _ in range(20)])
    assert [mark_of(token) for token in tokens] == ["new-1"] * 20
    assert session.renew(old) == tokens[0]
    assert endpoint.requests == 1


def test_forcing_renews_each_time(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = Session(signed_in(tmp_path, LASTING), endpoint.provider)
    assert [session.refresh(force=True).delivery for _ in range(2)] == ["refreshed", "refreshed"]
    assert [body["refresh_token"] for body in endpoint.bodies] == ["canary-refresh-old", "canary-refresh-1"]


def test_who_forces_is_not_content_with_a_refresh_that_decided_otherwise(
    tmp_path: Path, endpoint: TokenEndpoint
) -> None:
    """One waits for a transient failure and may keep the old token; the other must have a new one."""
    store = signed_in(tmp_path, DUE)
    session = Session(store, endpoint.provider)
    endpoint.scripted.append(lambda: answer(503))
    endpoint.hold()
    kept: list[str] = []
    forced: list[str] = []
    first = threading.Thread(target=lambda: kept.append(session.access_token()))
    first.start()
    assert endpoint.asked.wait(PATIENCE)
    second = threading.Thread(target=lambda: forced.append(session.refresh(force=True).token.reveal()))
    second.start()
    assert eventually(lambda: session._current is not None and session._current.waiting == 2)
    endpoint.released.set()
    first.join(PATIENCE)
    second.join(PATIENCE)
    assert [mark_of(token) for token in (*kept, *forced)] == ["old", "new-2"]


def interrupt_main_when(event: threading.Event) -> threading.Thread:
    """A Ctrl-C for the thread of this test."""
    main = threading.get_ident()

    def interrupt() -> None:
        assert event.wait(PATIENCE)
        signal.pthread_kill(main, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    return thread


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals are sent to a thread")
def test_an_interrupt_ends_the_wait_and_not_the_refresh(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = Session(store, endpoint.provider)
    endpoint.hold()
    interrupter = interrupt_main_when(endpoint.asked)
    with pytest.raises(KeyboardInterrupt):
        session.access_token()
    interrupter.join(PATIENCE)
    endpoint.released.set()
    assert eventually(lambda: mark_of(token_of(store.load())) == "new-1")
    assert eventually(lambda: session._current is None)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals are sent to a thread")
def test_an_interrupt_before_anything_was_sent_is_the_end_of_it(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = Session(store, endpoint.provider)
    waits = threading.Event()
    with store.renewing():
        interrupter = interrupt_main_when(waits)

        def announce() -> None:
            assert eventually(lambda: session._current is not None)
            waits.set()

        announcer = threading.Thread(target=announce)
        announcer.start()
        with pytest.raises(KeyboardInterrupt):
            session.access_token()
        announcer.join(PATIENCE)
        interrupter.join(PATIENCE)
        assert eventually(lambda: session._current is None)
    assert endpoint.requests == 0
    assert mark_of(session.access_token()) == "new-1"


# What fails


def test_nobody_is_signed_in(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = Session(FileStore(tmp_path), endpoint.provider, environment_key="")
    with pytest.raises(SignInRequired) as caught:
        session.access_token()
    assert (caught.value.category, caught.value.final, caught.value.message) == (
        "not_signed_in",
        True,
        "nothing is stored",
    )
    assert str(caught.value).startswith("Nobody is signed in.\nSign in first.\n")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (type(again), again.failure) == (SignInRequired, caught.value.failure)


def test_the_key_in_the_environment(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    session = Session(FileStore(tmp_path), endpoint.provider, environment_key="sk-1")
    assert session.access_token() == "sk-1"
    assert session.credentials() == Credentials.from_api_key(Secret("sk-1"))
    (tmp_path / "auth.json").write_text("{")
    with pytest.raises(RefreshFailed) as caught:
        session.access_token()
    assert (caught.value.category, caught.value.final) == ("credentials_unreadable", True)
    assert not isinstance(caught.value, SignInRequired)


def test_a_refused_refresh_token(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = Session(store, endpoint.provider)
    before = store.path.read_bytes()
    endpoint.scripted.append(lambda: answer(400, error={"code": "refresh_token_reused", "message": "again?"}))
    for _ in range(3):
        with pytest.raises(SignInRequired, match=r"refresh_token_rejected - .*status 400: refresh_token_reused: again"):
            session.access_token()
    assert endpoint.requests == 1
    assert store.path.read_bytes() == before
    store.save(credentials(OVER, "signed-in-again"))
    assert mark_of(session.access_token()) == "new-2"


def test_trouble_that_may_pass(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, DUE)
    session = Session(store, endpoint.provider)
    endpoint.scripted += [lambda: answer(503)] * 2
    assert mark_of(session.access_token()) == "old"
    assert session.refresh().delivery == "kept"
    assert endpoint.requests == 1
    store.save(credentials(OVER))
    with pytest.raises(RefreshFailed, match="refresh_unavailable") as caught:
        session.access_token()
    assert not caught.value.final
    assert mark_of(session.access_token()) == "new-3"


def test_an_endpoint_that_cannot_be_reached(tmp_path: Path) -> None:
    session = Session(signed_in(tmp_path, OVER), Provider.chatgpt(issuer=f"http://127.0.0.1:{free_port()}"))
    with pytest.raises(RefreshFailed, match="no connection") as caught:
        session.access_token()
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert not [canary for canary in CANARIES if canary in shown]


def test_an_endpoint_that_drips_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("loginmachine.sansio.oauth.token_requests.REFRESH_TIMEOUT", 0.2)
    with ScriptedServer(drips) as server:
        session = Session(signed_in(tmp_path, OVER), Provider.chatgpt(issuer=server.url))
        with pytest.raises(RefreshFailed, match="no complete answer in time"):
            session.access_token()


class Trouble(MemoryStore):
    """A host's own store whose methods fail as they are told."""

    def __init__(self) -> None:
        super().__init__()
        self.failing: dict[str, Exception] = {}
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
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Trouble]:
        with super().transaction(timeout=timeout):
            yield self

    def save(self, credentials: Credentials) -> Credentials | None:
        self._fail("save")
        self.credentials = credentials
        return None

    def _fail(self, name: str) -> None:
        if name in self.failing:
            raise self.failing[name]


@pytest.mark.parametrize("error", [StoreError("disk full"), OSError("canary-old")])
def test_tokens_that_cannot_be_stored_are_handed_out_all_the_same(endpoint: TokenEndpoint, error: Exception) -> None:
    store, warnings = Trouble(), list[str]()
    store.failing = {"save": error}
    session = Session(store, endpoint.provider, on_warning=warnings.append)
    assert mark_of(session.access_token()) == "new-1"
    why = "disk full" if isinstance(error, StoreError) else "the store raised OSError"
    assert warnings == [f"the new tokens could not be stored, and are lost when this program ends: {why}"]
    assert mark_of(session.access_token()) == "new-1"
    assert endpoint.requests == 1
    assert mark_of(token_of(store.credentials)) == "old"


class Overtaken(Trouble):
    """A store into which somebody signs in at the last moment."""

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = 5.0) -> Iterator[Trouble]:
        with super().transaction(timeout=timeout):
            self.credentials = credentials(LASTING, "theirs")
            yield self


def test_a_sign_in_at_the_last_moment_is_not_overwritten(endpoint: TokenEndpoint) -> None:
    store, warnings = Overtaken(), list[str]()
    session = Session(store, endpoint.provider, on_warning=warnings.append)
    assert mark_of(session.access_token()) == "new-1"
    assert mark_of(token_of(store.credentials)) == "theirs"
    assert warnings[0].endswith(": other credentials were stored meanwhile")
    assert mark_of(session.access_token()) == "theirs"
    assert endpoint.requests == 1


def test_an_observer_that_raises_does_no_harm(endpoint: TokenEndpoint) -> None:
    store = Trouble()
    store.failing = {"save": StoreError("disk full")}

    def observe(_text: str) -> None:
        raise ValueError

    assert mark_of(Session(store, endpoint.provider, on_warning=observe).access_token()) == "new-1"


@pytest.mark.parametrize("error", [StoreError("no lock"), OSError("canary-old")])
def test_a_store_that_cannot_be_locked(endpoint: TokenEndpoint, error: Exception) -> None:
    store = Trouble()
    store.failing = {"lock": error}
    with pytest.raises(RefreshFailed, match=r"store_unavailable - (no lock|the store raised OSError)$"):
        Session(store, endpoint.provider).access_token()
    assert endpoint.requests == 0


def test_a_store_that_cannot_be_read(endpoint: TokenEndpoint) -> None:
    store = Trouble()
    store.failing = {"load": OSError("canary-old")}
    with pytest.raises(RefreshFailed, match=r"credentials_unreadable - the store raised OSError$"):
        Session(store, endpoint.provider).access_token()


def test_a_lock_that_cannot_be_released_is_told(endpoint: TokenEndpoint, caplog: pytest.LogCaptureFixture) -> None:
    store = Trouble()
    store.failing = {"release": OSError("canary-old")}
    assert mark_of(Session(store, endpoint.provider).access_token()) == "new-1"
    ours = [record.getMessage() for record in caplog.records if record.name == "loginmachine"]
    assert ours == ["the lock on the credentials could not be released: the store raised OSError"]


def test_without_another_thread_the_refresh_is_done_in_this_one(
    tmp_path: Path, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(signed_in(tmp_path, OVER), endpoint.provider)
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "loginmachine-refresh" or isinstance(thread, threading.Timer):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr("threading.Thread.start", refuse)
    assert mark_of(session.access_token()) == "new-1"


def test_a_bug_is_told_to_everybody_who_waits(
    tmp_path: Path, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_request: object) -> None:
        raise LookupError

    session = Session(signed_in(tmp_path, OVER), endpoint.provider)
    with monkeypatch.context() as patched:
        patched.setattr("loginmachine.drivers.threaded.session.send", broken)
        with pytest.raises(RuntimeError, match="the session has failed with LookupError; this is a bug in it"):
            session.access_token()
    assert mark_of(session.access_token()) == "new-1"


# The lock


def test_a_token_that_lasts_waits_for_nobody(
    tmp_path: Path, endpoint: TokenEndpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loginmachine.sansio.refresh.effects.PATIENCE", 0.5)
    store = signed_in(tmp_path, DUE)
    with store.renewing():
        assert mark_of(Session(store, endpoint.provider).access_token()) == "old"
    assert endpoint.requests == 0


def test_what_is_stored_by_the_holder_of_the_lock_is_adopted_before_it_is_released(
    tmp_path: Path, endpoint: TokenEndpoint
) -> None:
    store = signed_in(tmp_path, OVER)
    session = Session(store, endpoint.provider)
    with store.renewing():
        tokens: list[str] = []
        waiting = threading.Thread(target=lambda: tokens.append(session.access_token()))
        waiting.start()
        assert eventually(lambda: session._current is not None)
        store.save(credentials(LASTING, "theirs"))
        waiting.join(PATIENCE)
        assert [mark_of(token) for token in tokens] == ["theirs"]
    assert endpoint.requests == 0


def test_a_sign_in_while_a_request_is_under_way_is_not_overwritten(tmp_path: Path, endpoint: TokenEndpoint) -> None:
    store = signed_in(tmp_path, OVER)
    session = Session(store, endpoint.provider)
    endpoint.hold()
    tokens: list[str] = []
    asking = threading.Thread(target=lambda: tokens.append(session.access_token()))
    asking.start()
    assert endpoint.asked.wait(PATIENCE)
    # It waits for nobody.
    store.save(credentials(LASTING, "theirs"))
    endpoint.released.set()
    asking.join(PATIENCE)
    assert [mark_of(token) for token in tokens] == ["theirs"]
    assert mark_of(token_of(store.load())) == "theirs"


def test_nothing_secret_is_shown(tmp_path: Path, endpoint: TokenEndpoint, all_logs: pytest.LogCaptureFixture) -> None:
    session = Session(signed_in(tmp_path, OVER), endpoint.provider)
    with httpx.Client(auth=session.auth, trust_env=False) as client:
        assert client.get(endpoint.api).status_code == 200
    shown = f"{all_logs.text} {session!r} {session.auth!r} {session._memory!r} {session.refresh()!r}"
    assert not [canary for canary in CANARIES if canary in shown]
    assert repr(session) == "<Session of FileStore>"


# httpx


@pytest.fixture
def client(tmp_path: Path, endpoint: TokenEndpoint) -> Iterator[httpx.Client]:
    session = Session(signed_in(tmp_path, LASTING), endpoint.provider)
    with httpx.Client(auth=session.auth, trust_env=False, follow_redirects=True) as client:
        yield client


def test_a_401_is_answered_with_a_new_token_once(client: httpx.Client, endpoint: TokenEndpoint) -> None:
    def body() -> Iterator[bytes]:
        yield b"a body "
        yield b"that can be read once"

    response = client.post(endpoint.api, content=body())
    assert response.status_code == 200
    assert [(mark_of(str(bearer)), body) for bearer, body in endpoint.calls] == [
        ("old", b"a body that can be read once"),
        ("new-1", b"a body that can be read once"),
    ]
    assert client.get(endpoint.api).status_code == 200
    assert endpoint.requests == 1


def test_a_second_401_is_the_callers(client: httpx.Client, endpoint: TokenEndpoint) -> None:
    endpoint.scripted.append(lambda: answer(access_token="canary-new-unwelcome"))
    assert client.get(endpoint.api).status_code == 401
    assert (len(endpoint.calls), endpoint.requests) == (2, 1)


def test_an_api_key_is_sent_once(endpoint: TokenEndpoint) -> None:
    store = MemoryStore()
    store.save(Credentials.from_api_key(Secret("sk-1")))
    with httpx.Client(auth=Session(store, endpoint.provider).auth, trust_env=False) as client:
        assert client.get(endpoint.api).status_code == 401
    assert endpoint.calls == [("Bearer sk-1", b"")]


def test_a_redirect_to_another_origin_gets_no_token_and_spends_none(
    client: httpx.Client, endpoint: TokenEndpoint
) -> None:
    assert client.get(f"{endpoint.url}/moved").status_code == 401
    assert endpoint.calls == [(None, b"")]
    assert endpoint.requests == 0


@pytest.mark.parametrize(
    "url", ["http://api.example/", "http://10.0.0.1/", "http://127.0.0.1.example/", "ftp://api.example/"]
)
def test_a_token_is_never_sent_in_the_clear(client: httpx.Client, url: str) -> None:
    with pytest.raises(InsecureRequest, match="https only"):
        client.get(url)


@pytest.mark.parametrize("url", ["https://api.example/", "http://localhost:1/", "http://[::1]:1/", "http://127.1.2.3/"])
def test_where_a_token_may_go(tmp_path: Path, url: str) -> None:
    def receive(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Seen": request.headers["Authorization"]})

    session = Session(signed_in(tmp_path, LASTING))
    with httpx.Client(auth=session.auth, transport=httpx.MockTransport(receive)) as client:
        assert mark_of(client.get(url).headers["Seen"]) == "old"


def test_a_sign_in_that_has_ended_comes_out_of_the_request(client: httpx.Client, endpoint: TokenEndpoint) -> None:
    endpoint.scripted.append(lambda: answer(401, error="gone"))
    with pytest.raises(SignInRequired):
        client.get(endpoint.api)


def test_it_is_for_the_blocking_client_only(tmp_path: Path) -> None:
    import trio

    async def main() -> None:
        async with httpx.AsyncClient(auth=Session(FileStore(tmp_path)).auth) as client:
            await client.get("https://api.example/")

    with pytest.raises(TypeError, match="use a TrioSession"):
        trio.run(main)


def test_any_store_with_these_methods_will_do() -> None:
    store: SessionStore = Trouble()
    assert repr(Session(store)) == "<Session of Trouble>"
