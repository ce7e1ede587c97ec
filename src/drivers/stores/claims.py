"""Exclusion between processes on a file system without locks: a file that only one program can create."""

from __future__ import annotations

import contextlib
import os
import time

from ..files import PLAIN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

STALE_AFTER: Final = 180.0
"""Seconds after which a file of another machine is stale. A refresh takes less than half of that."""
_MAX_LENGTH: Final = 512


class Claim:
    """The file ``<lock>.held``. It holds the machine, the process and a random word of the program that created it.

    Unlike a lock, the file stays when its program is killed. It is then stale: its process is gone, or, if it belongs
    to another machine, it is older than `STALE_AFTER` seconds. A stale file is removed.

    Args:
        lock: The path of the lock that the file stands for.
    """

    def __init__(self, lock: str) -> None:
        self._path = f"{lock}.held"
        self._content = b""
        """What this object has written. Empty while it does not hold the file."""

    def take(self) -> bool:
        """Create the file, and return whether that was possible.

        Raises:
            OSError: The file can neither be created nor read.
        """
        if self._create():
            return True
        found = _read(self._path)
        if found is not None and _is_stale(*found):
            self._remove(found[0])
            return self._create()
        return found is None and self._create()

    def release(self) -> None:
        """Remove the file, if this object has created it in this process. A forked process has a copy of it."""
        content, self._content = self._content, b""
        if content.startswith(_own_prefix()):
            with contextlib.suppress(OSError):
                found = _read(self._path)
                if found is not None and found[0] == content:
                    os.unlink(self._path)  # noqa: PTH108 - pathlib is not loaded yet

    def _create(self) -> bool:
        try:
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN, 0o600)
        except FileExistsError:
            return False
        content = _own_prefix() + os.urandom(8).hex().encode()
        try:
            os.write(descriptor, content)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(self._path)  # noqa: PTH108 - as above
            raise
        finally:
            with contextlib.suppress(OSError):
                os.close(descriptor)
        self._content = content
        return True

    def _remove(self, stale: bytes) -> None:
        """Remove a stale file, but not the file of a program that has removed it, and created its own, meanwhile.

        One program at a time does this: the one that has created a second file for it.
        """
        marker = f"{self._path}.stale"
        with contextlib.suppress(OSError):
            try:
                os.close(os.open(marker, os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN, 0o600))
            except FileExistsError:
                left = _read(marker)
                if left is not None and left[1] > STALE_AFTER:
                    # A program was killed between the two.
                    os.unlink(marker)  # noqa: PTH108 - as above
                return
            try:
                found = _read(self._path)
                if found is not None and found[0] == stale:
                    os.unlink(self._path)  # noqa: PTH108 - as above
            finally:
                os.unlink(marker)  # noqa: PTH108 - as above


def _read(path: str) -> tuple[bytes, float] | None:
    """Return the content of a file and its age in seconds; None if there is no file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | PLAIN)
    except FileNotFoundError:
        return None
    try:
        # A time in the future says no more than one in the past: the clocks differ.
        return os.read(descriptor, _MAX_LENGTH), abs(time.time() - os.fstat(descriptor).st_mtime)
    finally:
        os.close(descriptor)


def _is_stale(content: bytes, age: float) -> bool:
    machine, _, rest = content.partition(b" ")
    process, _, rest = rest.partition(b" ")
    started, _, word = rest.partition(b" ")
    if not word or machine != _machine() or not process.isdigit():
        return age > STALE_AFTER
    return not _is_running(int(process), started)


def _own_prefix() -> bytes:
    return b"%s %d %s " % (_machine(), os.getpid(), _started(os.getpid()) or b"-")


def _machine() -> bytes:
    """Return a name of the machine since its start, and of the container: process numbers mean something only there."""
    parts = []
    with contextlib.suppress(OSError), open("/proc/sys/kernel/random/boot_id", "rb") as file:  # noqa: PTH123
        parts.append(file.read().strip())
    with contextlib.suppress(OSError):
        parts.append(os.readlink("/proc/self/ns/pid").encode())  # noqa: PTH115 - as above
    if len(parts) < 2 and hasattr(os, "uname"):
        parts = [os.uname().nodename.replace(" ", "-").encode("utf-8", "replace")]
    return b"/".join(parts)


def _started(process: int) -> bytes | None:
    """Return when a process was started, as text of the system. None if it has ended, or the system does not tell."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:  # noqa: PTH123 - as above
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    # A process that has ended, but that its parent has not waited for, is in state Z.
    return None if fields[0] in {b"Z", b"X"} else fields[19]


def _is_running(process: int, started: bytes) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        # It runs, as another user.
        pass
    if started == b"-" or not os.path.exists("/proc/self/stat"):  # noqa: PTH110 - as above
        return True
    # The number may have been given to a new process. (`/proc` may hide the processes of other users.)
    return not os.path.exists(f"/proc/{process}/stat") or _started(process) == started  # noqa: PTH110
