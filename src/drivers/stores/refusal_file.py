"""The file in a home folder that remembers a refused refresh token. It holds no token, only a digest.

It is written while the lock for renewing the tokens is held, so there is one writer.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from typing import TYPE_CHECKING, Final

from ...sansio.base.strict_json import JsonError, loads_object
from ...sansio.refresh.failures import RefreshFailureCategory
from ...sansio.refresh.outcome import Refusal
from ..files import PLAIN, retried

if TYPE_CHECKING:
    from pathlib import Path

_END: Final = ".refused.json"
"""What the name of the file ends with. It begins as that of the credentials' file does."""
_MAX_FILE: Final = 4096
_ABOUT: Final = "The provider refused a refresh token. loginmachine does not send it again. This file holds no token."


def read_refusal(home: Path, stem: str = "auth") -> Refusal | None:
    """Return the refusal in the file. None if there is none, or if it cannot be read.

    Args:
        home: The folder.
        stem: What the names of the files of a store begin with.
    """
    try:
        members = loads_object(_read(home / f"{stem}{_END}"))
        digest, category = members["digest"], RefreshFailureCategory(members["category"])
    except (OSError, JsonError, KeyError, ValueError):
        return None
    return Refusal(digest=digest, category=category) if isinstance(digest, str) else None


def _read(path: Path) -> bytes:
    """Return the bytes of a regular file. Never blocks on a pipe or a device."""
    descriptor = retried(os.open, path, os.O_RDONLY | PLAIN)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return os.read(descriptor, _MAX_FILE)
    finally:
        os.close(descriptor)


def write_refusal(home: Path, refusal: Refusal, stem: str = "auth") -> None:
    """Replace the file. It need not survive a crash: then the token is sent once more.

    Args:
        home: The folder.
        refusal: What to remember.
        stem: What the names of the files of a store begin with.

    Raises:
        OSError: The file cannot be written.
    """
    content = {"about": _ABOUT, "digest": refusal.digest, "category": refusal.category}
    temporary = home / f".{stem}{_END}.tmp"
    # A process that was killed may have left it.
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | PLAIN, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(json.dumps(content, indent=2).encode("ascii") + b"\n")
        retried(temporary.replace, home / f"{stem}{_END}")
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
