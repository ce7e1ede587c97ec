"""What the stores of one home folder have in common: the locks that the Codex CLI takes too, and words for trouble."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from ...sansio.model.credentials import CredentialsError
from ..errors import StoreError
from .locks import locked
from .protocols import LOCK_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ...sansio.model.credentials import Credentials
    from .protocols import Transaction

Result = TypeVar("Result")

_NO_LOCK: Final = frozenset({errno.EISDIR, errno.ELOOP})
"""A folder, or a link, where a lock should be."""


class Place(Protocol):
    """Where credentials lie. Whoever changes it holds the locks.

    Every method may raise `OSError`, `CredentialsError` or `StoreError`, and then has changed nothing.
    """

    @property
    def where(self) -> str:
        """The place, for people: what the text of an error begins with."""

    def load(self) -> Credentials | None:
        """What is there; None if nothing is."""

    def replace(self, credentials: Credentials) -> Credentials | None:
        """Put credentials there, and return those that were, if they could be read."""

    def remove(self) -> Credentials | None:
        """Remove what is there, and return it: empty credentials if it could not be read, None if nothing was."""


class HomeStore:
    """Credentials that belong to a home folder, and are locked there.

    Args:
        home: The folder; made, for its owner only, when something is saved.
        place: Where they lie.
    """

    kind: str
    """Where they lie, in a word."""

    def __init__(self, home: Path, place: Place) -> None:
        self._home = home
        self._place = place

    @property
    def where(self) -> str:
        """Where they lie, for people."""
        return self._place.where

    def load(self) -> Credentials | None:
        """What is stored; None if nothing is. Takes no lock: it is replaced whole.

        Raises:
            StoreError: It cannot be read or understood. Never a silent "nothing".
        """
        return self._attempt(self._place.load)

    def save(self, credentials: Credentials) -> Credentials | None:
        """Replace what is stored, whole or not at all; members of it that are no credentials are kept.

        Returns:
            What was replaced, if it could be read.

        Raises:
            StoreError: Nothing was stored; what was there is as it was.
        """
        with self.transaction() as transaction:
            return transaction.save(credentials)

    def remove(self) -> Credentials | None:
        """Remove what is stored, whether or not it can be understood.

        Returns:
            What was removed, as far as it could be read; None if there was nothing.

        Raises:
            StoreError: It is still there.
        """
        with self.transaction() as transaction:
            return transaction.remove()

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = LOCK_TIMEOUT) -> Iterator[Transaction]:
        """Keep everybody else, the Codex CLI included, from changing what is stored while the block runs.

        Args:
            timeout: Seconds to wait for somebody else at most.

        Raises:
            StoreBusy: Somebody else has held the lock for longer.
            StoreError: The lock cannot be taken.
        """
        with self._held("auth.lock", timeout):
            yield _HomeTransaction(self, timeout)

    def renewing(self, *, timeout: float = LOCK_TIMEOUT) -> AbstractContextManager[None]:
        """Keep other sessions, in this process or another, from renewing the tokens while the block runs.

        The lock is one of ours: Codex takes its own only to write, and neither it nor a login should have to wait for
        an answer of the provider.

        Args:
            timeout: Seconds to wait for another session at most.

        Raises:
            StoreBusy: Another session has been renewing them for longer.
            StoreError: The lock cannot be taken.
        """
        return self._held("auth.refresh.lock", timeout)

    @contextlib.contextmanager
    def _held(self, name: str, timeout: float) -> Iterator[None]:
        """Hold a lock in the folder. Only taking it is put into words of ours, not what happens in the block."""
        with contextlib.ExitStack() as held:

            def enter() -> None:
                self._make_home()
                held.enter_context(locked(self._home / name, timeout))

            self._attempt(enter)
            yield

    def _change(self, change: Callable[[], Result], timeout: float) -> Result:
        """Change what is stored, under the second lock: Codex takes them in this order."""

        def work() -> Result:
            with locked(self._home / "auth.json.lock", timeout):
                return change()

        return self._attempt(work)

    def _attempt(self, work: Callable[[], Result]) -> Result:
        """Do something; say in words of ours what the system, or what is stored, has against it."""
        problem = ""
        try:
            return work()
        except OSError as error:
            problem = _words(error)
        except CredentialsError as error:
            problem = str(error)
        raise StoreError(f"{self.where}: {problem}")

    def _make_home(self) -> None:
        if self._home.exists() and not self._home.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "its folder is not one")
        if not self._home.is_dir():
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Whatever the umask.
            self._home.chmod(0o700)


def _words(error: OSError) -> str:
    """What the system has against it. Something else in the place of a lock is named: it has to go."""
    words = error.strerror or type(error).__name__
    name = str(error.filename).rpartition(os.sep)[2]
    return f"{name}: {words}" if error.errno in _NO_LOCK and name.endswith(".lock") else words


class _HomeTransaction:
    def __init__(self, store: HomeStore, timeout: float) -> None:
        self._store = store
        self._timeout = timeout

    def load(self) -> Credentials | None:
        return self._store.load()

    def save(self, credentials: Credentials) -> Credentials | None:
        return self._store._change(lambda: self._store._place.replace(credentials), self._timeout)  # noqa: SLF001

    def remove(self) -> Credentials | None:
        return self._store._change(self._store._place.remove, self._timeout)  # noqa: SLF001
