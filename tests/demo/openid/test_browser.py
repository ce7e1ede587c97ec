"""The pages of the OpenID provider with the automatic browser of the demo."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from loginmachine.demo.browser import sign_in

from ..support import PASSWORD, claims
from .support import STATE, Program, fields_of

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Listener(HTTPServer):
    """A program's callback listener."""

    received: dict[str, str]

    def __init__(self, host: str) -> None:
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, 0), _Handler)
        name = f"[{host}]" if ":" in host else host
        self.address = f"http://{name}:{self.server_port}/auth/callback"


class _Handler(BaseHTTPRequestHandler):
    server: _Listener

    def do_GET(self) -> None:
        if self.path.startswith("/auth/callback"):  # not a browser's icon
            self.server.received = fields_of(self.path)
        assert self.headers.get("Cookie") is None
        content = b"<h1>Signed in</h1>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def listening(host: str) -> Iterator[_Listener]:
    with _Listener(host) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def listener() -> Iterator[_Listener]:
    with listening("127.0.0.1") as server:
        yield server


def authorization_url(program: Program, listener: _Listener) -> str:
    parameters = program.parameters({"redirect_uri": listener.address})
    return f"{program.url('authorization_endpoint')}?{urlencode(parameters)}"


def test_the_automatic_browser_signs_in(program: Program, listener: _Listener) -> None:
    assert sign_in(authorization_url(program, listener), email="grace@example.com", password=PASSWORD) == "Signed in"
    assert (listener.received["state"], listener.received["iss"]) == (STATE, program.provider.issuer)
    tokens = program.redeem(listener.received["code"], redirect_uri=listener.address).json()
    assert claims(tokens["id_token"])["email"] == "grace@example.com"


def test_the_automatic_browser_enters_a_device_code(program: Program) -> None:
    found = program.device(scope="openid email").json()
    heading = sign_in(found["verification_uri_complete"], email="grace@example.com", password=PASSWORD)
    assert heading == "You are signed in"
    tokens = program.poll(found["device_code"]).json()
    assert claims(tokens["id_token"])["email"] == "grace@example.com"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_chromium_follows_the_form_to_the_callback(program: Program, host: str) -> None:
    from ...e2e.test_chromium import browser_page  # skips without Chromium

    with listening(host) as listener, browser_page() as page:
        errors: list[str] = []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.goto(authorization_url(program, listener))
        page.get_by_label("Email").fill("grace@example.com")
        page.get_by_label("Password").fill("any")
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/auth/callback*")
        assert page.get_by_role("heading").text_content() == "Signed in"
        assert [text for text in errors if "Content Security Policy" in text] == []
        code = listener.received["code"]
        assert program.redeem(code, redirect_uri=listener.address).status_code == 200
