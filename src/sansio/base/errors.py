"""The only exception that a machine raises. It means that the host used the machine wrongly."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from enum import StrEnum

    from .records import Record


class UnexpectedEvent(RuntimeError):  # noqa: N818 - a public name
    """The event makes no sense in this state. The machine has not changed.

    Attributes:
        state: The machine's state, a `LoginState` or a `RefreshState`.
        event: The event. (Its repr shows no secret.)
    """

    def __init__(self, state: StrEnum, event: Record) -> None:
        super().__init__(f"{type(event).__name__} makes no sense in state {state}")
        self.state = state
        self.event = event
