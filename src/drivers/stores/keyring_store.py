"""Credentials in the system's keyring, under the same names as the Codex CLI uses. Needs the extra ``keyring``."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Final, TypeVar

from ...sansio.base.digests import sha256
from ...sansio.base.text import clean_text
from ...sansio.model.auth_json import CredentialsError, parse_object
from ..errors import StoreBusy, StoreError
from ..logging import log_error, warn
from .auth_file import AuthFile
from .file_store import folder_of
from .formats import AUTH_JSON, EMPTY
from .home_store import HomeStore
from .keyring_calls import Call, KeyringCallError, KeyringTimeoutError, problem_of
from .locks import locked
from .protocols import StoreVersion, secrets_of
from .secret_service import SecretService, is_secret_service

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from keyring.backend import KeyringBackend

    from ...sansio.model.credentials import Credentials

SERVICE: Final = "Codex Auth"
KEYRING_TIMEOUT: Final = 30.0
"""Seconds for one call: the person may be asked to unlock the keyring."""
_UNDO_TIMEOUT: Final = 1.0
"""Seconds to wait for the lock before a late change is undone."""

Result = TypeVar("Result")


def account_of(home: Path) -> str:
    """Return the account name of a home folder's entry. Every home folder has another one."""
    return f"cli|{sha256(str(home.resolve()).encode('utf-8', 'surrogateescape')).hex()[:16]}"


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
        folder, on_warning = folder_of(home), on_warning or warn
        file = AuthFile(folder, on_warning, AUTH_JSON)
        self._entry = KeyringEntry(account_of(folder), file, on_warning, timeout)
        super().__init__(folder, self._entry, file, has_file=False)

    def check(self) -> None:
        """Check that the keyring and the locks can be used. The keyring may ask the person to unlock it.

        Raises:
            StoreError: They cannot be used.
        """
        super().check()
        self._entry.check()


