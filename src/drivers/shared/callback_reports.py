"""Reports to the program: of each phase, and of the callbacks that a login does not accept.

The machine itself reports the callback that it accepts.
"""

from __future__ import annotations

from ...sansio.login.events import RequestReceived
from ..logging import log_callback, warn

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


def report(
    phase: LoginPhase, observer: Callable[[LoginPhase], None] | None, pass_on: Callable[[BaseException], None]
) -> None:
    """Report a phase of a login to the program. Its exceptions do not reach the login.

    Args:
        phase: The phase.
        observer: The program's ``on_progress``.
        pass_on: Called with what it raises, if that is no `Exception`.
    """
    log_callback(phase)
    try:
        if observer is not None:
            observer(phase)
    except Exception as error:  # noqa: BLE001 - the login must not fail with its observer
        warn(f"on_progress raised {type(error).__name__} in phase {phase.name}")
    except BaseException as error:  # noqa: BLE001 - raised where the program waits, when the login is over
        pass_on(error)
