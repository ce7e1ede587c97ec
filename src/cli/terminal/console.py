"""Whether a terminal understands escape sequences: colours, and clearing a line to draw it again."""

from __future__ import annotations

import sys

from .writer import is_terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TextIO

_VIRTUAL_TERMINAL: Final = 0x0004
"""ENABLE_VIRTUAL_TERMINAL_PROCESSING, a mode of a console of Windows."""


def understands_escapes(stream: TextIO | None) -> bool:
    """Return whether a stream is a terminal to which escape sequences may be written.

    A console of Windows shows them as characters, unless its virtual-terminal mode is on. It is switched on here.
    Consoles before Windows 10 do not have it.
    """
    if stream is None or not is_terminal(stream):
        return False
    return sys.platform != "win32" or _switch_on(stream)


def _switch_on(stream: TextIO) -> bool:
    import ctypes  # noqa: PLC0415 - for Windows only
    import msvcrt  # noqa: PLC0415

    try:
        kernel = ctypes.WinDLL("kernel32")  # type: ignore[attr-defined,unused-ignore]
        handle = ctypes.c_void_p(msvcrt.get_osfhandle(stream.fileno()))  # type: ignore[attr-defined,unused-ignore]
        mode = ctypes.c_ulong()
        if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
            return False
        return bool(kernel.SetConsoleMode(handle, mode.value | _VIRTUAL_TERMINAL))
    except (OSError, ValueError):
        return False
