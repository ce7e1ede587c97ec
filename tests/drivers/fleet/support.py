"""A real Redis server, started by the tests on a Unix socket."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ..support import eventually

if TYPE_CHECKING:
    import signal
    from collections.abc import Iterator

PROGRAM = shutil.which("redis-server")
PATIENCE = 20.0
"""Seconds that a server or a program of a test may take while other programs use every processor."""


class RedisServer:
    """One server, in a folder with a short name: the path of a socket has at most 107 bytes.

    Args:
        options: Options of ``redis-server``.
    """

    def __init__(self, *options: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="redis"))
        self.path = self.folder / "socket"
        self.url = f"unix://{self.path}"
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert PROGRAM is not None
        fixed = ("--port", "0", "--unixsocket", str(self.path), "--dir", str(self.folder), "--save", "")
        self._process = subprocess.Popen(
            [PROGRAM, *fixed, *self._options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        assert eventually(self.answers, PATIENCE)

    def answers(self) -> bool:
        try:
            with self.client() as client:
                client.ping()
        except redis.AuthenticationError:
            return True
        except (redis.RedisError, OSError):
            return False
        return True

    def client(self) -> Any:
        """Return a client of the test's own."""
        return redis.Redis(unix_socket_path=str(self.path), socket_timeout=PATIENCE, retry=Retry(NoBackoff(), 0))

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self.path.unlink(missing_ok=True)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder)


def running(*options: str) -> Iterator[RedisServer]:
    with RedisServer(*options) as server:
        yield server


def end_lease(server: RedisServer, name: str) -> bool:
    """Do what time does to a lease that is not renewed. Return whether there was one."""
    with server.client() as client:
        return bool(client.delete(f"loginmachine:{{{name}}}:lease"))
