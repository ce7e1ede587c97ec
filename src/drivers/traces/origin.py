"""Describe this machine and program in a trace, without anything personal."""

from __future__ import annotations

import platform
import re
import time
from importlib import metadata
from typing import TYPE_CHECKING

from ...sansio.trace.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Callable


class CommandRecord:
    """The ``record=`` of a command's login, which adds the command to the origin of the trace.

    Args:
        write: Called with each line.
        program: The program and its command.
        arguments: The options of the command, without values that could name a person.
    """

    def __init__(self, write: Callable[[str], object], program: str, arguments: str) -> None:
        self._write = write
        self.program = program
        self.arguments = arguments

    def __call__(self, line: str) -> None:
        """Write a line.

        Raises:
            OSError: As the function that writes.
        """
        self._write(line)


def origin_of(record: Callable[[str], object], driver: str) -> Origin:
    """Return the origin of a trace that begins now.

    Args:
        record: Called with each line of the trace.
        driver: The name of the driver; empty if there is none.
    """
    command = record if isinstance(record, CommandRecord) else None
    return Origin(
        program=command.program if command else "loginmachine",
        version=_version(),
        python=f"{platform.python_implementation()} {platform.python_version()}",
        system=_system(),
        driver=driver,
        arguments=command.arguments if command else "",
        recorded=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    )


def _version() -> str:
    try:
        return metadata.version("loginmachine")
    except metadata.PackageNotFoundError:
        # In a program that was frozen without the package's metadata.
        return ""


def _system() -> str:
    # The rest of a release may be a name that a person gave to a kernel of their own.
    release = platform.release()
    number = re.match(r"[0-9.]*", release)
    parts = [platform.system(), number[0] if number else "", platform.machine()]
    return " ".join([*(part for part in parts if part), *(["WSL"] if "microsoft" in release.lower() else [])])
