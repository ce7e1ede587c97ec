"""Wrong tables, and the engine that runs one of them.

A mutant differs from the table in one place: in one of its source states, a row is missing, leads to another state, has
the effect of another row for the same trigger or in the same state, or has its guard dropped, negated, or checked after
that of the next row.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from loginmachine.sansio.base.engine import Engine
from loginmachine.sansio.login import machine as machine_module
from loginmachine.sansio.login.state import LoginData
from loginmachine.sansio.login.states import LoginState
from loginmachine.sansio.login.table import ROWS, STAY, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Guard = Callable[[LoginData, Any], bool]


class Mutant(NamedTuple):
    """A table that is wrong in one place."""

    name: str
    cell: str
    """The row and the state."""
    source: LoginState
    rows: tuple[Row, ...]


def mutants() -> Iterator[Mutant]:
    """Yield every mutant of the table."""
    for number, row in enumerate(ROWS):
        for source in row.source:
            guard = f" [{row.guard.__name__}]" if row.guard else ""
            cell = f"{row.trigger}{guard} in {source}"
            for name, variant in _variants(row, source):
                yield Mutant(f"{cell}: {name}", cell, source, changed_table(number, source, variant))
            following = _next_in_cell(number, source)
            if row.guard and following and following.guard:
                swapped = (_only(following, source), _only(row, source))
                yield Mutant(
                    f"{cell}: asked after [{following.guard.__name__}]",
                    cell,
                    source,
                    changed_table(number, source, *swapped),
                )


def _variants(row: Row, source: LoginState) -> Iterator[tuple[str, Row | None]]:
    """Yield the variants of a row in one state; None where the row is missing."""
    yield "removed", None
    dest = source if row.dest is STAY else row.dest
    for other in LoginState:
        if other is not dest:
            yield f"leads to {other}", Row(row.trigger, (source,), other, row.effect, row.guard)
    near = (each for each in ROWS if each.trigger is row.trigger or source in each.source)
    for effect in dict.fromkeys(each.effect for each in near):
        if effect != row.effect:
            yield f"does {effect.__name__}", Row(row.trigger, (source,), row.dest, effect, row.guard)
    if row.guard:
        yield "without its guard", Row(row.trigger, (source,), row.dest, row.effect)
        yield "with its guard negated", Row(row.trigger, (source,), row.dest, row.effect, _negated(row.guard))


def _only(row: Row, source: LoginState) -> Row:
    return Row(row.trigger, (source,), row.dest, row.effect, row.guard)


def _next_in_cell(number: int, source: LoginState) -> Row | None:
    later = ROWS[number + 1 :]
    return next((row for row in later if row.trigger is ROWS[number].trigger and source in row.source), None)


def changed_table(number: int, source: LoginState, *variants: Row | None) -> tuple[Row, ...]:
    """Return the table with these rows instead of one row in one state."""
    row = ROWS[number]
    rest = tuple(state for state in row.source if state is not source)
    kept = (Row(row.trigger, rest, row.dest, row.effect, row.guard),) if rest else ()
    return (*ROWS[:number], *(variant for variant in variants if variant), *kept, *ROWS[number + 1 :])


def _negated(guard: Guard) -> Guard:
    return lambda login, meaning: not guard(login, meaning)


@contextmanager
def running(rows: Sequence[Row]) -> Iterator[None]:
    """Let every login use this table. Code that reads `ROWS`, such as the tests of the table, sees the true one."""
    engine = Engine(LoginState, tuple(rows))
    true = machine_module._ENGINE
    machine_module._ENGINE = engine  # type: ignore[misc]
    try:
        yield
    finally:
        machine_module._ENGINE = true  # type: ignore[misc]
