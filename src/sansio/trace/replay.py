"""Replaying a trace: the machine of today is told what was recorded, and must do what was recorded."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any, Final

from ..base.errors import UnexpectedEvent
from ..base.records import Record, hidden
from ..login.machine import LoginMachine
from .codec import encode
from .placeholders import SECRETS

if TYPE_CHECKING:
    from ..login.actions import Action
    from ..login.events import Event
    from ..login.outcome import LoginOutcome
    from ..login.states import LoginState, Trigger
    from .reader import Step, Trace


_COMPARED: Final = 500
"""Lines of each side."""
_SHOWN: Final = 2000
"""Characters of a line."""


class Difference(Record):
    """The first place where the machine acts differently now."""

    line: int
    """Of the trace's file, from 1."""
    recorded: Any = hidden()
    """State and actions then, as JSON has them."""
    replayed: Any = hidden()
    """State and actions now."""

    def diff(self) -> str:
        """Both, compared line by line: ``-`` was recorded, ``+`` is what the machine does now."""
        # (Of a hostile trace the one side is as long as it likes, and comparing takes more than its length.)
        then, now = (json.dumps(side, indent=1).splitlines()[:_COMPARED] for side in (self.recorded, self.replayed))
        lines = difflib.unified_diff(then, now, "recorded", "replayed", n=3, lineterm="")
        return "\n".join(line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..." for line in lines)


class Replayed(Record):
    """One event of a replay, and what the machine made of it now."""

    at: float
    """Seconds since the start, as recorded."""
    event: Event = hidden()
    trigger: Trigger | None
    """What the event meant; None if it was dropped as late, or was unexpected."""
    unexpected: bool
    """The machine refused it: a mistake of the host."""
    before: LoginState
    after: LoginState
    actions: tuple[Action, ...] = hidden()


class Replay(Record):
    """What came of replaying a trace."""

    steps: tuple[Replayed, ...]
    """Up to and including the first difference."""
    difference: Difference | None
    outcome: LoginOutcome | None
    """How the login ended; None if the trace stops before."""

    @property
    def is_identical(self) -> bool:
        """The machine acts as it did."""
        return self.difference is None

    @property
    def states(self) -> tuple[LoginState, ...]:
        """The states passed, in order."""
        passed = [self.steps[0].before] if self.steps else []
        for step in self.steps:
            if step.after is not passed[-1]:
                passed.append(step.after)
        return tuple(passed)


def replay(trace: Trace) -> Replay:
    """Tell the machine what was recorded, and compare what it does.

    Args:
        trace: As read; a trace that stops in the middle of a login is replayed as far as it goes.

    Returns:
        The steps, up to the first that differs. Never raises.
    """
    machine = LoginMachine(trace.options, SECRETS)
    steps = []
    difference = None
    for step in trace.steps:
        before = machine.state
        try:
            actions, unexpected = machine.handle(step.event), False
        except UnexpectedEvent:
            actions, unexpected = [], True
        steps.append(
            Replayed(
                at=step.at,
                event=step.event,
                trigger=machine.last_trigger,
                unexpected=unexpected,
                before=before,
                after=machine.state,
                actions=tuple(actions),
            )
        )
        difference = _difference(step, machine.state, encode(actions), unexpected=unexpected)
        if difference is not None:
            break
    return Replay(steps=tuple(steps), difference=difference, outcome=machine.outcome)


def _difference(step: Step, state: LoginState, actions: list[Any], *, unexpected: bool) -> Difference | None:
    if unexpected and step.unexpected:
        return None
    if not unexpected and (step.state, step.actions) == (state, actions):
        return None
    recorded = "unexpected" if step.unexpected else {"state": step.state, "actions": step.actions}
    replayed = "unexpected" if unexpected else {"state": state, "actions": actions}
    return Difference(line=step.line, recorded=recorded, replayed=replayed)
