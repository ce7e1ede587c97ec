"""Wrong tables, and the engine that runs one of them.

A mutant differs from the table in one place: in one of its source states, a row is missing, leads to another state, has
the effect of another row for the same trigger or in the same state, or has its guard dropped, negated, or checked after
that of the next row.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from loginmachine.sansio.base.engine import Engine, Row

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from enum import StrEnum

    from .subject import AnyRow, Subject

    Guard = Callable[[Any, Any], bool]
    Effect = Callable[[Any, Any], None]


class Mutant(NamedTuple):
    """A table that is wrong in one place."""

    subject: Subject
    name: str
    cell: str
    """The row and the state."""
    source: StrEnum
    rows: tuple[AnyRow, ...]


def mutants(subject: Subject) -> Iterator[Mutant]:
    """Yield every mutant of a machine's table."""
    for number, source in subject.cells:
        row = subject.rows[number]
        guard = f" [{row.guard.__name__}]" if row.guard else ""
        cell = f"{row.trigger}{guard} in {source}"
        for name, variant in _variants(subject, row, source):
            yield Mutant(subject, f"{cell}: {name}", cell, source, changed_table(subject.rows, number, source, variant))
        following = _next_in_cell(subject, number, source)
        if row.guard and following and following.guard:
            swapped = (_only(following, source), _only(row, source))
            name = f"{cell}: asked after [{following.guard.__name__}]"
            yield Mutant(subject, name, cell, source, changed_table(subject.rows, number, source, *swapped))


def _variants(subject: Subject, row: AnyRow, source: StrEnum) -> Iterator[tuple[str, AnyRow | None]]:
    """Yield the variants of a row in one state; None where the row is missing."""
    yield "removed", None
    # Without a next state, a row stays in its state.
    dest = row.dest or source
    for other in subject.states:
        if other is not dest:
            yield f"leads to {other}", Row(row.trigger, (source,), other, row.effect, row.guard)
    near = (each for each in subject.rows if each.trigger is row.trigger or source in each.source)
    for effect in dict.fromkeys(each.effect for each in near):
        if effect != row.effect:
            yield f"does {effect.__name__}", Row(row.trigger, (source,), row.dest, effect, row.guard)
    if row.guard:
        yield "without its guard", Row(row.trigger, (source,), row.dest, row.effect)
        yield "with its guard negated", Row(row.trigger, (source,), row.dest, row.effect, _negated(row.guard))


def _only(row: AnyRow, source: StrEnum) -> AnyRow:
    return Row(row.trigger, (source,), row.dest, row.effect, row.guard)


def _next_in_cell(subject: Subject, number: int, source: StrEnum) -> AnyRow | None:
    later = subject.rows[number + 1 :]
    return next((row for row in later if row.trigger is subject.rows[number].trigger and source in row.source), None)


def changed_table(
    rows: tuple[AnyRow, ...], number: int, source: StrEnum, *variants: AnyRow | None
) -> tuple[AnyRow, ...]:
    """Return a table with other rows instead of one row in one state."""
    row = rows[number]
    rest = tuple(state for state in row.source if state is not source)
    kept = (Row(row.trigger, rest, row.dest, row.effect, row.guard),) if rest else ()
    return (*rows[:number], *(variant for variant in variants if variant), *kept, *rows[number + 1 :])


def changed(
    subject: Subject, trigger: StrEnum, source: StrEnum, *, leads: StrEnum | None = None, does: Effect | None = None
) -> Mutant:
    """Return the table with one change: in the last row of a cell, which has no guard."""
    number, row = subject.rows_of[trigger, source][-1]
    wrong = Row(trigger, (source,), leads or row.dest, does or row.effect)
    table = changed_table(subject.rows, number, source, wrong)
    return Mutant(subject, "changed by hand", f"{trigger} in {source}", source, table)


def _negated(guard: Guard) -> Guard:
    return lambda model, meaning: not guard(model, meaning)


@contextmanager
def running(subject: Subject, rows: Sequence[AnyRow]) -> Iterator[None]:
    """Let every machine use this table. Code that reads the true table, such as the tests of the table, still does."""
    with mock.patch.object(subject.module, "_ENGINE", Engine(subject.states, tuple(rows))):
        yield
