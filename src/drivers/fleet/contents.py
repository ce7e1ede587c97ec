"""The credentials of a login on a Redis server: opened, and replaced by compare-and-set."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from ...sansio.model.auth_json import CredentialsError
from ..errors import StoreBusy, StoreError
from ..stores.formats import EMPTY
from ..stores.protocols import LOCK_TIMEOUT, check_replaceable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ...sansio.model.credentials import Credentials
    from ..stores.protocols import Transaction
    from .sealing import Sealer
    from .server import Server, Stored


class Contents:
    """The credentials of one login, in this process.

    Args:
        server: The server.
        sealer: Turns credentials into what is stored, and back.
        on_warning: Called with a text when something that cannot be read is replaced or removed.
    """

    def __init__(self, server: Server, sealer: Sealer, on_warning: Callable[[str], None]) -> None:
        self.server = server
        self.warn = on_warning
        self._sealer = sealer
        self._lock = threading.Lock()

    def after_fork(self) -> None:
        """Release the lock in the child of a fork. Its holder is a thread that only the parent has."""
        self._lock = threading.Lock()

    def opened(self, stored: Stored) -> Credentials | None:
        """Return the credentials in what was read.

        Raises:
            StoreError: They cannot be read. The message holds nothing of them.
        """
        if stored.value is None:
            return None
        try:
            return self._sealer.unseal(stored.value)
        except CredentialsError as error:
            problem = str(error)
        raise StoreError(f"{self.server.where}: {problem}")

    def sealed(self, credentials: Credentials) -> bytes:
        """Return what to store.

        Raises:
            StoreError: Only one machine could use them.
        """
        try:
            return self._sealer.seal(credentials)
        except CredentialsError as error:
            problem = str(error)
        raise StoreError(f"{self.server.where}: {problem}")

    @contextlib.contextmanager
    def transaction(
        self, timeout: float, fence: str = "", seen: Stored | None = None, patience: float = LOCK_TIMEOUT
    ) -> Iterator[Transaction]:
        """Lock out other threads, and change what is stored if no other program changes it meanwhile.

        Args:
            timeout: Seconds to wait at most for another thread.
            fence: The fence of the lease; empty to write without one.
            seen: What is stored, if it was just read.
            patience: Seconds for which to try again while the server does not answer a write.

        Raises:
            StoreBusy: Another thread has held the lock for more than `timeout` seconds.
        """
        lock = self._lock
        if not lock.acquire(timeout=timeout):
            raise StoreBusy(f"another thread has held the credentials for more than {timeout:g} seconds")
        try:
            yield _Transaction(self, fence, seen, patience)
        finally:
            lock.release()


class _Transaction:
    """A change. It is refused if another program has changed the contents since they were first read.

    Args:
        contents: The contents.
        fence: The fence of the lease; empty to write without one.
        seen: What is stored, if it was just read.
        patience: Seconds for which to try again while the server does not answer a write.
    """

    def __init__(self, contents: Contents, fence: str, seen: Stored | None, patience: float) -> None:
        self._contents = contents
        self._fence = fence
        self._seen = seen
        self._patience = patience

    @property
    def _stored(self) -> Stored:
        self._seen = self._seen or self._contents.server.read()
        return self._seen

    def load(self) -> Credentials | None:
        return self._contents.opened(self._stored)

    def save(self, credentials: Credentials) -> Credentials | None:
        old = self._old()
        check_replaceable(self._contents.server.where, old, credentials)
        self._write(self._contents.sealed(credentials))
        return old

    def remove(self) -> Credentials | None:
        if self._stored.value is None:
            return None
        old = self._old()
        self._write(None)
        return old or EMPTY

    def _old(self) -> Credentials | None:
        stored = self._stored
        try:
            return self._contents.opened(stored)
        except StoreError as error:
            self._contents.warn(f"{error}; it is replaced or removed")
            return None

    def _write(self, value: bytes | None) -> None:
        self._seen = self._contents.server.write(self._stored, value, self._fence, self._patience)
