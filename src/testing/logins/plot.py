"""Decides what happens next in a played login: the next step of its script, an answer, or a timer."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple, Protocol

from ...sansio.base.http import TransportProblem
from ...sansio.login import actions, events
from .answers import good_answer, visit
from .script import Answer, Happening, Owed, Pause, Recorded, Scene, TimePasses

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .script import Script, Step

_BY_ITSELF = events.RequestReceived | events.HttpsAttempted | events.CallbackPasted | events.CancelRequested
"""Events of a trace that answer no action."""


class World(Scene, Protocol):
    """What the plot needs of a login."""

    now: float


class Happens(NamedTuple):
    """The next event."""

    at: float
    """When, in seconds of the script."""
    make: Callable[[], events.Event | None]
    """Let it happen, and return it. None if only time passes."""


class Situation(NamedTuple):
    """Where a login is."""

    owed: Sequence[Owed]
    """Actions without an answer so far, in their order."""
    timers: Mapping[actions.Timer, float]
    """When each timer runs out."""
    is_ready: bool
    """The person can sign in."""
    is_over: bool
    """The outcome is known."""


class Plot:
    """The rest of a script.

    Args:
        script: The script.
        world: The login.
    """

    def __init__(self, script: Script, world: World) -> None:
        self.is_recorded = script.is_recorded
        self._world = world
        self._steps: deque[Step] = deque(script.steps)
        self._browsing: deque[str] = deque()
        self._is_changed = False
        """The program has done something that the recorded program did not do."""

    @property
    def is_as_recorded(self) -> bool:
        """Whether the steps of a trace are played as they were."""
        return self.is_recorded and not self._is_changed and bool(self._steps)

    def add(self, steps: Sequence[Step]) -> None:
        """Let more happen afterwards."""
        self._steps.extend(steps)

    def follow(self, target: str) -> None:
        """Let the browser follow a redirect to the callback port."""
        if not self.is_as_recorded:
            self._browsing.append(target)

    def note_program(self, *, has_moved: bool) -> None:
        """Note that the program has done something.

        Args:
            has_moved: Whether that has brought the login forward.
        """
        self._is_changed = self._is_changed or has_moved
        first = self._first_happening()
        if has_moved and isinstance(first, Pause):
            self._drop(first)

    def next_event(self, situation: Situation) -> Happens | None:
        """Return what happens next; None if nothing does before the program acts."""
        if self.is_as_recorded:
            recorded = self._steps[0]
            assert isinstance(recorded, Recorded)
            return Happens(recorded.at, lambda: self._take(recorded))
        local = next((owed for owed in situation.owed if owed.request is None), None)
        if local is not None:
            return self._answer(local)
        request = situation.owed[0] if situation.owed else None
        if request is not None and (step := self._answer_to(request)) is not None:
            return self._at_once(lambda: self._give(step, request))
        first = self._first_happening() if situation.is_ready and not situation.is_over else None
        if isinstance(first, Pause):
            return None
        if request is not None and not isinstance(first, TimePasses):
            return self._at_once(lambda: good_answer(self._world, request))
        if self._browsing:
            return self._at_once(lambda: visit(self._world, self._browsing.popleft()))
        return self._later(first, request, situation.timers)

    def _later(self, first: Step | None, request: Owed | None, timers: Mapping[actions.Timer, float]) -> Happens | None:
        """Return what happens when nothing is to be answered at once."""
        if isinstance(first, TimePasses):
            return self._time(first, request, timers)
        if isinstance(first, Happening | Recorded):
            return self._at_once(lambda: self._take(first))
        return self._timer(timers)

    def _time(self, step: TimePasses, request: Owed | None, timers: Mapping[actions.Timer, float]) -> Happens:
        """Let time pass, up to the next timer, or until a request has taken too long."""
        end = self._world.now + step.seconds if step.end is None else step.end
        if step.end is None:
            self._steps[self._steps.index(step)] = begun = step.__replace__(end=end)
            return self._time(begun, request, timers)
        due = min(timers.values(), default=end)
        if request is not None and isinstance(request.action, actions.SendTokenRequest):
            too_late, order = request.since + request.action.timeout, request.action
            if too_late <= min(end, due):
                return Happens(too_late, lambda: _timed_out(order))
        if due < end:
            return Happens(due, lambda: _fired(timers))
        return Happens(end, lambda: self._drop(step))

    def _drop(self, step: Step) -> None:
        self._steps.remove(step)

    def _timer(self, timers: Mapping[actions.Timer, float]) -> Happens | None:
        return Happens(min(timers.values()), lambda: _fired(timers)) if timers else None

    def _at_once(self, make: Callable[[], events.Event]) -> Happens:
        return Happens(self._world.now, make)

    def _answer(self, owed: Owed) -> Happens:
        step = self._answer_to(owed)
        if step is None:
            return self._at_once(lambda: good_answer(self._world, owed))
        return self._at_once(lambda: self._give(step, owed))

    def _answer_to(self, owed: Owed) -> Answer | Recorded | None:
        """Return the step that answers an action, of those that come before the next happening."""
        for step in self._steps:
            if isinstance(step, Answer) and step.fits(owed):
                return step
            if isinstance(step, Recorded) and answers_action(step.event, owed.action):
                return step
            if _is_happening(step):
                break
        return None

    def _give(self, step: Answer | Recorded, owed: Owed) -> events.Event:
        self._drop(step)
        return step.event if isinstance(step, Recorded) else step.event(self._world, owed)

    def _first_happening(self) -> Step | None:
        return next((step for step in self._steps if _is_happening(step)), None)

    def _take(self, step: Recorded | Happening) -> events.Event:
        self._drop(step)
        return step.event if isinstance(step, Recorded) else step.event(self._world)


def _timed_out(request: actions.SendTokenRequest) -> events.Event:
    return events.TokenRequestFailed(
        exchange_id=request.exchange_id, kind=TransportProblem.TIMEOUT, message="no answer in time"
    )


def _fired(timers: Mapping[actions.Timer, float]) -> events.Event:
    return events.TimerFired(timer=min(timers, key=timers.__getitem__))


def _is_happening(step: Step) -> bool:
    return isinstance(step.event, _BY_ITSELF) if isinstance(step, Recorded) else not isinstance(step, Answer)


def answers_action(event: events.Event, action: actions.Action) -> bool:
    """Return whether an event answers an action."""
    match action:
        case actions.Bind():
            return isinstance(event, events.Bound | events.BindFailed)
        case actions.CancelPrevious():
            return isinstance(event, events.PreviousCancelled)
        case actions.OpenBrowser():
            return isinstance(event, events.BrowserOpened | events.BrowserFailed)
        case actions.Respond(request_id=number):
            return isinstance(event, events.ResponseSent | events.ClientGone) and event.request_id == number
        case actions.SaveCredentials():
            return isinstance(event, events.CredentialsSaved | events.SaveFailed)
        case actions.SaveRegistration():
            return isinstance(event, events.RegistrationSaved | events.RegistrationSaveFailed)
    return (
        isinstance(action, actions.SendTokenRequest)
        and isinstance(event, events.TokenResponseReceived | events.TokenRequestFailed)
        and event.exchange_id == action.exchange_id
    )
