"""What the exploration and the mutants have to know of a machine. `subjects` lists the machines that there are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from unittest import mock

from loginmachine.sansio.base import echoes
from tests.sansio.rules import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from enum import StrEnum
    from types import ModuleType

    from loginmachine.sansio.base.engine import Row

    AnyRow = Row[Any, Any, Any]
    Cell = tuple[int, StrEnum]
    """A row of a table, by number, and one of its source states."""


class Letter(NamedTuple):
    """An event in one of its meanings."""

    name: str
    event_for: Callable[[Any], Any]
    """Makes the event for a place; None if it is not possible there."""
    kind: EventKind = EventKind.FACT
    example: type = object
    """The type of its events."""


class World(Protocol):
    """The options of an explored machine."""

    @property
    def name(self) -> str:
        """No other world of any machine has this name: docs/proof.md lists all of them in one table."""


class Books(Protocol):
    """The records of an honest host, which answers each action at most once."""

    @property
    def owed(self) -> frozenset[Any]:
        """The actions that wait for an answer."""

    @property
    def open(self) -> frozenset[int]:
        """The requests with an open connection; empty for a machine without a listener."""

    def allow(self, event: Any) -> bool:
        """Return whether an honest host may post this event now."""

    def after(self, event: Any, taken: Iterable[Any]) -> Books:
        """Return the records after an event and the actions that it led to."""

    def key(self) -> tuple[object, ...]:
        """Return the records, to compare them."""


class Ledger(Protocol):
    """What the rules remember of the events and actions so far."""

    def key(self) -> tuple[object, ...]:
        """Return the ledger, to compare it."""


class Move(NamedTuple):
    """A step of the exploration."""

    world: Any
    kind: EventKind
    event: Any
    actions: list[Any]
    before: Any
    """The state before the event."""
    machine: Any
    """The machine after it."""
    ledger: Any
    """The ledger before it."""


class Subject(ABC):
    """A machine with its table, and how it is explored."""

    name: str
    module: ModuleType
    """The module of the machine, with the names ``_ENGINE`` and ``interpret``."""
    states: type[StrEnum]
    rows: tuple[AnyRow, ...]
    events: object
    """The union of its events."""
    final: Sequence[StrEnum]
    succeeded: StrEnum
    folders: tuple[str, ...]
    """The folders of tests/sansio with tests that must notice every wrong table."""
    equivalent: Mapping[str, str]
    """Mutants that behave as the table does, each with the reason."""
    worlds: Sequence[Any]
    small: Mapping[str, int]
    """The worlds that `make test` explores with a confused host, and how many requests may be open at once."""
    small_honest: Sequence[str]
    """The worlds that it explores with an honest host too, with one open request."""

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """All rows, in each of their source states."""
        return tuple((number, source) for number, row in enumerate(self.rows) for source in row.source)

    @cached_property
    def rows_of(self) -> Mapping[tuple[StrEnum, StrEnum], Sequence[tuple[int, AnyRow]]]:
        """The rows for each trigger and state, from top to bottom."""
        found: defaultdict[tuple[StrEnum, StrEnum], list[tuple[int, AnyRow]]] = defaultdict(list)
        for number, source in self.cells:
            found[self.rows[number].trigger, source].append((number, self.rows[number]))
        return found

    def conditions(self) -> AbstractContextManager[object]:
        """Return the conditions under which this machine is explored."""
        # The same messages come thousands of times, and to search them for secrets takes most of the time.
        masked = cache(echoes.mask_echoes)
        return mock.patch.object(echoes, "mask_echoes", lambda text, secrets, mask: masked(text, tuple(secrets), mask))

    @abstractmethod
    def start(self, world: Any) -> tuple[Any, Ledger, Books]:
        """Return a new machine, with the ledger and the records of a host at that time."""

    @abstractmethod
    def restore(self, world: Any, snapshot: Any) -> Any:
        """Return a machine in the state of a snapshot."""

    def suspended(self, world: Any, snapshot: Any) -> Any:  # noqa: ARG002
        """Return a snapshot as it comes back from where a machine is suspended, if it can be."""
        return snapshot

    @abstractmethod
    def alphabet(self, world: Any, most: int) -> tuple[Letter, ...]:
        """Return all letters. At most so many requests are open at once."""

    @abstractmethod
    def place(self, world: Any, most: int, snapshot: Any, in_use: frozenset[int]) -> Any:
        """Return what letters have to know of a machine to make their events.

        Args:
            world: The options.
            most: How many requests may be open at once.
            snapshot: The state of the machine.
            in_use: The requests with an open connection, as the host knows.
        """

    @abstractmethod
    def check(self, move: Move) -> Ledger:
        """Check a step against the rules, and return the ledger after it.

        Raises:
            AssertionError: A rule is broken.
        """

    @abstractmethod
    def key_of(self, snapshot: Any) -> tuple[object, ...]:
        """Return the abstract state: machines with the same one count as equal."""

    @abstractmethod
    def is_over(self, snapshot: Any) -> bool:
        """Return whether the machine ignores every event from now on."""

    def most(self, world: Any, most: int) -> int:  # noqa: ARG002
        """Return how many requests may be open at once in a world, where so many are allowed."""
        return most

    def is_doomed(self, world: Any, snapshot: Any) -> bool:  # noqa: ARG002
        """Return whether the machine holds something that it cannot judge yet, and will refuse."""
        return False

    def is_twin(self, one: Any, other: Any) -> bool:  # noqa: ARG002
        """Return whether two snapshots with the same key are different, and have to act alike."""
        return False

    def difference(self, world: Any, one: Any, other: Any) -> object | None:  # noqa: ARG002
        """Return how two such snapshots differ. One pair for each way is compared; None to compare every pair."""
        return None

    def acts(self, actions: Iterable[Any]) -> object:
        """Return what twins have to do alike."""
        return [type(action) for action in actions]

    def postpones(self, ledger: Any) -> bool:  # noqa: ARG002
        """Return whether a pause before another request of the same kind is running."""
        return False

    def expires(self, ledger: Any) -> bool:  # noqa: ARG002
        """Return whether a timer runs that will end what goes on. The graph knows no time."""
        return False

    def may_wait(self, world: Any) -> set[str]:  # noqa: ARG002
        """Return the states in which no answer is due, and the machine waits for something else."""
        return {"idle"}
