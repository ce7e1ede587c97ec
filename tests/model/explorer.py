"""Breadth first through everything that can happen to a machine, until nothing new is found."""

from __future__ import annotations

from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from loginmachine.sansio import UnexpectedEvent
from tests.sansio.rules import EventKind, check_refused

from .subject import Move

if TYPE_CHECKING:
    from collections.abc import Iterator
    from enum import StrEnum

    from .subject import Books, Cell, Ledger, Letter, Subject, World

    Key = int
    """The number of an abstract state, in the order in which they were found."""


class Node(NamedTuple):
    """An abstract state with its history. The first machine that was found in it stands for all."""

    key: Key
    snapshot: Any
    state: StrEnum
    closed: bool
    """The machine ignores every event."""
    ledger: Ledger
    books: Books
    """The first ones for a confused host, which has no records."""
    depth: int
    came_from: Key | None
    letter: str


class Edge(NamedTuple):
    tail: Key
    letter: Letter
    head: Key
    answer: bool
    """The event answers an action; it does not come from the browser, the person or the caller."""


class Graph:
    """The states and steps that were found."""

    def __init__(self, subject: Subject, world: World, most: int, *, honest: bool) -> None:
        self.subject = subject
        self.world = world
        self.most = most
        self.honest = honest
        self.letters = subject.alphabet(world, most)
        self.nodes: dict[Key, Node] = {}
        self._keys: dict[tuple[object, ...], Key] = {}
        self.edges: list[Edge] = []
        self.refused = 0
        """How many events were refused as mistakes of the host."""
        self.cells: set[Cell] = set()
        """The rows that were taken, each with its source state."""
        self._ways: set[tuple[Key, object]] = set()
        self.twins: list[tuple[Node, Any]] = []
        """Nodes, each with another machine that counts as equal. Only for a confused host, which has no records."""

    @property
    def depth(self) -> int:
        """The number of events on the shortest path to the farthest state."""
        return max(node.depth for node in self.nodes.values())

    def key(self, state: tuple[object, ...]) -> Key:
        """Return the number of an abstract state. A number takes less time to compare than all that it stands for."""
        return self._keys.setdefault(state, len(self._keys))

    def add_twin(self, node: Node, snapshot: Any) -> None:
        """Remember a machine that counts as equal, unless one that differs in the same way is remembered."""
        way = self.subject.difference(self.world, node.snapshot, snapshot)
        if way is None or (node.key, way) not in self._ways:
            self.twins.append((node, snapshot))
            self._ways.add((node.key, way))

    def story(self, key: Key) -> list[str]:
        """Return the shortest path to a state, letter by letter."""
        node: Node | None = self.nodes[key]
        letters: list[str] = []
        while node is not None and node.came_from is not None:
            letters.append(node.letter)
            node = self.nodes[node.came_from]
        return letters[::-1]

    def place(self, node: Node, snapshot: Any) -> Any:
        """Return what letters have to know of a machine in a node."""
        return self.subject.place(self.world, self.most, snapshot, node.books.open)


class _Watch:
    """Records which row of the table each event takes."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.engine = subject.module._ENGINE
        self.true_fire = self.engine.fire
        self.taken: int | None = None

    def fire(self, model: Any, trigger: StrEnum, meaning: Any) -> None:
        rows = self.subject.rows_of.get((trigger, model.state), ())
        # Like the engine: the model has noted the event, and the effect has not changed what guards depend on.
        self.taken = next((n for n, row in rows if not row.guard or row.guard(model, meaning)), None)
        self.true_fire(model, trigger, meaning)


@contextmanager
def watching(subject: Subject) -> Iterator[_Watch]:
    watch = _Watch(subject)
    with mock.patch.object(watch.engine, "fire", watch.fire):
        yield watch


def explore(subject: Subject, world: World, most: int, *, honest: bool) -> Graph:
    """Find every reachable state.

    Args:
        subject: The machine.
        world: The options.
        most: How many requests may be open at once.
        honest: Whether the host only answers actions, or posts any event at any time.

    Raises:
        AssertionError: A rule is broken. The message holds the shortest story that breaks it.
    """
    graph = Graph(subject, world, subject.most(world, most), honest=honest)
    machine, ledger, books = subject.start(world)
    start = _node(graph, machine, (ledger, books), None, "")
    graph.nodes[start.key] = start
    todo = deque([start])
    with subject.conditions(), watching(subject) as watch:
        while todo:
            node = todo.popleft()
            todo.extend(_expand(graph, node, watch))
    return graph


def _node(graph: Graph, machine: Any, seen: tuple[Ledger, Books], came_from: Node | None, letter: str) -> Node:
    snapshot, (ledger, books) = machine.snapshot(), seen
    closed = graph.subject.is_over(snapshot)
    return Node(
        # Once the machine ignores every event, answers change nothing.
        key=graph.key((graph.subject.key_of(snapshot), ledger.key(), () if closed else books.key())),
        snapshot=snapshot,
        state=machine.state,
        closed=closed,
        ledger=ledger,
        books=books,
        depth=came_from.depth + 1 if came_from else 0,
        came_from=came_from.key if came_from else None,
        letter=letter,
    )


def _expand(graph: Graph, node: Node, watch: _Watch) -> list[Node]:
    """Give every letter to one machine. Return the nodes that are new."""
    fresh: list[Node] = []
    here = graph.place(node, node.snapshot)
    for letter in graph.letters:
        event = letter.event_for(here)
        if event is None or (graph.honest and not (letter.kind is not EventKind.MISTAKE and node.books.allow(event))):
            continue
        try:
            found = _step(graph, node, letter, event, watch)
        except Exception as error:
            story = " > ".join([*graph.story(node.key), letter.name])
            raise AssertionError(f"{graph.world.name}: {story}\n{type(error).__name__}: {error}") from error
        if found is None:
            graph.refused += 1
            continue
        answer = graph.honest and not node.closed and bool(node.books.owed - found.books.owed)
        graph.edges.append(Edge(node.key, letter, found.key, answer))
        known = graph.nodes.get(found.key)
        if known is None:
            # The exploration goes on with the machine that comes back.
            back = graph.subject.suspended(graph.world, found.snapshot)
            graph.nodes[found.key] = found._replace(snapshot=back)
            fresh.append(graph.nodes[found.key])
        elif not graph.honest and graph.subject.is_twin(known.snapshot, found.snapshot):
            graph.add_twin(known, found.snapshot)
    return fresh


def _step(graph: Graph, node: Node, letter: Letter, event: Any, watch: _Watch) -> Node | None:
    """Give one event to a machine. Return the new node; None if the event was refused."""
    subject = graph.subject
    machine = subject.restore(graph.world, node.snapshot)
    watch.taken = None
    try:
        actions = machine.handle(event)
    except UnexpectedEvent:
        if graph.honest:
            raise
        check_refused(node.state, node.snapshot, machine.snapshot(), subject.final)
        return None
    ledger = subject.check(Move(graph.world, letter.kind, event, actions, node.state, machine, node.ledger))
    if watch.taken is not None:
        graph.cells.add((watch.taken, node.state))
    books = node.books.after(event, actions) if graph.honest else node.books
    return _node(graph, machine, (ledger, books), node, letter.name)
