"""The phases of a login that opens its callback port."""

from __future__ import annotations

from ...base.phase import Phase, VisiblePhase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar


class Binding(Phase):
    """The callback port is being opened."""

    name: ClassVar[str] = "binding"
    port: int
    """The port; 0 for any free port."""
    attempt: int
    """The number of the attempt, from 1 for each port."""

    @property
    def is_user_visible(self) -> bool:  # type: ignore[override]
        """Show the phase to a person from the second attempt on, which follows after another program gave up a port."""
        return self.attempt > 1

    @property
    def text(self) -> str:
        """One line of text for people."""
        words = "Opening a callback port" if self.port == 0 else f"Opening callback port {self.port}"
        return f"{words}, attempt {self.attempt}." if self.attempt > 1 else f"{words}."


class CancellingPrevious(VisiblePhase):
    """An earlier login server, which may hold the port, is being asked to stop."""

    name: ClassVar[str] = "cancelling_previous"
    sentence: ClassVar[str] = "Port {port} is in use: asking an earlier sign-in to stop."
    port: int


class UsingFallbackPort(VisiblePhase):
    """The first port is not available, and the second is being tried."""

    name: ClassVar[str] = "using_fallback_port"
    port: int
    """The second port; 0 for any free port."""

    @property
    def text(self) -> str:
        """One line of text for people."""
        return f"Going on with port {self.port}." if self.port else "Going on with another port."
