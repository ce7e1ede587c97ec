"""Whether credentials can be stored in a folder, found out before anything is stored: its files, owner and system."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from ..files import PLAIN, make_private, retried
from .locks import UNSUPPORTED, has_locks, open_lock
from .owners import foreign_owner, is_protected, risks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

_LOCKS: Final = (".lock", ".json.lock", ".refresh.lock")
"""What the names of the locks in a home folder end with. The first one is needed for everything."""
_OTHER_FOLDER: Final = "Choose another folder with --home."
_NO_LOCK: Final = {errno.EISDIR: "it is a folder", errno.ELOOP: "it is a symbolic link"}
_PROBE: Final = 16 * 1024  # bytes to write as a test: more than the credentials of any account take


class UnusableError(OSError):
    """Credentials cannot be stored, and this is why.

    Args:
        number: The errno.
        what: What cannot be used, with its path.
        problem: The reason, which reads on from "cannot be used: ".
        advice: What to do about it; sentences.
    """

    def __init__(self, number: int, what: str, problem: str, advice: str) -> None:
        super().__init__(number, problem)
        self.what = what
        self.problem = problem
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.what} cannot be used: {self.problem}"


def check_home(
    home: str,
    on_warning: Callable[[str], object],
    *,
    stem: str = "auth",
    has_file: bool = True,
    is_hurried: bool = False,
) -> None:
    """Check that credentials can be stored in a home folder. Its first lock is created if it is missing.

    Args:
        home: The folder.
        on_warning: Called with one line of text about something that is no obstacle.
        stem: What the names of the file and its locks begin with.
        has_file: Whether the credentials are kept in a file there.
        is_hurried: Whether to wait at most 0.01 seconds for the disk. A thread may then go on waiting for it.

    Raises:
        UnusableError: Credentials cannot be stored.
    """
    check_folder(home)
    for text in risks(home):
        on_warning(text)
    for end in _LOCKS:
        path = os.path.join(home, stem + end)  # noqa: PTH118 - pathlib is not loaded yet
        is_first = end == _LOCKS[0]
        if is_first or os.path.lexists(path):
            _check_lock(home, path, on_warning, (can_sync_soon if is_hurried else can_sync) if is_first else None)
    if has_file:
        path = os.path.join(home, f"{stem}.json")  # noqa: PTH118 - as above
        check_file(path)
        owner = foreign_owner(path)
        if owner:
            on_warning(f"{path} belongs to {owner}, and is replaced by a sign-in")
        probe(home, on_warning, f"{stem}.json")


def check_folder(home: str) -> None:
    """Check that a folder exists, and that files can be created in it.

    Raises:
        UnusableError: It does not, or they cannot.
    """
    what = f"the folder for your credentials, {home},"
    if os.path.exists(home) and not os.path.isdir(home):  # noqa: PTH110, PTH112 - as above
        raise UnusableError(errno.ENOTDIR, what, "it is a file", _OTHER_FOLDER)
    if not os.path.isdir(home):  # noqa: PTH112 - as above
        raise UnusableError(errno.ENOENT, what, "it cannot be created", _OTHER_FOLDER)
    effective = {"effective_ids": True} if os.access in os.supports_effective_ids else {}
    if not os.access(home, os.W_OK | os.X_OK, **effective):
        owner = foreign_owner(home)
        problem = "it is not writable" + (f", and belongs to {owner}" if owner else "")
        advice = "Choose another folder with --home, or make this one writable."
        raise UnusableError(errno.EACCES, what, problem, advice)


def check_file(path: str) -> None:
    """Check that a file can be replaced, if there is one. A link can be.

    Raises:
        UnusableError: It cannot be.
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return
    what, is_link = f"the file {path}", stat.S_ISLNK(status.st_mode)
    if not stat.S_ISREG(status.st_mode) and not is_link:
        raise UnusableError(errno.EINVAL, what, "it is not a regular file", _OTHER_FOLDER)
    owner = foreign_owner(path)
    if owner and is_protected(os.path.dirname(path), status):  # noqa: PTH120 - as above
        problem = f"it belongs to {owner}, who alone can replace it in this folder"
        raise UnusableError(errno.EPERM, what, problem, _OTHER_FOLDER)
    if is_link:
        return
    try:
        # Nothing is written. A rename would not need this, but it is the only way to see what stops a rename.
        os.close(os.open(path, os.O_WRONLY | PLAIN))
    except OSError as error:
        if error.errno == errno.EROFS or (error.errno == errno.EACCES and _is_mounted(path)):
            problem = "it is mounted on its own, and may not be written"
            advice = "Mount it writable, or mount its folder instead."
            raise UnusableError(errno.EROFS, what, problem, advice) from error
        if error.errno == errno.EPERM:
            problem = "the system lets nothing change it (it may be immutable, see lsattr)"
            raise UnusableError(errno.EPERM, what, problem, _OTHER_FOLDER) from error


