"""Write the golden traces again: ``python -m tests.traces.record``. Review the difference that git shows."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from loginmachine.sansio import UnexpectedEvent
from loginmachine.sansio.trace import Recorder

from ..sansio.samples import SECRETS
from .scenarios import SCENARIOS

if TYPE_CHECKING:
    from .scenarios import Scenario

FOLDER = Path(__file__).parent


def record(scenario: Scenario) -> str:
    """Return the trace of a login with a quarter of a second between events."""
    lines: list[str] = []
    ticks = count()
    recorder = Recorder(scenario.options, SECRETS, write=lines.append, clock=lambda: next(ticks) / 4)
    for event in scenario.events:
        try:
            recorder.handle(event)
        except UnexpectedEvent:
            assert scenario.name == "unexpected"
    return "".join(lines)


def main() -> None:
    for old in FOLDER.glob("*.jsonl"):
        old.unlink()
    for scenario in SCENARIOS:
        (FOLDER / f"{scenario.name}.jsonl").write_text(record(scenario), encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
