"""The numbers of the proof, which are pinned in docs/proof.md: a graph that became smaller or larger is noticed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .explorer import Graph

PAGE: Final = Path(__file__).parents[2] / "docs" / "proof.md"
BOUND: Final = 2
"""The most open requests of the numbers in the page."""
HOW_TO_UPDATE: Final = (
    "If the change is meant, run `.venv/bin/python -m tests.model --write`, and review the difference of docs/proof.md."
)
_ROW: Final = re.compile(r"^\| ([^|]+?) \| (confused|honest) \| ([\d,]+) \| ([\d,]+) \| (\d+) \|$", re.MULTILINE)
_TOGETHER: Final = re.compile(r"^\| together \| \| ([\d,]+) \| ([\d,]+) \| \|$", re.MULTILINE)
_PAIRS: Final = re.compile(r"\(([\d,]+) pairs\)")
_ANSWERS: Final = re.compile(r"at most (\d+) of them")


class Count(NamedTuple):
    """The numbers of one graph."""

    states: int
    steps: int
    depth: int


class Totals(NamedTuple):
    """The numbers of all graphs."""

    pairs: int
    """Different machines that were merged into one state."""
    answers: int
    """The most answers until the end."""


def count(graph: Graph) -> tuple[tuple[str, str], Count]:
    """Return the world and the host of a graph, and its numbers."""
    name = (graph.world.name, "honest" if graph.honest else "confused")
    return name, Count(len(graph.nodes), len(graph.edges), graph.depth)


def read(page: str) -> dict[tuple[str, str], Count]:
    """Return the numbers in the page, by world and host."""
    return {
        (world, host): Count(_number(states), _number(steps), int(depth))
        for world, host, states, steps, depth in _ROW.findall(page)
    }


def differences(page: str, found: Mapping[tuple[str, str], Count], totals: Totals) -> list[str]:
    """Return what the page says wrongly."""
    said = read(page)
    wrong = [
        f"{world}, {host} host: docs/proof.md says {_words(said.get((world, host)))}, found {_words(numbers)}"
        for (world, host), numbers in found.items()
        if said.get((world, host)) != numbers
    ]
    wrong += [
        f"{world}, {host} host: docs/proof.md has it, and it is not explored" for world, host in said.keys() - found
    ]
    if not wrong and written(page, found, totals) != page:
        wrong.append(f"docs/proof.md has other totals than {_sums(found.values())}, {totals}")
    return wrong


def written(page: str, found: Mapping[tuple[str, str], Count], totals: Totals) -> str:
    """Return the page with the numbers that were found."""
    rows = "\n".join(
        f"| {world} | {host} | {numbers.states:,} | {numbers.steps:,} | {numbers.depth} |"
        for (world, host), numbers in found.items()
    )
    places = list(_ROW.finditer(page))
    page = page[: places[0].start()] + rows + page[places[-1].end() :]
    states, steps = _sums(found.values())
    page = _TOGETHER.sub(f"| together | | {states:,} | {steps:,} | |", page)
    page = _PAIRS.sub(f"({totals.pairs:,} pairs)", page)
    return _ANSWERS.sub(f"at most {totals.answers} of them", page)


def _sums(numbers: Iterable[Count]) -> tuple[int, int]:
    all_of_them = list(numbers)
    return sum(each.states for each in all_of_them), sum(each.steps for each in all_of_them)


def _words(numbers: Count | None) -> str:
    return (
        "nothing"
        if numbers is None
        else f"{numbers.states:,} states and {numbers.steps:,} steps, depth {numbers.depth}"
    )


def _number(text: str) -> int:
    return int(text.replace(",", ""))
