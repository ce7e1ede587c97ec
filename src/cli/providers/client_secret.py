"""The client's secret: read from a file, or from what a command prints. It is never an argument's value."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from ...drivers.accounts.client_secrets import secret_from_command, secret_from_file
from ...drivers.errors import StoreError
from ...sansio.base.text import clean_text
from .settings import SettingsError

if TYPE_CHECKING:
    from ...sansio.base.secret import Secret
    from .settings import Settings


def client_secret(settings: Settings) -> Secret | None:
    """Return the client's secret; None if the client has none. What is stored later says where it is.

    Raises:
        SettingsError: It cannot be read. The message names the file or the program, and what to do.
    """
    name = next((name for name in ("client_secret_file", "client_secret_command") if settings.has(name)), None)
    if name is None:
        return None
    if name == "client_secret_file":
        _check_file(settings.word(name), os.path.expanduser(settings[name]))  # noqa: PTH111 - as the reader
    try:
        read = secret_from_command if name == "client_secret_command" else secret_from_file
        return read(settings[name])
    except (StoreError, ValueError) as error:
        raise SettingsError(f"{settings.word(name)}: {error}") from None


def _check_file(word: str, path: str) -> None:
    """Check that a file is one, and that only its owner can read it.

    Raises:
        SettingsError: It is none, or others can read it.
    """
    shown = clean_text(path)
    try:
        status = os.stat(path)  # noqa: PTH116 - as above
    except OSError as error:
        raise SettingsError(f"{word}: {shown}: {error.strerror}") from None
    if not stat.S_ISREG(status.st_mode):
        raise SettingsError(f"{word}: {shown} is not a file")
    if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
        raise SettingsError(f"{word}: others can read {shown}. Run: chmod 600 {shown}")
