"""What the stores of one home folder share: the locks, which the Codex CLI takes too, and the messages of errors."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from ...sansio.model.auth_json import CredentialsError
from ...sansio.model.issuer import why_not_replace
from ..errors import StoreError
from .locks import locked
from .protocols import LOCK_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ...sansio.model.credentials import Credentials
    from ...sansio.refresh.outcome import Refusal
    from .protocols import Transaction

Result = TypeVar("Result")

_NO_LOCK: Final = frozenset({errno.EISDIR, errno.ELOOP})
"""The path of the lock is a folder or a link."""


class Storage(Protocol):
    """Where a store keeps credentials, without locking. The caller of `replace` and `remove` holds the locks.

    Every method may raise `OSError`, `CredentialsError` or `StoreError`, and then has changed nothing.
    """

    @property
    def where(self) -> str:
        """The location as text for people. The messages of errors begin with it."""

    def load(self) -> Credentials | None:
        """Return the credentials, or None if there are none."""

    def readable(self) -> Credentials | None:
        """Return the credentials, or None if there are none or they cannot be read. Gives no warning, never raises."""

    def replace(self, credentials: Credentials) -> Credentials | None:
        """Replace the credentials, and return the old ones if they could be read."""

    def remove(self) -> Credentials | None:
        """Remove the credentials, and return them. Empty ones if they could not be read, None if there were none."""


class HomeStore:
    """A store for one home folder, with its locks in that folder.

    Args:
        home: The folder. It is created with mode 0700 by the first save.
        storage: Where the credentials are kept.
    """

    kind: str
    """Where the credentials are kept: ``file`` or ``keyring``."""

    def __init__(self, home: Path, storage: Storage) -> None:
        self._home = home
        self._storage = storage

    @property
    def where(self) -> str:
        """Where the credentials are kept, as text for people."""
        return self._storage.where

    def load(self) -> Credentials | None:
        """Return the stored credentials, or None if nothing is stored. Takes no lock.

        Raises:
            StoreError: The credentials cannot be read or parsed.
        """
        return self._attempt(self._storage.load)

    def save(self, credentials: Credentials) -> Credentials | None:
        """Replace the stored credentials, as a whole or not at all. Other members of the file are kept.

        Returns:
            The replaced credentials. None if there were none, or if they could not be read.

        Raises:
            StoreError: The credentials are not stored, and the store is unchanged.
        """
        with self.transaction() as transaction:
            return transaction.save(credentials)

    def remove(self) -> Credentials | None:
        """Remove the stored credentials, even if they cannot be parsed.

        Returns:
            The removed credentials, without members that could not be read. None if nothing was stored.

        Raises:
            StoreError: The credentials are still stored.
        """
        with self.transaction() as transaction:
            return transaction.remove()

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = LOCK_TIMEOUT) -> Iterator[Transaction]:
        """Lock the store while the block runs. No other program, the Codex CLI included, can change it.

        Args:
            timeout: Seconds to wait at most for another holder of the lock.

        Raises:
            StoreBusy: Another holder did not release the lock in time.
            StoreError: The lock cannot be taken.
        """
        with self._hold("auth.lock", timeout):
            yield _HomeTransaction(self, timeout)

    def renewing(self, *, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Lock out other sessions, in this process or another, that want to refresh the tokens while the block runs.

        This lock is not one of Codex's. Codex takes its locks only to write, and neither Codex nor a login should wait
        for a response of the provider.

        Args:
            timeout: Seconds to wait at most for another session.

        Raises:
            StoreBusy: Another session did not finish its refresh in time.
            StoreError: The lock cannot be taken.
        """
        return self._hold("auth.refresh.lock", timeout)

    def load_refusal(self) -> Refusal | None:
        """Return the refused refresh token that the home folder remembers, or None. Takes no lock."""
        from .refusal_file import read_refusal  # noqa: PLC0415 - a login does not need it

        return read_refusal(self._home)

    def save_refusal(self, refusal: Refusal) -> None:
        """Remember in the home folder that a refresh token was refused. The caller holds the lock of `renewing`.

        Raises:
            StoreError: The refusal cannot be written.
        """
        from .refusal_file import write_refusal  # noqa: PLC0415 - as above

        self._attempt(lambda: write_refusal(self._home, refusal))

    @contextlib.contextmanager
    def _hold(self, name: str, timeout: float) -> Iterator[None]:
        """Hold a lock in the folder. Only errors of taking the lock become `StoreError`, not those of the block."""
        with contextlib.ExitStack() as stack:

            def enter() -> None:
                self._make_home()
                stack.enter_context(locked(self._home / name, timeout))

            self._attempt(enter)
            yield

    def _change(self, change: Callable[[], Result], timeout: float) -> Result:
        """Change the storage under the second lock. Codex takes the two locks in this order."""

        def work() -> Result:
            with locked(self._home / "auth.json.lock", timeout):
                return change()

        return self._attempt(work)

    def _replace(self, credentials: Credentials) -> Credentials | None:
        """Replace the credentials, unless another provider has issued them."""
        problem = why_not_replace(self._storage.readable(), credentials)
        if problem:
            raise StoreError(f"{self.where}: the stored credentials are kept, because {problem}")
        return self._storage.replace(credentials)

    def _attempt(self, work: Callable[[], Result]) -> Result:
        """Call a function. Its errors become `StoreError` with a message of this package."""
        problem = ""
        try:
            return work()
        except OSError as error:
            problem = _message(error)
        except CredentialsError as error:
            problem = str(error)
        raise StoreError(f"{self.where}: {problem}")

    def _make_home(self) -> None:
        if self._home.exists() and not self._home.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "its folder is a file")
        if not self._home.is_dir():
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            # The umask does not apply here.
            self._home.chmod(0o700)


def _message(error: OSError) -> str:
    """Return the system's message. A folder or link in the place of a lock is named, because it must be removed."""
    message = error.strerror or type(error).__name__
    name = str(error.filename).rpartition(os.sep)[2]
    return f"{name}: {message}" if error.errno in _NO_LOCK and name.endswith(".lock") else message


class _HomeTransaction:
    def __init__(self, store: HomeStore, timeout: float) -> None:
        self._store = store
        self._timeout = timeout

    def load(self) -> Credentials | None:
        return self._store.load()

    def save(self, credentials: Credentials) -> Credentials | None:
        return self._store._change(lambda: self._store._replace(credentials), self._timeout)  # noqa: SLF001

    def remove(self) -> Credentials | None:
        return self._store._change(self._store._storage.remove, self._timeout)  # noqa: SLF001
