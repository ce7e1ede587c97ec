"""The file ``auth.json`` itself: read, replaced and removed whole or not at all. Whoever changes it holds the locks."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from typing import TYPE_CHECKING, Final

from ...sansio.model.credentials import Credentials, CredentialsError, parse, parse_object, serialise

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MAX_FILE: Final = 8 * 1024 * 1024
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)
_IN_PLACE: Final = frozenset({errno.EBUSY, errno.EXDEV})
"""What a rename onto a bind-mounted file ends with."""
_NO_FOLDER_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF, errno.EACCES, errno.EPERM})
"""Some file systems, and Windows, cannot sync a folder."""
_TEMPORARY: Final = (".auth.json.", ".tmp")
"""How the name of a file that is being written begins and ends."""
NOTHING: Final = Credentials(auth_mode=None)
"""What a file without any credentials says."""


def readable(data: bytes) -> Credentials | None:
    """The credentials in the bytes of a file, or of what is stored in its form; None if they cannot be understood."""
    try:
        return parse(data)
    except CredentialsError:
        return None


class AuthFile:
    """``auth.json`` in a folder.

    Every method raises `OSError` if the system refuses, and then has changed nothing.

    Args:
        home: The folder.
        on_warning: Told, in one line, when something unusual was done.
    """

    def __init__(self, home: Path, on_warning: Callable[[str], None]) -> None:
        self.path = home / "auth.json"
        self._home = home
        self._warn = on_warning

    @property
    def where(self) -> str:
        """The file's path, for people."""
        return str(self.path)

    def load(self) -> Credentials | None:
        """What is in the file; None if there is none, or no credentials are in it.

        Raises:
            CredentialsError: It cannot be understood.
        """
        data = self._read()
        credentials = None if data is None else parse(data)
        return None if credentials == NOTHING else credentials

    def replace(self, credentials: Credentials) -> Credentials | None:
        """Put credentials into the file, and return those that were there, if they could be read.

        Members that are no credentials are kept. A file that is no JSON object is set aside.
        """
        self._remove_strays()
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
        return None if corrupt or data is None else readable(data)

    def remove(self) -> Credentials | None:
        """Remove the file, and return what was in it: nothing but a mode of None if that could not be read."""
        self._remove_strays()
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
        removed = readable(data)
        if removed is None:
            self._warn(f"{self.path} could not be read; it was removed as it was")
            return NOTHING
        return None if removed == NOTHING else removed

    def _remove_strays(self) -> None:
        # (Names are compared by hand, because compiling a pattern takes longer than the rest of a save.)
        for name in os.listdir(self._home):  # noqa: PTH208 - names are all that is needed
            if name.startswith(_TEMPORARY[0]) and name.endswith(_TEMPORARY[1]):
                # Left by a writer that was killed: we hold the locks, so that nobody is using it.
                with contextlib.suppress(OSError):
                    (self._home / name).unlink()

    def _unlink(self) -> None:
        leads_to_a_file = self.path.is_symlink() and self.path.exists()
        try:
            self.path.unlink()
        except OSError as error:
            if error.errno not in _IN_PLACE:
                raise
            self._rewrite(b"{}")
            self._warn(f"{self.path} is mounted on its own and cannot be removed; it was emptied")
        if leads_to_a_file:
            self._warn(f"{self.path} was a symbolic link: the file that it led to is still there")

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
            _close(descriptor)
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


def _close(descriptor: int | None) -> None:
    """Close what was only read. If the system complains, what had to be done is done all the same."""
    if descriptor is not None:
        with contextlib.suppress(OSError):
            os.close(descriptor)


def _sync_folder(descriptor: int | None) -> bool:
    """Make a rename durable. False if the disk refuses, which comes too late to undo it."""
    if descriptor is None:
        return True
    try:
        os.fsync(descriptor)
    except OSError as error:
        return error.errno in _NO_FOLDER_SYNC
    return True
