"""The client's secret: read from a file, or from what a command prints. It is never an argument's value."""

from __future__ import annotations

import os
import stat
import subprocess
from typing import TYPE_CHECKING

from ...sansio.base.secret import Secret
from ...sansio.base.text import clean_text, is_printable_ascii
from .settings import SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final

    from .settings import Settings

COMMAND_TIMEOUT: Final = 60.0
"""Seconds that a command may take. A password manager may ask the person first."""
_LONGEST: Final = 4096
"""The most bytes of a secret."""


def client_secret(settings: Settings) -> Secret | None:
    """Return the client's secret; None if the client has none.

    Raises:
        SettingsError: It cannot be read. The message names the file or the program, and what to do.
    """
    if settings.has("client_secret_file"):
        return _checked(settings.word("client_secret_file"), _read(settings, settings["client_secret_file"]))
    if settings.has("client_secret_command"):
        word = settings.word("client_secret_command")
        return _checked(word, _printed(word, settings["client_secret_command"]))
    return None


def _read(settings: Settings, path: str) -> bytes:
    word = settings.word("client_secret_file")
    try:
        # Not blocked by a pipe that nobody writes to.
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as file:  # noqa: PTH123
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise SettingsError(f"{word}: {clean_text(path)} is not a file")
            if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
                raise SettingsError(f"{word}: others can read {clean_text(path)}. Run: chmod 600 {clean_text(path)}")
            return file.read(_LONGEST + 1)
    except OSError as error:
        raise SettingsError(f"{word}: {clean_text(path)}: {error.strerror}") from None


def _printed(word: str, command: Sequence[str]) -> bytes:
    problem = ""
    try:
        done = subprocess.run(  # noqa: S603 - the person's own command, without a shell
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=COMMAND_TIMEOUT,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout
        problem = f"ended with status {done.returncode}"
    except subprocess.TimeoutExpired:
        problem = f"took more than {COMMAND_TIMEOUT:g} seconds"
    except OSError as error:
        problem = f"cannot be run: {error.strerror}"
    raise SettingsError(f"{word}: the command {clean_text(command[0])} {problem}")


def _checked(word: str, content: bytes) -> Secret:
    text = content.decode("utf-8", "replace").strip()
    if not text:
        raise SettingsError(f"{word}: there is no secret in it")
    if len(content) > _LONGEST or not is_printable_ascii(text):
        del text, content
        raise SettingsError(f"{word}: there is more in it than a secret, which is one line of ASCII")
    return Secret(text)
