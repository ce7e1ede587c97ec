"""The file ``auth.json``: it is replaced and removed as a whole or not at all. The caller holds the locks."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from typing import TYPE_CHECKING, Final

from ...sansio.model.auth_json import CredentialsError, parse_object
from ...sansio.model.credentials import Credentials, parse, serialise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MAX_FILE: Final = 8 * 1024 * 1024
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)
_IN_PLACE: Final = frozenset({errno.EBUSY, errno.EXDEV})
"""Errors of a rename onto a bind-mounted file."""
_NO_FOLDER_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM})
"""Errors where a folder cannot be synced: on some file systems, and on Windows."""
_TEMPORARY: Final = (".auth.json.", ".tmp")
"""Prefix and suffix of the name of a file that is being written."""
EMPTY: Final = Credentials(auth_mode=None)
"""The credentials of a file that holds none."""


def parse_or_none(data: bytes) -> Credentials | None:
    """Return the credentials in the bytes of a file, or None if they cannot be parsed."""
    try:
        return parse(data)
    except CredentialsError:
        return None


class AuthFile:
    """``auth.json`` in a folder.

    Every method raises `OSError` if a system call fails, and then has changed nothing.

    Args:
        home: The folder.
        on_warning: Called with one line of text when something unusual was done.
    """

    def __init__(self, home: Path, on_warning: Callable[[str], None]) -> None:
        self.path = home / "auth.json"
        self._home = home
        self._warn = on_warning

    @property
    def where(self) -> str:
        """The path of the file, as text for people."""
        return str(self.path)

    def load(self) -> Credentials | None:
        """Return the credentials in the file. None if there is no file, or if it holds none.

        Raises:
            CredentialsError: The file cannot be parsed.
        """
        data = self._read()
        credentials = None if data is None else parse(data)
        return None if credentials == EMPTY else credentials

    def readable(self) -> Credentials | None:
        """Return the credentials, or None if there are none or they cannot be read."""
        with contextlib.suppress(OSError, CredentialsError):
            return self.load()
        return None

    def replace(self, credentials: Credentials) -> Credentials | None:
        """Replace the credentials in the file, and return the old ones if they could be read.

        Other members of the file are kept. A file that is no JSON object is set aside under another name.
        """
        self._remove_leftovers()
        data: bytes | None = None
        try:
            data = self._read(follow=False)
            previous, corrupt = ({} if data is None else parse_object(data)), False
        except CredentialsError:
            previous, corrupt = {}, True
        temporary = self._home / os.urandom(8).hex().join(_TEMPORARY)
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
            _close(folder)
        return None if corrupt or data is None else parse_or_none(data)

    def remove(self) -> Credentials | None:
        """Remove the file, and return its credentials. `EMPTY` if they could not be read, None if there were none."""
        self._remove_leftovers()
        try:
            data = self._read()
        except CredentialsError:
            data = b""
        if data is None and not self.path.is_symlink():
            return None
        folder = _open_folder(self._home)
        try:
            self._unlink()
            if not _sync_folder(folder):
                self._warn(f"{self.path} is removed, but its folder could not be synced: a crash now could undo that")
        finally:
            _close(folder)
        if data is None:
            return None
        removed = parse_or_none(data)
        if removed is None:
            self._warn(f"{self.path} could not be read; it was removed as it was")
            return EMPTY
        return None if removed == EMPTY else removed

    def _remove_leftovers(self) -> None:
        # The names are compared without a pattern, because compiling one takes longer than the rest of a save.
        for name in os.listdir(self._home):  # noqa: PTH208 - names are all that is needed
            if name.startswith(_TEMPORARY[0]) and name.endswith(_TEMPORARY[1]):
                # A writer that was killed left it. The locks are held, so that no other writer uses it.
                with contextlib.suppress(OSError):
                    (self._home / name).unlink()

    def _unlink(self) -> None:
        is_link_to_file = self.path.is_symlink() and self.path.exists()
        try:
            self.path.unlink()
        except OSError as error:
            if error.errno not in _IN_PLACE:
                raise
            self._rewrite(b"{}")
            self._warn(f"{self.path} is mounted on its own and cannot be removed; it was emptied")
        if is_link_to_file:
            self._warn(f"{self.path} was a symbolic link: the file that it led to is still there")

    def _read(self, *, follow: bool = True) -> bytes | None:
        """Return the bytes of the file, or None if there is no file. Never blocks on a pipe or a device."""
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
            _close(descriptor)
        if len(data) > _MAX_FILE:
            raise CredentialsError(f"the file is larger than {_MAX_FILE} bytes")
        return data

    def _set_aside(self) -> None:
        name = time.strftime("auth.json.corrupt-%Y%m%dT%H%M%SZ", time.gmtime())
        while (self._home / name).exists():
            name += "+"
        try:
            # A hard link, so that the old file stays in place until the new one replaces it.
            os.link(self.path, self._home / name)
            (self._home / name).chmod(0o600)
        except OSError:
            _write(self._home / name, os.O_CREAT | os.O_EXCL, self.path.read_bytes())
        self._warn(f"{self.path} could not be read; it was set aside as {name}")

    def _rewrite(self, data: bytes) -> None:
        """Write into a file that cannot be replaced. If that fails, write the old content again."""
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
    """Write and sync a file with mode 0600, whatever the umask."""
    descriptor = os.open(path, os.O_WRONLY | _NOFOLLOW | flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if hasattr(os, "fchmod"):
            os.fchmod(file.fileno(), 0o600)
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _open_folder(folder: Path) -> int | None:
    """Open a folder to sync it later, before anything is changed. None where folders cannot be opened."""
    try:
        return os.open(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno in _NO_FOLDER_SYNC:
            return None
        raise


def _close(descriptor: int | None) -> None:
    """Close a descriptor that was not written to. An error here changes nothing."""
    if descriptor is not None:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _sync_folder(descriptor: int | None) -> bool:
    """Make a rename durable. Return False if the disk refuses; the rename cannot be undone then."""
    if descriptor is None:
        return True
    try:
        os.fsync(descriptor)
    except OSError as error:
        return error.errno in _NO_FOLDER_SYNC
    return True
