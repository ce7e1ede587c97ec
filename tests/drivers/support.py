"""Clients, values and small tools for the tests of the drivers. They use nothing of the code under test."""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import struct
import threading
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import pytest
    import trustme

    from loginmachine.sansio.login.progress import LoginPhase

PATIENCE = 5.0
"""Seconds after which a test gives up. Code that works needs much less."""

_NOT_EPHEMERAL = range(20_000, 32_768)
"""Ports below those that systems choose for connections, on Linux from 32768."""

CODE = "canary-code-4/0AbC.d~e"
REFRESH_TOKEN = "canary-refresh-token"
API_KEY = "sk-canary-api-key"
CLIENT_ID = "app_EMoamEEZ73f0CkXaXp7hrann"
NAMESPACE = "https://api.openai.com/auth"
ACCOUNT_CLAIMS: dict[str, Any] = {"chatgpt_account_id": "acc-1", "chatgpt_plan_type": "pro"}


def jwt(claims: dict[str, Any], signature: str = "c2lnbmF0dXJl") -> str:
    """Return a JWT with this payload. Its signature is never checked."""
    payload = urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJSUzI1NiJ9.{payload}.{signature}"


ID_TOKEN = jwt({"email": "ada@example.org", NAMESPACE: ACCOUNT_CLAIMS}, "canary-id-token")
ACCESS_TOKEN = jwt({NAMESPACE: {"chatgpt_plan_type": "plus"}}, "canary-access-token")
TOKENS = {"id_token": ID_TOKEN, "access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN}
CANARIES = (CODE, quote(CODE, safe=""), "canary-id-token", "canary-access-token", REFRESH_TOKEN, API_KEY)
"""Secrets that must not be shown anywhere. (A login's own `state`, from its URL, is another.)"""


class Reply(NamedTuple):
    """An HTTP answer as a browser reads it."""

    status: int
    headers: dict[str, str]
    body: bytes


def parse_reply(data: bytes) -> Reply:
    """Parse a complete response."""
    head, _, body = data.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("ascii").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Reply(int(status_line.split(" ")[1]), headers, body)


def connect(port: int, host: str = "127.0.0.1") -> socket.socket:
    """Return the connection of a client."""
    return socket.create_connection((host, port), timeout=PATIENCE)


def read_to_end(client: socket.socket) -> bytes:
    """Return all bytes until the other side closes."""
    received = bytearray()
    while data := client.recv(65536):
        received += data
    return bytes(received)


def raw(port: int, data: bytes, host: str = "127.0.0.1") -> bytes:
    """Send bytes, and return all bytes that are received."""
    with connect(port, host) as client:
        client.sendall(data)
        return read_to_end(client)


def reset(client: socket.socket) -> None:
    """Leave with a TCP reset."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


class Browser:
    """The person's browser, for one login. It knows only the authorization URL."""

    def __init__(self, auth_url: str) -> None:
        self.auth_url = auth_url
        query = parse_qs(urlsplit(auth_url).query)
        (self.redirect_uri,), (self.state,) = query["redirect_uri"], query["state"]
        parts = urlsplit(self.redirect_uri)
        assert parts.port is not None
        self.port, self.path = parts.port, parts.path
        self.last_page = ""
        """Where the last redirect led; empty before."""

    def request_bytes(self, target: str, method: str = "GET", **headers: str) -> bytes:
        fields = {"Host": f"127.0.0.1:{self.port}", **{name.replace("_", "-"): text for name, text in headers.items()}}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode()

    def request(self, target: str, method: str = "GET", **headers: str) -> Reply:
        reply = parse_reply(raw(self.port, self.request_bytes(target, method, **headers)))
        self.note_redirect(reply)
        return reply

    def read(self, client: socket.socket) -> Reply:
        """Return the whole response on a connection."""
        reply = parse_reply(read_to_end(client))
        self.note_redirect(reply)
        return reply

    def note_redirect(self, reply: Reply) -> None:
        """Remember the address of the success page, if a response redirects there."""
        self.last_page = reply.headers.get("location", self.last_page)

    def target(self, query: str | None = None) -> str:
        """Return the target of a callback. In a query that is given, ``{state}`` is filled in."""
        text = f"code={quote(CODE, safe='')}&state={{state}}" if query is None else query
        return f"{self.path}?{text.format(state=self.state)}"

    def callback(self, query: str | None = None) -> Reply:
        return self.request(self.target(query))

    def finish(self) -> Reply:
        """Bring the code, follow the redirect, return the last page."""
        redirect = self.callback()
        assert redirect.status == 302
        return self.follow()

    def follow(self) -> Reply:
        """Request the page to which the last redirect led."""
        assert self.last_page.startswith("/success/")
        return self.request(self.last_page)

    def callback_bytes(self) -> bytes:
        return self.request_bytes(self.target())


class Progress:
    """An observer that remembers, and lets others wait for a phase."""

    def __init__(self) -> None:
        self.phases: list[LoginPhase] = []
        self._condition = threading.Condition()

    def __call__(self, phase: LoginPhase) -> None:
        with self._condition:
            self.phases.append(phase)
            self._condition.notify_all()

    @property
    def names(self) -> list[str]:
        return [phase.name for phase in self.phases]

    @property
    def problems(self) -> list[tuple[str, str, bool]]:
        """The step, the category and `fatal` of each reported problem."""
        failed = (phase for phase in self.phases if phase.name == "failed")
        return [(phase.step, phase.category, phase.fatal) for phase in failed]  # type: ignore[union-attr]

    def wait_for(self, name: str, count: int = 1, timeout: float = PATIENCE) -> None:
        with self._condition:
            assert self._condition.wait_for(lambda: self.names.count(name) >= count, timeout), self.names


def free_port() -> int:
    """Return a free port.

    It is not one that the system would choose, because the system could use that for a connection of another test.
    """
    while True:
        port = secrets.choice(_NOT_EPHEMERAL)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


def eventually(is_so: Callable[[], bool], timeout: float = PATIENCE) -> bool:
    """Wait for what another thread is about to do."""
    pause = threading.Event()
    for _ in range(int(timeout / 0.002)):
        if is_so():
            return True
        pause.wait(0.002)
    return is_so()


def trust_only(authority: trustme.CA, folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """Configure an authority's bundle in one of the variables."""
    path = folder / "bundle.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv(variable, str(path))
