"""Text that is pasted into the terminal and not shown: an address with a code in it must not stay on the screen.

The terminal's own line editing is off as well: it would cut a line after 4,095 bytes, and addresses can be longer.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import select
import signal
import sys
import threading

from ..signals import exception_for, give_back, take_over

if sys.platform != "win32":
    # (There, `getpass` reads for `loginmachine complete`.)
    import termios

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, Final

MAX_LINE: Final = 16 * 1024
"""Bytes kept of a line: more than any address that is accepted, so that a longer one is refused and not cut."""

_PASTE_BEGINS: Final = b"\x1b[200~"
_PASTE_ENDS: Final = b"\x1b[201~"
_SEQUENCE: Final = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
"""What keys such as the arrows send (ECMA-48 section 5.4)."""
_BEGUN_SEQUENCE: Final = re.compile(rb"\x1b(\[[0-?]*[ -/]*)?\Z")
_BRACKETS_ON: Final = b"\x1b[?2004h"
_BRACKETS_OFF: Final = b"\x1b[?2004l"
_LATER: Final = 0.2
"""Seconds after which a command in the background looks whether it is in the foreground again."""


class Lines:
    """Bytes of a terminal -> the texts that somebody entered or pasted. A paste may have line breaks in it."""

    def __init__(self) -> None:
        self._raw = b""
        self._line = bytearray()
        self._in_paste = False

    def feed(self, data: bytes) -> list[str]:
        """Take what was read, and return what is complete. Empty lines are dropped."""
        self._raw += data
        texts: list[str] = []
        while self._raw and (self._take_paste(texts) if self._in_paste else self._take_keys(texts)):
            pass
        return texts

    def _take_paste(self, texts: list[str]) -> bool:
        content, end, rest = self._raw.partition(_PASTE_ENDS)
        if not end:
            # Its end may have come in part.
            kept = min(len(self._raw), len(_PASTE_ENDS) - 1)
            content, rest = self._raw[:-kept], self._raw[-kept:]
        self._add(content)
        self._raw = rest
        if end:
            self._in_paste = False
            self._finish(texts)
        return bool(end)

    def _take_keys(self, texts: list[str]) -> bool:
        sequence = _SEQUENCE.match(self._raw)
        if sequence is not None:
            self._in_paste = sequence[0] == _PASTE_BEGINS
            self._raw = self._raw[sequence.end() :]
            return True
        if _BEGUN_SEQUENCE.match(self._raw):
            return False
        key, self._raw = self._raw[:1], self._raw[1:]
        if key in (b"\r", b"\n"):
            self._finish(texts)
        elif key in (b"\x7f", b"\x08"):
            del self._line[-1:]
        elif key == b"\x15":
            self._line.clear()
        elif key >= b" ":
            self._add(key)
        return True

    def _add(self, data: bytes) -> None:
        self._line += data[: MAX_LINE - len(self._line)]

    def _finish(self, texts: list[str]) -> None:
        text = self._line.decode("utf-8", "replace").strip()
        self._line.clear()
        if text:
            texts.append(text)


def can_hide_input() -> bool:
    """Whether standard input and error are a terminal of this command, whose echo can be switched off."""
    try:
        on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    except (AttributeError, ValueError):
        return False
    return on_terminal and sys.platform != "win32" and _in_foreground(sys.stdin.fileno())


class HiddenInput:
    """Reads texts from the terminal in a thread of its own, while something else is waited for.

    The terminal is as it was after `stop`, while the command is suspended, and after a signal that ends the wait.

    Args:
        submit: Told each text, in that thread.
    """

    def __init__(self, submit: Callable[[str], None]) -> None:
        self._submit = submit
        self._terminal = sys.stdin.fileno()
        self._screen = sys.stderr.fileno()
        self._saved: list[Any] | None = None
        """How the terminal was, while its echo is off."""
        self._handlers: dict[int, Any] = {}
        self._leave_alone = False
        """The echo stays on: the end, or a suspension, is under way."""
        self._wake: tuple[int, int] | None = None
        self._thread = threading.Thread(target=self._run, name="loginmachine-input")

    @property
    def is_reading(self) -> bool:
        """Texts can still come."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Switch the echo off, and read."""
        self._wake = os.pipe()
        if threading.current_thread() is threading.main_thread():
            self._handlers = take_over(self._on_suspend, [signal.SIGTSTP])
            self._handlers |= take_over(self._on_resume, [signal.SIGCONT])
        self._hide()
        self._thread.start()

    def stop(self) -> None:
        """Read no more, and give the terminal back as it was. What was typed too late is not left to the shell."""
        if self._wake is None:
            return
        self._leave_alone = True
        os.write(self._wake[1], b".")
        self._thread.join()
        for descriptor in self._wake:
            os.close(descriptor)
        self._wake = None
        self._show()
        give_back(self._handlers)
        self._handlers = {}

    def _run(self) -> None:
        assert self._wake is not None
        lines, wake = Lines(), self._wake[0]
        with contextlib.suppress(OSError):
            while wake not in select.select([self._terminal, wake], [], [])[0]:
                if not _in_foreground(self._terminal):
                    # A read would stop the whole command. What is typed there is for somebody else.
                    if select.select([wake], [], [], _LATER)[0]:
                        return
                    continue
                data = os.read(self._terminal, 65536)
                if not data:
                    return
                for text in lines.feed(data):
                    self._submit(text)

    def _hide(self) -> None:
        with contextlib.suppress(OSError, termios.error):
            if self._leave_alone or not _in_foreground(self._terminal):
                return
            if self._saved is None:
                self._saved = termios.tcgetattr(self._terminal)
            hidden = [*self._saved[:6], [*self._saved[6]]]
            # Signals stay: Ctrl-C and Ctrl-Z work. The one that ends a program at once would leave the echo off.
            hidden[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN)
            hidden[6][termios.VMIN], hidden[6][termios.VTIME] = 1, 0
            hidden[6][termios.VQUIT] = bytes([os.fpathconf(self._terminal, "PC_VDISABLE")])
            termios.tcsetattr(self._terminal, termios.TCSANOW, hidden)
            self._bracket(_BRACKETS_ON)

    def _show(self) -> None:
        saved, self._saved = self._saved, None
        with contextlib.suppress(OSError, termios.error):
            # In the background the terminal is not ours: the shell has taken care of it.
            if saved is not None and _in_foreground(self._terminal):
                self._bracket(_BRACKETS_OFF)
                termios.tcsetattr(self._terminal, termios.TCSANOW, saved)
                termios.tcflush(self._terminal, termios.TCIFLUSH)

    def _bracket(self, sequence: bytes) -> None:
        """Have the terminal mark where a paste begins and ends: one with line breaks is then one text."""
        # Nobody may wait for a terminal that takes no output.
        if os.environ.get("TERM", "dumb") != "dumb" and select.select([], [self._screen], [], 0)[1]:
            os.write(self._screen, sequence)

    def _on_suspend(self, number: int, _frame: FrameType | None) -> None:
        ended, self._leave_alone = self._leave_alone, True
        self._show()
        signal.signal(number, signal.SIG_DFL)
        # To this thread: it has effect before the next line.
        signal.pthread_kill(threading.get_ident(), number)
        # First this: a second suspension must not find the echo off and no handler.
        signal.signal(number, self._on_suspend)
        self._leave_alone = ended
        self._hide()

    def _on_resume(self, _number: int, _frame: FrameType | None) -> None:
        self._hide()


def read_hidden(question: str) -> str | None:
    """Ask for one text that is not shown.

    Returns:
        The text; None if the terminal went away.

    Raises:
        KeyboardInterrupt: Somebody interrupted.
        SystemExit: Another signal came that ends programs.
    """
    texts: list[str] = []
    received: list[int] = []
    done = threading.Event()

    def take(text: str) -> None:
        texts.append(text)
        done.set()

    def note(number: int, _frame: FrameType | None) -> None:
        # Raising here could leave the echo off.
        received.append(number)
        done.set()

    sys.stderr.write(question)
    sys.stderr.flush()
    previous = take_over(note)
    reader = HiddenInput(take)
    reader.start()
    while not done.wait(_LATER) and reader.is_reading:
        pass
    reader.stop()
    sys.stderr.write("\n")
    give_back(previous)
    if received:
        raise exception_for(received[0])
    return texts[0] if texts else None


def _in_foreground(descriptor: int) -> bool:
    """Whether the terminal may be read: if it controls this process at all, this must be its foreground job."""
    try:
        return os.tcgetpgrp(descriptor) == os.getpgrp()
    except OSError as error:
        return error.errno == errno.ENOTTY
