"""Failures of I/O in a login: the exception, the progress and the page, and that nothing is stored."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import Credentials, LoginFailed, LoginTimedOut, MemoryStore, StoreError, TrustError, start_login
from loginmachine.drivers.threaded.http_client import HttpClient

from ..conftest import ScriptedProvider
from ..replies import reply
from ..scripted_server import Peer, ScriptedServer, drips
from ..support import (
    CANARIES,
    NAMESPACE,
    PATIENCE,
    TOKENS,
    Browser,
    Progress,
    connect,
    free_port,
    jwt,
    read_to_end,
)
from .clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from loginmachine import ThreadedLogin

MIB = 1024 * 1024
DENIED = {"error": "invalid_grant", "error_description": "the code was used"}
FOREIGN = {**TOKENS, "id_token": jwt({"aud": "somebody-else"})}
EXPIRED = {**TOKENS, "id_token": jwt({"exp": 1_000_000_000})}
NO_WORKSPACE = {**TOKENS, "id_token": jwt({NAMESPACE: {}})}

ANSWERS: dict[str, tuple[Callable[[], Any], str, int, str]] = {
    "400": (
        reply(DENIED, 400),
        "token_endpoint_rejected",
        502,
        "/oauth/token: status 400: invalid_grant: the code was used",
    ),
    "200 with error": (
        reply(DENIED),
        "token_endpoint_rejected",
        502,
        "/oauth/token: status 200: invalid_grant: the code was used",
    ),
    "503": (
        reply(b"<html>canary", 503, Retry_After="7"),
        "token_endpoint_rejected",
        502,
        "/oauth/token: status 503, the provider has a problem (retry after: 7)",
    ),
    "no JSON": (
        reply(b"canary"),
        "token_response_malformed",
        502,
        "/oauth/token: the answer cannot be read: not JSON",
    ),
    "no refresh token": (
        reply({**TOKENS, "refresh_token": ""}),
        "token_response_malformed",
        502,
        "/oauth/token: no usable refresh_token in the answer",
    ),
    "redirect": (
        reply(b"", 307, Location="http://127.0.0.1:1/canary"),
        "token_response_malformed",
        502,
        "/oauth/token: the endpoint answered with a redirect (307), which is never followed",
    ),
    "gzip": (
        reply(b"\x1f\x8b", Content_Encoding="gzip"),
        "token_response_malformed",
        502,
        "/oauth/token: the answer has a content coding that was not asked for",
    ),
    "too large": (
        reply(b" " * (MIB + 1)),
        "token_response_malformed",
        502,
        "/oauth/token: the answer is larger than 1 MiB",
    ),
    "foreign id token": (
        reply(FOREIGN),
        "id_token_invalid",
        502,
        "the id token was refused: it was made for another client (aud)",
    ),
}


class Login:
    """A login that will fail, and what it shows."""

    def __init__(self, progress: Progress) -> None:
        self.store = MemoryStore()
        self.progress = progress

    def fails(self, options: Any, query: str | None = None, store: Any = None) -> tuple[LoginFailed, int]:
        """Send a callback, and return the exception and the status of the page."""
        with start_login(options, store=store or self.store, on_progress=self.progress) as login:
            page = Browser(login.auth_url).callback(query)
            with pytest.raises(LoginFailed) as caught:
                login.wait()
        assert self.store.credentials is None
        assert caught.value.__context__ is None
        assert self.progress.problems == [(caught.value.step, caught.value.category, True)]
        assert self.progress.names[-1] == "failed"
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert str(caught.value.category).encode() in page.body
        for canary in CANARIES:
            assert canary.encode() not in page.body
            assert canary not in str(caught.value)
        return caught.value, page.status


@pytest.fixture
def login(progress: Progress) -> Login:
    return Login(progress)


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_of_the_token_endpoint(name: str, provider: ScriptedProvider, login: Login) -> None:
    answer, category, status, message = ANSWERS[name]
    provider.answers = [answer]
    error, page = login.fails(provider.options())
    assert (error.step, error.category, page) == ("exchange_token", category, status)
    assert error.message == (message if category == "id_token_invalid" else provider.url + message)
    assert len(provider.forms) == 1


def test_an_expired_id_token_while_the_clocks_agree(provider: ScriptedProvider, login: Login) -> None:
    provider.answers = [reply(EXPIRED)]
    error, page = login.fails(provider.options())
    assert (error.category, page) == ("id_token_invalid", 502)
    assert error.message == "the id token was refused: it has expired (exp)"


@pytest.mark.parametrize(
    ("tokens", "owner"), [(TOKENS, "the workspace acc-1"), (NO_WORKSPACE, "an account without a workspace")]
)
def test_a_workspace_that_is_not_allowed(
    provider: ScriptedProvider, login: Login, tokens: dict[str, str], owner: str
) -> None:
    provider.answers = [reply(tokens)]
    error, page = login.fails(provider.options(allowed_workspaces=("acc-2",)))
    assert (error.step, error.category, page) == ("validate_callback", "workspace_restriction", 403)
    assert error.message == f"the sign-in was for {owner}"


def test_a_token_endpoint_that_cannot_be_reached(provider: ScriptedProvider, login: Login) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}/oauth/token"
    error, page = login.fails(provider.options(provider=provider.provider(token_endpoint=endpoint)))
    assert (error.step, error.category, page) == ("exchange_token", "token_exchange_connect", 502)
    assert error.message == f"{endpoint}: no connection: Connection refused"


def test_a_token_endpoint_that_is_silent(
    provider: ScriptedProvider, login: Login, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loginmachine.sansio.oauth.token_requests.TOKEN_EXCHANGE_TIMEOUT", 0.1)
    provider.answers = [provider.hang]
    error, page = login.fails(provider.options())
    assert (error.step, error.category, page) == ("exchange_token", "token_exchange_timeout", 504)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_a_token_endpoint_that_drips_for_ever(
    provider: ScriptedProvider, login: Login, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr("loginmachine.sansio.oauth.token_requests.TOKEN_EXCHANGE_TIMEOUT", 0.2)

    with ScriptedServer(lambda peer: drips(peer, start)) as server:
        endpoint = f"{server.url}/oauth/token"
        error, page = login.fails(provider.options(provider=provider.provider(token_endpoint=endpoint)))
        server.reached.set()
    assert (error.step, error.category, page) == ("exchange_token", "token_exchange_timeout", 504)
    assert error.message == f"{endpoint}: no complete answer in time"


def test_a_token_endpoint_that_is_no_http_server(provider: ScriptedProvider, login: Login) -> None:
    def garbage(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"SSH-2.0-canary\r\n")

    with ScriptedServer(garbage) as server:
        endpoint = f"{server.url}/oauth/token"
        error, page = login.fails(provider.options(provider=provider.provider(token_endpoint=endpoint)))
    assert (error.step, error.category, page) == ("exchange_token", "token_exchange_request", 502)
    assert error.message == f"{endpoint}: the answer is not HTTP, or it is incomplete"


CALLBACKS = [
    (
        "error=access_denied&error_description=canary%0A&state={state}",
        ("provider_callback_error", 403, "access_denied: canary"),
    ),
    (
        "error=access_denied&error_description=missing_codex_entitlement&state={state}",
        (
            "provider_callback_error",
            403,
            "this workspace has no access; ask the workspace administrator to grant it",
        ),
    ),
    ("code=&state={state}", ("missing_authorization_code", 400, "the callback has neither a code nor an error")),
    (
        "code=some-code&iss=https://evil.example&state={state}",
        ("issuer_mismatch", 400, "the callback names the issuer https://evil.example"),
    ),
]


@pytest.mark.parametrize(("query", "expected"), CALLBACKS)
def test_callbacks_that_end_a_login(
    provider: ScriptedProvider, login: Login, query: str, expected: tuple[str, int, str]
) -> None:
    error, page = login.fails(provider.options(), query)
    assert error.step == "validate_callback"
    assert (error.category, page, error.message.replace("\ufffd", "")) == expected
    assert provider.forms == []


def test_a_wrong_state_and_then_the_right_one(provider: ScriptedProvider, progress: Progress) -> None:
    with start_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
        browser = Browser(login.auth_url)
        for _ in range(2):
            page = browser.callback("code=x&state=canary")
            assert page.status == 400
            assert b"callback_state_mismatch" in page.body
            assert b"canary" not in page.body
        browser.finish()
        login.wait()
    # Reported once, and not the end.
    assert progress.problems == [("validate_callback", "callback_state_mismatch", False)]


class BrokenStore:
    """A store of the host that raises an exception."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def save(self, _: Credentials) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (StoreError("the disk is full"), "the disk is full"),
        (RuntimeError("canary-refresh-token"), "the store raised RuntimeError"),
        (OSError(28, "canary-refresh-token"), "the store raised OSError"),
    ],
)
def test_a_store_that_raises(provider: ScriptedProvider, login: Login, error: Exception, message: str) -> None:
    failed, page = login.fails(provider.options(), store=BrokenStore(error))
    assert (failed.step, failed.category, page) == ("persist_credentials", "persist_failed", 500)
    assert failed.message == message


