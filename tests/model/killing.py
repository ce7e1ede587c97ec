"""`python -m tests.model.killing`: check that some test notices every wrong table, and print the mutants that survive.

The tests of the core are collected once. Then a process of its own is forked for each mutant: the engine runs the wrong
table, and the tests run until one fails. Only behaviour matters: code that reads `ROWS` sees the true table. Some tests
are left out, because they are not needed: those that repeat the table (diagram, test_table), those that compare a login
with itself (test_snapshot), the slow ones (test_memory) and the random ones (test_invariants).
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import pytest
from _pytest.runner import runtestprotocol

from .mutants import Mutant, mutants, running

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SANSIO: Final = Path(__file__).parents[1] / "sansio"
ROOMS: Final = ("callback", "login", "oauth")
LEFT_OUT: Final = ("table", "snapshot", "memory", "invariants")
PATIENCE: Final = 60
"""Seconds after which a mutant is killed: a login that hangs is noticed."""
EQUIVALENT: Final[Mapping[str, str]] = {
    "port_taken [may_cancel_previous] in binding: asked after [may_bind_again]": (
        "the first guard holds only before the holder was asked to go, the second only after"
    ),
    **{
        f"{trigger} in {state}: does {effect}": "they differ for redirects and success pages: here are none"
        for trigger, effect in (("page_sent", "note_client_gone"), ("client_gone", "note_page_sent"))
        for state in ("failed", "cancelled")
    },
}
"""Mutants that behave as the table does, each with the reason."""
_SURVIVED: Final = b""


class _Child(NamedTuple):
    mutant: Mutant
    killer: int
    """The end of a pipe through which the child sends the number of the test that failed."""


class Hunt:
    """A plugin that runs the collected tests against every mutant instead of running them once."""

    def __init__(self) -> None:
        self.items: list[pytest.Item] = []
        self.kills: Counter[int] = Counter()
        self.last_killer: dict[str, int] = {}
        self.survivors: list[str] = []
        self.killed: set[str] = set()
        self.children: dict[int, _Child] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run instead of pytest's own loop."""
        self.items = session.items
        if (wrong := self._failing(range(len(self.items)))) is not None:
            raise pytest.UsageError(f"without any mutant, this fails: {self.items[wrong].nodeid}")
        # The collector of each child would copy all memory that it looks through.
        gc.freeze()
        for mutant in mutants():
            while len(self.children) >= (os.cpu_count() or 1):
                self._wait()
            self._start(mutant)
        while self.children:
            self._wait()
        # Plugins may ask the collector when the session ends.
        gc.unfreeze()
        session.testsfailed = len(self.unexplained) + len(self.stale)
        return True

    @property
    def unexplained(self) -> list[str]:
        return [name for name in self.survivors if name not in EQUIVALENT]

    @property
    def stale(self) -> list[str]:
        """Entries of `EQUIVALENT` that a test notices, or that are no mutants."""
        return [name for name in EQUIVALENT if name not in self.survivors]

    def _start(self, mutant: Mutant) -> None:
        reading, writing = os.pipe()
        child = os.fork()
        if child:
            os.close(writing)
            self.children[child] = _Child(mutant, reading)
            return
        signal.alarm(PATIENCE)
        try:
            with running(mutant.rows):
                killer = self._failing(self._order(mutant))
            if killer is not None:
                os.write(writing, str(killer).encode())
        finally:
            os._exit(0)

    def _order(self, mutant: Mutant) -> list[int]:
        """Return the tests, the likeliest first: the last one to fail for this cell, then those that name its state."""
        last = self.last_killer.get(mutant.cell)
        names_state = [number for number, item in enumerate(self.items) if mutant.source in item.name]
        often = [number for number, _ in self.kills.most_common()]
        order = (*([last] if last is not None else []), *names_state, *often, *range(len(self.items)))
        return list(dict.fromkeys(order))

    def _failing(self, order: Sequence[int]) -> int | None:
        """Return the number of the first test that fails; None if none does."""
        for number in order:
            reports = runtestprotocol(self.items[number], nextitem=None, log=False)
            if any(report.failed for report in reports):
                return number
        return None

    def _wait(self) -> None:
        process, status = os.wait()
        mutant, pipe = self.children.pop(process)
        with os.fdopen(pipe, "rb") as file:
            said = file.read()
        if said != _SURVIVED:
            self.last_killer[mutant.cell] = int(said)
            self.kills[int(said)] += 1
        if said != _SURVIVED or os.WIFSIGNALED(status):
            self.killed.add(mutant.name)
        else:
            self.survivors.append(mutant.name)
            if mutant.name not in EQUIVALENT:
                print(f"survived: {mutant.name}", file=sys.stderr, flush=True)


def main() -> int:
    began = time.monotonic()
    hunt = Hunt()
    paths = sorted(path for room in ROOMS for path in (SANSIO / room).rglob("test_*.py"))
    files = [str(path) for path in paths if path.stem.removeprefix("test_") not in LEFT_OUT]
    code = pytest.main([*files, "-qq", "-p", "no:randomly", "-p", "no:cacheprovider", "--timeout=0"], plugins=[hunt])
    for name in hunt.unexplained:
        print(f"survived: {name}")
    for name in hunt.stale:
        print(f"no longer needed in EQUIVALENT: {name}")
    seconds = time.monotonic() - began
    print(
        f"{len(hunt.killed)} mutants killed by {len(hunt.kills)} tests, {len(hunt.survivors)} survived "
        f"({len(EQUIVALENT)} of them equivalent), {seconds:.0f} s"
    )
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
