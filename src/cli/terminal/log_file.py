"""The log file for support: when each phase was reached, with fields that hold nothing personal."""

from __future__ import annotations

import contextlib
import os
import time

from ...drivers.files import PLAIN, make_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Final, Self

    from ...sansio.login.progress import LoginPhase

_REVIEWED: Final = {
    "port": "port",
    "attempt": "attempt",
    "step": "phase",
    "category": "category",
    "fatal": "fatal",
    "message": "message",
    **{name: name for name in ("has_code", "has_state", "has_error", "state_valid", "accepted")},
}
"""The fields of a phase that may be logged, and their keys in the log file.

The URL, the email address and the account are not among them.
"""


_LARGEST: Final = 1_048_576
"""Bytes after which a new file is begun. The full one is kept until the next is full."""
_EXCHANGES: Final = {"exchanging_code": "code", "exchanging_api_key": "API key"}
"""Phases that begin an exchange, and what is exchanged."""
_EXCHANGE_ENDS: Final = ("exchanging_api_key", "api_key_unavailable", "saving_credentials", "cancelled")
"""Phases that end the exchange before them. So does a failure that ends the login."""


class LogFile:
    """A file in the folder ``log`` of the home folder, with mode 0600. Errors in writing it are ignored.

    A file of 1 MiB is renamed when a login begins: ``.1`` is added to its name, in place of an older one. One login
    writes 1 MiB at most.

    Args:
        home: The home folder. It is created if it does not exist.
        name: The name of the file.
    """

    def __init__(self, home: str, name: str = "codex-login.log") -> None:
        self._name = name
        self._folder = os.path.join(home, "log")  # noqa: PTH118 - pathlib costs 5 ms at start-up
        self._descriptor: int | None = None
        self._begun: dict[str, float] = {}
        """When what is not over yet began: ``port``, ``exchange``, ``saving``; by the monotonic clock."""
        self._exchanged = ""
        self._room = _LARGEST
        """Bytes that this login may still write: other programs can make it log callbacks without end."""

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):
            _make_private(os.path.dirname(self._folder))  # noqa: PTH120
            _make_private(self._folder)
            path = os.path.join(self._folder, self._name)  # noqa: PTH118 - as above
            _put_aside(path)
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | PLAIN, 0o600)
            # An existing file may have another mode.
            make_private(self._descriptor)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def phase(self, phase: LoginPhase) -> None:
        """Write a phase, and the milestones that it shows: how long the port, the exchanges and storing took."""
        name = phase.name
        if name == "listening":
            self._milestone("port", "port_ready")
        if name in _EXCHANGE_ENDS or (name == "failed" and getattr(phase, "fatal", True)):
            self._milestone("exchange", f'exchange_ended of="{self._exchanged}"')
        if name == "succeeded":
            self._milestone("saving", "credentials_saved")
        values = phase.values()
        fields = [f'{key}="{_without_quotes(values[field])}"' for field, key in _REVIEWED.items() if field in values]
        self.note(" ".join([name, *fields]))
        if name == "binding":
            self._begun["port"] = time.monotonic()
        elif name in _EXCHANGES:
            self._exchanged = _EXCHANGES[name]
            self.note(f'exchange_started of="{self._exchanged}"')
            self._begun["exchange"] = time.monotonic()
        elif name == "saving_credentials":
            self._begun["saving"] = time.monotonic()

    def _milestone(self, begun: str, words: str) -> None:
        start = self._begun.pop(begun, None)
        if start is not None:
            self.note(f'{words} seconds="{time.monotonic() - start:.3f}"')

    def note(self, text: str) -> None:
        """Write a line, with the time and the process ID."""
        if self._descriptor is None:
            return
        now = time.time()
        timestamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        line = f"{timestamp}.{int(now % 1 * 1000):03}Z [{os.getpid()}] {text}\n".encode("utf-8", "replace")
        self._room -= len(line)
        if self._room >= 0:
            with contextlib.suppress(OSError):
                os.write(self._descriptor, line)


def _without_quotes(value: object) -> str:
    """Return a value in which no text from outside can look like another field."""
    return str(value).replace('"', "'")


def _put_aside(path: str) -> None:
    """Rename a full log. Another login that writes to it goes on there."""
    with contextlib.suppress(OSError):
        # (On Windows it cannot be renamed while Codex or another login writes to it.)
        if os.stat(path, follow_symlinks=False).st_size >= _LARGEST:  # noqa: PTH116 - as above
            os.replace(path, f"{path}.1")  # noqa: PTH105


def _make_private(folder: str) -> None:
    with contextlib.suppress(FileExistsError):
        os.makedirs(folder, mode=0o700)  # noqa: PTH103 - as above
        # The umask may have removed permissions that the owner needs.
        os.chmod(folder, 0o700)  # noqa: PTH101