def test_the_deadline(provider: ScriptedProvider, progress: Progress) -> None:
    with start_login(provider.options(deadline=0.05), store=MemoryStore(), on_progress=progress) as login:
        with pytest.raises(LoginTimedOut) as caught:
            login.wait()
        with pytest.raises(LoginTimedOut):
            login.wait()
    assert (caught.value.step, caught.value.category) == ("wait_for_callback", "login_timed_out")
    assert caught.value.message == "no callback came within 0.05 seconds"
    assert progress.problems == [("wait_for_callback", "login_timed_out", True)]


def test_the_deadline_does_not_interrupt_an_exchange(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)

    def late() -> Any:
        # Later than the deadline, and earlier than the time limit of the exchange.
        clock.jump(21.0)
        return reply(TOKENS)()

    provider.answers[0] = late
    with start_login(provider.options(deadline=20.0), store=MemoryStore()) as login:
        Browser(login.auth_url).finish()
        assert login.wait().tokens is not None


# The browser


def test_a_browser_that_cannot_be_launched(provider: ScriptedProvider, progress: Progress) -> None:
    with start_login(provider.options(open_browser=True), store=MemoryStore(), on_progress=progress) as login:
        progress.wait_for("failed")
        Browser(login.auth_url).finish()
        login.wait()
    assert progress.problems == [("open_browser", "browser_launch_failed", False)]
    assert progress.names[-1] == "succeeded"


