"""Credentials in the system's keyring, under the same names as the Codex CLI uses. Needs the extra ``keyring``."""

from __future__ import annotations

import contextlib
import hashlib
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from ...sansio.base.text import clean_text
from ...sansio.model.auth_json import CredentialsError, parse_object
from ...sansio.model.credentials import parse, serialise
from ..errors import KeyringUnavailable, StoreError
from ..logging import warn
from ..waiting import wait_for
from .auth_file import EMPTY, AuthFile, parse_or_none
from .home_store import HomeStore

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from keyring.backend import KeyringBackend

    from ...sansio.model.credentials import Credentials

SERVICE: Final = "Codex Auth"
KEYRING_TIMEOUT: Final = 30.0
"""Seconds for one call: the person may be asked to unlock the keyring."""
_WINDOWS_LIMIT: Final = 2560
"""Bytes in a credential of Windows. A character takes two."""

Result = TypeVar("Result")


def account_of(home: Path) -> str:
    """Return the account name of a home folder's entry. Every home folder has another one."""
    return f"cli|{hashlib.sha256(str(home.resolve()).encode('utf-8', 'surrogateescape')).hexdigest()[:16]}"


class KeyringStore(HomeStore):
    """An entry of the system's keyring, named after a home folder, with its locks in that folder.

    A save removes an ``auth.json`` in the folder, so that no tokens stay on the disk.

    Args:
        home: The folder. It is created with mode 0700 by the first save.
        on_warning: Called with one line of text when something unusual was done. By default the text is logged.
        timeout: Seconds for one call of the keyring, which may ask the person to unlock it.
    """

    kind = "keyring"

    def __init__(
        self,
        home: str | os.PathLike[str],
        *,
        on_warning: Callable[[str], None] | None = None,
        timeout: float = KEYRING_TIMEOUT,
    ) -> None:
        folder, on_warning = Path(home), on_warning or warn
        self._entry = KeyringEntry(account_of(folder), AuthFile(folder, on_warning), on_warning, timeout)
        super().__init__(folder, self._entry)

    def check(self) -> None:
        """Check that the keyring can be used. It may ask the person to unlock it.

        Raises:
            StoreError: The keyring cannot be used.
        """
        self._entry.check()


class KeyringEntry:
    """The entry of the keyring. The caller holds the locks.

    Every method raises `StoreError` if the keyring fails, and `OSError` if a system call does.

    Args:
        account: The account name of the entry.
        file: The file that the entry replaces.
        on_warning: Called with one line of text when something unusual was done.
        timeout: Seconds for one call of the keyring.
    """

    def __init__(self, account: str, file: AuthFile, on_warning: Callable[[str], None], timeout: float) -> None:
        self.where = f"the keyring entry {SERVICE!r}, {account!r}"
        self._account = account
        self._file = file
        self._warn = on_warning
        self._timeout = timeout

    def check(self) -> None:
        """Read the entry, and ignore its content."""
        self._get()

    def load(self) -> Credentials | None:
        """Return the credentials in the entry, or None if there is no entry."""
        value = self._get()
        return None if value is None else parse(_encoded(value))

    def readable(self) -> Credentials | None:
        """Return the credentials, or None if there are none or they cannot be read."""
        with contextlib.suppress(OSError, CredentialsError, StoreError):
            return self.load()
        return None

    def replace(self, credentials: Credentials) -> Credentials | None:
        """Replace the credentials in the entry, and return the old ones of the entry, or else of the file."""
        old = self._get()
        previous = {}
        if old is not None:
            try:
                previous = parse_object(_encoded(old))
            except CredentialsError:
                self._warn(f"{self.where} could not be read, and is replaced")
        value = serialise(credentials, previous=previous).decode("ascii")
        self._call(lambda keyring: keyring.set_password(SERVICE, self._account, value), len(value))
        if self._get() != value:
            # The null backend, for example, discards every value without an error.
            if old is not None:
                with contextlib.suppress(StoreError):
                    self._call(lambda keyring: keyring.set_password(SERVICE, self._account, old))
            raise StoreError(f"{self.where}: the keyring did not keep what was stored in it")
        stale = self._remove_file()
        return stale if old is None else parse_or_none(_encoded(old))

    def remove(self) -> Credentials | None:
        """Remove the entry and the file."""
        removed = self.remove_entry()
        stale = self._file.remove()
        return stale if removed is None else removed

    def remove_entry(self) -> Credentials | None:
        """Remove only the entry, and return its credentials. `EMPTY` if they could not be read."""
        old = self._get()
        if old is None:
            return None
        self._call(lambda keyring: keyring.delete_password(SERVICE, self._account))
        if self._get() is not None:
            raise StoreError(f"{self.where}: the keyring did not remove it")
        removed = parse_or_none(_encoded(old))
        if removed is None:
            self._warn(f"{self.where} could not be read; it was removed as it was")
        return removed or EMPTY

    def _remove_file(self) -> Credentials | None:
        try:
            return self._file.remove()
        except OSError as error:
            self._warn(f"an older sign-in is still in {self._file.where}: {error.strerror or 'it cannot be removed'}")
        return None

    def _get(self) -> str | None:
        value: object = self._call(lambda keyring: keyring.get_password(SERVICE, self._account))
        if value is None or isinstance(value, str):
            return value
        raise StoreError(f"{self.where}: the keyring returned a value that is no text")

    def _call(self, work: Callable[[KeyringBackend], Result], size: int = 0) -> Result:
        """Call the keyring in a thread, which is abandoned if it does not return in time.

        Raises:
            KeyringUnavailable: There is no keyring.
            StoreError: The call failed, or did not return in time. The message holds no text of the keyring, which may
                hold the value.
        """
        results: list[Result] = []
        problems: list[StoreError] = []
        done = threading.Event()

        def run() -> None:
            try:
                results.append(work(_backend()))
            except BaseException as error:  # noqa: BLE001 - backends raise what their systems raise
                problems.append(self._problem(error, size))
            finally:
                done.set()

        # Daemonic, because a backend that hangs cannot be interrupted.
        threading.Thread(target=run, name="loginmachine-keyring", daemon=True).start()
        if not wait_for(done, self._timeout):
            raise StoreError(f"{self.where}: the keyring has not answered within {self._timeout:g} seconds")
        if problems:
            raise problems[0]
        return results[0]

    def _problem(self, error: BaseException, size: int) -> StoreError:
        kind = clean_text(type(error).__name__)
        if isinstance(error, ImportError) and error.name not in (None, "keyring"):
            return KeyringUnavailable("the keyring's backend, which PYTHON_KEYRING_BACKEND may name, cannot be loaded")
        if isinstance(error, ImportError):
            return KeyringUnavailable("the package keyring cannot be loaded: pip install 'loginmachine[keyring]'")
        if kind == "NoKeyringError":
            return KeyringUnavailable("this system has no keyring that could be used")
        if kind == "KeyringLocked":
            return StoreError(f"{self.where}: the keyring is locked; unlock it, and try again")
        if 2 * size > _WINDOWS_LIMIT and (sys.platform == "win32" or hasattr(error, "winerror")):
            reason = f"Windows keeps {_WINDOWS_LIMIT} bytes in a credential, and these take {2 * size}"
            return StoreError(f"{self.where}: {reason}; store them in the file")
        return StoreError(f"{self.where}: the keyring raised {kind}")


def _backend() -> KeyringBackend:
    """Return the keyring of this system. The import is here because it takes time, and the package may be missing."""
    import keyring  # noqa: PLC0415

    return keyring.get_keyring()


def _encoded(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")
