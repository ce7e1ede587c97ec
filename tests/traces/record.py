"""Write the golden traces again: ``python -m tests.traces.record``. Review the difference that git shows."""

from __future__ import annotations

import contextlib
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loginmachine.sansio import UnexpectedEvent
from loginmachine.sansio.trace import Recorder
from loginmachine.sansio.trace.sessions.recorder import RefreshRecorder, SignOutRecorder
from loginmachine.sansio.trace.writer import TraceWriter

from ..sansio.samples import SECRETS
from .scenarios import SCENARIOS as FIRST_SCENARIOS
from .server_scenarios import SERVER_SCENARIOS
from .session_scenarios import REFRESHES, SIGN_OUTS, RefreshScenario

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .scenarios import Scenario
    from .server_scenarios import ServerScenario
    from .session_scenarios import SignOutScenario

SCENARIOS: tuple[Scenario | ServerScenario, ...] = (*FIRST_SCENARIOS, *SERVER_SCENARIOS)
FOLDER = Path(__file__).parent
REFRESH_FOLDER = FOLDER / "refreshes"
SIGN_OUT_FOLDER = FOLDER / "sign_outs"


def record(scenario: Scenario | ServerScenario) -> str:
    """Return the trace of a login with a quarter of a second between events."""
    lines: list[str] = []
    ticks = count()
    trouble: list[str] = []
    recorder = Recorder(
        scenario.options, SECRETS, write=lines.append, clock=lambda: next(ticks) / 4, on_trouble=trouble.append
    )
    trace = _told(recorder, scenario.events, lines, may_refuse=scenario.name == "unexpected")
    assert trouble == [], scenario.name
    return trace


def record_session(scenario: RefreshScenario | SignOutScenario) -> str:
    """Return the trace of a refresh or a sign-out with a quarter of a second between events."""
    lines: list[str] = []
    ticks = count()
    trouble: list[str] = []
    writer = TraceWriter(lines.append, lambda: next(ticks) / 4, trouble.append, None)
    recorder: RefreshRecorder | SignOutRecorder
    if isinstance(scenario, RefreshScenario):
        recorder = RefreshRecorder(scenario.provider, environment_key=scenario.environment_key, writer=writer)
    else:
        recorder = SignOutRecorder(scenario.provider, writer=writer)
    trace = _told(recorder, scenario.events, lines, may_refuse=scenario.name == "unexpected")
    assert trouble == [], scenario.name
    return trace


def _told(recorder: Any, events: Iterable[object], lines: list[str], *, may_refuse: bool) -> str:
    for event in events:
        with contextlib.suppress(*[UnexpectedEvent] * may_refuse):
            recorder.handle(event)
    return "".join(lines)


def main() -> None:
    for folder in (FOLDER, REFRESH_FOLDER, SIGN_OUT_FOLDER):
        folder.mkdir(exist_ok=True)
        for old in folder.glob("*.jsonl"):
            old.unlink()
    for scenario in SCENARIOS:
        _write(FOLDER / f"{scenario.name}.jsonl", record(scenario))
    for refresh in REFRESHES:
        _write(REFRESH_FOLDER / f"{refresh.name}.jsonl", record_session(refresh))
    for sign_out in SIGN_OUTS:
        _write(SIGN_OUT_FOLDER / f"{sign_out.name}.jsonl", record_session(sign_out))


def _write(path: Path, trace: str) -> None:
    path.write_text(trace, encoding="ascii", newline="\n")


if __name__ == "__main__":
    main()
