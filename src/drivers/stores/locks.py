"""Locks between processes, on the files that the Codex CLI locks too."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time

from ..errors import StoreBusy
from ..files import PLAIN
from ..forks import OwnDescriptor, no_fork
from .claims import Claim

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

_POLL: Final = 0.02
UNSUPPORTED: Final = frozenset({errno.EPERM, errno.ENOLCK, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP})
"""Errors of `flock`, `fchmod` and `fsync` on file systems that do not have them."""

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _try_lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def locked(
    path: str | os.PathLike[str],
    timeout: float,
    *,
    on_unsupported: Callable[[], object] = bool,
    go_on: bool = False,
) -> Iterator[None]:
    """Hold an exclusive lock on a file, which is created if it is missing. The end of a process releases its locks.

    The child of a fork does not hold the lock, even if it was forked in the block.

    The lock belongs to the block, not to a thread. Two threads exclude each other, and a block may be entered in one
    thread and left in another.

    On a file system without locks, a second file beside the first is created exclusively, and removed at the end.

    Args:
        path: The file.
        timeout: Seconds to wait at most.
        on_unsupported: Called if the file system has no locks.
        go_on: Whether the block runs in any case on a file system without locks, after the time-out too.

    Raises:
        StoreBusy: Another holder did not release the lock in time.
        OSError: The file cannot be opened.
    """
    path = os.fspath(path)
    lock = _Lock(path, on_unsupported)
    try:
        deadline = time.monotonic() + timeout
        while not lock.take(go_on=go_on):
            if time.monotonic() >= deadline:
                if go_on and lock.claim is not None:
                    break
                raise StoreBusy(f"another program has held {path} for more than {timeout:g} seconds")
            time.sleep(_POLL)
        yield
    finally:
        lock.close()


class _Lock:
    """An open file that can be locked, or the claim that replaces a lock."""

    def __init__(self, path: str, on_unsupported: Callable[[], object]) -> None:
        self._path = path
        self._on_unsupported = on_unsupported
        with no_fork:
            self._file = OwnDescriptor(open_lock(path))
        self.claim: Claim | None = None
        """Used if the file system has no locks."""

    def take(self, *, go_on: bool) -> bool:
        """Take the lock, and return whether that was possible.

        Raises:
            OSError: The system cannot lock the file for another reason than that its file system has no locks.
        """
        if self.claim is None:
            try:
                return _locked(self._file.fileno())
            except OSError as error:
                if error.errno not in UNSUPPORTED or sys.platform == "win32":
                    raise
            self.claim = Claim(self._path)
            self._on_unsupported()
        try:
            return self.claim.take()
        except OSError:
            if go_on:
                return True
            raise

    def close(self) -> None:
        """Release the lock."""
        if self.claim is not None:
            self.claim.release()
        # Closing releases the lock even if it reports an error, and the work under the lock is done.
        self._file.close()


def open_lock(path: str) -> int:
    """Open the file of a lock, which is created if it is missing, and return the descriptor.

    Raises:
        OSError: The file cannot be opened, or is a link.
    """
    flags = os.O_RDWR | PLAIN
    try:
        # Without O_CREAT: in a sticky folder, Linux refuses to open the file of another user with it.
        return os.open(path, flags)
    except FileNotFoundError:
        return os.open(path, flags | os.O_CREAT, 0o600)


def is_held(path: str) -> bool:
    """Return whether a program holds a lock now. A file that is missing is not created, and held by none.

    Raises:
        OSError: The file cannot be opened or locked.
    """
    if os.path.lexists(f"{path}.held"):
        return True
    try:
        descriptor = os.open(path, os.O_RDWR | PLAIN)
    except FileNotFoundError:
        return False
    try:
        return not _locked(descriptor)
    finally:
        # This releases the lock, too.
        os.close(descriptor)


def has_locks(descriptor: int) -> bool:
    """Return whether the file system of an open file has locks. Takes none for longer than a moment."""
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(descriptor, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError as error:
        return error.errno not in UNSUPPORTED
    return True


def _locked(descriptor: int) -> bool:
    try:
        _try_lock(descriptor)
    except OSError as error:
        # EACCES is how Windows, and some network file systems, report that another program holds the lock.
        if isinstance(error, BlockingIOError) or error.errno == errno.EACCES:
            return False
        raise
    return True
