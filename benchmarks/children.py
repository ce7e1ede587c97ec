"""The programs that are compared, as child processes that are watched from outside."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import parse_qs, urlsplit

if TYPE_CHECKING:
    from types import TracebackType

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
PATIENCE = 60.0
"""Seconds after which a program is taken for hanging."""
_DROPPED = ("PYTHON", "SSL_", "CODEX_", "REQUESTS_", "CURL_", "BROWSER", "DISPLAY", "WAYLAND_")
_HEADERS = (
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0\r\n"
    b"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n"
    b"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en\r\nConnection: keep-alive\r\n"
    b"Sec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Site: cross-site\r\n"
    b"Upgrade-Insecure-Requests: 1\r\n\r\n"
)


def environment(**extra: str) -> dict[str, str]:
    """Return this environment without variables that change a program's start or trust (`PYTHONDONTWRITEBYTECODE`)."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_DROPPED) and "proxy" not in name.lower()
    }
    return {**kept, **extra}


@dataclass(frozen=True)
class Program:
    """How one of the compared programs is started."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=environment)
    says: str = ""
    """Of programs that answer the browser before they ask for tokens: the line that says that they have them."""


def script(
    name: str, module: str, *arguments: str, python: str = sys.executable, says: str = "", **extra: str
) -> Program:
    """Return a program of the folder `programs`. It runs from byte code, as an installed one does."""
    command = [python, "-c", f"import {module}; {module}.main()", *arguments]
    return Program(name, command, environment(PYTHONPATH=str(PROGRAMS), **extra), says)


class Child:
    """One run of a program, from its start."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._begin = time.perf_counter()
        self._process = subprocess.Popen(
            program.command,
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            env=program.environment,
        )
        # (Nothing here takes as long; a peer that hangs must not hang the whole run.)
        self._watchdog = threading.Timer(PATIENCE, self._process.kill)
        self._watchdog.start()
        self.url = ""
        self.redirect_uri = ""
        self.port = 0
        self._last_page = ""
        """The target to which the callback was redirected."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._watchdog.cancel()
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()

    def wait_for_url(self) -> float:
        """Milliseconds from the start to the URL."""
        self.url = self._wait_for_line("http")
        elapsed = time.perf_counter() - self._begin
        self.redirect_uri = parse_qs(urlsplit(self.url).query).get("redirect_uri", [""])[0]
        self.port = urlsplit(self.redirect_uri).port or 0
        return elapsed * 1000

    def wait_for_port(self) -> float:
        """Milliseconds from the start to the port that accepts. Spoils a program that serves one connection only."""
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port)):
                return (time.perf_counter() - self._begin) * 1000

    def call_back(self) -> float:
        """Milliseconds from the browser's connecting to the redirect (or, see `Program.says`, to the tokens)."""
        state = parse_qs(urlsplit(self.url).query)["state"][0]
        begin = time.perf_counter()
        with socket.create_connection(("127.0.0.1", self.port)) as browser:
            browser.sendall(self._request(f"{urlsplit(self.redirect_uri).path or '/'}?code=code-1&state={state}"))
            if self._program.says:
                self._wait_for_line(self._program.says)
                return (time.perf_counter() - begin) * 1000
            head = browser.recv(65536)
            elapsed = time.perf_counter() - begin
        if b" 302 " not in head.partition(b"\r\n")[0]:
            raise RuntimeError(f"{self._program.name} answered the callback with {head[:100]!r}")
        self._last_page = head.partition(b"\r\nLocation: ")[2].partition(b"\r\n")[0].decode("ascii")
        return elapsed * 1000

    def end(self) -> float:
        """Milliseconds from the last page, whole, to the end of the process."""
        if not self._program.says:
            with socket.create_connection(("127.0.0.1", self.port)) as browser:
                browser.sendall(self._request(self._last_page))
                while browser.recv(65536):
                    pass
        begin = time.perf_counter()
        if self._process.wait() != 0:
            raise RuntimeError(f"{self._program.name} ended with {self._process.returncode}")
        return (time.perf_counter() - begin) * 1000

    def memory(self) -> tuple[float, float] | None:
        """Resident memory now and at its peak, in MiB; None where the system does not report it."""
        try:
            lines = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii").splitlines()
        except OSError:
            return None
        sizes = {
            name: int(rest.split()[0]) / 1024
            for name, _, rest in (line.partition(":") for line in lines)
            if name.startswith("Vm")
        }
        return sizes["VmRSS"], sizes["VmHWM"]

    def _request(self, target: str) -> bytes:
        return f"GET {target} HTTP/1.1\r\nHost: {urlsplit(self.redirect_uri).netloc}\r\n".encode() + _HEADERS

    def _wait_for_line(self, beginning: str) -> str:
        assert self._process.stderr is not None
        said = b""
        for line in self._process.stderr:
            if line.startswith(beginning.encode()):
                return line.decode().strip()
            said += line
        raise RuntimeError(f"{self._program.name} ended without a line that begins with {beginning}: {said.decode()}")
