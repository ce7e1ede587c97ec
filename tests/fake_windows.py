"""Makes this process act like one on Windows, as far as that can be done on Linux.

Only for a process of its own. What is faked is what the documentation of Python and Windows says of:

- names that `os` and `signal` do not have there, and modules that cannot be imported;
- an open file, which can neither be removed nor replaced by another one;
- a folder, which cannot be opened;
- `os.open` without ``O_BINARY``, which makes a file in which a line ends with two bytes.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import socket
import sys
import types
from pathlib import Path
from typing import Any

BINARY = 1 << 30
_MISSING = (
    *("fchmod", "fchown", "geteuid", "getuid", "getegid", "getgid", "getpgrp", "tcgetpgrp", "fork", "uname"),
    *("O_NOFOLLOW", "O_NONBLOCK", "O_DIRECTORY", "O_CLOEXEC", "register_at_fork", "fpathconf", "mkfifo", "setsid"),
)
_MISSING_SIGNALS = ("SIGHUP", "SIGTSTP", "SIGCONT", "SIGQUIT", "SIGUSR1", "SIGKILL", "pthread_kill")
_MISSING_MODULES = ("fcntl", "termios", "pwd", "grp", "pty", "tty", "resource")
_USED = ("close", "fdopen", "open", "read", "replace", "unlink", "write", "chmod")
_real: dict[str, Any] = {name: getattr(os, name) for name in _USED}
_flock = fcntl.flock
_text_mode: set[int] = set()


def pretend(*imported: str) -> None:
    """Let this process be on Windows from now on.

    Args:
        imported: Modules of other packages that must be loaded before, because they have parts of their own for it.
    """
    for name in (
        "asyncio",
        "getpass",
        "httpx",
        "multiprocessing",
        "platform",
        "shutil",
        "ssl",
        "subprocess",
        "tempfile",
        "trio",
    ):
        __import__(name)
    for name in imported:
        __import__(name)
    sys.platform = "win32"
    for name in _MISSING:
        delattr(os, name)
    # What Ctrl-Break sends, and a service manager.
    signal.SIGBREAK = signal.SIGUSR1  # type: ignore[attr-defined]
    for name in _MISSING_SIGNALS:
        delattr(signal, name)
    for name in _MISSING_MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    fakes: dict[str, Any] = {
        "open": _open,
        "close": _close,
        "fdopen": _fdopen,
        "read": _read,
        "write": _write,
        "chmod": _chmod,
        "unlink": _unlink,
        "replace": _replace,
        "O_BINARY": BINARY,
    }
    for name, fake in fakes.items():
        setattr(os, name, fake)
    msvcrt: Any = types.ModuleType("msvcrt")
    msvcrt.LK_NBLCK, msvcrt.locking, msvcrt.get_osfhandle = 2, _locking, int
    sys.modules["msvcrt"] = msvcrt
    # (Linux has no such option.)
    socket.SO_EXCLUSIVEADDRUSE = socket.SO_KEEPALIVE  # type: ignore[attr-defined]


def _locking(descriptor: int, mode: int, size: int) -> None:
    assert (mode, size) == (2, 1)
    try:
        _flock(descriptor, 2 | 4)
    except BlockingIOError:
        raise PermissionError(errno.EACCES, "Permission denied") from None


def _open(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
    if Path(path).is_dir():
        raise PermissionError(errno.EACCES, "Permission denied", path)
    descriptor: int = _real["open"](path, flags & ~BINARY, mode, **more)
    if not flags & BINARY:
        _text_mode.add(descriptor)
    return descriptor


def _close(descriptor: int) -> None:
    _text_mode.discard(descriptor)
    _real["close"](descriptor)


def _fdopen(descriptor: int, *args: Any, **more: Any) -> Any:
    # The file object makes the descriptor binary.
    _text_mode.discard(descriptor)
    return _real["fdopen"](descriptor, *args, **more)


def _read(descriptor: int, size: int) -> bytes:
    data: bytes = _real["read"](descriptor, size)
    return data.replace(b"\r\n", b"\n") if descriptor in _text_mode else data


def _write(descriptor: int, data: bytes) -> int:
    if descriptor not in _text_mode:
        written: int = _real["write"](descriptor, data)
        return written
    _real["write"](descriptor, bytes(data).replace(b"\n", b"\r\n"))
    return len(data)


def _chmod(path: Any, mode: int, **more: Any) -> None:
    if isinstance(path, int):
        raise TypeError("chmod: path should be string, bytes or os.PathLike, not int")
    _real["chmod"](path, mode, **more)


def _unlink(path: Any, **more: Any) -> None:
    _refuse_open(path)
    _real["unlink"](path, **more)


def _replace(source: Any, target: Any, **more: Any) -> None:
    _refuse_open(source)
    _refuse_open(target)
    _real["replace"](source, target, **more)


def _refuse_open(path: Any) -> None:
    """Raise the error of Windows if this process has the file open."""
    wanted = os.path.realpath(path)
    for entry in Path("/proc/self/fd").iterdir():
        # (One of them is the folder itself, which is closed by now.)
        with contextlib.suppress(FileNotFoundError):
            if str(entry.readlink()) == wanted:
                raise PermissionError(errno.EACCES, "Access is denied", path)
