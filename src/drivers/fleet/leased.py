"""The store, for the one session that holds the lease."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final

from ..stores.protocols import LOCK_TIMEOUT
from .errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...sansio.model.credentials import Credentials
    from ..stores.protocols import Transaction
    from .contents import Contents
    from .lease import Lease
    from .server import Stored

PAUSE: Final = 0.05
"""Seconds between two attempts to reach the server."""


class LeasedStore:
    """Reads and writes under a lease. Other sessions of the process use the store itself.

    Args:
        contents: The credentials.
        lease: The lease, which was taken.
        patience: Seconds for which to try to reach the server when new tokens have come. Only this program has them.
    """

    def __init__(self, contents: Contents, lease: Lease, patience: float) -> None:
        self._contents = contents
        self._lease = lease
        self._patience = patience
        self._fresh: Stored | None = None
        """What was read last, for the write that follows."""
        self._has_read = False
        self.is_unsure = False
        """Whether new tokens may have come that could not be stored. Then the lease must not be returned."""

    def load(self) -> Credentials | None:
        """Return the credentials, always from the server. If the lease may have ended, it is renewed or taken before.

        The refresh token is sent after the first call. After the next ones, new tokens are stored.

        Raises:
            StoreError: They cannot be read, or another program has the lease.
        """
        deadline = time.monotonic() + (self._patience if self._has_read else LOCK_TIMEOUT)
        self.is_unsure = self._has_read
        while True:
            try:
                self._lease.ensure(LOCK_TIMEOUT)
                self._fresh = self._contents.server.read()
                # Otherwise the answer came too late: another program may have the lease by now.
                if self._lease.is_valid:
                    break
            except Unreachable:
                if time.monotonic() >= deadline:
                    raise
            time.sleep(PAUSE)
        self._has_read, self.is_unsure = True, False
        return self._contents.opened(self._fresh)

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = LOCK_TIMEOUT) -> Iterator[Transaction]:
        """Return a transaction whose writes the server refuses if it has granted a newer lease.

        It begins with what `load` has just read. Between the provider's answer and the write, each command counts, and
        the server compares the version anyway.

        Args:
            timeout: Seconds to wait at most for another thread.
        """
        fresh, self._fresh = self._fresh, None
        self.is_unsure = True
        with self._contents.transaction(timeout, self._lease.fence, fresh, self._patience) as transaction:
            try:
                yield transaction
            except Unreachable:
                raise
            except BaseException:
                self.is_unsure = False
                raise
        self.is_unsure = False
