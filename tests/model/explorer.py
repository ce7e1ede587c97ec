"""Breadth first through everything that can happen to a login, until nothing new is found."""

from __future__ import annotations

from collections import defaultdict, deque
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from unittest import mock

from loginmachine.sansio import LoginMachine, UnexpectedEvent
from loginmachine.sansio.login import machine as machine_module
from loginmachine.sansio.login.interpret import interpret
from loginmachine.sansio.login.states import LoginState, Trigger
from loginmachine.sansio.login.table import ROWS, Row
from tests.sansio.rules import EventKind, Ledger, Step, check_refused, checked
from tests.sansio.samples import SECRETS

from .abstraction import is_capped, key_of
from .alphabet import Place, alphabet
from .host import Books

if TYPE_CHECKING:
    from collections.abc import Iterator

    from loginmachine.sansio.login.events import Event
    from loginmachine.sansio.login.interpretation import Interpretation
    from loginmachine.sansio.login.machine import Snapshot
    from loginmachine.sansio.login.state import LoginData

    from .alphabet import Letter
    from .worlds import World

    Key = tuple[Any, ...]

Cell = tuple[int, LoginState]
"""A row of the table, by number, and one of its source states."""
CELLS: Final = tuple((number, source) for number, row in enumerate(ROWS) for source in row.source)
_ROWS_OF: Final[defaultdict[tuple[Trigger, LoginState], list[tuple[int, Row]]]] = defaultdict(list)
for _number, _source in CELLS:
    _ROWS_OF[ROWS[_number].trigger, _source].append((_number, ROWS[_number]))


class Node(NamedTuple):
    """An abstract state with its history. The first login that was found in it stands for all."""

    key: Key
    snapshot: Snapshot
    ledger: Ledger
    books: Books
    """Empty for a confused host."""
    depth: int
    came_from: Key | None
    letter: str

    @property
    def state(self) -> LoginState:
        state: LoginState = self.snapshot.data["_state"]
        return state

    @property
    def closed(self) -> bool:
        closed: bool = self.snapshot.data["closed"]
        return closed


class Edge(NamedTuple):
    tail: Key
    letter: Letter
    head: Key
    answer: bool
    """The event answers an action; it does not come from the browser, the person or the caller."""


class Graph:
    """The states and steps that were found."""

    def __init__(self, world: World, most: int, *, honest: bool) -> None:
        self.world = world
        self.most = most
        self.honest = honest
        self.letters = alphabet(world, most)
        self.nodes: dict[Key, Node] = {}
        self.edges: list[Edge] = []
        self.refused = 0
        """How many events were refused as mistakes of the host."""
        self.cells: set[Cell] = set()
        """The rows that were taken, each with its source state."""
        self.twins: list[tuple[Node, Snapshot]] = []
        """Nodes, each with another login that counts as equal. Only for a confused host, which has no records."""

    @property
    def depth(self) -> int:
        """The number of events on the shortest path to the farthest state."""
        return max(node.depth for node in self.nodes.values())

    def story(self, key: Key) -> list[str]:
        """Return the shortest path to a state, letter by letter."""
        node: Node | None = self.nodes[key]
        letters: list[str] = []
        while node is not None and node.came_from is not None:
            letters.append(node.letter)
            node = self.nodes[node.came_from]
        return letters[::-1]


def place(node: Node, world: World, most: int) -> Place:
    """Return what letters have to know of the login in a node."""
    data = node.snapshot.data
    taken = frozenset((*data["waiting"], *data["pages"])) | node.books.open
    free = next((number for number in range(1, most + 1) if number not in taken), None)
    return Place(world=world, port=data["port"], code=data["code"], exchanges=data["exchanges"], free=free, open=taken)


class _Watch:
    """Records which row of the table each event takes."""

    def __init__(self) -> None:
        self.taken: int | None = None

    def interpret(self, event: Event, login: LoginData) -> Interpretation | None:
        step = interpret(event, login)
        if step is not None:
            rows = _ROWS_OF[step.trigger, login.state]
            # Guards are called before the effect changes what they depend on.
            self.taken = next((n for n, row in rows if not row.guard or row.guard(login, step)), None)
        return step


@contextmanager
def watching() -> Iterator[_Watch]:
    watch = _Watch()
    with mock.patch.object(machine_module, "interpret", watch.interpret):
        yield watch


def explore(world: World, most: int, *, honest: bool) -> Graph:
    """Find every reachable state.

    Args:
        world: The options.
        most: How many requests may be open at once.
        honest: Whether the host only answers actions, or posts any event at any time.

    Raises:
        AssertionError: A rule is broken. The message holds the shortest story that breaks it.
    """
    graph = Graph(world, most, honest=honest)
    first = LoginMachine(world.options, SECRETS).snapshot()
    start = _node(first, Ledger(), Books(), None, "")
    graph.nodes[start.key] = start
    todo = deque([start])
    with watching() as watch:
        while todo:
            node = todo.popleft()
            todo.extend(_expand(graph, node, watch))
    return graph


def _node(snapshot: Snapshot, ledger: Ledger, books: Books, came_from: Node | None, letter: str) -> Node:
    closed = snapshot.data["closed"]
    return Node(
        # Once the listener is closed, answers change nothing.
        key=(key_of(snapshot), ledger.key(), () if closed else books.key()),
        snapshot=snapshot,
        ledger=ledger,
        books=books,
        depth=came_from.depth + 1 if came_from else 0,
        came_from=came_from.key if came_from else None,
        letter=letter,
    )


def _expand(graph: Graph, node: Node, watch: _Watch) -> list[Node]:
    """Give every letter to one login. Return the nodes that are new."""
    fresh: list[Node] = []
    here = place(node, graph.world, graph.most)
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
            graph.nodes[found.key] = found
            fresh.append(found)
        elif not graph.honest and _is_twin(known, found):
            graph.twins.append((known, found.snapshot))
    return fresh


def _step(graph: Graph, node: Node, letter: Letter, event: Event, watch: _Watch) -> Node | None:
    """Give one event to a login. Return the new node; None if the event was refused."""
    login = LoginMachine.restore(graph.world.options, SECRETS, node.snapshot)
    watch.taken = None
    try:
        actions = login.handle(event)
    except UnexpectedEvent:
        if graph.honest:
            raise
        check_refused(node.state, node.snapshot, login.snapshot())
        return None
    ledger = checked(
        Step(
            options=graph.world.options,
            kind=letter.kind,
            event=event,
            actions=actions,
            before=node.state,
            after=login.state,
            outcome=login.outcome,
            known=node.ledger,
        )
    )
    if watch.taken is not None:
        graph.cells.add((watch.taken, node.state))
    books = node.books.after(event, actions) if graph.honest else node.books
    return _node(login.snapshot(), ledger, books, node, letter.name)


def _is_twin(known: Node, found: Node) -> bool:
    """Return whether another login with the same open requests counts as equal to a known one."""
    one, other = known.snapshot.data, found.snapshot.data
    return (
        one != other
        and not is_capped(known.snapshot)
        and set(one["waiting"]) == set(other["waiting"])
        and one["pages"] == other["pages"]
    )
