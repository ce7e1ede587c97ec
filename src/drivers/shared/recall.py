"""What a session remembers of the store, so that most calls need not read it, and no caller waits for a refresh."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

from ...sansio.refresh.outcome import lifetime_of
from ..stores.protocols import StoreVersion, VersionedStore

if TYPE_CHECKING:
    from ...sansio.base.secret import Secret
    from ...sansio.refresh.outcome import RefreshSuccess
    from ..stores.protocols import SessionStore

MARGIN: Final = 30.0
"""Seconds before its end until which the old token is given, while the new one is fetched."""
READ_AGAIN: Final = 1.0
"""Seconds after which a store that tells no version is read again."""
SETTLED: Final = 0.02
"""Seconds after which two changes of a file have different times. Some systems note times in steps of 10 ms."""
FIRST_PAUSE: Final = 30.0
"""The fewest seconds between two attempts to refresh ahead of time."""
LONGEST_PAUSE: Final = 4 * FIRST_PAUSE
"""The fewest seconds after several failures."""


class Recalled(NamedTuple):
    """The last look at the store that found a token."""

    success: RefreshSuccess
    version: object
    since: float
    """When it was, in seconds since 1970."""
    until: float
    """Until when it counts, if the store's version is the same."""
    due: float
    """From when on the token is to be refreshed."""


class StoreLooks:
    """What the last look at a store found. Any thread may use it: each attribute is replaced as a whole.

    Args:
        store: The store.
    """

    def __init__(self, store: SessionStore) -> None:
        self._version = store.version if isinstance(store, VersionedStore) else None
        self._last: Recalled | None = None

    def version(self) -> StoreVersion:
        """Return the version of the store. Call this before the store is read."""
        return StoreVersion(None) if self._version is None else self._version()

    def recall(self, now: float) -> Recalled | None:
        """Return what the last look found, if the store need not be read.

        Args:
            now: The time, in seconds since 1970. If the clock was set back, nothing is recalled.
        """
        last = self._last
        if last is None or not last.since <= now < last.until:
            return None
        if self._version is not None and self._version().content != last.version:
            return None
        return last

    def forget(self) -> None:
        """Read the store the next time."""
        self._last = None

    def remember(self, success: RefreshSuccess, version: StoreVersion, now: float) -> None:
        """Remember a token that the store holds.

        Args:
            success: The token.
            version: The version of the store before it was read.
            now: When it was read, in seconds since 1970.
        """
        due, end = lifetime_of(success)
        until = max(due, end - MARGIN)
        if self._version is None:
            until = min(until, now + READ_AGAIN)
        elif abs(now - version.changed_at) < SETTLED:
            until = min(until, now + SETTLED)
        self._last = Recalled(success, version.content, now, until, due)


class EarlyAttempts:
    """When to refresh ahead of time: at most once in a while if it fails, at another moment in each process."""

    def __init__(self) -> None:
        self._token: Secret | None = None
        self._failures = 0
        self._next = 0.0
        """The earliest time of the next attempt, by the monotonic clock."""

    def may_try(self, token: Secret) -> bool:
        """Return whether to try to replace a token now."""
        return token != self._token or time.monotonic() >= self._next

    def note(self, token: Secret, *, failed: bool) -> bool:
        """Note the end of an attempt.

        Args:
            token: The token that was to be replaced.
            failed: Whether it was not.

        Returns:
            Whether this is the first of several failures.
        """
        if not failed:
            self._token = None
            return False
        self._failures = self._failures + 1 if token == self._token else 1
        self._token = token
        pause = min(FIRST_PAUSE * 2 ** (self._failures - 1), LONGEST_PAUSE)
        from random import uniform  # noqa: PLC0415 - loading it takes a millisecond

        # Several processes that share a sign-in must not all try at the same moment.
        self._next = time.monotonic() + pause * uniform(1, 1.5)  # noqa: S311 - not for security
        return self._failures == 1
