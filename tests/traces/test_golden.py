"""The golden traces. A change of the machine's behaviour shows here first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio.login.actions import ReportProgress
from loginmachine.sansio.login.failures import LoginFailureCategory
from loginmachine.sansio.login.progress import Cancelled, Failed
from loginmachine.sansio.login.states import LoginState
from loginmachine.sansio.trace import read_trace, replay
from loginmachine.sansio.trace.story import outcome_words

from ..sansio.samples import CANARIES
from ..sansio.trace.beside import everything_told
from .record import FOLDER, SCENARIOS, record

if TYPE_CHECKING:
    from pathlib import Path

    from loginmachine.sansio.trace import Replay

    from .scenarios import Scenario
    from .server_scenarios import ServerScenario

PATHS = sorted(FOLDER.glob("*.jsonl"))


def replayed(path: Path) -> Replay:
    return replay(read_trace(path.read_bytes().splitlines()))


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_replays(path: Path) -> None:
    result = replayed(path)
    assert result.difference is None, result.difference.diff()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_it_is_recorded_the_same(scenario: Scenario | ServerScenario) -> None:
    """If this is wanted: ``make traces``."""
    assert record(scenario) == (FOLDER / f"{scenario.name}.jsonl").read_text(encoding="ascii")


def test_there_are_no_others() -> None:
    assert {path.stem for path in PATHS} == {scenario.name for scenario in SCENARIOS}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_shows_no_secret(path: Path) -> None:
    content = everything_told(path.read_text(encoding="ascii")).replace("etadata", "")
    hidden = (*CANARIES, "ada", "example.org", "acc-", "canary", "CNRY", "evil.example")
    assert [secret for secret in hidden if secret in content] == []


def test_every_category_is_shown() -> None:
    shown = {
        phase.category if isinstance(phase, Failed) else LoginFailureCategory.LOGIN_CANCELLED
        for path in PATHS
        for step in replayed(path).steps
        for action in step.actions
        if isinstance(action, ReportProgress)
        and isinstance(phase := action.phase, Failed | Cancelled)
        and path.stem.startswith(phase.category if isinstance(phase, Failed) else "login_cancelled")
    }
    assert [category for category in LoginFailureCategory if category not in shown] == []


def test_every_state_is_passed() -> None:
    passed = {state for path in PATHS for state in replayed(path).states}
    assert [state for state in LoginState if state not in passed] == []


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_it_ends_as_its_name_says(path: Path) -> None:
    outcome, category = outcome_words(replayed(path).outcome)
    name = path.stem
    if name.startswith(("succeeded", "cancelled_too_late", "browser_launch", "callback_", "redirect_failed")):
        assert (outcome, category) == ("succeeded", None)
    elif name.startswith("login_cancelled") or name == "unexpected":
        assert (outcome, category) == ("cancelled", "login_cancelled")
    elif name == "unfinished":
        assert (outcome, category) == ("unfinished", None)
    else:
        assert outcome == "failed"
        assert category is not None
        assert name.startswith(category)
