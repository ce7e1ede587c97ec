"""Record a login with a second machine, which gets the same events with placeholders instead of secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..base.errors import UnexpectedEvent
from ..login import events
from ..login.machine import LoginMachine
from ..model.provenance import provenance_of_provider
from .format.codec import encode, encode_actions
from .placeholders import SECRETS
from .redaction import Redactor
from .writer import RecordingError, TraceWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..base.strict_json import JsonObject
    from ..login.actions import Action
    from ..login.events import Event, RequestReceived
    from ..login.progress import CallbackReceived
    from ..model.options import LoginOptions, LoginSecrets
    from ..oauth.device_code import DeviceCode
    from .origin import Origin


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
        self._writer = TraceWriter(write, clock, on_trouble, origin)
        self._redactor = Redactor(options, secrets)
        self._implied = provenance_of_provider(self._redactor.options.provider)
        self._second = LoginMachine(self._redactor.options, SECRETS)
        self._writer.attempt(self._begin)

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
        at = self._writer.now()
        try:
            return self.machine.handle(event)
        finally:
            self._writer.attempt(self._record, at, event)

    def _begin(self) -> None:
        self._writer.begin(options=encode(self._redactor.options))

    def _record(self, at: float, event: Event) -> None:
        redacted = self._redactor.event(event)
        actions: list[Action] = []
        result: JsonObject
        try:
            actions = self._second.handle(redacted)
        except UnexpectedEvent:
            result = {"unexpected": True}
        else:
            result = {"state": self._second.state, "actions": encode_actions(actions, self._implied)}
        self._redactor.follow(self.machine, self._second, actions)
        # No trace is better than one of a different login.
        if (self._second.state, self._second.last_trigger) != (self.machine.state, self.machine.last_trigger):
            raise RecordingError("without its secrets, an event would mean something else")
        self._writer.step(at, size_of(event), event=encode(redacted, self._implied), **result)


def size_of(event: Event) -> int | None:
    """Return the bytes of what a redacted event does not have as it was; None if that is nothing."""
    match event:
        case events.TokenResponseReceived(body=body):
            return len(body)
        case events.RequestReceived(target=target):
            return len(target)
        case _:
            return None
