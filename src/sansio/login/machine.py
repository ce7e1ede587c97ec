"""`LoginMachine`: events in, actions out."""

from __future__ import annotations

from ..base.engine import Engine
from ..base.errors import UnexpectedEvent
from ..base.records import Record, hidden
from .effects import Login
from .interpret import interpret
from .states import LoginState
from .table import FINAL_STATES, ROWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from ..model.options import LoginOptions, LoginSecrets
    from ..oauth.device_code import DeviceCode
    from .actions import Action
    from .events import Event
    from .outcome import LoginOutcome
    from .states import Trigger


_ENGINE: Final = Engine(LoginState, ROWS)


class Snapshot(Record):
    """A login's whole state at one moment, apart from its options and secrets. Opaque; compared by value."""

    data: dict[str, Any] = hidden()


class LoginMachine:
    """A login as a state machine that does no I/O.

    The host performs the actions that `handle` returns, in order, and tells the machine what came of them:

        machine = LoginMachine(options, LoginSecrets.generate())
        for action in machine.handle(Started()): ...
        for action in machine.handle(Bound(port=1455)): ...

    The same options, secrets and events give the same actions, always. Different machines may be used from different
    threads at the same time; one machine only from one at a time.
    """

    __slots__ = ("_last_trigger", "_login")

    def __init__(self, options: LoginOptions, secrets: LoginSecrets) -> None:
        """Start at the beginning.

        Raises:
            ValueError: The provider uses a nonce, and there is none.
        """
        if options.provider.uses_nonce and not secrets.nonce:
            raise ValueError("this provider uses a nonce, and the secrets hold none")
        self._login = Login(options, secrets)
        self._last_trigger: Trigger | None = None

    def __repr__(self) -> str:
        return f"<LoginMachine {self.state}>"

    @property
    def state(self) -> LoginState:
        """Where the login is."""
        return self._login.state

    @property
    def outcome(self) -> LoginOutcome | None:
        """How it ended; None until it has."""
        return self._login.outcome

    @property
    def auth_url(self) -> str | None:
        """The authorization request for the person's browser; None until the port is bound."""
        return self._login.auth_url

    @property
    def port(self) -> int | None:
        """The callback port; None until it is bound."""
        return self._login.port if self._login.auth_url is not None else None

    @property
    def last_trigger(self) -> Trigger | None:
        """What the last event meant; None if it was an answer that was no longer waited for, or was unexpected."""
        return self._last_trigger

    @property
    def device_code(self) -> DeviceCode | None:
        """The code for the person, and where to enter it; None unless the login has one."""
        return self._login.device_code

    def handle(self, event: Event) -> list[Action]:
        """Take one event.

        Returns:
            What the host has to do, in this order. Empty for an answer that is no longer waited for.

        Raises:
            UnexpectedEvent: The event makes no sense in this state. Nothing has changed.
        """
        login = self._login
        self._last_trigger = None
        if login.closed:
            return []
        try:
            step = interpret(event, login)
            if step is None:
                return []
            if not _ENGINE.permits(login.state, step.trigger):
                raise UnexpectedEvent(login.state, event)
        except UnexpectedEvent:
            if login.state in FINAL_STATES:
                return []
            raise
        self._last_trigger = step.trigger
        login.note_answered(event)
        _ENGINE.fire(login, step.trigger, step)
        actions, login.out = login.out, []
        return actions

    def snapshot(self) -> Snapshot:
        """Take the whole state out, to compare it or to put it back later."""
        return Snapshot(data=self._login.data())

    @classmethod
    def restore(cls, options: LoginOptions, secrets: LoginSecrets, snapshot: Snapshot) -> LoginMachine:
        """A machine that goes on where the snapshot was taken.

        Args:
            options: Those of the original.
            secrets: Those of the original.
            snapshot: What `snapshot` returned; it can be restored any number of times.
        """
        machine = cls(options, secrets)
        for name, value in snapshot.data.items():
            setattr(machine._login, name, dict(value) if isinstance(value, dict) else value)
        return machine
