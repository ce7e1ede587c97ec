"""What differs between systems when files are opened, replaced and removed."""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, ParamSpec, TypeVar

    Arguments = ParamSpec("Arguments")
    Result = TypeVar("Result")

NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
"""Refuses a symbolic link."""
NONBLOCK: Final = getattr(os, "O_NONBLOCK", 0)
"""Does not wait at a pipe or a device."""
BINARY: Final = getattr(os, "O_BINARY", 0)
"""Changes no byte. Without it, Windows writes a line break as two bytes, and the size of a file is not what was
written."""
PLAIN: Final = NOFOLLOW | NONBLOCK | BINARY
"""All flags of `os.open` for a file of ours."""

_PAUSES: Final = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
"""Seconds between attempts. Readers, virus scanners and backups have a file open for less than that."""
pause: Callable[[float], object] = time.sleep


def retried(call: Callable[Arguments, Result], *args: Arguments.args, **more: Arguments.kwargs) -> Result:
    """Call a function of `os` that Windows refuses while another program has the file open, or replaces it.

    It is called again for a bounded time, 1.3 seconds in all. On other systems it is called once.

    Args:
        call: The function, such as `os.replace`.
        args: Its arguments.
        more: Its named arguments.

    Raises:
        OSError: As the function. `PermissionError` if the file is still open at the end.
    """
    for seconds in _PAUSES if sys.platform == "win32" else ():
        try:
            return call(*args, **more)
        except PermissionError:
            pause(seconds)
    return call(*args, **more)


def make_private(descriptor: int) -> None:
    """Give an open file mode 0600, whatever the umask. Windows has no modes; there a new file is its user's alone.

    Raises:
        OSError: The file has another owner, or its file system no modes.
    """
    # (On Windows, `os.chmod` takes no descriptor before Python 3.13.)
    if hasattr(os, "fchmod"):
        os.fchmod(descriptor, 0o600)
