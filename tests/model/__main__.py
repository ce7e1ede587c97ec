"""`python -m tests.model [MOST]`: the whole proof, with its numbers; MOST requests open at once (default 2)."""

from __future__ import annotations

import sys
import time

from .explorer import CELLS, Cell, Graph, explore
from .proofs import differing_twins, endings, hopeless, stuck
from .worlds import WORLDS


def report(graph: Graph) -> str:
    """One line of numbers."""
    host = "honest" if graph.honest else "confused"
    return (
        f"{graph.world.name:26} {host:8} {len(graph.nodes):6} states {len(graph.edges):7} edges "
        f"{graph.refused:6} refused  depth {graph.depth:2}"
    )


def prove(graph: Graph) -> str:
    """Check a finished graph, and return a summary."""
    assert stuck(graph) == []
    assert hopeless(graph) == []
    if graph.honest:
        return f"ends after {endings(graph).longest} answers at most"
    assert differing_twins(graph) == []
    return f"{len(graph.twins)} twins act alike"


def main(most: int) -> None:
    cells: dict[bool, set[Cell]] = {False: set(), True: set()}
    states = edges = 0
    began = time.monotonic()
    for world in WORLDS:
        for honest in (False, True):
            graph = explore(world, most, honest=honest)
            print(f"{report(graph)}  {prove(graph)}", flush=True)
            cells[honest] |= graph.cells
            states += len(graph.nodes)
            edges += len(graph.edges)
    # With both hosts every row is taken, in each of its source states.
    assert cells[False] == cells[True] == set(CELLS)
    print(f"{states} states, {edges} edges, {time.monotonic() - began:.0f} s; all {len(CELLS)} rows by state taken")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
