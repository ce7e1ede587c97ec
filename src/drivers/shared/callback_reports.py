"""Reports of the callbacks that a login does not accept. The machine itself reports the one that it accepts."""

from __future__ import annotations

from ...sansio.login.events import RequestReceived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from ...sansio.login.events import Event
    from ...sansio.login.machine import LoginMachine
    from ...sansio.login.progress import LoginPhase
    from ...sansio.trace import Recorder

MAX_REPORTED: Final = 50
"""The most callbacks that are reported besides the accepted one. Any page can send them, and must not fill a log."""


class CallbackReports:
    """Reports the callbacks of one login.

    Args:
        machine: The machine of the login.
        report: Called with each phase.
    """

    def __init__(self, machine: LoginMachine | Recorder, report: Callable[[LoginPhase], None]) -> None:
        self._machine = machine
        self._report = report
        self._left = MAX_REPORTED

    def note(self, event: Event) -> None:
        """Report an event that is a callback which will not be accepted. Call this before the machine handles it."""
        if self._left and isinstance(event, RequestReceived):
            phase = self._machine.describe_callback(event)
            if phase is not None:
                self._left -= 1
                self._report(phase)
