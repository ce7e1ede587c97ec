"""(f) Replaying recorded logins: reading a trace and comparing all that the machine does, and the same events alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from loginmachine.sansio import LoginMachine, LoginState
from loginmachine.sansio.trace import Recorder, read_trace, replay

from .core import OPTIONS, SECRETS, login_events, microseconds
from .measuring import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from .measuring import Results

_BATCHES_A_ROUND = 20
_LIMIT = 500.0
"""Microseconds of a trace: 2,000 a second."""


def _recorded() -> list[bytes]:
    """Return the lines of a trace of the login that (e) measures."""
    lines: list[str] = []
    recorder = Recorder(OPTIONS, SECRETS, write=lines.append, clock=lambda: 0.0)
    for _, event in login_events():
        recorder.handle(event)
    return [line.encode("ascii") for line in lines]


def measure(results: Results, rounds: int) -> None:
    """Take turns with the same events without a trace, in batches, in the processor time of one core."""
    events = login_events()
    lines = _recorded()

    def whole() -> None:
        assert replay(read_trace(lines)).is_identical

    def reading() -> None:
        read_trace(lines)

    def alone() -> None:
        machine = LoginMachine(OPTIONS, SECRETS)
        for _, event in events:
            machine.handle(event)
        assert machine.state is LoginState.SUCCEEDED

    works: dict[str, Callable[[], None]] = {
        "a trace read and replayed": whole,
        "a trace read": reading,
        "the same events without a trace": alone,
    }
    rows: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds * _BATCHES_A_ROUND):
        for name, work in works.items():
            rows[name].append(microseconds(work))
    replayed, _, handled = rows
    median = sorted(rows[replayed])[len(rows[replayed]) // 2]
    table = results.add(
        Table(
            key="f",
            title=f"(f) replaying logins of {len(events)} events",
            unit="us",
            rows=rows,
            compared_with=(handled,),
            notes=(f"{1e6 / median:.0f} traces a second on one core, reading included",),
        )
    )
    results.aim("f", "a trace read and replayed, in us", _LIMIT, table.median(replayed))
