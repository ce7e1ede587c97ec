"""Giving tokens back, with threads: in the background, within its time, and never in anybody's way."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from ...sansio.login.actions import SendTokenRequest
from ...sansio.oauth.revocation import NOT_AWAITED, read_revocation
from ..http.client import BlockingTokenClient, timeout_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.base.http import HttpRequest, HttpRequestFailed
    from ...sansio.login.events import TokenResponseReceived

_LOOK_UP: Final = 0.05
"""Seconds between two looks at whether somebody is in a hurry: a signal handler wakes no thread."""


class Revocation:
    """A token that is being revoked in a thread of its own."""

    def __init__(self, order: HttpRequest) -> None:
        self._order = order
        self._deadline = time.monotonic() + order.timeout
        self._client = BlockingTokenClient()
        self._answer: TokenResponseReceived | HttpRequestFailed | None = None
        # Daemonic because name resolution cannot be interrupted: that thread ends by itself and sends nothing any more.
        self._thread = threading.Thread(target=self._run, name="loginmachine-revocation", daemon=True)
        self._thread.start()

    def finish(self, is_hurried: Callable[[], bool] = lambda: False) -> str:
        """Wait for the answer, until its time is up or somebody is in a hurry.

        Returns:
            What could not be confirmed, in clean words; empty if the token is revoked.
        """
        try:
            while self._thread.is_alive() and not is_hurried() and time.monotonic() < self._deadline:
                self._thread.join(_LOOK_UP)
            # Before it is aborted: what that leads to is not the provider's doing.
            answer = self._answer or (NOT_AWAITED if is_hurried() else timeout_event(0))
        finally:
            self._client.abort()
            self._thread.join(_LOOK_UP)
            self._client.close()
        return read_revocation(self._order, answer)

    def _run(self) -> None:
        self._answer = self._client.send(SendTokenRequest(exchange_id=0, **self._order.values()))


def revoke(order: HttpRequest) -> str:
    """Revoke a token, and wait for it.

    Returns:
        What could not be confirmed, in clean words; empty if the token is revoked.
    """
    return Revocation(order).finish()
