"""Recording a login: a second machine beside the real one, which is told the same and knows no secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..base.errors import UnexpectedEvent
from ..login.machine import LoginMachine
from .codec import MAX_LINE, MAX_STEPS, MAX_TRACE, VERSION, encode, line_of
from .placeholders import SECRETS
from .redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..login.actions import Action
    from ..login.events import Event
    from ..model.options import LoginOptions, LoginSecrets
    from ..oauth.device_code import DeviceCode


class RecordingError(Exception):
    """The recording cannot go on; the login can."""


class Recorder:
    """A `LoginMachine` that also writes a trace, line by line as the login goes.

    The trace is not that of the real login but of a second one, which is told every event with placeholders instead of
    secrets and persons. So nothing of the first gets into it, and it replays exactly.

    Args:
        options: As for `LoginMachine`.
        secrets: As for `LoginMachine`.
        write: Takes one line of the trace, newline included. If it raises, the recording ends and the login goes on.
        clock: Seconds, from any start.
        on_trouble: Told, in a few words, why the recording ended before the login, if it did.
    """

    def __init__(
        self,
        options: LoginOptions,
        secrets: LoginSecrets,
        *,
        write: Callable[[str], object],
        clock: Callable[[], float],
        on_trouble: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.machine: Final = LoginMachine(options, secrets)
        """The real login."""
        self._write = write
        self._on_trouble = on_trouble
        self._ended = False
        self._lines = self._size = 0
        self._clock = clock
        self._start = clock()
        self._redactor = Redactor(options, secrets)
        self._second = LoginMachine(self._redactor.options, SECRETS)
        self._attempt(self._begin)

    @property
    def device_code(self) -> DeviceCode | None:
        """That of the real login."""
        return self.machine.device_code

    def handle(self, event: Event) -> list[Action]:
        """Take one event, and write down what came of it.

        Returns:
            What the real login wants done, as `LoginMachine.handle`.

        Raises:
            UnexpectedEvent: As `LoginMachine.handle`; that is written down too.
        """
        at = self._clock() - self._start
        try:
            return self.machine.handle(event)
        finally:
            self._attempt(self._record, at, event)

    def _attempt(self, work: Callable[..., None], *args: object) -> None:
        """Recording must not harm a login."""
        if not self._ended:
            try:
                work(*args)
            except Exception as error:  # noqa: BLE001 - a full disk as well as a mistake of ours
                self._ended = True
                reason = str(error) if isinstance(error, RecordingError) else type(error).__name__
                self._on_trouble(f"the trace ends before the login: {reason}")

    def _begin(self) -> None:
        header = {"type": "trace", "version": VERSION, "options": encode(self._redactor.options)}
        self._write_line(header)

    def _record(self, at: float, event: Event) -> None:
        told = self._redactor.event(event)
        step = {"at": round(max(at, 0.0), 6), "event": encode(told)}
        try:
            actions = self._second.handle(told)
        except UnexpectedEvent:
            step |= {"unexpected": True}
        else:
            step |= {"state": self._second.state, "actions": encode(actions)}
        # A trace of something else than what happened would be worse than none.
        if (self._second.state, self._second.last_trigger) != (self.machine.state, self.machine.last_trigger):
            raise RecordingError("without its secrets, an event would mean something else")
        self._write_line(step)

    def _write_line(self, content: object) -> None:
        # Any page can send requests: none must fill a disk.
        line = line_of(content)
        self._lines += 1
        self._size += len(line)
        if self._lines > 1 + MAX_STEPS or self._size > MAX_TRACE or len(line) > MAX_LINE:
            raise RecordingError("it would become too large")
        self._write(line)
