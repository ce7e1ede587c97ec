"""A small language for stories, in the manner of mitmproxy's: `>>` tells the machine, `<<` is what it must order.

    assert Playbook(login) >> Started() << Bind(port=1455, attempt=1)

Every action must be named, in order. A difference is shown as a diff of the whole story.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from loginmachine.sansio.login.actions import ReportProgress, Respond
from loginmachine.sansio.login.progress import Failed

if TYPE_CHECKING:
    from typing import Self

    from loginmachine.sansio.base.records import Record
    from loginmachine.sansio.login.actions import Action
    from loginmachine.sansio.login.progress import LoginPhase
    from loginmachine.sansio.refresh.actions import RefreshAction

EventT = TypeVar("EventT")
EventT_contra = TypeVar("EventT_contra", contravariant=True)


class Machine(Protocol[EventT_contra]):
    """A login's or a refresh's."""

    def handle(self, event: EventT_contra) -> list[Action] | list[RefreshAction]: ...


class Answered(NamedTuple):
    """A `Respond` with this status; its page is tested elsewhere."""

    request_id: int
    status: int

    def matches(self, action: Record) -> bool:
        return isinstance(action, Respond) and (action.request_id, action.status) == self


class Problem(NamedTuple):
    """A reported `Failed` with these words; its message is tested elsewhere."""

    phase: str
    category: str
    fatal: bool

    def matches(self, action: Record) -> bool:
        if not isinstance(action, ReportProgress) or not isinstance(action.phase, Failed):
            return False
        return (action.phase.step, action.phase.category, action.phase.fatal) == self


class Kind(NamedTuple):
    """Any action of this type."""

    type: type[Record]

    def matches(self, action: Record) -> bool:
        return isinstance(action, self.type)


def reported(phase: LoginPhase) -> ReportProgress:
    return ReportProgress(phase=phase)


class Playbook(Generic[EventT]):
    """A story to be told to a machine. Its truth value is the telling."""

    def __init__(self, machine: Machine[EventT]) -> None:
        self._machine = machine
        self._script: list[tuple[EventT, list[Record | Answered | Problem | Kind]]] = []

    def __rshift__(self, event: EventT) -> Self:
        self._script.append((event, []))
        return self

    def __lshift__(self, order: Record | Answered | Problem | Kind) -> Self:
        self._script[-1][1].append(order)
        return self

    def __bool__(self) -> bool:
        wanted: list[str] = []
        got: list[str] = []
        for event, orders in self._script:
            told = f">> {_show(event)}"
            actions = self._machine.handle(event)
            wanted += [told, *(f"   << {_show(order)}" for order in orders)]
            got += [told, *(f"   << {_seen(action, orders[n : n + 1])}" for n, action in enumerate(actions))]
        if wanted != got:
            raise AssertionError("\n" + "\n".join(difflib.ndiff(wanted, got)))
        return True


def _seen(action: Record, expected: list[Record | Answered | Problem | Kind]) -> str:
    """An action, in the words of what was expected if it is that."""
    for order in expected:
        if order.matches(action) if isinstance(order, Answered | Problem | Kind) else order == action:
            return _show(order)
    return f"{_show(action)}!" if any(_show(action) == _show(order) for order in expected) else _show(action)


def _show(item: object) -> str:
    """With the fields that a repr hides (these are no real secrets), but without whole pages."""
    if isinstance(item, Respond):
        return f"Answered(request_id={item.request_id}, status={item.status})"
    values = getattr(item, "values", None)
    if values is None or isinstance(item, tuple):
        return repr(item)
    return f"{type(item).__name__}({', '.join(f'{name}={_show(value)}' for name, value in values().items())})"
