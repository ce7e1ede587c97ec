"""Reads pasted text from the terminal without showing it, because a callback address contains a secret code.

The terminal's own line editing is switched off too: it would cut a line after 4,095 bytes, and addresses can be longer.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any, Final

from ..signals import exception_for, install_handlers, restore_handlers
from .screen import understands_sequences
from .writer import is_in_foreground

if sys.platform != "win32":
    # On Windows, `loginmachine complete` reads with `getpass` instead.
    import termios

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import FrameType

MAX_LINE: Final = 16 * 1024
"""Bytes kept of a line. This is more than any accepted address, so that a longer one is refused and not cut."""

_PASTE_START: Final = b"\x1b[200~"
_PASTE_END: Final = b"\x1b[201~"
_SEQUENCE: Final = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
"""Control sequences, which keys such as the arrows send (ECMA-48 section 5.4)."""
_INCOMPLETE_SEQUENCE: Final = re.compile(rb"\x1b(\[[0-?]*[ -/]*)?\Z")
_BRACKETED_PASTE_ON: Final = b"\x1b[?2004h"
_BRACKETED_PASTE_OFF: Final = b"\x1b[?2004l"
_POLL_INTERVAL: Final = 0.2
"""Seconds between checks whether a command in the background is in the foreground again."""


class LineParser:
    """Splits the bytes of a terminal into entered and pasted texts. A pasted text may contain line breaks."""

    def __init__(self) -> None:
        self._raw = b""
        self._line = bytearray()
        self._in_paste = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed since the last text, and no paste has begun."""
        return not (self._raw or self._line or self._in_paste)

    def feed(self, data: bytes) -> list[str]:
        """Add bytes, and return the texts that are complete now. Empty lines are dropped."""
        self._raw += data
        texts: list[str] = []
        while self._raw and (self._take_paste(texts) if self._in_paste else self._take_keys(texts)):
            pass
        return texts

    def _take_paste(self, texts: list[str]) -> bool:
        content, end, rest = self._raw.partition(_PASTE_END)
        if not end:
            # The last bytes may be the first part of the end mark.
            kept = min(len(self._raw), len(_PASTE_END) - 1)
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
            self._in_paste = sequence[0] == _PASTE_START
            self._raw = self._raw[sequence.end() :]
            return True
        if _INCOMPLETE_SEQUENCE.match(self._raw):
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


