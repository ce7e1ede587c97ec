"""The golden traces of refreshes and sign-outs, as `test_golden` has those of logins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.drivers.traces import replay_file
from loginmachine.sansio.refresh.failures import RefreshFailureCategory
from loginmachine.sansio.refresh.outcome import Delivery, RefreshSuccess
from loginmachine.sansio.refresh.states import RefreshState
from loginmachine.sansio.sign_out.outcome import SignOutFailureCategory
from loginmachine.sansio.sign_out.states import SignOutState
from loginmachine.sansio.trace.reader import only_trace
from loginmachine.sansio.trace.sessions.reader import SessionTrace, read_all
from loginmachine.sansio.trace.sessions.replay import SessionReplay, replay_session, session_outcome_words
from loginmachine.sansio.trace.sessions.story import tell_session

from ..sansio.refresh.samples import CANARIES
from ..sansio.trace.beside import everything_told
from .record import REFRESH_FOLDER, SIGN_OUT_FOLDER, record_session
from .session_scenarios import REFRESHES, SIGN_OUTS, RefreshScenario

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .session_scenarios import SignOutScenario

SCENARIOS: tuple[RefreshScenario | SignOutScenario, ...] = (*REFRESHES, *SIGN_OUTS)
HIDDEN = (*CANARIES, "canary", "CANARY", "/ada", "ada@", "example.org", "acc-", "sk-", "ffff")

each = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda each: f"{type(each).__name__}-{each.name}")


def path_of(scenario: RefreshScenario | SignOutScenario) -> Path:
    folder = REFRESH_FOLDER if isinstance(scenario, RefreshScenario) else SIGN_OUT_FOLDER
    return folder / f"{scenario.name}.jsonl"


def replayed(path: Path) -> SessionReplay:
    trace = only_trace(read_all(path.read_bytes().splitlines()))
    assert isinstance(trace, SessionTrace)
    return replay_session(trace)


def every(folder: Path) -> Iterable[SessionReplay]:
    return map(replayed, folder.glob("*.jsonl"))


@each
def test_it_replays(scenario: RefreshScenario | SignOutScenario) -> None:
    result = replayed(path_of(scenario))
    assert result.difference is None, result.difference.diff()
    assert len(result.steps) == len(scenario.events)
    assert " ".join(filter(None, session_outcome_words(result.outcome))) == scenario.outcome


@each
def test_it_is_recorded_the_same(scenario: RefreshScenario | SignOutScenario) -> None:
    """If this is wanted: ``make traces``."""
    assert record_session(scenario) == path_of(scenario).read_text(encoding="ascii")


@each
def test_it_shows_no_secret(scenario: RefreshScenario | SignOutScenario) -> None:
    content = everything_told(path_of(scenario).read_text(encoding="ascii"))
    story = "\n".join(tell_session(replayed(path_of(scenario))))
    assert [secret for secret in HIDDEN if secret in content or secret in story] == []


@each
def test_a_report_says_what_it_is_of(scenario: RefreshScenario | SignOutScenario) -> None:
    (report,) = replay_file(path_of(scenario))
    assert report.of == ("refresh" if isinstance(scenario, RefreshScenario) else "sign_out")
    assert " ".join(filter(None, (report.outcome, report.category))) == scenario.outcome
    assert (report.diverges_at, report.events) == (None, len(scenario.events))


def test_there_are_no_others() -> None:
    paths = {*REFRESH_FOLDER.glob("*.jsonl"), *SIGN_OUT_FOLDER.glob("*.jsonl")}
    assert paths == {path_of(scenario) for scenario in SCENARIOS}


def test_every_ending_of_a_refresh_is_shown() -> None:
    outcomes = [result.outcome for result in every(REFRESH_FOLDER)]
    assert {outcome.delivery for outcome in outcomes if isinstance(outcome, RefreshSuccess)} == set(Delivery)
    shown = {session_outcome_words(outcome)[1] for outcome in outcomes}
    # (A refresh waits for the lock 280 times before it fails with this one.)
    assert set(RefreshFailureCategory) - shown == {RefreshFailureCategory.STORE_BUSY}


def test_every_ending_of_a_sign_out_is_shown() -> None:
    shown = {session_outcome_words(result.outcome)[1] for result in every(SIGN_OUT_FOLDER)}
    assert shown == {None, *SignOutFailureCategory}


def test_every_state_is_passed() -> None:
    assert {state for result in every(REFRESH_FOLDER) for state in result.states} == set(RefreshState)
    assert {state for result in every(SIGN_OUT_FOLDER) for state in result.states} == set(SignOutState)
