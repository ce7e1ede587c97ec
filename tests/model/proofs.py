"""Checks on a finished graph: an end can be reached, and logins that count as equal behave equally."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from loginmachine.sansio import LoginMachine, UnexpectedEvent
from loginmachine.sansio.login.actions import Respond, Timer
from loginmachine.sansio.login.states import FINAL_STATES, LoginState
from tests.sansio.samples import SECRETS

from .abstraction import key_of
from .explorer import place

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loginmachine.sansio.login.events import Event
    from loginmachine.sansio.login.machine import Snapshot

    from .explorer import Edge, Graph, Key, Node


def can_reach(graph: Graph, goals: Iterable[Key], edges: Iterable[Edge]) -> set[Key]:
    """Return the states from which some sequence of these edges leads to a goal."""
    tails: defaultdict[Key, set[Key]] = defaultdict(set)
    for edge in edges:
        tails[edge.head].add(edge.tail)
    found = set(goals)
    todo = list(found)
    while todo:
        more = tails[todo.pop()] - found
        found |= more
        todo.extend(more)
    assert found <= set(graph.nodes)
    return found


def stuck(graph: Graph) -> list[Node]:
    """Return the nodes from which no sequence of events closes the listener."""
    closed = [node.key for node in graph.nodes.values() if node.closed]
    ends = can_reach(graph, closed, graph.edges)
    return [node for node in graph.nodes.values() if node.key not in ends]


def hopeless(graph: Graph) -> list[Node]:
    """Return the nodes before the outcome from which the login can no longer succeed."""
    succeeded = [node.key for node in graph.nodes.values() if node.state is LoginState.SUCCEEDED]
    hopeful = can_reach(graph, succeeded, graph.edges)
    return [node for node in graph.nodes.values() if node.state not in FINAL_STATES and node.key not in hopeful]


class Endings(NamedTuple):
    """How logins end that get nothing but answers to their actions."""

    longest: int
    """The most answers, from any state, until no action waits for one."""
    waiting: list[Node]
    """The nodes in which no action waits for an answer, and the listener is not closed."""


def endings(graph: Graph) -> Endings:
    """Follow the answers of an honest host from every state, in every order and with every result.

    Steps while a device code is valid are left out: polls go on until the timer of the code ends them, and the graph
    knows no time. So are those that postpone the request for a device code, until the pauses become too long together.

    Raises:
        AssertionError: The answers can go round in a circle.
    """
    answers: defaultdict[Key, set[Key]] = defaultdict(set)
    degree: defaultdict[Key, int] = defaultdict(int)
    for edge in graph.edges:
        if (
            edge.answer
            and edge.head not in answers[edge.tail]
            and not _expires(graph, edge)
            and not _postpones(graph, edge)
        ):
            answers[edge.tail].add(edge.head)
            degree[edge.head] += 1
    # Kahn's algorithm: a state is done when all states that lead to it are done. A circle is never done.
    ready = [key for key in graph.nodes if not degree[key]]
    length = dict.fromkeys(ready, 0)
    done = 0
    while ready:
        key = ready.pop()
        done += 1
        for head in answers[key]:
            length[head] = max(length.get(head, 0), length[key] + 1)
            degree[head] -= 1
            if not degree[head]:
                ready.append(head)
    assert done == len(graph.nodes), "answers alone can keep a login going for ever"
    waiting = [node for node in graph.nodes.values() if not node.closed and not answers[node.key]]
    return Endings(max(length.values()), waiting)


def _expires(graph: Graph, edge: Edge) -> bool:
    """Return whether the timer of a device code runs before and after a step. In the end it stops all polls."""
    ends = (graph.nodes[edge.tail], graph.nodes[edge.head])
    return all(Timer.DEVICE_CODE_EXPIRY in node.ledger.running for node in ends)


def _postpones(graph: Graph, edge: Edge) -> bool:
    """Return whether a step starts a pause before the next request for a device code."""
    return Timer.CODE_REQUEST in graph.nodes[edge.head].ledger.running


def differing_twins(graph: Graph) -> list[str]:
    """Return the stories after which two logins that count as equal do not act the same."""
    found = []
    for node, snapshot in graph.twins:
        here = place(node, graph.world, graph.most)
        there = place(node._replace(snapshot=snapshot), graph.world, graph.most)
        for letter in graph.letters:
            one, other = letter.event_for(here), letter.event_for(there)
            if one is None or other is None:
                assert one is other
            elif _acts(graph, node.snapshot, one) != _acts(graph, snapshot, other):
                found.append(f"{' > '.join(graph.story(node.key))} > {letter.name}")
    return found


def _acts(graph: Graph, snapshot: Snapshot, event: Event) -> tuple[object, ...] | None:
    """Return the new state and the actions of a login; None if it refuses the event."""
    login = LoginMachine.restore(graph.world.options, SECRETS, snapshot)
    try:
        actions = login.handle(event)
    except UnexpectedEvent:
        return None
    answers = [(action.request_id, action.status) for action in actions if isinstance(action, Respond)]
    return (key_of(login.snapshot()), [type(action) for action in actions], answers)
