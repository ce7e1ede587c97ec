"""Where credentials are kept."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from ..sansio.credentials import CredentialsError, parse, parse_object, serialise
from ..sansio.events import CredentialsSaved, SaveFailed
from .errors import StoreError
from .locks import locked
from .logs import warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..sansio.credentials import Credentials
    from ..sansio.strict_json import JsonObject

_MAX_FILE: Final = 8 * 1024 * 1024
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)
_IN_PLACE: Final = frozenset({errno.EBUSY, errno.EXDEV})
"""What a rename onto a bind-mounted file ends with."""
_NO_FOLDER_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM})
"""Some file systems, and Windows, cannot sync a folder."""


class CredentialStore(Protocol):
    """What a driver needs of a store. Called in a worker thread; may block."""

    def save(self, credentials: Credentials) -> None:
        """Make the credentials durable before returning.

        Raises:
            StoreError: They are not stored, and what was stored before is as it was.
        """


def save(store: CredentialStore, credentials: Credentials) -> CredentialsSaved | SaveFailed:
    """Save, and say what came of it: what both drivers do in a worker thread."""
    try:
        store.save(credentials)
    except StoreError as error:
        return SaveFailed(message=str(error))
    except Exception as error:  # noqa: BLE001 - a host's own store: its words may hold anything
        return SaveFailed(message=f"the store raised {type(error).__name__}")
    return CredentialsSaved()


class MemoryStore:
    """Keeps credentials for the life of the program, for hosts that store them in a way of their own."""

    def __init__(self) -> None:
        self.credentials: Credentials | None = None

    def load(self) -> Credentials | None:
        """The credentials last saved."""
        return self.credentials

    def save(self, credentials: Credentials) -> None:
        """Keep them."""
        self.credentials = credentials


class FileStore:
    """``auth.json`` in a folder, shared with the Codex CLI: its format, its locks, mode 0600.

    Args:
        home: The folder; made, for its owner only, when something is saved.
        on_warning: Told, in one line, when something unusual was done (a corrupt file set aside, a file rewritten in
            place). By default a log record.
    """

    def __init__(self, home: str | os.PathLike[str], *, on_warning: Callable[[str], None] | None = None) -> None:
        self._home = Path(home)
        self._warn = on_warning or warn

    @property
    def path(self) -> Path:
        """The file."""
        return self._home / "auth.json"

    def load(self) -> Credentials | None:
        """What is stored; None if nothing is.

        Raises:
            StoreError: The file cannot be read or understood. Never a silent "nothing".
        """
        problem = ""
        try:
            data = self._read()
            return None if data is None else parse(data)
        except OSError as error:
            problem = error.strerror or "it cannot be read"
        except CredentialsError as error:
            problem = str(error)
        raise StoreError(f"{self.path}: {problem}")

    def save(self, credentials: Credentials) -> None:
        """Replace what is stored, whole or not at all; members of the file that are no credentials are kept.

        Raises:
            StoreError: Nothing was stored; the old file is as it was.
        """
        problem = ""
        try:
            self._make_home()
            # The order in which Codex takes them.
            with locked(self._home / "auth.lock"), locked(self._home / "auth.json.lock"):
                self._save_locked(credentials)
        except OSError as error:
            problem = error.strerror or type(error).__name__
        if problem:
            raise StoreError(f"{self.path}: {problem}")

    def _make_home(self) -> None:
        if not self._home.is_dir():
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Whatever the umask.
            self._home.chmod(0o700)

    def _save_locked(self, credentials: Credentials) -> None:
        for stray in self._home.glob(".auth.json.*.tmp"):
            # Left by a writer that was killed: we hold the locks, so that nobody is using it.
            with contextlib.suppress(OSError):
                stray.unlink()
        previous, corrupt = self._read_previous()
        temporary = self._home / f".auth.json.{os.urandom(8).hex()}.tmp"
        folder = _open_folder(self._home)
        try:
            _write(temporary, os.O_CREAT | os.O_EXCL, serialise(credentials, previous=previous))
            if corrupt:
                self._set_aside()
            self._put_in_place(temporary)
            if not _sync_folder(folder):
                self._warn(f"{self.path} is stored, but its folder could not be synced: a crash now could undo that")
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            if folder is not None:
                os.close(folder)

    def _read_previous(self) -> tuple[JsonObject, bool]:
        """The old file's members, and whether it is corrupt."""
        try:
            data = self._read(follow=False)
            return ({} if data is None else parse_object(data)), False
        except CredentialsError:
            return {}, True

    def _read(self, *, follow: bool = True) -> bytes | None:
        """The file's bytes; None if there is none. Never hangs on a pipe or a device."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | _NONBLOCK | (0 if follow else _NOFOLLOW))
        except FileNotFoundError:
            return None
        except OSError as error:
            if not follow and error.errno == errno.ELOOP:
                self._warn(f"{self.path} was a symbolic link, and is replaced by a file")
                return None
            raise
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.EINVAL, "it is not a regular file")
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(_MAX_FILE + 1)
        finally:
            os.close(descriptor)
        if len(data) > _MAX_FILE:
            raise CredentialsError(f"the file is larger than {_MAX_FILE} bytes")
        return data

    def _set_aside(self) -> None:
        name = time.strftime("auth.json.corrupt-%Y%m%dT%H%M%SZ", time.gmtime())
        while (self._home / name).exists():
            name += "+"
        try:
            # A second name, so that the old file stays in place until the new one takes it.
            os.link(self.path, self._home / name)
            (self._home / name).chmod(0o600)
        except OSError:
            _write(self._home / name, os.O_CREAT | os.O_EXCL, self.path.read_bytes())
        self._warn(f"{self.path} could not be read; it was set aside as {name}")

    def _rewrite(self, data: bytes) -> None:
        """The last resort, for a file that cannot be replaced: if it fails, what was there is written again."""
        old = self._read() or b""
        try:
            _write(self.path, os.O_TRUNC, data)
        except OSError:
            with contextlib.suppress(OSError):
                _write(self.path, os.O_TRUNC, old)
            raise

    def _put_in_place(self, temporary: Path) -> None:
        try:
            temporary.replace(self.path)
        except OSError as error:
            if error.errno not in _IN_PLACE:
                raise
            self._rewrite(temporary.read_bytes())
            self._warn(f"{self.path} is mounted on its own and was rewritten in place, which a crash could cut short")


def _write(path: Path, flags: int, data: bytes) -> None:
    """Write all of it, durably, for the owner only whatever the umask."""
    descriptor = os.open(path, os.O_WRONLY | _NOFOLLOW | flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), 0o600)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _open_folder(folder: Path) -> int | None:
    """A descriptor to sync the folder with, opened before anything is changed; None where that cannot be had."""
    try:
        return os.open(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno in _NO_FOLDER_SYNC:
            return None
        raise


def _sync_folder(descriptor: int | None) -> bool:
    """Make a rename durable. False if the disk refuses, which comes too late to undo it."""
    if descriptor is None:
        return True
    try:
        os.fsync(descriptor)
    except OSError as error:
        return error.errno in _NO_FOLDER_SYNC
    return True
