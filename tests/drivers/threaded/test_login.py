"""Whole logins in threads, with a real provider, real requests and real files."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from loginmachine import AuthMode, FileStore, LoginSuccess, MemoryStore, Secret, start_login

from ..replies import reply
from ..support import (
    ACCESS_TOKEN,
    API_KEY,
    CLIENT_ID,
    CODE,
    ID_TOKEN,
    PATIENCE,
    REFRESH_TOKEN,
    TOKENS,
    Browser,
    Progress,
    parse_reply,
    raw,
)
from .clock import Clock

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug import Response

    from loginmachine.sansio.login.progress import LoginPhase

    from ..conftest import ScriptedProvider


def challenge(verifier: str) -> str:
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def test_a_login_with_an_api_key(provider: ScriptedProvider, progress: Progress, tmp_path: Path) -> None:
    store = FileStore(tmp_path / "home")
    with start_login(provider.options(), store=store, on_progress=progress) as login:
        browser = Browser(login.auth_url)
        assert browser.port == login.port
        assert login.outcome is None
        page = browser.finish()
        credentials = login.wait()
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert b"<strong>ada@example.org</strong> (plus)" in page.body

    code_form, key_form = provider.forms
    verifier = code_form[-1][1]
    assert code_form == [
        ("grant_type", "authorization_code"),
        ("client_id", "app_EMoamEEZ73f0CkXaXp7hrann"),
        ("code", CODE),
        ("redirect_uri", f"http://127.0.0.1:{login.port}/auth/callback"),
        ("code_verifier", verifier),
    ]
    assert parse_qs(urlsplit(login.auth_url).query)["code_challenge"] == [challenge(verifier)]
    assert len(verifier) == 86
    assert key_form == [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("client_id", "app_EMoamEEZ73f0CkXaXp7hrann"),
        ("requested_token", "openai-api-key"),
        ("subject_token", ID_TOKEN),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
    ]
    assert provider.bodies[0].startswith(
        b"grant_type=authorization_code&client_id=app_EMoamEEZ73f0CkXaXp7hrann&code=canary-code-4%2F0AbC.d~e"
        b"&redirect_uri=http%3A%2F%2F127.0.0.1%3A"
    )

    stored = json.loads(store.path.read_bytes())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", stored.pop("last_refresh"))
    origin = {"issuer": provider.url, "client_id": "app_EMoamEEZ73f0CkXaXp7hrann"}
    assert list(stored.items()) == [
        ("auth_mode", "chatgpt"),
        ("OPENAI_API_KEY", API_KEY),
        ("tokens", {**TOKENS, "account_id": "acc-1", "oauth_provenance": origin}),
    ]
    assert list(stored["tokens"]) == ["id_token", "access_token", "refresh_token", "account_id", "oauth_provenance"]
    assert credentials == store.load()
    assert credentials.auth_mode == AuthMode.CHATGPT
    assert progress.names == [
        "binding",
        "listening",
        "callback_received",
        "exchanging_code",
        "exchanging_api_key",
        "saving_credentials",
        "succeeded",
    ]


def test_a_login_without_an_api_key(provider: ScriptedProvider, progress: Progress) -> None:
    store = MemoryStore()
    options = provider.options(provider=provider.provider(exchanges_api_key=False))
    with start_login(options, store=store, on_progress=progress) as login:
        Browser(login.auth_url).finish()
        credentials = login.wait()
    assert len(provider.forms) == 1
    assert credentials.api_key is None
    assert credentials.tokens is not None
    assert credentials.tokens.access_token == Secret(ACCESS_TOKEN)
    assert credentials.tokens.refresh_token == Secret(REFRESH_TOKEN)
    assert credentials.tokens.account_id == "acc-1"
    assert store.credentials is credentials
    assert "exchanging_api_key" not in progress.names


@pytest.mark.parametrize("answer", [reply({"error": "no"}, 400), reply(b"nope"), reply({"access_token": ""})])
def test_an_api_key_that_is_refused_does_not_fail_the_login(
    provider: ScriptedProvider, progress: Progress, answer: object
) -> None:
    provider.answers[1] = answer  # type: ignore[call-overload]
    with start_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
        Browser(login.auth_url).finish()
        credentials = login.wait()
    assert credentials.api_key is None
    assert progress.names[-4:] == ["exchanging_api_key", "api_key_unavailable", "saving_credentials", "succeeded"]


def test_an_api_key_that_does_not_come_in_time(
    provider: ScriptedProvider, progress: Progress, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loginmachine.sansio.oauth.token_requests.API_KEY_EXCHANGE_TIMEOUT", 0.1)
    provider.answers[1] = provider.hang
    with start_login(provider.options(), store=MemoryStore(), on_progress=progress) as login:
        Browser(login.auth_url).finish()
        assert login.wait().api_key is None
    assert "api_key_unavailable" in progress.names


def test_the_time_of_one_exchange_does_not_end_the_next(
    provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loginmachine.sansio.oauth.token_requests.TOKEN_EXCHANGE_TIMEOUT", 20.0)
    monkeypatch.setattr("loginmachine.sansio.oauth.token_requests.API_KEY_EXCHANGE_TIMEOUT", 60.0)
    clock, key = Clock(monkeypatch), provider.answers[1]

    def late() -> Response:
        # When the time of the code exchange would be up; that of the API-key exchange is not.
        clock.jump(21.0)
        return key()

    provider.answers[1] = late
    with start_login(provider.options(), store=MemoryStore()) as login:
        Browser(login.auth_url).finish()
        assert login.wait().api_key == Secret(API_KEY)


def test_the_authorization_request(provider: ScriptedProvider) -> None:
    options = provider.options(allowed_workspaces=("acc-1", "acc-2"))
    with start_login(options, store=MemoryStore()) as login:
        endpoint, _, query = login.auth_url.partition("?")
        fields = parse_qs(query)
    assert endpoint == f"{provider.url}/oauth/authorize"
    assert list(fields) == [
        *("response_type", "client_id", "redirect_uri", "code_challenge", "code_challenge_method", "state", "scope"),
        *("id_token_add_organizations", "codex_cli_simplified_flow", "originator", "allowed_workspace_id"),
    ]
    assert fields["redirect_uri"] == [f"http://127.0.0.1:{login.port}/auth/callback"]
    assert fields["client_id"] == [CLIENT_ID]
    assert fields["allowed_workspace_id"] == ["acc-1,acc-2"]
    assert len(fields["state"][0]) == 43


def test_no_two_logins_share_a_secret(provider: ScriptedProvider) -> None:
    with (
        start_login(provider.options(), store=MemoryStore()) as one,
        start_login(provider.options(), store=MemoryStore()) as other,
    ):
        fields = [parse_qs(urlsplit(login.auth_url).query) for login in (one, other)]
    for name in ("state", "code_challenge", "redirect_uri"):
        assert fields[0][name] != fields[1][name]


def test_two_logins_at_once(provider: ScriptedProvider) -> None:
    provider.answers = [reply({**TOKENS, "access_token": ACCESS_TOKEN})] * 2
    options = provider.options(provider=provider.provider(exchanges_api_key=False))
    with (
        start_login(options, store=MemoryStore()) as one,
        start_login(options, store=MemoryStore()) as other,
    ):
        browsers = [Browser(login.auth_url) for login in (one, other)]
        threads = [threading.Thread(target=browser.finish) for browser in browsers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
        assert one.wait().tokens == other.wait().tokens
    assert sorted(form[3][1] for form in provider.forms) == sorted(browser.redirect_uri for browser in browsers)


def test_localhost_as_the_redirect_host(provider: ScriptedProvider) -> None:
    with start_login(provider.options(redirect_host="localhost"), store=MemoryStore()) as login:
        browser = Browser(login.auth_url)
        assert browser.redirect_uri == f"http://localhost:{login.port}/auth/callback"
        browser.finish()
        login.wait()
    assert provider.forms[0][3] == ("redirect_uri", browser.redirect_uri)


def test_localhost_answers_on_both_addresses(provider: ScriptedProvider) -> None:
    with start_login(provider.options(redirect_host="localhost"), store=MemoryStore()) as login:
        for host in ("localhost", "[::1]", "127.0.0.1"):
            request = f"GET /favicon.ico HTTP/1.1\r\nHost: {host}:{login.port}\r\n\r\n".encode()
            for address in ("127.0.0.1", "::1"):
                try:
                    answer = raw(login.port, request, address)
                except OSError:
                    pytest.skip("this machine has no IPv6 loopback address")
                assert parse_reply(answer).status == 404


# wait and outcome


def test_waiting_twice_and_afterwards(provider: ScriptedProvider) -> None:
    with start_login(provider.options(), store=MemoryStore()) as login:
        Browser(login.auth_url).finish()
        first = login.wait()
        assert login.wait(timeout=0) is first
    assert login.wait() is first
    assert isinstance(login.outcome, LoginSuccess)
    assert login.outcome.account.email == "ada@example.org"
    assert (login.port > 0, login.auth_url.startswith(provider.url)) == (True, True)


def test_waiting_for_a_time_only(provider: ScriptedProvider) -> None:
    with start_login(provider.options(), store=MemoryStore()) as login:
        for timeout in (0, 0.01):
            with pytest.raises(TimeoutError, match="the login is still running"):
                login.wait(timeout=timeout)
        Browser(login.auth_url).finish()
        login.wait(timeout=PATIENCE)


def test_the_result_does_not_wait_for_the_last_page(provider: ScriptedProvider) -> None:
    store = MemoryStore()
    with start_login(provider.options(), store=store) as login:
        browser = Browser(login.auth_url)
        assert browser.callback().status == 302
        assert login.wait() is store.credentials
        # The listener stays for it all the same; and the callback may come again.
        assert browser.callback().status == 302
        assert b"You are signed in" in browser.follow().body
        assert browser.follow().status == 200
    assert len(provider.forms) == 2


def test_a_very_long_deadline(provider: ScriptedProvider) -> None:
    with start_login(provider.options(deadline=1e12), store=MemoryStore()) as login:
        Browser(login.auth_url).finish()
        login.wait(PATIENCE)


def test_no_deadline(provider: ScriptedProvider) -> None:
    with start_login(provider.options(deadline=None), store=MemoryStore()) as login:
        Browser(login.auth_url).finish()
        login.wait(PATIENCE)


# Observers and loggers


def test_an_exception_of_on_progress_is_logged(provider: ScriptedProvider, caplog: pytest.LogCaptureFixture) -> None:
    def observer(phase: LoginPhase) -> None:
        raise ValueError(f"canary {phase.name}")

    with start_login(provider.options(), store=MemoryStore(), on_progress=observer) as login:
        Browser(login.auth_url).finish()
        login.wait(PATIENCE)
    warnings = [record.getMessage() for record in caplog.records if record.name == "loginmachine"]
    assert warnings[0] == "on_progress raised ValueError in phase binding"
    assert len(warnings) == 7
    assert "canary" not in "".join(warnings)


def test_on_progress_gets_the_url_and_a_text(provider: ScriptedProvider) -> None:
    seen: list[str] = []

    def observer(phase: LoginPhase) -> None:
        if phase.name == "listening":
            seen.extend((phase.url, phase.text))  # type: ignore[union-attr]

    with start_login(provider.options(), store=MemoryStore(), on_progress=observer) as login:
        assert seen == [login.auth_url, f"Waiting for the browser on port {login.port}."]
