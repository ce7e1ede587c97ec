"""A token endpoint and an API for the tests of the sessions, and the credentials that they begin with."""

from __future__ import annotations

import json
import threading
import time
from typing import TYPE_CHECKING, Any

from werkzeug import Request, Response

from loginmachine import Credentials, FileStore, Provider, Secret, Tokens

from ..replies import reply
from ..support import PATIENCE, jwt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_httpserver import HTTPServer

CANARIES = ("canary-old", "canary-new", "canary-refresh", "canary-id-token")
DUE, OVER, LASTING = 60, -60, 86400
"""Seconds for which an access token lasts."""


def access_token(expires_in: float, mark: str) -> str:
    return jwt({"exp": int(time.time() + expires_in)}, f"canary-{mark}")


def credentials(expires_in: float, mark: str = "old") -> Credentials:
    tokens = Tokens(
        id_token=Secret("canary-id-token"),
        access_token=Secret(access_token(expires_in, mark)),
        refresh_token=Secret(f"canary-refresh-{mark}"),
        account_id="acc-1",
    )
    return Credentials(tokens=tokens, last_refresh="2026-01-01T00:00:00Z")


def token_of(stored: Credentials | None) -> str:
    assert stored is not None
    assert stored.tokens is not None
    return stored.tokens.access_token.reveal()


def mark_of(token: str) -> str:
    return token.rpartition("canary-")[2]


def signed_in(home: Path, expires_in: float, mark: str = "old") -> FileStore:
    """Return a home folder with tokens that last this long."""
    store = FileStore(home)
    store.save(credentials(expires_in, mark))
    return store


class TokenEndpoint:
    """A token endpoint that issues numbered tokens, and an API that accepts the newest access token only."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("").rstrip("/")
        self.api = f"{self.url}/api"
        self.provider = Provider.codex(issuer=self.url)
        self.bodies: list[dict[str, Any]] = []
        self.calls: list[tuple[str | None, bytes]] = []
        """The requests to the API: the Authorization header and the body of each."""
        self.scripted: list[Callable[[], Response]] = []
        """Responses that are sent first, one after the other."""
        self.accepted: str | None = None
        self.asked = threading.Event()
        self.released = threading.Event()
        self.released.set()
        self._lock = threading.Lock()
        server.expect_request("/oauth/token", method="POST").respond_with_handler(self.handle)
        server.expect_request("/api").respond_with_handler(self.handle_call)
        server.expect_request("/moved").respond_with_handler(lambda _: self.moved())

    @property
    def requests(self) -> int:
        return len(self.bodies)

    def handle(self, request: Request) -> Response:
        assert request.content_type == "application/json"
        with self._lock:
            self.bodies.append(json.loads(request.get_data()))
            number = len(self.bodies)
            scripted = self.scripted.pop(0) if self.scripted else None
        self.asked.set()
        # It is set at the end of the test at the latest.
        assert self.released.wait(4 * PATIENCE)
        if scripted is not None:
            return scripted()
        # Two requests may be answered at the same time.
        token = self.accepted = access_token(LASTING, f"new-{number}")
        return reply({"access_token": token, "refresh_token": f"canary-refresh-{number}"})()

    def handle_call(self, request: Request) -> Response:
        authorization = request.headers.get("Authorization")
        self.calls.append((authorization, request.get_data()))
        return Response(status=200 if authorization == f"Bearer {self.accepted}" else 401)

    def moved(self) -> Response:
        """Return a redirect to the same server under another name, which is another origin."""
        return Response(status=307, headers={"Location": self.api.replace("127.0.0.1", "localhost")})

    def hold(self) -> None:
        """Respond when `released` is set."""
        self.released.clear()