class KeyringEntry:
    """The entry of the keyring. The caller holds the locks.

    Every method raises `StoreError` if the keyring fails, and `OSError` if a system call does.

    Args:
        account: The account name of the entry.
        file: The file that the entry replaces. The entry has the format of that file.
        on_warning: Called with one line of text when something unusual was done.
        timeout: Seconds for one call of the keyring.
        service: The service name of the entry.
    """

    def __init__(
        self,
        account: str,
        file: AuthFile[Credentials],
        on_warning: Callable[[str], None],
        timeout: float,
        service: str = SERVICE,
    ) -> None:
        self.where = f"the keyring entry {service!r}, {account!r}"
        self._service = service
        self._account = account
        self._file = file
        self._warn = on_warning
        self._timeout = timeout
        self._changes = 0

    def check(self, *, follow: bool = False) -> None:
        """Read the entry, and ignore its content. A missing keyring is made, for which the person may be asked."""
        del follow

        def look() -> None:
            keyring = _backend()
            if isinstance(keyring, SecretService):
                keyring.prepare()
            self._read(keyring)

        self._call(look)

    def version(self) -> StoreVersion:
        """Return the version of the entry: another one each second, and after each change by this object."""
        return StoreVersion((self._changes, int(time.monotonic())))

    def load(self) -> Credentials | None:
        """Return the credentials in the entry, or None if there is no entry."""
        value = self._get()
        return None if value is None else self._file.format.parse(_encoded(value))

    def replace(self, credentials: Credentials, *, follow: bool = False) -> Credentials | None:
        """Replace the credentials in the entry, and return the old ones of the entry, or else of the file."""
        del follow
        with contextlib.suppress(OSError, CredentialsError):
            self._file.format.check(self._file.where, self._file.load(), credentials)
        old = self._get()
        self._file.format.check(self.where, self._parsed(old), credentials)
        previous = {}
        if old is not None:
            try:
                previous = parse_object(_encoded(old))
            except CredentialsError:
                self._warn(f"{self.where} could not be read, and is replaced")
        value = self._file.format.serialise(credentials, previous=previous).decode("ascii")
        if self._put(value, old) != value:
            # The null backend, for example, discards every value without an error.
            if old is not None:
                with contextlib.suppress(StoreError):
                    self._put(old, value)
            raise StoreError(f"{self.where}: the keyring did not keep what was stored in it")
        stale = self._remove_file()
        return stale if old is None else self._parsed(old)

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
        if self._put(None, old) is not None:
            raise StoreError(f"{self.where}: the keyring did not remove it")
        removed = self._parsed(old)
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
        return self._call(lambda: self._read(_backend()))

    def _put(self, value: str | None, old: str | None) -> str | None:
        """Store a value, or delete the entry if the value is None, and return what is stored then."""

        def change() -> str | None:
            keyring = _backend()
            try:
                self._write(keyring, value)
            except Exception:
                # It may have been done all the same, for example if only the answer was lost.
                with self._or_unknown():
                    if self._read(keyring) == value:
                        return value
                raise
            try:
                return self._read(keyring)
            except Exception:
                with self._or_unknown():
                    self._write(keyring, old)
                raise

        self._changes += 1
        try:
            return self._call(change, undo=lambda: self._undo(value, old), value=value, old=old)
        finally:
            self._changes += 1

    @contextlib.contextmanager
    def _or_unknown(self) -> Iterator[None]:
        """Try to find out what a change that has failed has done, or to undo it. If that fails too, say so."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - as in `_problem`; the first exception is raised by the caller
            log_error("the keyring failed again", error)
            with contextlib.suppress(Exception):
                self._warn(f"{self.where} may have been changed all the same: the keyring cannot be asked now")

    def _undo(self, value: str | None, old: str | None) -> None:
        """Store the old value again, if the entry has the new one. For the caller of `_put` it has failed."""
        with contextlib.ExitStack() as stack:
            # The lock may be held by a call that waits for this one to end.
            with contextlib.suppress(StoreBusy, OSError):
                stack.enter_context(locked(self._file.path.parent / f"{self._file.format.stem}.lock", _UNDO_TIMEOUT))
            try:
                keyring = _backend()
                if value != old and self._read(keyring) == value:
                    self._write(keyring, old)
            except Exception as error:  # noqa: BLE001 - as in `_problem`; there is no caller any more
                log_error("the keyring failed", error, hide=self._secrets_in(value, old))
                with contextlib.suppress(Exception):
                    kind = clean_text(type(error).__name__)
                    self._warn(f"{self.where} was changed too late, and that could not be undone: {kind}")

    def _read(self, keyring: KeyringBackend | SecretService) -> str | None:
        value: object = keyring.get_password(self._service, self._account)
        if value is None or isinstance(value, str):
            return value
        raise StoreError(f"{self.where}: the keyring returned a value that is no text")

    def _write(self, keyring: KeyringBackend | SecretService, value: str | None) -> None:
        if value is None:
            keyring.delete_password(self._service, self._account)
        else:
            keyring.set_password(self._service, self._account, value)

    def _call(
        self,
        work: Callable[[], Result],
        undo: Callable[[], None] | None = None,
        value: str | None = None,
        old: str | None = None,
    ) -> Result:
        """Call the keyring in a thread, which is given up if it does not return in time.

        Raises:
            KeyringUnavailable: There is no keyring.
            StoreError: The call failed, or did not return in time. The message holds no text of the keyring, which may
                hold the value. The log has it, at level DEBUG, without what may be a secret.
        """
        try:
            return Call(self._account, work, undo).result(self._timeout)
        except KeyringTimeoutError:
            later = "" if undo is None else ". What it changes later is undone, if this program still runs then"
            problem = StoreError(f"{self.where}: the keyring has not answered within {self._timeout:g} seconds{later}")
        except KeyringCallError as failed:
            log_error("the keyring failed", failed.error, hide=self._secrets_in(value, old))
            problem = problem_of(failed.error, self.where, len(value or ""))
        raise problem

    def _parsed(self, value: str | None) -> Credentials | None:
        return None if value is None else self._file.format.parse_or_none(_encoded(value))

    def _secrets_in(self, *values: str | None) -> list[str]:
        """Return the secrets of entries, which no log may show."""
        parsed = [self._parsed(value) for value in values]
        secrets = [secret for each in parsed if each is not None for secret in secrets_of(each)]
        return [*(value for value in values if value is not None), *secrets]


def _backend() -> KeyringBackend | SecretService:
    """Return the keyring of this system. The import is here because it takes time, and the package may be missing."""
    import keyring  # noqa: PLC0415

    backend = keyring.get_keyring()
    return SecretService(backend) if is_secret_service(backend) else backend


def _encoded(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")
