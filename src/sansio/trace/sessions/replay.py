"""Replay the traces of refreshes and sign-outs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, assert_never

from ...base.records import Record
from ...refresh.failures import RefreshFailure
from ...refresh.machine import RefreshMachine
from ...refresh.outcome import RefreshSuccess
from ...sign_out.machine import SignOutMachine
from ...sign_out.outcome import SignOutFailure, SignOutResult
from ..replay import replay_steps, states_of
from .reader import REFRESH
from .redaction import ENVIRONMENT_KEY

if TYPE_CHECKING:
    from ...refresh.outcome import RefreshOutcome
    from ...sign_out.outcome import SignOutOutcome
    from ..replay import Difference, Replayed
    from .reader import SessionTrace


class SessionReplay(Record):
    """The result of replaying a refresh or a sign-out."""

    of: str
    """What was recorded: ``refresh`` or ``sign_out``."""
    steps: tuple[Replayed, ...]
    """The events, up to and including the first difference."""
    difference: Difference | None
    """The first difference; None if the machine acted as recorded."""
    outcome: RefreshOutcome | SignOutOutcome | None
    """How it ended; None if the trace stops before its end."""

    @property
    def is_identical(self) -> bool:
        """Whether the machine acted as recorded."""
        return self.difference is None

    @property
    def states(self) -> tuple[Any, ...]:
        """The states of the machine, in order."""
        return states_of(self.steps)


def replay_session(trace: SessionTrace) -> SessionReplay:
    """Pass the recorded events to a new machine, and compare what it does. Never raises.

    Args:
        trace: The trace. One that stops early is replayed to its end.
    """
    machine: RefreshMachine | SignOutMachine
    if trace.of == REFRESH:
        key = ENVIRONMENT_KEY if trace.has_environment_key else None
        machine = RefreshMachine(trace.provider, environment_key=key)
    else:
        machine = SignOutMachine(trace.provider)
    steps, difference = replay_steps(trace.steps, machine)
    return SessionReplay(of=trace.of, steps=steps, difference=difference, outcome=machine.outcome)


def session_outcome_words(outcome: RefreshOutcome | SignOutOutcome | None) -> tuple[str, str | None]:
    """Return how a refresh or a sign-out ended, in one word, and the category of its failure.

    The word is ``succeeded``, ``failed`` or ``unfinished``. A refresh that delivers the last token of a sign-in
    succeeds, and has the category of the failure that ended the sign-in.
    """
    match outcome:
        case None:
            return "unfinished", None
        case RefreshSuccess(failure=failure):
            return "succeeded", None if failure is None else failure.category
        case SignOutResult():
            return "succeeded", None
        case RefreshFailure(category=category) | SignOutFailure(category=category):
            return "failed", category
        case _:
            assert_never(outcome)
