"""`python -m tests.model.killing [MACHINE...]`: every wrong table is noticed by a test; the others are shown.

The tests of the core are collected once. Then a process of its own is forked for each mutant: the machine's engine runs
the wrong table, and the machine's tests run until one fails. Only behaviour matters: code that reads the table sees the
true one. Some tests are left out, because their expectations are not written by hand, or because they are slow: those
that repeat the table (diagram, test_table), those that compare a machine with itself (test_snapshot), those of the
rules (test_rules), the random ones (test_invariants), and test_memory.
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
from .subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .subject import Subject

SANSIO: Final = Path(__file__).parents[1] / "sansio"
LEFT_OUT: Final = ("table", "snapshot", "memory", "invariants", "rules")
PATIENCE: Final = 60
"""Seconds of processor time after which a mutant is killed: a machine that hangs is noticed."""
_SURVIVED: Final = b""


class _Child(NamedTuple):
    mutant: Mutant
    killer: int
    """The end of a pipe through which the child sends the number of the test that failed."""


class Hunt:
    """A plugin that runs the collected tests against every mutant instead of running them once."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        self.subjects = subjects
        self.items: list[pytest.Item] = []
        self.kills: Counter[int] = Counter()
        self.last_killer: dict[str, int] = {}
        self.survivors: list[str] = []
        self.killed: set[str] = set()
        self.children: dict[int, _Child] = {}
        self.equivalent = {f"{subject.name}: {name}" for subject in subjects for name in subject.equivalent}
        """Mutants that behave as the table does."""

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run instead of pytest's own loop."""
        self.items = session.items
        if (wrong := self._failing(range(len(self.items)))) is not None:
            raise pytest.UsageError(f"without any mutant, this fails: {self.items[wrong].nodeid}")
        # The collector of each child would copy all memory that it looks through.
        gc.freeze()
        for mutant in (mutant for subject in self.subjects for mutant in mutants(subject)):
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
        return [name for name in self.survivors if name not in self.equivalent]

    @property
    def stale(self) -> list[str]:
        """Mutants that are called equivalent, and that a test notices, or that are no mutants."""
        return sorted(self.equivalent - set(self.survivors))

    def _start(self, mutant: Mutant) -> None:
        reading, writing = os.pipe()
        child = os.fork()
        if child:
            os.close(writing)
            self.children[child] = _Child(mutant, reading)
            return
        # Not the time that passes: on a busy computer it would kill mutants that no test notices.
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)
        try:
            with running(mutant.subject, mutant.rows):
                killer = self._failing(self._order(mutant))
            if killer is not None:
                os.write(writing, str(killer).encode())
        finally:
            os._exit(0)

    def _order(self, mutant: Mutant) -> list[int]:
        """Return the tests, the likeliest first: the last one to fail for this cell, then those that name its state."""
        folders = [SANSIO / folder for folder in mutant.subject.folders]
        own = [number for number, item in enumerate(self.items) if any(map(item.path.is_relative_to, folders))]
        last = self.last_killer.get(f"{mutant.subject.name}: {mutant.cell}")
        names_state = [number for number in own if mutant.source in self.items[number].name]
        often = [number for number, _ in self.kills.most_common() if number in own]
        return list(dict.fromkeys((*([last] if last is not None else []), *names_state, *often, *own)))

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
        name = f"{mutant.subject.name}: {mutant.name}"
        with os.fdopen(pipe, "rb") as file:
            said = file.read()
        if said != _SURVIVED:
            self.last_killer[f"{mutant.subject.name}: {mutant.cell}"] = int(said)
            self.kills[int(said)] += 1
        if said != _SURVIVED or os.WIFSIGNALED(status):
            self.killed.add(name)
        else:
            self.survivors.append(name)
            if name not in self.equivalent:
                print(f"survived: {name}", file=sys.stderr, flush=True)


def main(names: Sequence[str]) -> int:
    began = time.monotonic()
    subjects = [subject for subject in SUBJECTS if not names or subject.name in names]
    hunt = Hunt(subjects)
    folders = dict.fromkeys(folder for subject in subjects for folder in subject.folders)
    paths = sorted(path for folder in folders for path in (SANSIO / folder).rglob("test_*.py"))
    files = [str(path) for path in paths if path.stem.removeprefix("test_") not in LEFT_OUT]
    code = pytest.main([*files, "-qq", "-p", "no:randomly", "-p", "no:cacheprovider", "--timeout=0"], plugins=[hunt])
    for name in hunt.unexplained:
        print(f"survived: {name}")
    for name in hunt.stale:
        print(f"no longer needed as an equivalent mutant: {name}")
    seconds = time.monotonic() - began
    print(
        f"{len(hunt.killed)} mutants killed by {len(hunt.kills)} tests, {len(hunt.survivors)} survived "
        f"({len(hunt.equivalent)} of them equivalent), {seconds:.0f} s"
    )
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
