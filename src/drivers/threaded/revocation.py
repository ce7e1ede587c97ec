"""Token revocation with threads: in the background of a login, or by itself."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from ...sansio.oauth.revocation import NOT_AWAITED, may_pass, read_revocation
from ...sansio.sign_out.events import RevocationEnded
from ..http.client import timed_out
from ..waiting import wait_for
from .background import Background
from .http_client import HttpClient

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.base.http import HttpRequest, HttpRequestFailed, HttpResponse

_POLL: Final = 0.05
"""Seconds between two checks whether the revocation is abandoned. A signal handler cannot wake a thread."""


class Revocation:
    """A revocation request in a thread of its own.

    Args:
        request: What `loginmachine.sansio.oauth.revocation.revocation` returned.

    Raises:
        RuntimeError: The system has no thread left.
    """

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._deadline = time.monotonic() + request.timeout
        self._client = HttpClient()
        self._answer: HttpResponse | HttpRequestFailed | None = None
        # Daemonic, because resolving a name cannot be interrupted. The thread then ends by itself and sends nothing.
        self._thread = threading.Thread(target=self._run, name="loginmachine-revocation", daemon=True)
        self._thread.start()

    def finish(self, is_abandoned: Callable[[], bool] = lambda: False) -> str:
        """Wait for the response, until the time limit or until the revocation is abandoned.

        Args:
            is_abandoned: Called every 50 ms. True ends the wait.

        Returns:
            Why the revocation is not confirmed, as clean text. Empty if the token is revoked.
        """
        return self.end(is_abandoned).problem

    def end(self, is_abandoned: Callable[[], bool]) -> RevocationEnded:
        """Wait as `finish` does, and return the result as the event of a sign-out."""
        try:
            while self._thread.is_alive() and not is_abandoned() and time.monotonic() < self._deadline:
                self._thread.join(_POLL)
            # Read before the abort, which makes the request fail.
            gave_up = is_abandoned()
            answer = self._answer or (NOT_AWAITED if gave_up else timed_out(self._request.url))
        finally:
            self._client.abort()
            self._thread.join(_POLL)
            self._client.close()
        return RevocationEnded(
            problem=read_revocation(self._request, answer), may_pass=may_pass(answer) and not gave_up
        )

    def _run(self) -> None:
        self._answer = self._client.send(self._request)


def revoke(request: HttpRequest, pause: float = 0.0) -> RevocationEnded:
    """Revoke a token, and wait for the response. An interrupt ends the wait, and the request.

    Args:
        request: What `loginmachine.sansio.oauth.revocation.revocation` returned.
        pause: Seconds to wait before.

    Returns:
        The result, with the reason as clean text if the revocation is not confirmed.

    Raises:
        RuntimeError: The system has no thread left.
    """
    results: list[RevocationEnded] = []

    def work() -> None:
        time.sleep(pause)
        results.append(Revocation(request).end(lambda: background.is_interrupted))

    # In a thread, because an interrupt in the middle of `finish` would leave a connection open.
    background = Background(work, "loginmachine-revoke")
    try:
        background.start()
        wait_for(background.ended)
    except BaseException:
        background.is_interrupted = True
        background.wait()
        raise
    if background.error is not None:
        raise background.error
    return results[0]
