"""A small language for stories: `>>` gives an event to a machine, `<<` names an action that it must return.

    assert (
        Playbook(login)
        >> callback()
        << StopTimer(timer=Timer.DEADLINE)
        << AnyAction(SendTokenRequest)
        >> reply(status=503)
        << AnyProblem("exchange_token", "token_exchange_rejected", fatal=True)
        << AnyResponse(1, 200)
        << Finish(outcome=failure)
    )

The assertion runs the story. Each action must be named, in order. A placeholder stands for an action that matters only
in part: `AnyAction`, `AnyResponse` or `AnyProblem`. `reply` stands for an event: the result of the last token request.
A difference is shown as a diff of the whole story.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, Protocol, TypeVar

from loginmachine.sansio.login.actions import ReportProgress, Respond, SendTokenRequest
from loginmachine.sansio.login.progress import Failed

from .samples import answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self, TypeAlias

    from loginmachine.sansio.base.records import Record
    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.events import TokenRequestFailed, TokenResponseReceived
    from loginmachine.sansio.login.progress import LoginPhase
    from loginmachine.sansio.refresh.actions import RefreshAction

    Expected: TypeAlias = "Record | AnyAction | AnyResponse | AnyProblem"
    """An action, or a placeholder for one."""

EventT = TypeVar("EventT")
EventT_contra = TypeVar("EventT_contra", contravariant=True)


class Machine(Protocol[EventT_contra]):
    """The state machine of a login or of a refresh."""

    def handle(self, event: EventT_contra) -> list[Action] | list[RefreshAction]: ...


# Placeholders for actions


class AnyAction(NamedTuple):
    """Placeholder for any action of a type."""

    type: type[Record]

    def matches(self, action: Record) -> bool:
        return isinstance(action, self.type)


class AnyResponse(NamedTuple):
    """Placeholder for a `Respond` to a request with a status, whatever its headers and body."""

    request_id: int
    status: int

    def matches(self, action: Record) -> bool:
        return isinstance(action, Respond) and (action.request_id, action.status) == self


class AnyProblem(NamedTuple):
    """Placeholder for a report of a `Failed`, whatever its message."""

    step: str
    category: str
    fatal: bool

    def matches(self, action: Record) -> bool:
        if not isinstance(action, ReportProgress) or not isinstance(action.phase, Failed):
            return False
        return (action.phase.step, action.phase.category, action.phase.fatal) == self


def reported(phase: LoginPhase) -> ReportProgress:
    """Return the action that reports a phase."""
    return ReportProgress(phase=phase)


# Replies


class Reply(NamedTuple):
    """Placeholder for an event: the reply to the last token request of the story."""

    build: Callable[..., TokenResponseReceived | TokenRequestFailed]
    values: Mapping[str, Any]

    def to(self, request: SendTokenRequest | None) -> Any:
        """Return the event that answers a request."""
        assert request is not None, "there is no token request to reply to in this story"
        return self.build(exchange_id=request.exchange_id, **self.values)


def reply(build: Callable[..., TokenResponseReceived | TokenRequestFailed] = answer, /, **values: object) -> Reply:
    """Reply to the last token request of the story, whatever its number is.

    Args:
        build: A function of `samples` that makes the event: `answer`, `no_answer`, `pending` and so on.
        values: Arguments for it. Without any, `answer` replies with good tokens.
    """
    return Reply(build, values)


class Playbook(Generic[EventT]):
    """A story for a machine. Its truth value runs the story.

    Args:
        machine: In any state. The story begins there.
    """

    def __init__(self, machine: Machine[EventT]) -> None:
        self._machine = machine
        self._story: list[tuple[EventT | Reply, list[Expected]]] = []

    def __rshift__(self, event: EventT | Reply) -> Self:
        self._story.append((event, []))
        return self

    def __lshift__(self, action: Expected) -> Self:
        self._story[-1][1].append(action)
        return self

    def __bool__(self) -> bool:
        wanted: list[str] = []
        got: list[str] = []
        request: SendTokenRequest | None = None
        for item, expected in self._story:
            event = item.to(request) if isinstance(item, Reply) else item
            actions = self._machine.handle(event)
            request = next((each for each in reversed(actions) if isinstance(each, SendTokenRequest)), request)
            heading = f">> {_shown(event)}"
            wanted += [heading, *(f"   << {_shown(action)}" for action in expected)]
            got += [heading, *(f"   << {_seen(action, expected[n : n + 1])}" for n, action in enumerate(actions))]
        if wanted != got:
            raise AssertionError("\n" + "\n".join(difflib.ndiff(wanted, got)))
        return True


def _seen(action: Record, expected: Sequence[Expected]) -> str:
    """Return an action as text. If it is what was expected, the text is that of the expectation."""
    for each in expected:
        if each.matches(action) if isinstance(each, AnyAction | AnyResponse | AnyProblem) else each == action:
            return _shown(each)
    return f"{_shown(action)}!" if any(_shown(action) == _shown(each) for each in expected) else _shown(action)


def _shown(item: object) -> str:
    """Return a record with the fields that its repr hides (there are no real secrets here), but without whole pages."""
    if isinstance(item, Respond):
        return f"AnyResponse(request_id={item.request_id}, status={item.status})"
    values = getattr(item, "values", None)
    if values is None or isinstance(item, tuple):
        return repr(item)
    return f"{type(item).__name__}({', '.join(f'{name}={_shown(value)}' for name, value in values().items())})"
