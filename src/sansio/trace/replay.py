"""Replay a trace: pass its events to a new machine, and compare its actions with the recorded ones."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import UnexpectedEvent
from ..base.records import Record, hidden
from ..login.events import CredentialsSaved
from ..login.machine import LoginMachine
from ..model.credentials import Credentials
from ..model.provenance import provenance_of_provider
from ..model.tokens import Tokens
from .format.codec import encode_actions
from .placeholders import SECRETS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from enum import StrEnum
    from typing import Protocol

    from ..login.events import Event
    from ..login.outcome import LoginOutcome
    from ..login.states import LoginState
    from ..model.provenance import Provenance
    from .reader import Step, Trace

    class Machine(Protocol):
        """Any of the machines."""

        @property
        def state(self) -> StrEnum:
            """Where it is."""

        @property
        def last_trigger(self) -> StrEnum | None:
            """The meaning of the last event; None if it was late or unexpected."""

        @property
        def handle(self) -> Callable[[Any], Sequence[Record]]:
            """Takes an event, and returns actions."""


_COMPARED: Final = 500
"""The most lines of each side that are compared."""
_SHOWN: Final = 2000
"""The most characters of a line that are shown."""


class Difference(Record):
    """The first line of a trace at which the machine now acts differently."""

    line: int
    """The number of the line in the file, from 1."""
    recorded: Any = hidden()
    """The recorded state and actions, as JSON."""
    replayed: Any = hidden()
    """The state and actions of the machine now, as JSON."""

    def diff(self) -> str:
        """Return both sides as a unified diff: ``-`` was recorded, ``+`` is what the machine does now."""
        # (A hostile trace may be long, and the time of a comparison grows faster than the length.)
        then, now = (json.dumps(side, indent=1).splitlines()[:_COMPARED] for side in (self.recorded, self.replayed))
        lines = difflib.unified_diff(then, now, "recorded", "replayed", n=3, lineterm="")
        return "\n".join(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..." for line in lines)


class Replayed(Record):
    """One event of a replay, with what the machine did."""

    at: float
    """Seconds since the start, as recorded."""
    event: Any = hidden()
    trigger: Any
    """The meaning of the event; None if it was late or unexpected."""
    unexpected: bool
    """The machine refused the event, which was a mistake of the host."""
    before: Any
    """The state of the machine before the event."""
    after: Any
    """The state of the machine after the event."""
    actions: tuple[Any, ...] = hidden()
    size: int | None = None
    """As in the trace: the bytes of the real response body or request target; None if unknown."""


class Replay(Record):
    """The result of replaying a trace."""

    steps: tuple[Replayed, ...]
    """The events, up to and including the first difference."""
    difference: Difference | None
    """The first difference; None if the machine acted as recorded."""
    outcome: LoginOutcome | None
    """How the login ended; None if the trace stops before its end."""

    @property
    def is_identical(self) -> bool:
        """Whether the machine acted as recorded."""
        return self.difference is None

    @property
    def states(self) -> tuple[LoginState, ...]:
        """The states of the login, in order."""
        return states_of(self.steps)


def states_of(steps: Sequence[Replayed]) -> tuple[Any, ...]:
    """Return the states that a machine has passed, in order."""
    passed = [steps[0].before] if steps else []
    for step in steps:
        if step.after is not passed[-1]:
            passed.append(step.after)
    return tuple(passed)


def replay(trace: Trace) -> Replay:
    """Pass the recorded events to a new machine, and compare what it does. Never raises.

    Args:
        trace: The trace. One that stops in the middle of a login is replayed to its end.

    Returns:
        The steps up to the first difference, and the outcome.
    """
    machine = LoginMachine(trace.options, SECRETS)
    implied = provenance_of_provider(trace.options.provider)
    steps, difference = replay_steps(trace.steps, machine, implied)
    return Replay(steps=steps, difference=difference, outcome=machine.outcome)


def replay_steps(
    recorded: Sequence[Step], machine: Machine, implied: Provenance | None = None
) -> tuple[tuple[Replayed, ...], Difference | None]:
    """Pass recorded events to a machine, and compare what it does.

    Args:
        recorded: The steps of a trace.
        machine: A new machine.
        implied: The provenance that the trace does not write.

    Returns:
        The steps up to the first difference, and the difference; None if there is none.
    """
    steps: list[Replayed] = []
    difference = None
    for step in recorded:
        before = machine.state
        actions: Sequence[Record] = ()
        try:
            event = step.event if implied is None else _complete(step.event, implied)
            actions, unexpected = machine.handle(event), False
        except UnexpectedEvent:
            unexpected = True
        steps.append(
            Replayed(
                at=step.at,
                event=step.event,
                trigger=machine.last_trigger,
                unexpected=unexpected,
                before=before,
                after=machine.state,
                actions=tuple(actions),
                size=step.size,
            )
        )
        difference = _difference(step, machine.state, encode_actions(actions, implied), unexpected=unexpected)
        if difference is not None:
            break
    return tuple(steps), difference


def _complete(event: Event, implied: Provenance) -> Event:
    """Return an event that has tokens with a provenance. A trace has it only for tokens of another provider."""
    match event:
        case CredentialsSaved(replaced=Credentials(tokens=Tokens(provenance=None) as tokens) as replaced):
            tokens = tokens.__replace__(provenance=implied)
            return event.__replace__(replaced=replaced.__replace__(tokens=tokens))
        case _:
            return event


def _difference(step: Step, state: StrEnum, actions: list[Any], *, unexpected: bool) -> Difference | None:
    if unexpected and step.unexpected:
        return None
    if not unexpected and (step.state, step.actions) == (state, actions):
        return None
    recorded = "unexpected" if step.unexpected else {"state": step.state, "actions": step.actions}
    replayed = "unexpected" if unexpected else {"state": state, "actions": actions}
    return Difference(line=step.line, recorded=recorded, replayed=replayed)
