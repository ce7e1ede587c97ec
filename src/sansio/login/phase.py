"""What all phases of a login have."""

from __future__ import annotations

from ..base.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class Phase(Record):
    """Base of the phases."""

    name: ClassVar[str]
    is_user_visible: ClassVar[bool] = False
    """A person at a terminal wants to read it; the others are for logs and ``-v``."""

    @property
    def text(self) -> str:
        """One line in plain words."""
        raise NotImplementedError
