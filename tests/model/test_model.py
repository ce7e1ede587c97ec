"""The proof within small bounds. `make proof` is the whole of it; docs/proof.md says what it means.

Each step is checked against the rules of docs/design/invariants.md while the graph is made.
"""

from __future__ import annotations

import gc
import json
import os
from functools import cache
from typing import TYPE_CHECKING, get_args

import pytest

from .__main__ import report
from .explorer import Graph, explore
from .pinned import BOUND, HOW_TO_UPDATE, PAGE, Count, Totals, count, differences, read, written
from .proofs import differing_twins, endings, hopeless, stuck
from .subjects import SUBJECTS

if TYPE_CHECKING:
    from pathlib import Path

    from .subject import Cell

BY_NAME = {subject.name: subject for subject in SUBJECTS}
WORLDS = {world.name: (subject, world) for subject in SUBJECTS for world in subject.worlds}
SMALL = {name: most for subject in SUBJECTS for name, most in subject.small.items()}
HONEST = [name for subject in SUBJECTS for name in subject.small_honest]

# The first test of a world explores it: 10 seconds of computing, and several times that on a loaded machine.
pytestmark = pytest.mark.timeout(300)

each_machine = pytest.mark.parametrize("machine", BY_NAME)
each_world = pytest.mark.parametrize("name", WORLDS)
each_world_and_host = pytest.mark.parametrize(
    ("name", "honest"), [*((name, False) for name in SMALL), *((name, True) for name in HONEST)]
)


@cache
def explored(name: str, honest: bool, /) -> Graph:  # noqa: FBT001 - by name and by position would be cached twice
    subject, world = WORLDS[name]
    graph = explore(subject, world, 1 if honest else SMALL[name], honest=honest)
    # It is kept until the end. The garbage collector would look at its many objects again and again.
    gc.freeze()
    return graph


def test_no_two_worlds_have_the_same_name() -> None:
    assert len(WORLDS) == sum(len(subject.worlds) for subject in SUBJECTS)


@pytest.fixture
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of this run, for all its processes."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def cells(name: str, shared: Path) -> set[Cell]:
    """Return the rows that a confused host takes. A world that another process has explored is not explored again."""
    file = shared / f"{name}.rows"
    if file.exists():
        found: set[Cell] = {(row, BY_NAME[WORLDS[name][0].name].states(state)) for row, state in _read(file)}
        return found
    found = explored(name, False).cells
    new = file.with_suffix(f".{os.getpid()}")
    new.write_text(json.dumps([(row, state.value) for row, state in found]), encoding="utf-8")
    new.replace(file)
    return found


def _read(file: Path) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = json.loads(file.read_text(encoding="utf-8"))
    return found


# One test for each world: in another process, a second one would explore the world again.
@each_world_and_host
def test_the_rules_hold_and_an_end_and_a_success_can_be_reached(name: str, honest: bool, shared: Path) -> None:  # noqa: FBT001
    graph = explored(name, honest)
    print(report(graph))
    assert {node.state for node in graph.nodes.values()} >= set(graph.subject.final)
    assert [graph.story(node.key) for node in stuck(graph)] == []
    # Until the outcome, a machine can still succeed.
    assert [graph.story(node.key) for node in hopeless(graph)] == []
    if honest:
        answers_end(graph)
    else:
        cells(name, shared)
    if graph.most == graph.subject.most(graph.world, BOUND):
        # `make proof` compares all of the numbers in the page.
        world, numbers = count(graph)
        assert read(PAGE.read_text(encoding="utf-8"))[world] == numbers, HOW_TO_UPDATE


def answers_end(graph: Graph) -> None:
    """Check that answers end a machine, unless it may wait for ever.

    With any answers, in any order, without a browser and without a cancellation.
    """
    assert {node.state for node in endings(graph).waiting} == graph.subject.may_wait(graph.world)


def test_logins_that_count_as_equal_behave_equally() -> None:
    graph = explored("one workspace", False)
    assert len(graph.twins) > 100
    assert differing_twins(graph) == []


@each_machine
def test_every_event_is_in_the_alphabet(machine: str) -> None:
    subject = BY_NAME[machine]
    letters = [letter for world in subject.worlds for letter in subject.alphabet(world, 1)]
    assert {letter.example for letter in letters} == set(get_args(subject.events))


@each_world
def test_each_letter_has_its_own_name_and_type_of_event(name: str) -> None:
    subject, world = WORLDS[name]
    letters = subject.alphabet(world, 2)
    machine, _, _ = subject.start(world)
    here = subject.place(world, 2, machine.snapshot(), frozenset({2}))
    assert len({letter.name for letter in letters}) == len(letters)
    assert all(type(letter.event_for(here)) is letter.example for letter in letters)


# The numbers are those of docs/proof.md


def test_the_page_lists_every_world_with_both_hosts() -> None:
    said = read(PAGE.read_text(encoding="utf-8"))
    assert list(said) == [(name, host) for name in WORLDS for host in ("confused", "honest")]


EXAMPLE = """\
| default | confused | 1,212 | 11,226 | 20 |
| default | honest | 5 | 6 | 7 |
| together | | 1,217 | 11,232 | |
at most 24 of them (7,963 pairs)
"""
FOUND = {("default", "confused"): Count(1212, 11226, 20), ("default", "honest"): Count(5, 6, 7)}


@pytest.mark.parametrize(
    ("changes", "totals", "words"),
    [
        ({}, Totals(7963, 24), None),
        ({("default", "honest"): Count(5, 5, 7)}, Totals(7963, 24), "says 5 states and 6 steps"),
        ({("another", "honest"): Count(1, 1, 1)}, Totals(7963, 24), "another, honest host: docs/proof.md says nothing"),
        ({}, Totals(7964, 24), "has other totals"),
        ({}, Totals(7963, 23), "has other totals"),
    ],
)
def test_other_numbers_than_those_of_the_page_are_shown(
    changes: dict[tuple[str, str], Count], totals: Totals, words: str | None
) -> None:
    found = {**FOUND, **changes}
    wrong = differences(EXAMPLE, found, totals)
    assert [words in line for line in wrong if words] == [True] * bool(words)
    assert (wrong == []) == (words is None)
    assert differences(written(EXAMPLE, found, totals), found, totals) == []


def test_a_world_that_is_no_longer_explored_is_shown() -> None:
    (line,) = differences(EXAMPLE, {("default", "honest"): Count(5, 6, 7)}, Totals(7963, 24))
    assert line == "default, confused host: docs/proof.md has it, and it is not explored"


# Run after all other tests (conftest.py), so that the worlds are explored


@each_machine
def test_every_row_is_taken_in_every_state_that_it_starts_from(machine: str, shared: Path) -> None:
    """A new row needs a new letter in the alphabet, or a new world."""
    subject = BY_NAME[machine]
    missing = set(subject.cells)
    # Perhaps the worlds that are explored already take every row.
    for name in sorted(subject.small, key=lambda name: not (shared / f"{name}.rows").exists()):
        if missing:
            missing -= cells(name, shared)
    assert [f"{subject.rows[row].trigger} [{subject.rows[row].guard}] in {state}" for row, state in missing] == []
