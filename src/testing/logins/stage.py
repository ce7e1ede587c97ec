"""Runs a machine with a script in place of the world: no socket, file, thread or real time."""

from __future__ import annotations

import threading
import time
from collections import deque
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, assert_never

from ...drivers.logging import log_callback, warn
from ...drivers.shared.callback_reports import CallbackReports
from ...drivers.shared.handle import LoginOwner, new_machine
from ...drivers.shared.registrations import save_registration
from ...drivers.stores.protocols import save
from ...sansio.base.errors import UnexpectedEvent
from ...sansio.base.http import header_values
from ...sansio.callback.responses import Response
from ...sansio.login import actions, events
from ...sansio.login.machine import LoginMachine
from ...sansio.login.progress import DeviceCodeShown, Listening
from ...sansio.model.options import LoginSecrets
from ...sansio.trace.placeholders import SECRETS
from .plot import Plot, Situation, answers_action
from .script import Owed, Request

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...drivers.stores.protocols import CredentialStore
    from ...sansio.base.http import HttpRequest
    from ...sansio.login.progress import LoginPhase
    from ...sansio.login.states import LoginState
    from ...sansio.model.options import LoginMethod, LoginOptions
    from ...sansio.model.provider import Provider
    from .script import Script, Step

PLAYED_SECRETS: Final = LoginSecrets(
    state="played-state", code_verifier="played-code-verifier-of-a-login-that-is-only-played", nonce="played-nonce",
    success_key="played-success-key",
)  # fmt: skip
"""The secrets of every login that plays a script: the same in each run, so that what is shown can be compared."""
_REQUESTS: Final = {
    "discovering_resource": Request.RESOURCE_METADATA,
    "discovering": Request.METADATA,
    "registering": Request.REGISTRATION,
    "pushing_request": Request.PUSHED_REQUEST,
    "awaiting_callback": Request.KEYS,
    "fetching_keys": Request.KEYS,
    "requesting_device_code": Request.DEVICE_CODE,
    "polling_device_code": Request.POLL,
    "exchanging_code": Request.TOKENS,
    "exchanging_api_key": Request.API_KEY,
}
"""What a request is for, by the state of the login after it was sent."""


class Moved(Enum):
    """What a call of `Stage.move` has done."""

    ON = auto()
    """An event was handled."""
    PAUSED = auto()
    """Nothing: the program is to act."""
    LATE = auto()
    """Nothing: the next event lies beyond the given time. That time has come now."""
    CLOSED = auto()
    """Nothing: the login has ended, and its last page is sent."""


