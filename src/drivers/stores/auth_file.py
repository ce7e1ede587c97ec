"""A file with credentials: it is replaced and removed as a whole or not at all. The caller holds the locks."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Generic

from ...sansio.model.auth_json import CredentialsError, parse_object
from ..files import NOFOLLOW, PLAIN, retried
from .checks import check_file, probe, set_mode, sync, unsupported
from .formats import Value
from .locks import UNSUPPORTED
from .owners import foreign_owner, may_follow
from .protocols import StoreVersion

if TYPE_CHECKING:
    from collections.abc import Callable

    from .formats import FileFormat

_MAX_FILE: Final = 8 * 1024 * 1024
_IN_PLACE: Final = frozenset({errno.EBUSY, errno.EXDEV})
"""Errors of a rename onto a bind-mounted file."""
_NO_FOLDER_SYNC: Final = UNSUPPORTED | {errno.EBADF, errno.EACCES}
"""Errors where a folder cannot be synced: on some file systems, and on Windows."""
_SUFFIX: Final = ".tmp"
"""The end of the name of a file that is being written."""


class AuthFile(Generic[Value]):
    """A file in a folder, such as ``auth.json``.

    Every method raises `OSError` if a system call fails, and then has changed nothing.

    Args:
        home: The folder.
        on_warning: Called with one line of text when something unusual was done.
        format_: What the file contains, and its name.
    """

    def __init__(self, home: Path, on_warning: Callable[[str], None], format_: FileFormat[Value]) -> None:
        self.path = home / f"{format_.stem}.json"
        self.format = format_
        self._name = str(self.path)
        self._warn = on_warning
        self._said: set[str] = set()

    @property
    def where(self) -> str:
        """The path of the file, as text for people."""
        return str(self.path)

    def warn_once(self, text: str) -> None:
        """Warn of something that does not change, unless that was done before."""
        if text not in self._said:
            self._said.add(text)
            self._warn(text)

    def target(self) -> Path | None:
        """Return the file that a link in place of this one leads to. None if it is no link, or leads nowhere.

        Raises:
            OSError: The link belongs to a user who is not trusted with it.
        """
        if not self.path.is_symlink() or not self.path.is_file():
            return None
        if not may_follow(str(self.path)):
            raise OSError(errno.EPERM, "it is a symbolic link that another user has made")
        # Strict: otherwise a link that cannot be read is taken for a file.
        return Path(os.path.realpath(self.path, strict=True))

    def version(self) -> StoreVersion:
        """Return the version of the file, from what the system notes about it."""
        try:
            found = os.stat(self._name)  # noqa: PTH116 - pathlib takes twice the time
        except OSError as error:
            return StoreVersion(error.errno)
        content = found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns
        return StoreVersion(content, max(found.st_mtime, found.st_ctime))

    def load(self) -> Value | None:
        """Return what is in the file. None if there is no file, or if it holds none.

        Raises:
            CredentialsError: The file cannot be parsed.
        """
        data = self._read(self.path)
        value = None if data is None else self.format.parse(data)
        return None if value == self.format.empty else value

    def check(self, *, follow: bool = False) -> None:
        """Test whether `replace` can work, as far as that can be found out without it.

        Args:
            follow: As for `replace`.
        """
        path = (self.target() if follow else None) or self.path
        check_file(str(path))
        probe(str(path.parent), self.warn_once, path.name, synced=True)

    def replace(self, value: Value, /, *, follow: bool = False) -> Value | None:
        """Replace what is in the file, and return the old value if it could be read.

        Other members of the file are kept. A file that is no JSON object is set aside under another name.

        Args:
            value: The new value.
            follow: Whether to replace the file that a link leads to, and not the link. A link to nowhere is replaced.
        """
        path = (self.target() if follow else None) or self.path
        _remove_leftovers(path)
        data: bytes | None = None
        unreadable = False
        try:
            data = self._read(path, follow=False)
            previous, corrupt = ({} if data is None else parse_object(data)), False
        except CredentialsError:
            previous, corrupt = {}, True
        except PermissionError:
            # A file that `sudo` has left. If it is our own, it is set aside.
            unreadable = foreign_owner(str(path)) != ""
            previous, corrupt = {}, not unreadable
        old = None if corrupt or data is None else self.format.parse_or_none(data)
        self.format.check(self.where, old, value)
        temporary = _temporary(path)
        folder = _open_folder(path.parent)
        try:
            self._write(temporary, os.O_CREAT | os.O_EXCL, self.format.serialise(value, previous=previous))
            if corrupt:
                self._set_aside(path)
            owner = foreign_owner(str(path)) if unreadable else ""
            self._put_in_place(temporary, path)
            if unreadable:
                self._warn(f"{path} belonged to {owner} and could not be read; it was replaced")
            self._sync_folder(folder, path, "stored")
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            _close(folder)
        return old

    def remove(self) -> Value | None:
        """Remove the file, and return what it held. An empty value if it could not be read, None if there was none."""
        _remove_leftovers(self.path)
        try:
            data = self._read(self.path)
        except (CredentialsError, PermissionError):
            data = b""
        if data is None and not self.path.is_symlink():
            return None
        folder = _open_folder(self.path.parent)
        try:
            self._unlink()
            self._sync_folder(folder, self.path, "removed")
        finally:
            _close(folder)
        if data is None:
            return None
        removed = self.format.parse_or_none(data)
        if removed is None:
            self._warn(f"{self.path} could not be read; it was removed as it was")
            return self.format.empty
        return None if removed == self.format.empty else removed

    def _unlink(self) -> None:
        is_link_to_file = self.path.is_symlink() and self.path.exists()
        try:
            retried(self.path.unlink)
        except OSError as error:
            if error.errno not in _IN_PLACE:
                raise
            self._rewrite(self.path, b"{}")
            self._warn(f"{self.path} is mounted on its own and cannot be removed; it was emptied")
        if is_link_to_file:
            self._warn(f"{self.path} was a symbolic link: the file that it led to is still there")

    def _read(self, path: Path, *, follow: bool = True) -> bytes | None:
        """Return the bytes of a file, or None if there is no file. Never blocks on a pipe or a device."""
        try:
            descriptor = retried(os.open, path, os.O_RDONLY | (PLAIN & ~NOFOLLOW if follow else PLAIN))
        except FileNotFoundError:
            return None
        except OSError as error:
            if not follow and error.errno == errno.ELOOP:
                self._warn(f"{path} was a symbolic link, and is replaced by a file")
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

    def _set_aside(self, path: Path) -> None:
        aside = path.parent / f"{path.name}.corrupt-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
        while aside.exists():
            aside = aside.with_name(f"{aside.name}+")
        try:
            # A hard link, so that the old file stays in place until the new one replaces it.
            os.link(path, aside)
        except OSError:
            self._write(aside, os.O_CREAT | os.O_EXCL, path.read_bytes())
        with contextlib.suppress(OSError):
            aside.chmod(0o600)
        self._warn(f"{path} could not be read; it was set aside as {aside.name}")

    def _rewrite(self, path: Path, data: bytes) -> None:
        """Write into a file that cannot be replaced. If that fails, write the old content again."""
        old = self._read(path) or b""
        try:
            self._write(path, os.O_TRUNC, data)
        except OSError:
            with contextlib.suppress(OSError):
                self._write(path, os.O_TRUNC, old)
            raise

    def _put_in_place(self, temporary: Path, path: Path) -> None:
        try:
            retried(temporary.replace, path)
        except OSError as error:
            if error.errno not in _IN_PLACE:
                raise
            self._rewrite(path, temporary.read_bytes())
            self._warn(f"{path} is mounted on its own and was rewritten in place, which a crash could cut short")

    def _write(self, path: Path, flags: int, data: bytes) -> None:
        """Write and sync a file with mode 0600, whatever the umask, as far as the file system can do that."""
        descriptor = os.open(path, os.O_WRONLY | PLAIN | flags, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            if not set_mode(file.fileno()):
                self.warn_once(unsupported(str(path.parent), "fchmod"))
            file.write(data)
            file.flush()
            if not sync(file.fileno()):
                self.warn_once(unsupported(str(path.parent), "fsync"))

    def _sync_folder(self, descriptor: int | None, path: Path, done: str) -> None:
        """Make a rename durable, or warn if the disk refuses. The rename cannot be undone then."""
        if descriptor is None:
            return
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno not in _NO_FOLDER_SYNC:
                self._warn(f"{path} is {done}, but its folder could not be synced: a crash now could undo that")


def _temporary(path: Path) -> Path:
    return path.parent / os.urandom(8).hex().join((f".{path.name}.", _SUFFIX))


def _remove_leftovers(path: Path) -> None:
    """Remove the files that killed writers left. The locks are held, so that no other writer uses them."""
    prefix = f".{path.name}."
    # The names are compared without a pattern, because compiling one takes longer than the rest of a save.
    for name in os.listdir(path.parent):  # noqa: PTH208 - names are all that is needed
        if name.startswith(prefix) and name.endswith(_SUFFIX):
            with contextlib.suppress(OSError):
                (path.parent / name).unlink()


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
