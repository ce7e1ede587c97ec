"""Runs the command on a pseudo-terminal, as a shell with job control does."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

from ..conftest import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE = 20.0
SHELL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
if job == 0:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execv(sys.executable, [sys.executable, "-m", "loginmachine", *sys.argv[1:]])
print(f"[job {job}]", flush=True)
while True:
    _, status = os.waitpid(job, os.WUNTRACED)
    os.tcsetpgrp(0, os.getpgrp())
    echo = bool(termios.tcgetattr(0)[3] & termios.ECHO)
    if not os.WIFSTOPPED(status):
        print(f"[over {os.waitstatus_to_exitcode(status)} echo={echo}]", flush=True)
        break
    print(f"[stopped echo={echo}]", flush=True)
    os.tcsetpgrp(0, job)
    os.kill(job, signal.SIGCONT)
"""
"""A shell that resumes a suspended job at once."""


class Screen:
    """The screen and the keyboard of a terminal."""

    def __init__(self, master: int, slave: int) -> None:
        self._master = master
        self._slave = slave
        self.shown = ""
        """Everything that was shown so far."""

    def wait_for(self, pattern: str, count: int = 1) -> re.Match[str]:
        """Wait until a pattern was shown `count` times."""
        deadline = time.monotonic() + PATIENCE
        while len(found := list(re.finditer(pattern, self.shown))) < count:
            assert time.monotonic() < deadline, self.shown
            if select.select([self._master], [], [], 0.2)[0]:
                self.shown += os.read(self._master, 65536).decode("utf-8", "replace")
        return found[count - 1]

    def wait_for_no_echo(self) -> None:
        """Wait until the echo is off."""
        deadline = time.monotonic() + PATIENCE
        while termios.tcgetattr(self._slave)[3] & termios.ECHO:
            assert time.monotonic() < deadline
            select.select([self._master], [], [], 0.01)

    def type(self, text: str) -> None:
        """Type or paste text. A terminal accepts only some bytes at once."""
        data = text.encode()
        while data:
            data = data[os.write(self._master, data[:512]) :]

    def url(self) -> str:
        """Wait for the login URL."""
        return self.wait_for(r"(http://\S+/oauth/authorize\S+?)(\x1b\[0m)?\r\n")[1]

    def set_width(self, columns: int) -> None:
        """Resize the terminal."""
        set_width(self._master, columns)

    def job(self) -> int:
        return int(self.wait_for(r"\[job (\d+)\]")[1])

    def end(self) -> tuple[int, bool]:
        """Wait for the end: the exit code, and whether the echo is on again."""
        match = self.wait_for(r"\[over (-?\d+) echo=(True|False)\]")
        return int(match[1]), match[2] == "True"


def set_width(descriptor: int, columns: int) -> None:
    """Resize a terminal. 0 columns mean that the size is not known."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24 if columns else 0, columns, 0, 0))


def rendered(shown: str, columns: int) -> list[str]:
    """Return the lines that a terminal of this width has on its screen, and above, after everything was shown.

    Like xterm, it wraps a line when the first character after the last column arrives. It knows the sequences that
    this command writes, and fails for any other.
    """
    rows, row, column = [""], 0, 0
    for piece in re.findall(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\](?:8|52);.*?(?:\x1b\\|\x07)|[^\x1b]|\x1b", shown):
        if piece == "\r":
            column = 0
        elif piece == "\n":
            row += 1
            rows += [""] * (row - len(rows) + 1)
        elif piece == "\x1b[K":
            rows[row] = rows[row][:column]
        elif piece.startswith("\x1b]"):
            # A hyperlink, or the clipboard.
            continue
        elif piece.isprintable():
            if column == columns:
                row, column = row + 1, 0
                rows += [""] * (row - len(rows) + 1)
            rows[row] = rows[row][:column].ljust(column) + piece + rows[row][column + 1 :]
            column += 1
        else:
            assert re.fullmatch(r"\x1b\[(\d*m|\?2004[hl])", piece), f"unexpected: {piece!r}"
    return [line.rstrip() for line in rows]


def terminal(*arguments: str, columns: int = 0, **extra: str | None) -> contextlib.AbstractContextManager[Screen]:
    """Run the command on a terminal, with job control.

    Args:
        arguments: The command line.
        columns: The width of the terminal; 0 if it does not tell.
        extra: Environment variables; None for one that is not set.
    """
    return _on_terminal(["-c", SHELL, *arguments], extra, columns)


@contextlib.contextmanager
def _on_terminal(program: list[str], extra: dict[str, str | None], columns: int = 0) -> Iterator[Screen]:
    master, slave = pty.openpty()
    set_width(master, columns)
    variables = {"TERM": "xterm", "DISPLAY": ":0", **extra}
    ours = environment(**{name: value for name, value in variables.items() if value is not None})
    missing = [name for name, value in variables.items() if value is None]
    process = subprocess.Popen(
        [sys.executable, *program],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        env={name: value for name, value in ours.items() if name not in missing},
    )
    screen = Screen(master, slave)
    try:
        yield screen
        process.wait(PATIENCE)
    finally:
        if process.poll() is None:
            job = re.search(r"\[job (\d+)\]", screen.shown)
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(job[1]) if job else process.pid, signal.SIGKILL)
            process.kill()
            process.wait()
        os.close(master)
        os.close(slave)


def _login(home: Path, issuer: str) -> list[str]:
    return ["login", "--no-browser", "--port", "0", "--home", str(home), "--provider", "codex", "--issuer", issuer]


def login_on_terminal(
    home: Path, issuer: str, *more: str, columns: int = 0, **extra: str | None
) -> contextlib.AbstractContextManager[Screen]:
    """Sign in on a terminal."""
    return terminal(*_login(home, issuer), *more, columns=columns, **extra)


def login_without_job_control(home: Path, issuer: str) -> contextlib.AbstractContextManager[Screen]:
    """Sign in on a terminal that is not the controlling terminal of the process."""
    return _on_terminal(["-m", "loginmachine", *_login(home, issuer)], {})
