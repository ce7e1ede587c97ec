"""The automatic browser of the demo."""

from __future__ import annotations

import logging
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pytest

from loginmachine.demo.browser import BrowsingError, sign_in

from .support import (
    EMAIL,
    PASSWORD,
    REQUEST,
    STATE,
    VERIFIER,
    Person,
    client_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginmachine.demo.server import DemoProvider


class _Callback(BaseHTTPRequestHandler):
    server: _Program

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        if self.path == "/success":
            page = b"<!doctype html><title>x</title><h1>You are <em>signed</em> in</h1><h1>no</h1>"
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page)
            return
        status, location = self.server.answer
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class _Program(HTTPServer):
    """A program with a callback listener."""

    answer: tuple[int, str] = (302, "/success")

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Callback)
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.callback = f"http://127.0.0.1:{self.server_port}/auth/callback"


@pytest.fixture
def program() -> Iterator[_Program]:
    with _Program() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def authorization_url(provider: DemoProvider, program: _Program, **changes: str) -> str:
    return f"{provider.issuer}/oauth/authorize?{urlencode({**REQUEST, 'redirect_uri': program.callback, **changes})}"


def test_the_automatic_browser_signs_in(provider: DemoProvider, program: _Program, person: Person) -> None:
    url = authorization_url(provider, program)
    assert sign_in(url, email=EMAIL, password=PASSWORD) == "You are signed in"
    (target, headers), (last, _) = program.requests
    assert urlsplit(target).path == "/auth/callback"
    assert last == "/success"
    query = parse_qs(urlsplit(target).query)
    assert query["state"] == [STATE]
    assert person.redeem(query["code"][0], redirect_uri=program.callback).status_code == 200
    assert headers["User-Agent"].startswith("Mozilla/5.0 ")
    assert headers["Accept"].startswith("text/html")
    assert headers["Sec-Fetch-Mode"] == "navigate"
    assert headers["Sec-Fetch-Dest"] == "document"
    assert headers["Sec-Fetch-Site"] == "same-site"
    assert "Cookie" not in headers


def test_the_automatic_browser_uses_no_proxy(
    provider: DemoProvider, program: _Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert sign_in(authorization_url(provider, program), email=EMAIL, password=PASSWORD)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((400, ""), r"/auth/callback answered with status 400$"),
        ((302, "http://example.com/?code=1"), "leads away from this computer$"),
        ((302, "https://127.0.0.1/"), "leads away from this computer$"),
        ((302, "/auth/callback"), "/auth/callback redirects without end$"),
        ((302, "http://127.0.0.1:1/x?code=secret"), r"no answer from 127\.0\.0\.1:1/x \(ConnectError\)$"),
    ],
)
def test_the_automatic_browser_reports_failures(
    provider: DemoProvider, program: _Program, answer: tuple[int, str], words: str
) -> None:
    program.answer = answer
    with pytest.raises(BrowsingError, match=words) as caught:
        sign_in(authorization_url(provider, program), email=EMAIL, password=PASSWORD)
    assert caught.value.__context__ is None
    assert PASSWORD not in str(caught.value)


def test_the_automatic_browser_does_not_resend_its_form(
    provider: DemoProvider, program: _Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = httpx.Client.request

    def moved(client: httpx.Client, method: str, url: str, **options: Any) -> httpx.Response:
        response = send(client, method, url, **options)
        response.status_code = 307 if response.status_code == 302 else response.status_code
        return response

    monkeypatch.setattr(httpx.Client, "request", moved)
    with pytest.raises(BrowsingError, match=r"/oauth/authorize asks to send the form elsewhere$"):
        sign_in(authorization_url(provider, program), email=EMAIL, password=PASSWORD)
    assert program.requests == []


def test_the_automatic_browser_needs_a_form(provider: DemoProvider, program: _Program) -> None:
    with pytest.raises(BrowsingError, match=r"^no login form at 127\.0\.0\.1:\d+/success$"):
        sign_in(f"{program.callback}?x=1", email=EMAIL, password=PASSWORD)
    with pytest.raises(BrowsingError, match=r"/oauth/authorize answered with status 400$"):
        sign_in(authorization_url(provider, program, client_id="other"), email=EMAIL, password=PASSWORD)


def test_no_secret_is_logged(
    provider: DemoProvider, program: _Program, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    state = "a-state-to-look-for"
    sign_in(authorization_url(provider, program, state=state), email=EMAIL, password=PASSWORD)
    code = parse_qs(urlsplit(program.requests[0][0]).query)["code"][0]
    with client_of(provider) as client:
        tokens = Person(client).redeem(code, redirect_uri=program.callback).json()
        renewed = Person(client).refresh(tokens["refresh_token"]).json()
        key = Person(client).exchange(renewed["id_token"]).json()["access_token"]
    assert "Issue token" in caplog.text  # Authlib logs them at DEBUG
    output = "".join((caplog.text, *capfd.readouterr()))
    names = ("access_token", "refresh_token", "id_token")
    secrets = [PASSWORD, code, state, VERIFIER, key, *(answer[name] for answer in (tokens, renewed) for name in names)]
    assert [secret for secret in secrets if secret in output] == []
