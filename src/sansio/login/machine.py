"""The state machine of a login. It takes events and returns actions."""

from __future__ import annotations

from ..base.engine import Engine
from ..base.errors import UnexpectedEvent
from ..base.records import Record, hidden
from ..callback.requests import has_state, is_start_path, split_target
from ..callback.responses import start_path
from .interpret import interpret
from .interpret_callback import describe_callback
from .state import LoginData
from .states import FINAL_STATES, LoginState
from .table import ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from ..model.options import LoginOptions, LoginSecrets
    from ..model.provider import Provider
    from ..oauth.device_code import DeviceCode
    from .actions import Action
    from .events import Event, RequestReceived
    from .outcome import LoginOutcome
    from .progress import CallbackReceived
    from .states import Trigger

_ENGINE: Final = Engine(LoginState, ROWS)


class Snapshot(Record):
    """The whole state of a login at one time, without its secrets. Opaque, and compared by value."""

    data: dict[str, Any] = hidden()


class LoginMachine:
    """A login as a state machine that does no I/O.

    The host performs the actions that `handle` returns, in order, and passes the results to `handle` as events:

        machine = LoginMachine(options, LoginSecrets.generate())
        for action in machine.handle(Started()): ...
        for action in machine.handle(Bound(port=1455)): ...

    The same options, secrets and events always give the same actions. Several threads may use different machines at the
    same time, but a machine must be used by one thread at a time.

    Args:
        options: The options of the login.
        secrets: Fresh random values. Never use them for another login.

    Raises:
        ValueError: The provider uses a nonce, and the secrets hold none.
    """

    __slots__ = ("_last_trigger", "_login")

    def __init__(self, options: LoginOptions, secrets: LoginSecrets) -> None:
        if options.provider.uses_nonce and not secrets.nonce:
            raise ValueError("this provider uses a nonce, and the secrets hold none")
        self._login = LoginData(options, secrets)
        self._last_trigger: Trigger | None = None

    def __repr__(self) -> str:
        return f"<LoginMachine {self.state}>"

    @property
    def state(self) -> LoginState:
        """The state of the login."""
        return self._login.state

    @property
    def outcome(self) -> LoginOutcome | None:
        """How the login ended; None while it is running."""
        return self._login.outcome

    @property
    def auth_url(self) -> str | None:
        """The authorization request for the person's browser; None until the callback can come."""
        return self._login.auth_url

    @property
    def provider(self) -> Provider:
        """The provider of the options, with what its metadata and a registration have added so far."""
        return self._login.options.provider

    @property
    def port(self) -> int | None:
        """The callback port; None until it is bound, and in a login without a listener."""
        is_listening = self._login.auth_url is not None and self._login.is_listening
        return self._login.port if is_listening else None

    @property
    def last_trigger(self) -> Trigger | None:
        """The meaning of the last event; None if it was late or unexpected."""
        return self._last_trigger

    @property
    def device_code(self) -> DeviceCode | None:
        """The code that the person enters, and the page to enter it on; None if the login has none."""
        return self._login.device_code

    def handle(self, event: Event) -> list[Action]:
        """Take one event, and return what to do.

        Args:
            event: The event. Pass it only after the actions of the event before are performed.

        Returns:
            The actions for the host to perform, in this order. Empty for a late event.

        Raises:
            UnexpectedEvent: The event makes no sense in this state. The machine has not changed.
        """
        login = self._login
        self._last_trigger = None
        if login.closed:
            return []
        try:
            meaning = interpret(event, login)
            if meaning is None:
                return []
            if not _ENGINE.permits(login.state, meaning.trigger):
                raise UnexpectedEvent(login.state, event)
        except UnexpectedEvent:
            if login.state in FINAL_STATES:
                return []
            raise
        self._last_trigger = meaning.trigger
        login.note(event)
        _ENGINE.fire(login, meaning.trigger, meaning)
        actions, login.out = login.out, []
        return actions

    def asks_for_sender(self, target: bytes) -> bool:
        """Return whether a request needs `RequestReceived.from_other_user`: only this login's browser may send it.

        It carries this login's ``state``, or asks for its start page.

        To find out who sent a request may take some time, and other requests do not need it. Changes nothing, so any
        thread may call it.

        Args:
            target: The raw request target.
        """
        secrets = self._login.secrets
        is_start = is_start_path(split_target(target)[1].partition(b"?")[0], start_path(secrets))
        return not self._login.options.any_user and (is_start or has_state(target, secrets.state))

    def describe_callback(self, event: RequestReceived) -> CallbackReceived | None:
        """Return the phase to report before a request is handled, if it is a callback that is not accepted.

        It has no value from the callback. `handle` itself reports the accepted callback. Changes nothing.

        Args:
            event: The request, which is passed to `handle` next.

        Returns:
            The phase; None for the accepted callback, for another request, and after the outcome.
        """
        return describe_callback(event, self._login)

    def snapshot(self) -> Snapshot:
        """Return the whole state, to compare it or to restore it later."""
        return Snapshot(data=self._login.data())

    @classmethod
    def restore(cls, options: LoginOptions, secrets: LoginSecrets, snapshot: Snapshot) -> LoginMachine:
        """Return a machine in the state of a snapshot.

        Args:
            options: The options of the original.
            secrets: The secrets of the original.
            snapshot: The result of `snapshot`. It can be restored any number of times.
        """
        machine = cls(options, secrets)
        for name, value in snapshot.data.items():
            setattr(machine._login, name, dict(value) if isinstance(value, dict) else value)
        return machine
