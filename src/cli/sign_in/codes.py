"""The QR code of a sign-in: which address it holds, and whether the terminal has room for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..terminal.qr_code import is_installed, qr_code, width_of

if TYPE_CHECKING:
    from typing import Final

    from ..terminal.display import Terminal

_ROWS_BESIDE: Final = 14
"""Lines that a person should still see beside a QR code that they did not ask for."""


def show_qr_code(terminal: Terminal, address: str, *, is_wanted: bool) -> None:
    """Show an address as a QR code, if there is room for it.

    Args:
        terminal: Where to show it.
        address: The address.
        is_wanted: The person has asked for it. Then what is missing is said, and the height does not matter.
    """
    if not is_wanted and not (terminal.can_redraw and terminal.has_blocks and is_installed()):
        return
    if not terminal.has_blocks:
        terminal.line("No QR code is shown, because this terminal does not use UTF-8.", "warn")
        return
    lines = qr_code(address, has_colours=terminal.has_colours)
    width = width_of(lines[0])
    is_too_wide = terminal.is_terminal and width > terminal.columns
    if is_wanted and is_too_wide:
        words = f"it needs {width} columns, and this terminal has {terminal.columns}"
        terminal.line(f"No QR code is shown: {words}.", "warn")
    elif is_wanted or not (is_too_wide or terminal.rows < len(lines) + _ROWS_BESIDE):
        terminal.line("The same address as a QR code:")
        terminal.draw(lines)
