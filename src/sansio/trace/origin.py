"""Where a trace comes from: the program, its version and options, the machine's system, and the date."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..base.records import Record
from ..base.text import is_printable_ascii

if TYPE_CHECKING:
    from ..base.strict_json import JsonObject

_LONGEST: Final = 256
"""The most characters of a value."""


class Origin(Record):
    """Where a trace comes from. All values are short texts, and none may name a person."""

    program: str = ""
    """The program that recorded the trace: ``loginmachine login``, or ``loginmachine`` for any other program."""
    version: str = ""
    """The version of this package."""
    python: str = ""
    """The Python implementation and its version."""
    system: str = ""
    """The operating system, its version and its machine type."""
    driver: str = ""
    """The driver: ``threaded`` or ``trio``."""
    arguments: str = ""
    """The options of the command, without values that could name a person."""
    recorded: str = ""
    """When the recording began, in UTC, as RFC 3339 has it."""

    def content(self) -> JsonObject:
        """Return the values that are known, as JSON. Values that are too long or unprintable are left out."""
        return {name: value for name, value in self.values().items() if value and _is_usable(value)}

    def lines(self) -> list[str]:
        """Return the values that are known as lines of text."""
        program = f"{self.program or 'loginmachine'} {self.version}".strip()
        parts = [program, self.python, self.system, f"{self.driver} driver" if self.driver else ""]
        lines = [f"Recorded by {', '.join(part for part in parts if part)}." if self.version or self.program else ""]
        lines.append(f"Recorded on {self.recorded}." if self.recorded else "")
        lines.append(f"Options of the command: {self.arguments}" if self.arguments else "")
        return [line for line in lines if line]


def read_origin(content: object) -> Origin | None:
    """Read the origin in the first line of a trace.

    Args:
        content: The member's value; None if there is none. Members that are not known here are ignored.

    Returns:
        The origin; None if the value is not a usable one.
    """
    if content is None:
        return Origin()
    if not isinstance(content, dict):
        return None
    known = {name: value for name, value in content.items() if name in Origin._fields}
    return Origin(**known) if all(map(_is_usable, known.values())) else None


def _is_usable(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and is_printable_ascii(value)
