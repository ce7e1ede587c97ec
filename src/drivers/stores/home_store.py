"""What the stores of one home folder share: the locks, which the Codex CLI takes too, and the messages of errors."""

from __future__ import annotations

import contextlib
import errno
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from ...sansio.model.auth_json import CredentialsError
from ...sansio.model.credentials import Credentials
from ..errors import StoreError
from ..logging import log_error
from .checks import check_home, explain, unsupported
from .formats import Value
from .locks import UNSUPPORTED, locked
from .owners import risks
from .protocols import LOCK_TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ...sansio.refresh.outcome import Refusal
    from .auth_file import AuthFile
    from .formats import Storage
    from .protocols import StoreVersion

Result = TypeVar("Result")

_CHANGE: Final = ".lock"
_WRITE: Final = ".json.lock"
_REFRESH: Final = ".refresh.lock"
"""What the names of the three locks end with. They begin as the name of the credentials' file does."""


class LockedStore(Generic[Value]):
    """What one file of a folder holds, or an entry of the keyring, with the locks in that folder.

    Args:
        home: The folder. It is created with mode 0700 by the first save, or by `check`.
        storage: Where the credentials are kept.
        file: The file with credentials in the folder, such as ``auth.json``. The locks are named after it.
        has_file: Whether the credentials may be kept in that file, so that other programs may share it.
    """

    kind: str
    """Where the credentials are kept: ``file`` or ``keyring``."""

    def __init__(self, home: Path, storage: Storage[Value], file: AuthFile[Value], *, has_file: bool = True) -> None:
        self._home = home
        self._storage = storage
        self._file = file
        self._has_file = has_file

    @property
    def where(self) -> str:
        """Where the credentials are kept, as text for people."""
        return self._storage.where

    @property
    def searched(self) -> str:
        """Where `load` looks, as text for people."""
        return self.where

    def check(self) -> None:
        """Check that credentials can be saved, and warn of what is unusual. For the time before a browser opens.

        The folder and its first lock are created if they are missing. `save` may still fail, of course.

        Raises:
            StoreError: They cannot be saved.
        """
        self._attempt(self._check)

    def version(self) -> StoreVersion:
        """Return the version of what is stored. Takes no lock, and never fails."""
        return self._storage.version()

    def load(self) -> Value | None:
        """Return the stored credentials, or None if nothing is stored. Takes no lock.

        Raises:
            StoreError: The credentials cannot be read or parsed.
        """
        return self._attempt(self._storage.load)

    def save(self, credentials: Value, /) -> Value | None:
        """Replace the stored credentials, as a whole or not at all. Other members of the file are kept.

        A symbolic link in place of the file is replaced, and the file that it leads to is left alone.

        Returns:
            The replaced credentials. None if there were none, or if they could not be read.

        Raises:
            StoreError: The credentials are not stored, and the store is unchanged.
        """
        with self._hold(_CHANGE, LOCK_TIMEOUT, go_on=True):
            return self._change(lambda: self._storage.replace(credentials), LOCK_TIMEOUT, go_on=True)

    def remove(self) -> Value | None:
        """Remove the stored credentials, even if they cannot be parsed.

        Returns:
            The removed credentials, without members that could not be read. None if nothing was stored.

        Raises:
            StoreError: The credentials are still stored.
        """
        with self._hold(_CHANGE, LOCK_TIMEOUT, go_on=True):
            return self._change(self._storage.remove, LOCK_TIMEOUT, go_on=True)

    @contextlib.contextmanager
    def transaction(self, *, timeout: float = LOCK_TIMEOUT) -> Iterator[_HomeTransaction[Value]]:
        """Lock the store while the block runs. No other program, the Codex CLI included, can change it.

        If ``auth.json`` is a symbolic link to a file that others share, that file is locked too, and the transaction's
        `save` writes to it.

        Args:
            timeout: Seconds to wait at most for another holder of a lock.

        Raises:
            StoreBusy: Another holder did not release the lock in time.
            StoreError: The lock cannot be taken.
        """
        with self._hold(_CHANGE, timeout, follow=True):
            yield _HomeTransaction(self, timeout)

    @contextlib.contextmanager
    def renewing(self, *, timeout: float = LOCK_TIMEOUT) -> Iterator[None]:
        """Lock out other sessions, in this process or another, that want to refresh the tokens while the block runs.

        This lock is not one of Codex's. Codex takes its locks only to write, and neither Codex nor a login should wait
        for a response of the provider.

        The block is not entered if new tokens could not be stored: the provider would have replaced the old ones.

        Args:
            timeout: Seconds to wait at most for another session.

        Raises:
            StoreBusy: Another session did not finish its refresh in time, or another program its change.
            StoreError: The lock cannot be taken, or new tokens cannot be stored.
        """
        with self._hold(_REFRESH, timeout, follow=True):
            with self._hold(_CHANGE, timeout, follow=True):
                self._change(lambda: self._storage.check(follow=True), timeout, follow=True)
            yield

    def load_refusal(self) -> Refusal | None:
        """Return the refused refresh token that the home folder remembers, or None. Takes no lock."""
        from .refusal_file import read_refusal  # noqa: PLC0415 - a login does not need it

        return read_refusal(self._home, self._file.format.stem)

    def save_refusal(self, refusal: Refusal) -> None:
        """Remember in the home folder that a refresh token was refused. The caller holds the lock of `renewing`.

        Raises:
            StoreError: The refusal cannot be written.
        """
        from .refusal_file import write_refusal  # noqa: PLC0415 - as above

        self._attempt(lambda: write_refusal(self._home, refusal, self._file.format.stem))

    @contextlib.contextmanager
    def _hold(self, kind: str, timeout: float, *, follow: bool = False, go_on: bool = False) -> Iterator[None]:
        """Hold a lock in the folder. Only errors of taking the lock become `StoreError`, not those of the block.

        Args:
            kind: Which lock.
            timeout: Seconds to wait at most.
            follow: Whether to lock the file that a link leads to as well.
            go_on: See `locked`.
        """
        with contextlib.ExitStack() as stack:

            def enter() -> None:
                self._make_home()
                for path in self._lock_paths(kind, follow=follow):
                    stack.enter_context(self._locked(path, timeout, go_on=go_on))

            self._attempt(enter)
            yield

    def _change(
        self, change: Callable[[], Result], timeout: float, *, follow: bool = False, go_on: bool = False
    ) -> Result:
        """Change the storage under the second lock. Codex takes the two locks in this order."""

        def work() -> Result:
            with contextlib.ExitStack() as stack:
                for path in self._lock_paths(_WRITE, follow=follow):
                    stack.enter_context(self._locked(path, timeout, go_on=go_on))
                return change()

        return self._attempt(work)

    def _lock_paths(self, kind: str, *, follow: bool) -> Iterator[Path]:
        """Return the paths of a lock. The link is looked at when the lock in the home folder is held."""
        own = self._home / f"{self._file.format.stem}{kind}"
        for text in risks(str(self._home)):
            self._file.warn_once(text)
        yield own
        target = self._file.target() if follow and self._has_file else None
        if target is None:
            return
        for text in risks(str(target.parent)):
            self._file.warn_once(text)
        other = target.parent / f"{target.name.removesuffix('.json')}{kind}"
        if other != self._home.resolve() / own.name:
            yield other

    def _locked(self, path: Path, timeout: float, *, go_on: bool) -> AbstractContextManager[None]:
        def warn() -> None:
            self._file.warn_once(unsupported(str(path.parent), "flock"))

        return locked(path, timeout, on_unsupported=warn, go_on=go_on)

    def _check(self) -> None:
        self._make_home()
        check_home(str(self._home), self._file.warn_once, stem=self._file.format.stem, has_file=self._has_file)

    def _attempt(self, work: Callable[[], Result]) -> Result:
        """Call a function. Its errors become `StoreError` with a message of this package."""
        problem = ""
        try:
            return work()
        except OSError as error:
            log_error("the store failed", error)
            problem = explain(error)
        except CredentialsError as error:
            problem = str(error)
        raise StoreError(f"{self.where}: {problem}")

    def _make_home(self) -> None:
        if self._home.exists() and not self._home.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "its folder is a file")
        if not self._home.is_dir():
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            try:
                # The umask does not apply here.
                self._home.chmod(0o700)
            except OSError as error:
                # The file system keeps no modes. The first file that is stored says so.
                if error.errno not in UNSUPPORTED:
                    raise


class HomeStore(LockedStore[Credentials]):
    """A store of credentials for one home folder."""


class _HomeTransaction(Generic[Value]):
    def __init__(self, store: LockedStore[Value], timeout: float) -> None:
        self._store = store
        self._timeout = timeout

    def load(self) -> Value | None:
        return self._store.load()

    def save(self, credentials: Value, /) -> Value | None:
        return self._store._change(  # noqa: SLF001
            lambda: self._store._storage.replace(credentials, follow=True),  # noqa: SLF001
            self._timeout,
            follow=True,
        )

    def remove(self) -> Value | None:
        return self._store._change(self._store._storage.remove, self._timeout)  # noqa: SLF001
