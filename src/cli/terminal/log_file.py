"""The log that support asks for: when each phase was reached, reviewed fields only."""

from __future__ import annotations

import contextlib
import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Final, Self

    from ...sansio.login.progress import LoginPhase

_REVIEWED: Final = (
    *((name, name) for name in ("port", "attempt")),
    ("step", "phase"),
    *((name, name) for name in ("category", "fatal", "message")),
)
"""The fields that are logged, with their keys. Neither the URL nor the account is among them."""


class LogFile:
    """``log/codex-login.log`` in the home folder, mode 0600. A log that cannot be written harms nothing."""

    def __init__(self, home: str) -> None:
        self._folder = os.path.join(home, "log")  # noqa: PTH118 - pathlib costs 5 ms at start-up
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        with contextlib.suppress(OSError):
            _make_private(os.path.dirname(self._folder))  # noqa: PTH120
            _make_private(self._folder)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
            self._descriptor = os.open(os.path.join(self._folder, "codex-login.log"), flags, 0o600)  # noqa: PTH118
            # It may be an older one, with another mode.
            os.chmod(self._descriptor, 0o600)  # noqa: PTH101
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)

    def phase(self, phase: LoginPhase) -> None:
        """Note a phase."""
        values = phase.values()
        # (No text from outside may look like another field.)
        fields = [f'{key}="{str(values[name]).replace(chr(34), chr(39))}"' for name, key in _REVIEWED if name in values]
        self.note(" ".join([phase.name, *fields]))

    def note(self, text: str) -> None:
        """Write a line."""
        if self._descriptor is None:
            return
        now = time.time()
        moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now))
        line = f"{moment}.{int(now % 1 * 1000):03}Z [{os.getpid()}] {text}\n"
        with contextlib.suppress(OSError):
            os.write(self._descriptor, line.encode("utf-8", "replace"))


def _make_private(folder: str) -> None:
    with contextlib.suppress(FileExistsError):
        os.makedirs(folder, mode=0o700)  # noqa: PTH103 - as above
        # Whatever the umask: nobody could write into a folder that it made unwritable.
        os.chmod(folder, 0o700)  # noqa: PTH101
