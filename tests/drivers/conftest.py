"""Fixtures for all tests of the drivers: nothing is left behind, and a scripted provider to sign in at."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import ssl
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
import trustme
from hypothesis import settings
from pytest_httpserver import HTTPServer
from werkzeug import Response

from loginmachine import LoginOptions, Provider
from loginmachine.sansio.server.dialect import Dialect

from .replies import reply
from .shared.session_support import TokenEndpoint
from .support import API_KEY, PATIENCE, TOKENS, Progress, eventually, raw

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from werkzeug import Request

settings.register_profile("drivers", database=None, deadline=None)
settings.load_profile("drivers")

_DESCRIPTORS = Path("/proc/self/fd")
_TASKS = Path("/proc/self/task")
_OUTSIDE = (
    *("CODEX_CA_CERTIFICATE", "SSL_CERT_FILE", "SSL_CERT_DIR", "BROWSER", "DISPLAY", "WAYLAND_DISPLAY"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
)


def open_files() -> set[tuple[str, str]]:
    """Return the descriptors of this process with their files; empty where the system does not show them."""
    found = set()
    for entry in _DESCRIPTORS.iterdir() if _DESCRIPTORS.exists() else ():
        try:
            found.add((entry.name, str(entry.readlink())))
        except OSError:
            # The one that lists the folder.
            continue
    return found


def children() -> set[str]:
    """Return the child processes that this process has not waited for."""
    found: set[str] = set()
    for task in _TASKS.iterdir() if _TASKS.exists() else ():
        # A thread may end meanwhile; not every system has this file.
        with contextlib.suppress(OSError):
            found.update((task / "children").read_text().split())
    return found


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxies, certificate bundles and browser of this machine from the environment."""
    for name in _OUTSIDE:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def nothing_left(clean_environment: None, identity_server: HTTPServer) -> Iterator[None]:
    """Check that no thread, descriptor or child process outlives its test."""
    del clean_environment, identity_server
    threads, files, processes = set(threading.enumerate()), open_files(), children()
    yield

    def is_clean() -> bool:
        return not set(threading.enumerate()) - threads and not open_files() - files

    # The end of a connection's thread is a moment behind the end of the connection, the provider's own included.
    if not eventually(is_clean, 0.5):
        gc.collect()
        eventually(is_clean)
    left_threads = [thread.name for thread in set(threading.enumerate()) - threads]
    left_files = open_files() - files
    assert not left_threads
    assert not left_files
    assert not children() - processes


@pytest.fixture(scope="session")
def identity_server() -> Iterator[HTTPServer]:
    """Run the provider's HTTP server, which all tests share."""
    server = HTTPServer("127.0.0.1", 0, threaded=True)
    server.start()
    yield server
    server.stop()


def forget(server: HTTPServer) -> None:
    """Remove the responses of a test, when the server has accepted every request of that test.

    A cancelled login may have sent one that is still on its way. It would get a response of the next test.
    """
    with contextlib.suppress(OSError):
        raw(server.port, b"GET / HTTP/1.0\r\n\r\n")
    server.clear()


class ScriptedProvider:
    """A provider with a token endpoint that sends the responses of a test, and records the requests.

    `answers` are sent one after the other. By default they are good tokens, then an API key.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.forms: list[list[tuple[str, str]]] = []
        self.bodies: list[bytes] = []
        self.answers: list[Callable[[], Response]] = [reply(TOKENS), reply({"access_token": API_KEY})]
        self.revoked: list[dict[str, str]] = []
        """The requests to the revocation endpoint."""
        self.revocation: Callable[[], Response] = reply(b"")
        self.asked = threading.Event()
        self.released = threading.Event()

    def handle(self, request: Request) -> Response:
        body = request.get_data()
        self.bodies.append(body)
        self.forms.append(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True))
        position = len(self.forms) - 1
        self.asked.set()
        return self.answers[position]()

    def revoke(self, request: Request) -> Response:
        self.revoked.append(json.loads(request.get_data()))
        return self.revocation()

    def hang(self) -> Response:
        """Respond when the test is over."""
        self.released.wait(PATIENCE)
        return Response(status=500)

    def hold(self) -> None:
        """Send the first response when `released` is set."""
        answer = self.answers[0]

        def when_released() -> Response:
            assert self.released.wait(PATIENCE)
            return answer()

        self.answers[0] = when_released

    def provider(self, **changes: object) -> Provider:
        """Return the provider of Codex at this server, with any callback port, and with changes."""
        provider = Provider.codex(issuer=self.url)
        dialect = {name: changes.pop(name) for name in tuple(changes) if name in Dialect._fields}
        changes.setdefault("dialect", provider.dialect.__replace__(**dialect))
        return provider.__replace__(**{"port": 0, "fallback_port": None, **changes})

    def options(self, **changes: Any) -> LoginOptions:
        """Return options that open no browser."""
        provider = changes.pop("provider", None) or self.provider()
        return LoginOptions(**{"provider": provider, "open_browser": False, "deadline": 60.0, **changes})


@pytest.fixture
def provider(identity_server: HTTPServer) -> Iterator[ScriptedProvider]:
    """Return a provider with responses that the test may change."""
    scripted = ScriptedProvider(identity_server.url_for("").rstrip("/"))
    identity_server.expect_request("/oauth/token", method="POST").respond_with_handler(scripted.handle)
    identity_server.expect_request("/oauth/revoke", method="POST").respond_with_handler(scripted.revoke)
    yield scripted
    scripted.released.set()
    forget(identity_server)


@pytest.fixture
def endpoint(identity_server: HTTPServer) -> Iterator[TokenEndpoint]:
    """Run a token endpoint that refreshes tokens, and an API that accepts them."""
    scripted = TokenEndpoint(identity_server)
    yield scripted
    scripted.released.set()
    forget(identity_server)


@pytest.fixture
def progress() -> Progress:
    """Return an observer that remembers the phases."""
    return Progress()


@pytest.fixture
def umask() -> Iterator[Callable[[int], int]]:
    """Set the umask for one test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


@pytest.fixture
def all_logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Capture all log records, DEBUG included."""
    caplog.set_level(logging.DEBUG)
    return caplog


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """Return a certificate authority that no machine trusts."""
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    """TLS for a server at 127.0.0.1, signed by `authority`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context
