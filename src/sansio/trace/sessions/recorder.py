"""Record refreshes and sign-outs, each with a second machine that gets placeholders instead of secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...base.errors import UnexpectedEvent
from ...login.events import TokenResponseReceived
from ...refresh.machine import RefreshMachine
from ...sign_out.machine import SignOutMachine
from ..format.codec import encode, encode_actions
from ..writer import RecordingError
from .reader import REFRESH, SIGN_OUT
from .redaction import ENVIRONMENT_KEY, SessionRedactor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...base.records import Record
    from ...base.strict_json import JsonObject
    from ...model.provider import Provider
    from ...refresh.actions import RefreshAction
    from ...refresh.events import RefreshEvent
    from ...refresh.outcome import RefreshMemory
    from ...sign_out.actions import SignOutAction
    from ...sign_out.events import SignOutEvent
    from ..replay import Machine
    from ..writer import TraceWriter


class _Second:
    """The second machine, which gets the redacted events. Its trace is written."""

    def __init__(self, machine: Machine, redactor: SessionRedactor, writer: TraceWriter, **header: object) -> None:
        self._machine = machine
        self._redactor = redactor
        self.writer = writer
        writer.attempt(lambda: writer.begin(provider=encode(redactor.provider), **header))

    def record(self, at: float, event: Record, first: Machine) -> None:
        """Write the line of an event that the first machine has taken.

        Args:
            at: Seconds since the start.
            event: The real event.
            first: The machine that has taken it.
        """
        self.writer.attempt(self._record, at, event, first)

    def _record(self, at: float, event: Record, first: Machine) -> None:
        redacted = self._redactor.event(event)
        content = encode(redacted)
        actions: Sequence[Record] = ()
        result: JsonObject
        try:
            actions = self._machine.handle(redacted)
        except UnexpectedEvent:
            result = {"unexpected": True}
        else:
            result = {"state": self._machine.state, "actions": encode_actions(actions)}
        self._redactor.follow(first, self._machine, actions)
        # No trace is better than one of something else.
        if (self._machine.state, self._machine.last_trigger) != (first.state, first.last_trigger):
            raise RecordingError("without its secrets, an event would mean something else")
        size = len(event.body) if isinstance(event, TokenResponseReceived) else None
        self.writer.step(at, size, event=content, **result)


class RefreshRecorder(RefreshMachine):
    """A `RefreshMachine` that also writes a trace, one line for each event.

    Args:
        provider: As for `RefreshMachine`.
        memory: As for `RefreshMachine`. It must be empty, because a trace has none.
        environment_key: As for `RefreshMachine`.
        writer: Writes the lines.
    """

    __slots__ = ("_second",)

    def __init__(
        self,
        provider: Provider | None,
        memory: RefreshMemory | None = None,
        *,
        environment_key: str | None = None,
        writer: TraceWriter,
    ) -> None:
        super().__init__(provider, memory, environment_key=environment_key)
        key = (environment_key or "").strip()
        redactor = SessionRedactor(provider, key)
        second = RefreshMachine(redactor.provider, environment_key=ENVIRONMENT_KEY if key else None)
        self._second = _Second(second, redactor, writer, of=REFRESH, environment_key=bool(key))

    def handle(self, event: RefreshEvent) -> list[RefreshAction]:
        """Take one event, and write a line of the trace.

        Raises:
            UnexpectedEvent: As for `RefreshMachine.handle`. The trace records it too.
        """
        at = self._second.writer.now()
        try:
            return super().handle(event)
        finally:
            self._second.record(at, event, self)


class SignOutRecorder(SignOutMachine):
    """A `SignOutMachine` that also writes a trace, one line for each event.

    Args:
        provider: As for `SignOutMachine`.
        writer: Writes the lines.
    """

    __slots__ = ("_second",)

    def __init__(self, provider: Provider | None, *, writer: TraceWriter) -> None:
        super().__init__(provider)
        redactor = SessionRedactor(provider)
        self._second = _Second(SignOutMachine(redactor.provider), redactor, writer, of=SIGN_OUT)

    def handle(self, event: SignOutEvent) -> list[SignOutAction]:
        """Take one event, and write a line of the trace.

        Raises:
            UnexpectedEvent: As for `SignOutMachine.handle`. The trace records it too.
        """
        at = self._second.writer.now()
        try:
            return super().handle(event)
        finally:
            self._second.record(at, event, self)
