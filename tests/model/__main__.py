"""`python -m tests.model [MOST]`: the whole proof, with its numbers; MOST requests open at once (default 2).

With the default, the numbers have to be those of docs/proof.md. `--write` writes them there.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from .explorer import Graph, explore
from .pinned import BOUND, HOW_TO_UPDATE, PAGE, Count, Totals, count, differences, written
from .proofs import differing_twins, endings, hopeless, stuck
from .subjects import SUBJECTS

if TYPE_CHECKING:
    from .subject import Cell


def report(graph: Graph) -> str:
    """One line of numbers."""
    host = "honest" if graph.honest else "confused"
    return (
        f"{graph.world.name:32} {host:8} {len(graph.nodes):6} states {len(graph.edges):7} steps "
        f"{graph.refused:6} refused  depth {graph.depth:2}"
    )


def prove(graph: Graph) -> Totals:
    """Check a finished graph, and return what is counted beside its states and steps."""
    assert stuck(graph) == []
    assert hopeless(graph) == []
    if graph.honest:
        return Totals(pairs=0, answers=endings(graph).longest)
    assert differing_twins(graph) == []
    return Totals(pairs=len(graph.twins), answers=0)


def main(most: int, *, writes: bool) -> int:
    began = time.monotonic()
    found: dict[tuple[str, str], Count] = {}
    totals = Totals(0, 0)
    for subject in SUBJECTS:
        print(f"{subject.name}:")
        cells: dict[bool, set[Cell]] = {False: set(), True: set()}
        for world in subject.worlds:
            for honest in (False, True):
                graph = explore(subject, world, most, honest=honest)
                proved = prove(graph)
                print(report(graph), flush=True)
                cells[honest] |= graph.cells
                found.update([count(graph)])
                totals = Totals(totals.pairs + proved.pairs, max(totals.answers, proved.answers))
        # With both hosts every row is taken, in each of its source states.
        assert cells[False] == cells[True] == set(subject.cells)
    states, steps = sum(each.states for each in found.values()), sum(each.steps for each in found.values())
    print(f"{states:,} states, {steps:,} steps, {totals.pairs:,} pairs act alike, {time.monotonic() - began:.0f} s")
    page = PAGE.read_text(encoding="utf-8")
    if writes:
        PAGE.write_text(written(page, found, totals), encoding="utf-8")
    elif most == BOUND and (wrong := differences(page, found, totals)):
        print(*wrong, HOW_TO_UPDATE, sep="\n", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    numbers = [argument for argument in sys.argv[1:] if argument != "--write"]
    sys.exit(main(int(numbers[0]) if numbers else BOUND, writes="--write" in sys.argv))
