"""Read the client secret that is in a file, or that a command prints."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from ...sansio.base.text import is_printable_ascii
from ...sansio.server.client_secret import ExternalSecret
from ..errors import StoreError
from ..stores.checks import message_of
from ..stores.file_store import folder_of

if TYPE_CHECKING:
    from collections.abc import Sequence

_TIMEOUT: Final = 60.0
"""Seconds for the command, which may ask the person for a password."""
_LONGEST: Final = 4096
"""The most bytes of a client secret."""


def secret_from_file(path: str | os.PathLike[str]) -> ExternalSecret:
    """Return the client secret in a file. Space and line breaks around it are no part of it.

    Credentials that are stored with it hold the path of the file, and not the secret.

    Args:
        path: The file. A relative path counts from the current folder.

    Raises:
        StoreError: The file cannot be read, or holds no secret.
        ValueError: ``~`` in the path stands for no folder.
    """
    return read_secret(ExternalSecret(file=os.path.abspath(folder_of(path))))  # noqa: PTH100 - links stay as they are


def secret_from_command(command: Sequence[str]) -> ExternalSecret:
    """Return the client secret that a command prints. No shell is used.

    Credentials that are stored with it hold the command, and not the secret.

    Args:
        command: The program and its arguments.

    Raises:
        StoreError: The command fails, takes longer than 60 seconds, or prints no secret.
        ValueError: The command is empty, or one string.
    """
    if isinstance(command, str):
        raise ValueError("the command is a list: the program and its arguments")  # noqa: TRY004 - as for scopes
    return read_secret(ExternalSecret(command=tuple(command)))


def read_secret(secret: ExternalSecret) -> ExternalSecret:
    """Return a client secret with its value. The file is read, or the command is called, in any case.

    Raises:
        StoreError: It cannot be read. The message names the file or the program, and nothing that was read.
    """
    problem = ""
    data = b""
    try:
        if secret.file:
            data = _read_file(secret.file)
        else:
            data, problem = _output(secret.command)
    except OSError as error:
        problem = message_of(error)
    value = data.decode("utf-8", "replace").strip()
    if not problem and (not value or len(data) > _LONGEST or not is_printable_ascii(value)):
        problem = f"it gives no secret of one line, of at most {_LONGEST} ASCII characters"
    if problem:
        # A traceback with locals must not show them.
        del data, value
        raise StoreError(f"the client secret cannot be read from {secret.where}: {problem}")
    return secret.with_value(value)


def _read_file(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib adds nothing here
        return file.read(_LONGEST + 1)


def _output(command: tuple[str, ...]) -> tuple[bytes, str]:
    """Return what a program prints, and what is wrong with it."""
    import subprocess  # noqa: PLC0415 - few clients have a secret, and fewer a command

    try:
        done = subprocess.run(  # noqa: S603 - the person's own configuration names the command
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            # It may show the secret.
            stderr=subprocess.DEVNULL,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return b"", f"it took longer than {_TIMEOUT:g} seconds"
    return done.stdout, f"it ended with status {done.returncode}" if done.returncode else ""
