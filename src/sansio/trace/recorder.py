"""Record a login with a second machine, which gets the same events with placeholders instead of secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..base.errors import UnexpectedEvent
from ..login import events
from ..login.machine import LoginMachine
from .codec import MAX_LINE, MAX_STEPS, MAX_TRACE, VERSION, encode, encode_actions, line_of
from .placeholders import SECRETS
from .redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..login.actions import Action
    from ..login.events import Event, RequestReceived
    from ..login.progress import CallbackReceived
    from ..model.options import LoginOptions, LoginSecrets
    from ..oauth.device_code import DeviceCode
    from .origin import Origin


class RecordingError(Exception):
    """The recording cannot go on. The login can."""


class Recorder:
    """A `LoginMachine` that also writes a trace, one line for each event.

    The trace is that of a second machine, which gets every event with placeholders instead of secrets and persons. So
    nothing of the real login is in the trace, and replaying it has the same result.

    Args:
        options: As for `LoginMachine`.
        secrets: As for `LoginMachine`.
        write: Called with each line of the trace, newline included. If it raises, the recording ends and the login goes
            on.
        clock: Returns the time in seconds, from any start.
        on_trouble: Called with the reason, a few words, if the recording ends before the login.
        origin: Where the trace comes from. The trace then also has the real sizes of bodies and request targets.
    """

    def __init__(  # noqa: PLR0913 - the last two are seldom given
        self,
        options: LoginOptions,
        secrets: LoginSecrets,
        *,
        write: Callable[[str], object],
        clock: Callable[[], float],
        on_trouble: Callable[[str], None] = lambda _: None,
        origin: Origin | None = None,
    ) -> None:
        self.machine: Final = LoginMachine(options, secrets)
        """The machine of the real login."""
        self._write = write
        self._on_trouble = on_trouble
        self._origin = origin
        self._ended = False
        self._lines = self._size = 0
        self._clock = clock
        self._start = clock()
        self._redactor = Redactor(options, secrets)
        self._second = LoginMachine(self._redactor.options, SECRETS)
        self._attempt(self._begin)

    @property
    def device_code(self) -> DeviceCode | None:
        """The device code of the real login; None if it has none."""
        return self.machine.device_code

    def asks_for_sender(self, target: bytes) -> bool:
        """Return whether a request needs `RequestReceived.from_other_user`, as `LoginMachine.asks_for_sender`."""
        return self.machine.asks_for_sender(target)

    def describe_callback(self, event: RequestReceived) -> CallbackReceived | None:
        """Return the phase to report before a request is handled, as `LoginMachine.describe_callback`."""
        return self.machine.describe_callback(event)

    def handle(self, event: Event) -> list[Action]:
        """Take one event, and write a line of the trace.

        Args:
            event: The event, as for `LoginMachine.handle`.

        Returns:
            The actions of the real login, as `LoginMachine.handle`.

        Raises:
            UnexpectedEvent: As for `LoginMachine.handle`. The trace records it too.
        """
        at = self._clock() - self._start
        try:
            return self.machine.handle(event)
        finally:
            self._attempt(self._record, at, event)

    def _attempt(self, work: Callable[..., None], *args: object) -> None:
        """Call a function. An exception ends the recording, and not the login."""
        if not self._ended:
            try:
                work(*args)
            except Exception as error:  # noqa: BLE001 - a full disk as well as a mistake of ours
                self._ended = True
                reason = str(error) if isinstance(error, RecordingError) else type(error).__name__
                self._on_trouble(f"the trace ends before the login: {reason}")

    def _begin(self) -> None:
        origin = {} if self._origin is None else {"origin": self._origin.content()}
        header = {"type": "trace", "version": VERSION, **origin, "options": encode(self._redactor.options)}
        self._write_line(header)

    def _record(self, at: float, event: Event) -> None:
        redacted = self._redactor.event(event)
        size = None if self._origin is None else _size(event)
        step = {"at": round(max(at, 0.0), 6), **({} if size is None else {"size": size}), "event": encode(redacted)}
        try:
            actions = self._second.handle(redacted)
        except UnexpectedEvent:
            step |= {"unexpected": True}
        else:
            step |= {"state": self._second.state, "actions": encode_actions(actions)}
        # No trace is better than one of a different login.
        if (self._second.state, self._second.last_trigger) != (self.machine.state, self.machine.last_trigger):
            raise RecordingError("without its secrets, an event would mean something else")
        self._write_line(step)

    def _write_line(self, content: object) -> None:
        # Any page can send requests. They must not fill the disk.
        line = line_of(content)
        self._lines += 1
        self._size += len(line)
        if self._lines > 1 + MAX_STEPS or self._size > MAX_TRACE or len(line) > MAX_LINE:
            raise RecordingError("it would become too large")
        self._write(line)


def _size(event: Event) -> int | None:
    """Return the bytes of what a redacted event does not have as it was; None if that is nothing."""
    match event:
        case events.TokenResponseReceived(body=body):
            return len(body)
        case events.RequestReceived(target=target):
            return len(target)
        case _:
            return None
