"""A QR code in a terminal, drawn by segno (extra ``qr``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Final

_BORDER: Final = 4
"""Modules around the code that have to be light (ISO/IEC 18004)."""
_DARK_ON_LIGHT: Final = "\x1b[30;107m"
_USUAL: Final = "\x1b[0m"
_HALVES: Final = " \u2584\u2580\u2588"
"""Characters with nothing, the lower half, the upper half, and both halves drawn."""


def is_installed() -> bool:
    """Return whether QR codes can be drawn."""
    from importlib.util import find_spec  # noqa: PLC0415 - on request only

    return find_spec("segno") is not None


def qr_code(text: str, *, has_colours: bool) -> list[str]:
    """Return the lines of a QR code, for a terminal with UTF-8. Two rows share a line; all lines have the same width.

    Args:
        text: What it holds: up to 2,000 characters.
        has_colours: Draw it dark on light, whatever the colours of the terminal are. Without them, light is what the
            terminal draws, which is right on a dark ground. Most readers take the reverse, too.
    """
    import segno  # noqa: PLC0415 - takes long to load

    code = segno.make_qr(text, error="l")
    rows = [[bool(module) for module in row] for row in code.matrix_iter(border=_BORDER)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    lines = [
        "".join(
            _HALVES[2 * (above == has_colours) + (below == has_colours)]
            for above, below in zip(rows[number], rows[number + 1], strict=True)
        )
        for number in range(0, len(rows), 2)
    ]
    return [f"{_DARK_ON_LIGHT}{line}{_USUAL}" for line in lines] if has_colours else lines


def width_of(line: str) -> int:
    """Return the columns of a line of `qr_code`."""
    return len(line.removeprefix(_DARK_ON_LIGHT).removesuffix(_USUAL))
