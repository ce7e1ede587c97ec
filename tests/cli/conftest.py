"""A scripted provider over real HTTP, and the command as a child process."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from werkzeug import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_httpserver import HTTPServer

CODE, KEY, ACCESS, REFRESH = "canary-code", "canary-api-key", "canary-access-token", "canary-refresh-token"


def jwt(claims: dict[str, object]) -> str:
    def part(content: dict[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    return f"{part({'alg': 'none'})}.{part(claims)}.canary-signature"


ID_TOKEN = jwt(
    {
        "email": "ada@example.com",
        "https://api.openai.com/auth": {"chatgpt_account_id": "acc-1", "chatgpt_plan_type": "plus"},
    }
)


@dataclass
class ScriptedProvider:
    """Answers token requests as a test wants."""

    issuer: str
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    revoked: list[dict[str, str]] = field(default_factory=list)
    """What the revocation endpoint was asked."""
    revocation: int = 200
    """The status of its answer."""
    asked: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    """An answer of status 0 is given when this is set."""

    def answer(self, request: Request) -> Response:
        self.forms.append(request.form.to_dict())
        self.asked.set()
        status, body = self.answers.pop(0)
        if not status:
            self.released.wait(20)
        return Response(json.dumps(body), status=status or 200, content_type="application/json")

    def revoke(self, request: Request) -> Response:
        self.revoked.append(json.loads(request.get_data()))
        return Response(status=self.revocation)

    def will_sign_in(self) -> None:
        tokens = {"id_token": ID_TOKEN, "access_token": ACCESS, "refresh_token": REFRESH}
        self.answers += [(200, tokens), (200, {"access_token": KEY})]


@pytest.fixture
def provider(httpserver: HTTPServer) -> ScriptedProvider:
    scripted = ScriptedProvider(issuer=f"http://127.0.0.1:{httpserver.port}")
    httpserver.expect_request("/oauth/token", method="POST").respond_with_handler(scripted.answer)
    httpserver.expect_request("/oauth/revoke", method="POST").respond_with_handler(scripted.revoke)
    return scripted


class Command:
    """`loginmachine` as a child process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []

    def event(self, name: str) -> dict[str, Any]:
        """Read standard output up to the next event of this name."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.events.append(json.loads(line))
            if self.events[-1]["event"] == name:
                return self.events[-1]
        raise AssertionError(f"the command ended without the event {name}: {self.events}")

    def end(self) -> tuple[int, str]:
        """Wait for the end: exit code, and all of standard error."""
        out, err = self.process.communicate(timeout=30)
        self.events += [json.loads(line) for line in out.splitlines()]
        return self.process.returncode, err


def environment(**extra: str) -> dict[str, str]:
    """This environment, without what would change the command's defaults."""
    dropped = ("CODEX_", "OPENAI_", "BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "NO_COLOR")
    return {**{key: value for key, value in os.environ.items() if not key.startswith(dropped)}, **extra}


@contextmanager
def run(*arguments: str, **extra: str) -> Iterator[Command]:
    process = subprocess.Popen(
        [sys.executable, "-m", "loginmachine", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(**extra),
    )
    try:
        with process:
            try:
                yield Command(process)
            finally:
                if process.poll() is None:
                    process.kill()
    finally:
        process.wait()


def login(home: Path, issuer: str, *more: str, **extra: str) -> Any:
    arguments = ["--json", "--no-browser", "--port", "0", "--home", str(home), "--issuer", issuer, *more]
    return run("login", *arguments, **extra)


def callback_url(url: str, **parameters: str) -> str:
    """Where the provider would send the browser; the right state unless another is given."""
    query = parse_qs(urlsplit(url).query)
    return f"{query['redirect_uri'][0]}?{urlencode({'state': query['state'][0], **parameters})}"


def browse(url: str) -> tuple[int, str]:
    """GET as a browser would, redirects followed: status and page."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=20) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
