"""What the machine raises, and it raises this only: the host made a mistake."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..login.events import Event
    from ..login.states import LoginState
    from ..refresh.events import RefreshEvent
    from ..refresh.table import RefreshState


class UnexpectedEvent(RuntimeError):  # noqa: N818 - the name is the design's
    """An event that makes no sense in this state. The machine is as it was before.

    Attributes:
        state: Where the login, or the refresh, was.
        event: What it was given. (Its repr shows no secret.)
    """

    def __init__(self, state: LoginState | RefreshState, event: Event | RefreshEvent) -> None:
        super().__init__(f"{type(event).__name__} makes no sense in state {state}")
        self.state = state
        self.event = event