class HiddenInput:
    """Reads texts from the terminal, without showing them, in a thread of its own.

    The terminal is restored by `stop`, and while the command is suspended.

    Args:
        submit: Called in that thread with each text.
        keys: What to call, in that thread, for a key that is pressed alone, with nothing typed before it.
    """

    def __init__(self, submit: Callable[[str], None], keys: Mapping[bytes, Callable[[], None]] | None = None) -> None:
        self._submit = submit
        self._keys = keys or {}
        self._terminal = sys.stdin.fileno()
        self._screen = sys.stderr.fileno()
        self._saved: list[Any] | None = None
        """The terminal's settings from before the echo was switched off; None while it is on."""
        self._handlers: dict[int, Any] = {}
        self._keep_echo = False
        """The command stops reading, or is being suspended: the echo stays on."""
        self._wake: tuple[int, int] | None = None
        self._thread = threading.Thread(target=self._run, name="loginmachine-input")

    @property
    def is_reading(self) -> bool:
        """Whether more texts can arrive."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Switch the echo off, and start to read."""
        self._wake = os.pipe()
        if threading.current_thread() is threading.main_thread():
            self._handlers = install_handlers(self._on_suspend, [signal.SIGTSTP])
            self._handlers |= install_handlers(self._on_resume, [signal.SIGCONT])
        self._hide()
        self._thread.start()

    def stop(self) -> None:
        """Stop reading, and restore the terminal. Discard what was typed meanwhile, so that no shell runs it."""
        if self._wake is None:
            return
        self._keep_echo = True
        os.write(self._wake[1], b".")
        self._thread.join()
        for descriptor in self._wake:
            os.close(descriptor)
        self._wake = None
        self._show()
        restore_handlers(self._handlers)
        self._handlers = {}

    def _run(self) -> None:
        assert self._wake is not None
        lines, wake, was_empty = LineParser(), self._wake[0], False
        with contextlib.suppress(OSError):
            while wake not in select.select([self._terminal, wake], [], [])[0]:
                if not is_in_foreground(self._terminal):
                    # In the background: reading would suspend the command, and the input is for another program.
                    if select.select([wake], [], [], _POLL_INTERVAL)[0]:
                        return
                    continue
                data = os.read(self._terminal, 65536)
                if not data and (was_empty or self._saved is None):
                    return
                # Ctrl-C empties the input. What was there may be gone before it is read.
                was_empty = not data
                if data in self._keys and lines.is_empty:
                    self._keys[data]()
                    continue
                for text in lines.feed(data):
                    self._submit(text)

    def _hide(self) -> None:
        with contextlib.suppress(OSError, termios.error):
            if self._keep_echo or not is_in_foreground(self._terminal):
                return
            if self._saved is None:
                self._saved = termios.tcgetattr(self._terminal)
            hidden = [*self._saved[:6], [*self._saved[6]]]
            # Ctrl-C and Ctrl-Z keep working. The quit key (SIGQUIT) does not: it would leave the echo off.
            hidden[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN)
            # A read never blocks, so that `stop` need not wait for it.
            hidden[6][termios.VMIN], hidden[6][termios.VTIME] = 0, 0
            hidden[6][termios.VQUIT] = bytes([os.fpathconf(self._terminal, "PC_VDISABLE")])
            termios.tcsetattr(self._terminal, termios.TCSANOW, hidden)
            self._write_mode(_BRACKETED_PASTE_ON)

    def _show(self) -> None:
        saved, self._saved = self._saved, None
        with contextlib.suppress(OSError, termios.error):
            # In the background, the shell has restored the terminal already.
            if saved is not None and is_in_foreground(self._terminal):
                self._write_mode(_BRACKETED_PASTE_OFF)
                termios.tcsetattr(self._terminal, termios.TCSANOW, saved)
                termios.tcflush(self._terminal, termios.TCIFLUSH)

    def _write_mode(self, sequence: bytes) -> None:
        """Switch bracketed paste on or off. With it, a paste with line breaks is one text."""
        # Skip it if the terminal accepts no output at the moment: a write would block.
        if understands_sequences() and select.select([], [self._screen], [], 0)[1]:
            os.write(self._screen, sequence)

    def _on_suspend(self, number: int, _frame: FrameType | None) -> None:
        before, self._keep_echo = self._keep_echo, True
        self._show()
        signal.signal(number, signal.SIG_DFL)
        # Sent to this thread, the signal takes effect before the next line runs.
        signal.pthread_kill(threading.get_ident(), number)
        # Before the echo is switched off: a second suspension needs the handler.
        signal.signal(number, self._on_suspend)
        self._keep_echo = before
        self._hide()

    def _on_resume(self, _number: int, _frame: FrameType | None) -> None:
        self._hide()


def read_hidden(question: str) -> str | None:
    """Prompt for one text that is not shown.

    Args:
        question: The prompt.

    Returns:
        The text; None if the terminal was closed.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed.
        SystemExit: Another signal that ends programs arrived.
    """
    texts: list[str] = []
    received: list[int] = []
    done = threading.Event()

    def on_text(text: str) -> None:
        texts.append(text)
        done.set()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        # An exception raised here could leave the echo off.
        received.append(number)
        done.set()

    sys.stderr.write(question)
    sys.stderr.flush()
    previous = install_handlers(on_signal)
    reader = HiddenInput(on_text)
    reader.start()
    while not done.wait(_POLL_INTERVAL) and reader.is_reading:
        pass
    reader.stop()
    sys.stderr.write("\n")
    restore_handlers(previous)
    if received:
        raise exception_for(received[0])
    return texts[0] if texts else None
