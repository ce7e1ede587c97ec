"""Programs in processes of their own, which talk to the test over their standard streams."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@contextlib.contextmanager
def ready(commands: Iterable[list[str]]) -> Iterator[list[subprocess.Popen[str]]]:
    """Run programs at the same time, and wait until each has printed "ready"."""
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for command in commands
    ]
    try:
        for process in started:
            assert line_of(process) == "ready"
        yield started
    finally:
        for process in started:
            process.kill()
            process.communicate()


def line_of(process: subprocess.Popen[str]) -> str:
    """Return the next line that a program prints; an empty text if it has ended."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(process: subprocess.Popen[str]) -> None:
    """Let a program go on that waits for a line."""
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()
