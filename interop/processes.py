"""Servers as processes: started, awaited, and always ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

PATIENCE = 120.0
"""Seconds after which a server that does not answer is taken for broken."""
_END = 10.0
"""Seconds to end in, before the process is killed."""
_PAUSE = 0.2


class ServerFailed(Exception):  # noqa: N818 - the server's failure, not ours
    """A server ended, or did not answer in time."""


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**extra: str) -> dict[str, str]:
    """Return this environment without what would change a program: proxies, Python's and this library's variables."""
    dropped = (
        "PYTHON",
        "CODEX_",
        "OPENAI_",
        "LOGINMACHINE_",
        "SSL_",
        "BROWSER",
        "DISPLAY",
        "WAYLAND_",
        "XDG_",
        "JAVA_",
    )
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(dropped) and "proxy" not in name.lower()
    }
    return {**kept, **extra}


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    *,
    folder: Path,
    ready: str,
    extra: Mapping[str, str] | None = None,
    document: str = "",
) -> Iterator[None]:
    """Run a server while the block runs. Its output is in `server.log` in the folder.

    Args:
        command: The program and its arguments.
        folder: The folder in which it runs.
        ready: An address that answers with less than status 500 when the server is ready.
        extra: Variables of its environment.
        document: What it reads from standard input.

    Raises:
        ServerFailed: It ended, or was not ready in time.
    """
    log = folder / "server.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=folder,
            env=environment(**(extra or {})),
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(document.encode())
            process.stdin.close()
        _wait_until_ready(process, ready, log)
        yield
    finally:
        _end(process)


def _wait_until_ready(process: subprocess.Popen[bytes], ready: str, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise ServerFailed(f"it ended with {process.returncode}: {_last_words(log)}")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(ready, timeout=5, trust_env=False).status_code < 500:
                return
        time.sleep(_PAUSE)
    raise ServerFailed(f"it was not ready after {PATIENCE:g} s: {_last_words(log)}")


def _last_words(log: Path) -> str:
    return " ".join(log.read_text(encoding="utf-8", errors="replace").split())[-300:]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and those that it started, which are in a group of their own."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_END)
