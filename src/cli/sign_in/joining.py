"""Two sign-ins that want the same: the second can wait for the outcome of the first (``login --wait``).

A sign-in that waits holds a lock beside the credentials, named after what it wants. At its end it writes its outcome
into the file, and releases the lock. The end of a process releases it, too.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from ...drivers.errors import StoreBusy
from ...drivers.files import PLAIN
from ...drivers.stores.locks import is_held, locked
from ...sansio.base.text import clean_text
from ...sansio.login.outcome import LoginCancellation, LoginSuccess

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from ...sansio.login.outcome import LoginOutcome
    from ...sansio.model.options import LoginOptions

PREFIX: Final = "login-"
"""How the names of the locks begin."""
_PATIENCE: Final = 0.3
"""Seconds to wait for the lock of a sign-in that was asked to stop. Without it, this one cannot be joined."""
_POLL: Final = 0.2
_LONGEST: Final = 4096
"""The most bytes that are read of an outcome."""


class JoinedOutcome(NamedTuple):
    """How another sign-in has ended."""

    is_success: bool
    category: str | None
    """The kind of failure, if it is known."""
    message: str | None


class MeetingPoint:
    """The lock of the sign-ins that want the same: the same provider, client, account, scopes and store.

    Args:
        folder: The folder of the credentials.
        options: The options of the login.
        policy: Where credentials are stored: ``file``, ``keyring`` or ``auto``.
    """

    def __init__(self, folder: str, options: LoginOptions, policy: str) -> None:
        provider = options.provider
        wanted = (
            *(provider.name, provider.origin, provider.client_id, policy, options.login_hint, options.prompt),
            *(sorted(options.requested_scopes), sorted(options.required_scopes), sorted(options.allowed_workspaces)),
            *(options.audience, sorted(options.resource), options.max_age, sorted(options.parameters)),
        )
        digest = hashlib.sha256(json.dumps(wanted).encode("ascii")).hexdigest()[:32]
        self._path = os.path.join(folder, f"{PREFIX}{digest}.lock")  # noqa: PTH118 - as the lock takes it
        self._held = contextlib.ExitStack()
        self._is_held = False

    def begin(self) -> None:
        """Let other sign-ins wait for this one. If that is not possible, they cannot."""
        with contextlib.suppress(StoreBusy, OSError):
            self._held.enter_context(locked(self._path, _PATIENCE))
            self._is_held = True
            self._write(b"")

    def end(self, outcome: LoginOutcome | None) -> None:
        """Tell the sign-ins that wait how this one has ended.

        Args:
            outcome: The outcome; None if there is none.
        """
        if self._is_held:
            self._is_held = False
            with contextlib.suppress(OSError):
                self._write(_written(outcome))
            self._held.close()

    def is_busy(self) -> bool:
        """Return whether another sign-in that wants the same is waiting."""
        try:
            return is_held(self._path)
        except OSError:
            return False

    def wait(self, seconds: float | None, is_stopped: Callable[[], bool]) -> JoinedOutcome | None:
        """Wait for the outcome of the other sign-in.

        Args:
            seconds: How long to wait at most; None for no limit.
            is_stopped: Whether to stop waiting.

        Returns:
            The outcome. None if the time is over, or if the wait was stopped.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while self.is_busy():
            if is_stopped() or (end is not None and time.monotonic() >= end):
                return None
            time.sleep(_POLL)
        return self._read()

    def _write(self, data: bytes) -> None:
        # Without O_CREAT: the lock has created the file.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_TRUNC | PLAIN)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)

    def _read(self) -> JoinedOutcome:
        content: object = None
        with contextlib.suppress(OSError, ValueError, RecursionError):
            descriptor = os.open(self._path, os.O_RDONLY | PLAIN)
            try:
                content = json.loads(os.read(descriptor, _LONGEST))
            finally:
                os.close(descriptor)
        if not isinstance(content, dict):
            return JoinedOutcome(is_success=False, category=None, message="it ended without an outcome")
        texts = {name: content.get(name) for name in ("category", "message")}
        shown = {name: clean_text(text) if isinstance(text, str) else None for name, text in texts.items()}
        return JoinedOutcome(is_success=content.get("outcome") == "succeeded", **shown)


def _written(outcome: LoginOutcome | None) -> bytes:
    if outcome is None:
        return b""
    if isinstance(outcome, LoginSuccess):
        return b'{"outcome": "succeeded"}'
    failure = outcome.failure if isinstance(outcome, LoginCancellation) else outcome
    content = {"outcome": "failed", "category": failure.category, "message": failure.message}
    return json.dumps(content).encode("ascii")
