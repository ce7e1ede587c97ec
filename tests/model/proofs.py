"""Checks on a finished graph: an end can be reached, and machines that count as equal behave equally."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from loginmachine.sansio import UnexpectedEvent

if TYPE_CHECKING:
    from collections.abc import Iterable

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
    """Return the nodes from which no sequence of events ends the machine, with its last action."""
    closed = [node.key for node in graph.nodes.values() if node.closed]
    ends = can_reach(graph, closed, graph.edges)
    return [node for node in graph.nodes.values() if node.key not in ends]


def hopeless(graph: Graph) -> list[Node]:
    """Return the nodes before the outcome from which the machine can no longer succeed.

    Those are left out in which what already came will be refused.
    """
    succeeded = [node.key for node in graph.nodes.values() if node.state is graph.subject.succeeded]
    hopeful = can_reach(graph, succeeded, graph.edges)
    return [
        node
        for node in graph.nodes.values()
        if node.state not in graph.subject.final
        and node.key not in hopeful
        and not graph.subject.is_doomed(graph.world, node.snapshot)
    ]


class Endings(NamedTuple):
    """How machines end that get nothing but answers to their actions."""

    longest: int
    """The most answers, from any state, until no action waits for one."""
    waiting: list[Node]
    """The nodes in which no action waits for an answer, and the machine still takes events."""


def endings(graph: Graph) -> Endings:
    """Follow the answers of an honest host from every state, in every order and with every result.

    Steps are left out while a timer runs that will end them, such as polls while a device code is valid: the graph
    knows no time. So are steps that postpone a request, until the pauses become too long together.

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
    assert done == len(graph.nodes), "answers alone can keep a machine going for ever"
    waiting = [node for node in graph.nodes.values() if not node.closed and not answers[node.key]]
    return Endings(max(length.values()), waiting)


def _expires(graph: Graph, edge: Edge) -> bool:
    """Return whether such a timer runs before and after a step."""
    ends = (graph.nodes[edge.tail], graph.nodes[edge.head])
    return all(graph.subject.expires(node.ledger) for node in ends)


def _postpones(graph: Graph, edge: Edge) -> bool:
    """Return whether a step starts a pause before the next request of the same kind."""
    return graph.subject.postpones(graph.nodes[edge.head].ledger)


def differing_twins(graph: Graph) -> list[str]:
    """Return the stories after which two logins that count as equal do not act the same."""
    found = []
    for node, snapshot in graph.twins:
        here = graph.place(node, node.snapshot)
        there = graph.place(node, snapshot)
        for letter in graph.letters:
            one, other = letter.event_for(here), letter.event_for(there)
            if one is None or other is None:
                assert one is other
            elif _acts(graph, node.snapshot, one) != _acts(graph, snapshot, other):
                found.append(f"{' > '.join(graph.story(node.key))} > {letter.name}")
    return found


def _acts(graph: Graph, snapshot: Any, event: Any) -> tuple[object, ...] | None:
    """Return the new state and the actions of a machine; None if it refuses the event."""
    machine = graph.subject.restore(graph.world, snapshot)
    try:
        actions = machine.handle(event)
    except UnexpectedEvent:
        return None
    return (graph.subject.key_of(machine.snapshot()), graph.subject.acts(actions))