class Stage(LoginOwner):
    """The owner of a played login: performs the machine's actions by its script.

    Args:
        script: What happens.
        options: The options of the login.
        store: Where the credentials are saved, as in a real login.
        on_progress: Called with each phase, where the login is moved.
        record: Called with each line of the trace. None for no trace.
        method: How the person signs in.
    """

    def __init__(  # noqa: PLR0913 - the arguments of a driver
        self,
        script: Script,
        options: LoginOptions,
        *,
        store: CredentialStore,
        on_progress: Callable[[LoginPhase], None] | None,
        record: Callable[[str], object] | None,
        method: LoginMethod,
    ) -> None:
        self.options = options
        self.secrets = SECRETS if script.is_recorded else PLAYED_SECRETS
        self.now = 0.0
        """Seconds since the start, of the script."""
        self.progress: list[LoginPhase] = []
        self.responses: list[Response] = []
        self.requests: list[HttpRequest] = []
        self.revoked: list[HttpRequest] = []
        self.is_closed = False
        self.plot = Plot(script, self)
        self._started = events.Started(method=method) if script.started.registration is None else script.started
        self._store = store
        self._on_progress = on_progress
        self._machine = new_machine(
            options, record, "played", self._pass_on, secrets=self.secrets, clock=lambda: self.now
        )
        self._callbacks = CallbackReports(self._machine, self._report)
        self._inbox: deque[events.Event] = deque()
        self._owed: list[Owed] = []
        self._timers: dict[actions.Timer, float] = {}
        self._redirects: dict[int, str] = {}
        """The paths of the callback port to which answered requests are redirected."""
        self._begun = time.time()
        self.request_id = 0
        self._turn = threading.RLock()
        self._is_moving = False

    # What steps look at

    @property
    def provider(self) -> Provider:
        """The provider, with what its metadata and a registration have added."""
        return self._core.provider

    @property
    def wall_time(self) -> float:
        """The time of the script, in seconds since 1970."""
        return self._begun + self.now

    def next_request_id(self) -> int:
        """Return the number of the next request to the callback port."""
        self.request_id += 1
        return self.request_id

    # What the program does

    def post(self, event: events.Event) -> None:
        """Put an event into the inbox. Never blocks."""
        self._inbox.append(event)

    def play(self, steps: Sequence[Step]) -> None:
        """Let more happen, after the steps of the script."""
        self.plot.add(steps)

    # What happens

    @property
    def is_ready(self) -> bool:
        """Whether the person can sign in, or the login has ended."""
        return self.auth_url is not None or self.device_code is not None or self.outcome is not None

    def start(self) -> None:
        """Put the first event into the inbox."""
        known = {} if self.started is None else self.started.values()
        of_store = {name: known[name] for name in ("registration", "account", "host_id") if known.get(name) is not None}
        self.post(self._started.__replace__(**of_store))

    def move(self, until: float | None = None) -> Moved:
        """Let one thing happen.

        Args:
            until: The time, in seconds of the script, beyond which nothing is to happen. None for no limit.

        Raises:
            RuntimeError: This is called by what `on_progress`, a store or a recorder does.
        """
        with self._turn:
            if self._is_moving:
                raise RuntimeError("the login waits for the function that waits for it")
            self._is_moving = True
            try:
                return self._move(until)
            finally:
                self._is_moving = False

    def _move(self, until: float | None) -> Moved:
        if self.is_closed:
            return Moved.CLOSED
        if self._inbox:
            event, before = self._inbox.popleft(), self._machine_state
            self._handle(event)
            if not isinstance(event, events.Started):
                self.plot.note_program(has_moved=self._machine_state != before)
            return Moved.ON
        happens = self.plot.next_event(
            Situation(self._owed, self._timers, is_ready=self.is_ready, is_over=self.outcome is not None)
        )
        if happens is None:
            return Moved.PAUSED
        if until is not None and happens.at > until:
            self.now = max(self.now, until)
            return Moved.LATE
        self.now = max(self.now, happens.at)
        happened = happens.make()
        if happened is not None:
            self._handle(self._stored(happened))
        return Moved.ON

    @property
    def _machine_state(self) -> LoginState:
        return self._core.state

    @property
    def _core(self) -> LoginMachine:
        return self._machine if isinstance(self._machine, LoginMachine) else self._machine.machine

    def _stored(self, event: events.Event) -> events.Event:
        """Call the program's store, if the script says that something is stored."""
        for action in [owed.action for owed in self._owed]:
            if isinstance(event, events.CredentialsSaved) and isinstance(action, actions.SaveCredentials):
                saved = save(self._store, action.credentials, self._keep_error)
                return event if event.replaced and isinstance(saved, events.CredentialsSaved) else saved
            if isinstance(event, events.RegistrationSaved) and isinstance(action, actions.SaveRegistration):
                return save_registration(self._store, action.registration)
        return event

    def _handle(self, event: events.Event) -> None:
        self._settle(event)
        self._callbacks.note(event)
        try:
            todo = self._machine.handle(event)
        except UnexpectedEvent:
            if self.plot.is_recorded:
                # A mistake of the recorded program, or an event that the program has overtaken.
                return
            raise
        for action in todo:
            self._perform(action)
        if isinstance(event, events.ResponseSent):
            self._follow(event.request_id)

    def _follow(self, request_id: int) -> None:
        """Let the browser follow a redirect, if it leads to the callback port."""
        target = self._redirects.pop(request_id, None)
        if target is not None:
            self.plot.follow(target)

    def _settle(self, event: events.Event) -> None:
        """Forget the action that an event answers, or the timer."""
        if isinstance(event, events.TimerFired):
            self._timers.pop(event.timer, None)
        if isinstance(event, events.Bound):
            self.port = event.port
        answered = next((owed for owed in self._owed if answers_action(event, owed.action)), None)
        if answered is not None:
            self._owed.remove(answered)

    def _perform(self, action: actions.Action) -> None:  # noqa: C901 - one arm an action
        match action:
            case actions.StartTimer(timer=timer, seconds=seconds):
                self._timers[timer] = self.now + seconds
            case actions.StopTimer(timer=timer):
                self._timers.pop(timer, None)
            case actions.SendTokenRequest():
                self.requests.append(action)
                self._owed.append(Owed(action=action, request=_REQUESTS[self._machine_state], since=self.now))
            case actions.AbortTokenRequest(exchange_id=exchange_id):
                self._owed = [owed for owed in self._owed if getattr(owed.action, "exchange_id", None) != exchange_id]
            case actions.Respond():
                self._respond(action)
            case actions.Bind() | actions.CancelPrevious() | actions.OpenBrowser():
                self._owed.append(Owed(action=action))
            case actions.SaveCredentials() | actions.SaveRegistration():
                self._owed.append(Owed(action=action))
            case actions.ReportProgress(phase=phase):
                self._report(phase)
            case actions.Finish(outcome=outcome):
                self.outcome = outcome
            case actions.RevokeToken():
                self.revoked.append(action)
            case actions.CloseListener():
                self.is_closed = True
            case _:
                assert_never(action)

    def _respond(self, action: actions.Respond) -> None:
        self.responses.append(Response(status=action.status, headers=action.headers, body=action.body))
        self._owed.append(Owed(action=action))
        for location in header_values(action.headers, b"location"):
            if location.startswith(b"/"):
                self._redirects[action.request_id] = location.decode("ascii")

    def _report(self, phase: LoginPhase) -> None:
        log_callback(phase)
        self.progress.append(phase)
        try:
            if self._on_progress is not None:
                self._on_progress(phase)
        except Exception as error:  # noqa: BLE001 - as in a driver: the login must not fail with its observer
            warn(f"on_progress raised {type(error).__name__} in phase {phase.name}")
        except BaseException as error:  # noqa: BLE001 - raised in the caller's thread, when the login is over
            self._pass_on(error)
        if isinstance(phase, DeviceCodeShown):
            self.device_code = self._machine.device_code
        if isinstance(phase, Listening):
            self.auth_url = phase.url
