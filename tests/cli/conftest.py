"""A scripted provider over real HTTP, and the command as a child process or in this process."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from werkzeug import Request, Response

from loginmachine.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pytest_httpserver import HTTPServer

NOWHERE = os.path.join(tempfile.gettempdir(), "loginmachine-tests-have-no-such-folder")  # noqa: PTH118 - a text
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
    """A provider whose token and revocation responses are set by the test."""

    issuer: str
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    forms: list[dict[str, str]] = field(default_factory=list)
    revoked: list[dict[str, str]] = field(default_factory=list)
    """The bodies of revocation requests."""
    revocation: int = 200
    """The status of the response to a revocation request."""
    asked: threading.Event = field(default_factory=threading.Event)
    released: threading.Event = field(default_factory=threading.Event)
    """A response with status 0 waits until this is set, and is then sent with status 200."""

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
    """A running child process, and the JSON lines read from it."""

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
        """Wait for the end, and return the exit code and standard error."""
        out, err = self.process.communicate(timeout=30)
        self.events += [json.loads(line) for line in out.splitlines()]
        return self.process.returncode, err


def environment(**extra: str) -> dict[str, str]:
    """Return the environment without variables that change the command's behaviour, and with `extra`."""
    dropped = (
        *("LOGINMACHINE_", "CODEX_", "OPENAI_", "BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "NO_COLOR", "COLUMNS"),
        *("CI", "SSH_", "FORCE_HYPERLINK", "TERM_PROGRAM", "VTE_VERSION", "KITTY_", "WT_", "KONSOLE_", "WEZTERM_"),
    )
    kept = {key: value for key, value in os.environ.items() if not key.startswith(dropped)}
    # The accounts and the configuration of the person who runs the tests are not read.
    return {**kept, "XDG_STATE_HOME": NOWHERE, "XDG_CONFIG_HOME": NOWHERE, **extra}


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


def as_bytes(given: str | bytes) -> bytes:
    return given.encode() if isinstance(given, str) else given


def started(*arguments: str, given: str | bytes = b"", **extra: str) -> tuple[int, str, str]:
    """Run the command as a child process, and return its exit code, standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "loginmachine", *arguments],
        input=as_bytes(given),
        capture_output=True,
        env=environment(**extra),
        timeout=50,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def called_for_bytes(*arguments: str, given: str | bytes = b"", **extra: str) -> tuple[int, bytes, str]:
    """Do the same as `called`, but return standard output as bytes."""
    with ExitStack() as stack:
        stdin, stdout, stderr = (
            stack.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="backslashreplace", newline=""))
            for _ in range(3)
        )
        stdin.buffer.write(as_bytes(given))
        stdin.seek(0)
        stack.enter_context(mock.patch.dict(os.environ, environment(**extra), clear=True))
        stack.enter_context(mock.patch.multiple(sys, stdin=stdin, stdout=stdout, stderr=stderr))
        code: object
        try:
            code = main(arguments)
        except SystemExit as end:
            # argparse ends the process like this.
            code = end.code
        assert isinstance(code, int)
        stdout.seek(0)
        stderr.seek(0)
        return code, bytes(stdout.buffer.read()), stderr.read()


def called(*arguments: str, given: str | bytes = b"", **extra: str) -> tuple[int, str, str]:
    """Run the command in this process, and return its exit code, standard output and standard error.

    This is many times faster than `started`. Use `started` or `run` for signals, pipes, encodings and imports, and once
    for each command.
    """
    code, out, err = called_for_bytes(*arguments, given=given, **extra)
    return code, out.decode(), err


def login(home: Path, issuer: str, *more: str, **extra: str) -> Any:
    arguments = [
        "--json",
        "--no-browser",
        "--port",
        "0",
        "--home",
        str(home),
        "--provider",
        "codex",
        "--issuer",
        issuer,
        *more,
    ]
    return run("login", *arguments, **extra)


def callback_url(url: str, **parameters: str) -> str:
    """Return the URL to which the provider would redirect the browser, by default with the right state."""
    query = parse_qs(urlsplit(url).query)
    return f"{query['redirect_uri'][0]}?{urlencode({'state': query['state'][0], **parameters})}"


def browse(url: str) -> tuple[int, str]:
    """Open a URL, follow redirects, and return the status and the page."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=20) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
