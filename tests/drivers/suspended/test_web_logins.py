"""A web host receives the callback itself: a login begins in one replica and is finished in another."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest
import trio

from loginmachine import (
    AsyncioWebLogins,
    Credentials,
    LoginFailed,
    LoginFailureCategory,
    MemoryMarks,
    MemoryStore,
    SealingKeys,
    StoreError,
    SuspendedLoginRefused,
    SuspensionProblem,
    TrioWebLogins,
    WebLogins,
    start_login,
)
from loginmachine.demo.openid.provider import OpenIdProvider
from loginmachine.drivers.suspended import web_logins

from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all tests here
from .web_support import APP, APP_CLIENT, HOSTS, KEY, Host, options_at, sign_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loginmachine import LoginOptions

    MakeHost = Callable[..., Host]


@pytest.fixture(scope="module")
def shared_provider() -> Iterator[OpenIdProvider]:
    with OpenIdProvider(clients=(APP_CLIENT,)) as provider:
        yield provider


@pytest.fixture
def openid(shared_provider: OpenIdProvider, request: pytest.FixtureRequest) -> OpenIdProvider:
    """The provider, and how many requests it has had before the test."""
    request.node.stash[_BEFORE] = len(shared_provider.requests)
    return shared_provider


_BEFORE: pytest.StashKey[int] = pytest.StashKey()


@pytest.fixture(params=HOSTS)
def make_host(request: pytest.FixtureRequest) -> MakeHost:
    """Make a replica of a web host, with threads and with trio."""
    return HOSTS[request.param]


def refusal(host: Host, sealed: bytes, query: str = "state=x") -> SuspensionProblem:
    with pytest.raises(SuspendedLoginRefused) as caught:
        host.finish(sealed, query)
    return caught.value.problem


def failure(host: Host, sealed: bytes, query: str, **arguments: Any) -> LoginFailed:
    with pytest.raises(LoginFailed) as caught:
        host.finish(sealed, query, **arguments)
    return caught.value


def test_a_login_begins_here_and_ends_there(make_host: MakeHost, openid: OpenIdProvider) -> None:
    marks = MemoryMarks()
    options = options_at(openid)
    first, second = (make_host(options, marks=marks) for _ in range(2))
    before = time.time()
    pending = first.begin()
    assert parse_qs(urlsplit(pending.auth_url).query)["redirect_uri"] == [APP]
    assert before + 600 <= pending.expires_at <= time.time() + 600
    success = second.finish(pending.sealed, sign_in(pending.auth_url))
    assert success.account.email == "ada@example.com"
    assert success.credentials.tokens is not None
    assert success.credentials.tokens.provider is not None
    assert success.credentials.tokens.provider.client_id == "app"


@pytest.mark.parametrize("spell", [lambda query: f"?{query}", lambda query: query.encode()])
def test_the_query_as_frameworks_give_it(spell: Callable[[str], Any], openid: OpenIdProvider) -> None:
    host = HOSTS["threads"](options_at(openid))
    pending = host.begin()
    assert host.finish(pending.sealed, spell(sign_in(pending.auth_url))).account.email == "ada@example.com"


def test_it_is_finished_once(make_host: MakeHost, openid: OpenIdProvider) -> None:
    """The second attempt sends nothing: the provider would revoke the tokens of the first (RFC 6749 section 4.1.2)."""
    marks = MemoryMarks()
    first, second = (make_host(options_at(openid), marks=marks) for _ in range(2))
    pending = first.begin()
    query = sign_in(pending.auth_url)
    first.finish(pending.sealed, query)
    sent = len(openid.requests)
    assert refusal(second, pending.sealed, query) is SuspensionProblem.RESUMED
    assert refusal(first, pending.sealed, query) is SuspensionProblem.RESUMED
    assert len(openid.requests) == sent


def test_a_callback_of_another_sign_in_changes_nothing(make_host: MakeHost, openid: OpenIdProvider) -> None:
    """Any page can send a browser to the address of the host. The right callback may still come."""
    host = make_host(options_at(openid))
    pending, other = host.begin(), host.begin()
    query = sign_in(pending.auth_url)
    sent = len(openid.requests)
    for wrong in ("", "code=x", "code=x&state=y", "error=access_denied", query + "&state=z"):
        error = failure(host, pending.sealed, wrong)
        assert error.category is LoginFailureCategory.CALLBACK_STATE_MISMATCH
    assert failure(host, other.sealed, query).category is LoginFailureCategory.CALLBACK_STATE_MISMATCH
    assert len(openid.requests) == sent
    assert host.finish(pending.sealed, query).account.email == "ada@example.com"


def test_a_person_who_says_no_has_ended_it(make_host: MakeHost, openid: OpenIdProvider) -> None:
    host = make_host(options_at(openid))
    pending = host.begin()
    query = sign_in(pending.auth_url, decision="refuse")
    error = failure(host, pending.sealed, query)
    assert error.category is LoginFailureCategory.PROVIDER_CALLBACK_ERROR
    assert "access_denied" in str(error)
    assert refusal(host, pending.sealed, query) is SuspensionProblem.RESUMED


def test_a_refused_code_fails_the_login(make_host: MakeHost, openid: OpenIdProvider) -> None:
    host = make_host(options_at(openid))
    pending = host.begin()
    state = parse_qs(urlsplit(pending.auth_url).query)["state"][0]
    error = failure(host, pending.sealed, f"code=made-up&state={state}&iss={openid.issuer}")
    assert error.category is LoginFailureCategory.TOKEN_ENDPOINT_REJECTED


def test_a_provider_without_metadata_is_a_failure(make_host: MakeHost, openid: OpenIdProvider) -> None:
    options = options_at(openid)
    nowhere = options.__replace__(provider=options.provider.__replace__(issuer=f"{openid.issuer}/nowhere"))
    with pytest.raises(LoginFailed) as caught:
        make_host(nowhere).begin()
    assert caught.value.category is LoginFailureCategory.DISCOVERY_FAILED


def test_the_metadata_is_read_once(make_host: MakeHost, openid: OpenIdProvider, request: pytest.FixtureRequest) -> None:
    host = make_host(options_at(openid))
    for _ in range(3):
        host.begin()
    since = openid.requests[request.node.stash[_BEFORE] :]
    assert [each.path for each in since] == ["/.well-known/openid-configuration"]


def test_old_metadata_is_read_again(
    make_host: MakeHost, openid: OpenIdProvider, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web_logins, "METADATA_AGE", 0.0)
    host = make_host(options_at(openid))
    pending = [host.begin() for _ in range(2)]
    assert len(openid.requests) == request.node.stash[_BEFORE] + 2
    assert host.finish(pending[0].sealed, sign_in(pending[0].auth_url)).account.email == "ada@example.com"


def test_one_login_may_have_other_options(make_host: MakeHost, openid: OpenIdProvider) -> None:
    """They come back with the login: the replica that finishes it does not know them."""
    options = options_at(openid)
    host = make_host(options)
    pending = host.begin(options.__replace__(login_hint="ada@example.com", required_scopes=("files",)))
    query = parse_qs(urlsplit(pending.auth_url).query)
    assert query["login_hint"] == ["ada@example.com"]
    assert "files" in query["scope"][0].split()


@pytest.mark.parametrize(
    "change",
    [
        {"redirect_uri": "https://other.example/callback"},
        {"provider": "another client"},
        {"deadline": None},
    ],
)
def test_options_that_cannot_be(make_host: MakeHost, openid: OpenIdProvider, change: dict[str, Any]) -> None:
    options = options_at(openid)
    if "provider" in change:
        change = {"provider": options.provider.__replace__(client_id="other")}
    with pytest.raises(ValueError, match=r"another provider or redirect URI|needs a deadline"):
        make_host(options).begin(options.__replace__(**change))


@pytest.mark.parametrize(
    ("change", "words"), [({"redirect_uri": None}, "needs a redirect URI"), ({"deadline": None}, "needs a deadline")]
)
def test_a_host_needs_an_address_and_a_deadline(
    make_host: MakeHost, openid: OpenIdProvider, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        make_host(options_at(openid).__replace__(**change))


def test_the_usual_options_can_be_read(openid: OpenIdProvider) -> None:
    options = options_at(openid)
    assert WebLogins(options, keys=SealingKeys(KEY), marks=MemoryMarks()).options is options


def test_in_another_event_loop(openid: OpenIdProvider) -> None:
    """Nothing is sent, and the error names the class to use."""
    arguments: Any = {"keys": SealingKeys(KEY), "marks": MemoryMarks()}
    for_trio = TrioWebLogins(options_at(openid), **arguments)
    for_asyncio = AsyncioWebLogins(options_at(openid), **arguments)
    words = "TrioWebLogins is for trio, which does not run here: with asyncio use AsyncioWebLogins"
    for call in (for_trio.begin(), for_trio.finish(b"", "")):
        with pytest.raises(RuntimeError, match=words):
            asyncio.run(call)
    words = "AsyncioWebLogins is for asyncio, which does not run here: with trio use TrioWebLogins"
    with pytest.raises(RuntimeError, match=words):
        trio.run(for_asyncio.begin)
    with pytest.raises(RuntimeError, match=words):
        trio.run(for_asyncio.finish, b"", "")


def test_after_its_deadline_it_is_refused(make_host: MakeHost, openid: OpenIdProvider) -> None:
    now = time.time()
    host = make_host(options_at(openid, deadline=60.0), clock=lambda: now)
    pending = host.begin()
    assert pending.expires_at == now + 60
    query = sign_in(pending.auth_url)
    now += 61
    assert refusal(host, pending.sealed, query) is SuspensionProblem.EXPIRED


def test_other_bytes_are_refused(make_host: MakeHost, openid: OpenIdProvider) -> None:
    options = options_at(openid)
    host, stranger = make_host(options), make_host(options, keys=SealingKeys(bytes(32)))
    sealed = host.begin().sealed
    assert refusal(host, b"something") is SuspensionProblem.NOT_SEALED
    assert refusal(host, sealed[:-1] + bytes([sealed[-1] ^ 1])) is SuspensionProblem.CHANGED
    assert refusal(stranger, sealed) is SuspensionProblem.UNKNOWN_KEY
    elsewhere = make_host(options.__replace__(redirect_uri="https://other.example/auth/callback"))
    assert refusal(elsewhere, sealed) is SuspensionProblem.OTHER_PROVIDER


# Marks


class Marks:
    """Marks that note how they were called."""

    def __init__(self, answer: Callable[[], bool]) -> None:
        self.calls: list[tuple[str, int]] = []
        self._answer = answer

    def mark(self, name: str, seconds: int) -> bool:
        self.calls.append((name, seconds))
        return self._answer()


def test_the_mark_lasts_as_long_as_the_bytes(make_host: MakeHost, openid: OpenIdProvider) -> None:
    """And a minute longer, because the clocks of two replicas differ. Its name reveals nothing."""
    now, marks = 1_795_000_000.0, Marks(lambda: True)
    host = make_host(options_at(openid), marks=marks, clock=lambda: now)
    pending = host.begin()
    query = sign_in(pending.auth_url)
    now += 100
    host.finish(pending.sealed, query)
    ((name, seconds),) = marks.calls
    assert seconds == 560
    assert len(name) == 64
    state = parse_qs(urlsplit(pending.auth_url).query)["state"][0]
    assert state not in name


def test_if_the_marks_fail_nothing_is_sent(
    make_host: MakeHost, openid: OpenIdProvider, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> bool:
        raise ConnectionError("canary: redis is away")

    host = make_host(options_at(openid), marks=Marks(fail))
    pending = host.begin()
    query = sign_in(pending.auth_url)
    sent = len(openid.requests)
    caplog.set_level(logging.DEBUG, "loginmachine")
    with pytest.raises(StoreError, match="marks of resumed logins raised ConnectionError; nothing was sent") as caught:
        host.finish(pending.sealed, query)
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None
    assert len(openid.requests) == sent
    assert "redis is away" in caplog.text


def test_a_callback_that_is_not_its_own_leaves_no_mark(make_host: MakeHost, openid: OpenIdProvider) -> None:
    marks = Marks(lambda: True)
    host = make_host(options_at(openid), marks=marks)
    failure(host, host.begin().sealed, "code=x&state=y")
    assert marks.calls == []


# Stores


def test_the_credentials_are_saved(make_host: MakeHost, openid: OpenIdProvider) -> None:
    host, store = make_host(options_at(openid)), MemoryStore()
    pending = host.begin()
    success = host.finish(pending.sealed, sign_in(pending.auth_url), store=store)
    assert store.credentials == success.credentials


class FailingStore:
    """A store that raises something."""

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def save(self, credentials: Credentials) -> Credentials | None:  # noqa: ARG002
        raise self._error


def test_a_store_that_fails_fails_the_login(make_host: MakeHost, openid: OpenIdProvider) -> None:
    host = make_host(options_at(openid))
    pending = host.begin()
    store = FailingStore(StoreError("the disk is full"))
    error = failure(host, pending.sealed, sign_in(pending.auth_url), store=store)
    assert error.category is LoginFailureCategory.PERSIST_FAILED
    assert "the disk is full" in str(error)


def test_a_store_that_ends_the_program_is_the_cause(make_host: MakeHost, openid: OpenIdProvider) -> None:
    host, error = make_host(options_at(openid)), SystemExit(3)
    pending = host.begin()
    caught = failure(host, pending.sealed, sign_in(pending.auth_url), store=FailingStore(error))
    assert caught.category is LoginFailureCategory.PERSIST_FAILED
    assert caught.__cause__ is error


def test_replaced_tokens_are_not_revoked(
    make_host: MakeHost, openid: OpenIdProvider, request: pytest.FixtureRequest
) -> None:
    """The person may be signed in with another browser, with those tokens."""
    host, store = make_host(options_at(openid)), MemoryStore()
    for _ in range(2):
        pending = host.begin()
        host.finish(pending.sealed, sign_in(pending.auth_url), store=store)
    since = openid.requests[request.node.stash[_BEFORE] :]
    assert not [each.path for each in since if each.path == "/revoke"]


# Secrets


def test_nothing_secret_is_shown(make_host: MakeHost, openid: OpenIdProvider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    host = make_host(options_at(openid))
    pending = host.begin()
    state = parse_qs(urlsplit(pending.auth_url).query)["state"][0]
    query = sign_in(pending.auth_url)
    code = parse_qs(query)["code"][0]
    caplog.clear()
    success = host.finish(pending.sealed, query)
    caplog.records[:] = [record for record in caplog.records if not record.name.startswith("werkzeug")]
    shown = repr(pending) + repr(success) + "".join(record.getMessage() for record in caplog.records)
    for secret in (state, code, KEY.decode("latin-1"), "canary-client-secret"):
        assert secret not in shown
        assert secret.encode("latin-1") not in pending.sealed


def test_a_driver_with_a_listener_refuses_such_options(openid: OpenIdProvider) -> None:
    options: LoginOptions = options_at(openid)
    with pytest.raises(ValueError, match="use WebLogins"):
        start_login(options, store=MemoryStore())