def probe(folder: str, on_warning: Callable[[str], object], name: str, *, synced: bool = False) -> None:
    """Create a file in a folder as a test, fill it, and remove it again.

    Args:
        folder: The folder.
        on_warning: Called if the file system has no permissions, or cannot write to the disk at once.
        name: The name of the file that is to be stored there.
        synced: Whether the test waits until the disk has the file.

    Raises:
        UnusableError: The file cannot be created or filled.
    """
    # A writer removes the file, if this process is killed before it does.
    path = os.path.join(folder, f".{name}.{os.urandom(8).hex()}.tmp")  # noqa: PTH118 - as above
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN, 0o600)
        try:
            try:
                _fill(descriptor, folder, on_warning, synced=synced)
            finally:
                os.close(descriptor)
        finally:
            # When it is closed: Windows removes no file that is open.
            with contextlib.suppress(OSError):
                retried(os.unlink, path)
    except OSError as error:
        what, problem = f"the folder for your credentials, {folder},", message_of(error)
        raise UnusableError(error.errno or 0, what, problem, _OTHER_FOLDER) from error


def _fill(descriptor: int, folder: str, on_warning: Callable[[str], object], *, synced: bool) -> None:
    if not set_mode(descriptor):
        on_warning(unsupported(folder, "fchmod"))
    left = _PROBE
    while left > 0:
        left -= os.write(descriptor, b"\0" * left)
    if synced and not sync(descriptor):
        on_warning(unsupported(folder, "fsync"))


def _check_lock(home: str, path: str, warn: Callable[[str], object], is_synced: Callable[[int], bool] | None) -> None:
    try:
        descriptor = open_lock(path)
    except OSError as error:
        if not os.path.lexists(path):
            what = f"the folder for your credentials, {home},"
            problem = error.strerror or "no file can be created in it"
            raise UnusableError(error.errno or 0, what, problem, _OTHER_FOLDER) from error
        owner = foreign_owner(path)
        problem = _NO_LOCK.get(error.errno or 0) or (f"it belongs to {owner}" if owner else message_of(error))
        advice = "If no program is using it, remove it, with sudo perhaps. Or choose another folder with --home."
        raise UnusableError(error.errno or 0, f"the lock {path}", problem, advice) from error
    try:
        if not has_locks(descriptor):
            warn(unsupported(home, "flock"))
        if is_synced is not None and not is_synced(descriptor):
            warn(unsupported(home, "fsync"))
    finally:
        with contextlib.suppress(OSError):
            os.close(descriptor)


# What a file system may lack


def unsupported(folder: str, call: str) -> str:
    """Return a warning about a system call that the file system of a folder does not have."""
    lacks = {
        "flock": "has no locks: programs that change the credentials at the same time may disturb each other",
        "fchmod": "keeps no permissions: other users of this machine may be able to read the credentials",
        "fsync": "cannot write to the disk at once: a crash could undo a sign-in",
    }
    return f"the file system of {folder} {lacks[call]} ({call} is not supported)"


def set_mode(descriptor: int) -> bool:
    """Give a file mode 0600, whatever the umask. Return whether the file system can do that.

    Raises:
        OSError: It failed for another reason.
    """
    try:
        make_private(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        return False
    return True


def sync(descriptor: int) -> bool:
    """Write a file to the disk. Return whether the file system can do that.

    Raises:
        OSError: It failed for another reason.
    """
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise
        return False
    return True


def can_sync(descriptor: int) -> bool:
    """Return False if the file system cannot sync a file."""
    try:
        return sync(descriptor)
    except OSError:
        # The file that is stored later finds that out.
        return True


def can_sync_soon(descriptor: int) -> bool:
    """Return False if the file system says within 0.01 seconds that it cannot sync a file. A sync may take longer."""
    import threading  # noqa: PLC0415 - a driver has loaded it

    results: list[bool] = []
    done = threading.Event()
    copy = os.dup(descriptor)

    def work() -> None:
        results.append(can_sync(copy))
        os.close(copy)
        done.set()

    try:
        threading.Thread(target=work, daemon=True).start()
    except RuntimeError:
        os.close(copy)
        return True
    done.wait(0.01)
    return results != [False]


# Messages


def explain(error: OSError) -> str:
    """Return the system's message, with the path of a lock or the owner of a file, if that is what is wrong."""
    if isinstance(error, UnusableError):
        return str(error)
    path = str(error.filename2 or error.filename or "")
    name = os.path.basename(path)  # noqa: PTH119 - as above
    if error.errno in {errno.EACCES, errno.EPERM}:
        found = path if os.path.lexists(path) else os.path.dirname(path)  # noqa: PTH120 - as above
        owner = foreign_owner(found) if found else ""
        if owner:
            return f"{message_of(error)}: {found} belongs to {owner}"
    is_lock = name.endswith(".lock") and os.path.lexists(path)
    return f"{name}: {message_of(error)}" if is_lock else message_of(error)


def message_of(error: OSError) -> str:
    """Return the system's message."""
    return error.strerror or type(error).__name__


def _is_mounted(path: str) -> bool:
    """Return whether a file is a mount point. Only Linux tells; elsewhere files cannot be mounted."""
    wanted = os.fsencode(os.path.realpath(path))
    for character in b"\\ \t\n":  # as proc(5) writes them
        wanted = wanted.replace(bytes([character]), b"\\%03o" % character)
    with contextlib.suppress(OSError), open("/proc/self/mountinfo", "rb") as file:  # noqa: PTH123 - as above
        return any(line.split(b" ")[4] == wanted for line in file)
    return False
