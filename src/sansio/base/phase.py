"""The base of the phases that a login reports. Each has a name and a text, and says whether the text is for people."""

from __future__ import annotations

from .records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class Phase(Record):
    """Base of the phases."""

    name: ClassVar[str]
    """The name of the phase in JSON lines, logs and traces."""
    is_user_visible: ClassVar[bool] = False
    """Show the phase to a person at a terminal. Other phases are for logs and ``--verbose``."""
    sentence: ClassVar[str] = ""
    """The format of the text, with the names of fields in braces."""

    @property
    def text(self) -> str:
        """One line of text for people, without a secret."""
        return self.sentence.format(**self.values())


class VisiblePhase(Phase):
    """Base of the phases that are shown to a person."""

    is_user_visible: ClassVar[bool] = True
