"""Cancelling a login of an asynchronous driver, from a signal handler that is there before the login."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Cancellation:
    """Cancels a login, even if it is cancelled before it exists."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._cancel: Callable[[str], None] | None = None

    def cancel(self, reason: str) -> None:
        """Cancel the login, now or as soon as it exists. Safe in a signal handler."""
        self._reason = reason
        if self._cancel is not None:
            self._cancel(reason)

    def begin(self, cancel: Callable[[str], None]) -> None:
        """Set the function that cancels the login."""
        self._cancel = cancel
        if self._reason is not None:
            cancel(self._reason)