def test_the_browser_is_given_the_url(
    provider: ScriptedProvider, progress: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "mine"
    script.write_text(f'#!/bin/sh\nprintf "%s" "$1" > {tmp_path}/url\n')
    script.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(script))
    with start_login(provider.options(open_browser=True), store=MemoryStore(), on_progress=progress) as login:
        progress.wait_for("browser_launched")
        assert (tmp_path / "url").read_text() == login.auth_url


# Threads


@pytest.mark.parametrize("crash", [LookupError("a mistake of ours"), SystemExit("from a log handler")])
def test_a_worker_that_crashes(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch, crash: BaseException
) -> None:
    def fail(*_: object) -> Any:
        raise crash

    monkeypatch.setattr(HttpClient, "send", fail)
    with start_login(provider.options(), store=MemoryStore()) as login:
        visit = threading.Thread(target=lambda: connect_and_leave(login))
        visit.start()
        # A mistake is named as one. What is no `Exception` is raised as it is.
        with pytest.raises(RuntimeError if isinstance(crash, Exception) else SystemExit) as caught:
            login.wait(PATIENCE)
        visit.join(PATIENCE)
    assert crash in (caught.value, caught.value.__cause__)


def connect_and_leave(login: ThreadedLogin) -> None:
    with connect(login.port) as client:
        client.sendall(Browser(login.auth_url).callback_bytes())
        read_to_end(client)


# Before anything begins


def test_an_unusable_bundle_is_reported_first(
    progress: Progress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_CA_CERTIFICATE", str(tmp_path / "missing.pem"))
    scripted = ScriptedProvider("https://127.0.0.1:1")
    login = start_login(scripted.options(), store=MemoryStore(), on_progress=progress)
    with pytest.raises(TrustError, match="CODEX_CA_CERTIFICATE"), login:
        pytest.fail("entered")
    assert progress.names == []


def test_a_login_that_is_not_entered(provider: ScriptedProvider) -> None:
    login = start_login(provider.options(), store=MemoryStore())
    for use in (lambda: login.auth_url, lambda: login.port, lambda: login.wait(timeout=0.05)):
        with pytest.raises(RuntimeError, match="use it in a with statement"):
            use()
