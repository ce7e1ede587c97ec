"""The log file: the milestones of a login, each with the seconds that it took."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from loginmachine.cli.terminal.log_file import LogFile
from loginmachine.sansio.login import progress
from loginmachine.sansio.login.failures import LoginFailureCategory, LoginFailureStep

if TYPE_CHECKING:
    from pathlib import Path

    from loginmachine.sansio.login.progress import LoginPhase

BEGINNING = (progress.Binding(port=1455, attempt=1), progress.Listening(url="canary", port=1455))
CODE, KEY = progress.ExchangingCode(), progress.ExchangingApiKey()
SUCCEEDED = progress.Succeeded(account_id="canary", email="canary", plan=None)
SECONDS = re.compile(r'seconds="\d+\.\d{3}"')


def problem(*, fatal: bool) -> LoginPhase:
    return progress.Failed(
        step=LoginFailureStep.EXCHANGE_TOKEN,
        category=LoginFailureCategory.TOKEN_ENDPOINT_REJECTED,
        message='no "way"',
        fatal=fatal,
    )


def logged(home: Path, *phases: LoginPhase) -> list[str]:
    """The lines without their time and process, and with no seconds."""
    with LogFile(str(home)) as log:
        for phase in phases:
            log.phase(phase)
    text = (home / "log" / "codex-login.log").read_text()
    assert "canary" not in text
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \[\d+\] ", line) for line in text.splitlines())
    return [SECONDS.sub("seconds", line.split("] ", 1)[1]) for line in text.splitlines()]


def test_the_milestones_of_a_login(tmp_path: Path) -> None:
    assert logged(tmp_path, *BEGINNING, CODE, KEY, progress.SavingCredentials(), SUCCEEDED) == [
        'binding port="1455" attempt="1"',
        "port_ready seconds",
        'listening port="1455"',
        "exchanging_code",
        'exchange_started of="code"',
        'exchange_ended of="code" seconds',
        "exchanging_api_key",
        'exchange_started of="API key"',
        'exchange_ended of="API key" seconds',
        "saving_credentials",
        "credentials_saved seconds",
        "succeeded",
    ]


def test_what_callbacks_carried(tmp_path: Path) -> None:
    wrong = progress.CallbackReceived(has_code=False, has_error=True, state_valid=False, accepted=False)
    assert logged(tmp_path, wrong, progress.CallbackReceived()) == [
        'callback_received has_code="False" has_state="True" has_error="True" state_valid="False" accepted="False"',
        'callback_received has_code="True" has_state="True" has_error="False" state_valid="True" accepted="True"',
    ]


def test_an_exchange_that_fails(tmp_path: Path) -> None:
    assert logged(tmp_path, CODE, problem(fatal=False), problem(fatal=True))[2:] == [
        'failed phase="exchange_token" category="token_endpoint_rejected" fatal="False" message="no \'way\'"',
        'exchange_ended of="code" seconds',
        'failed phase="exchange_token" category="token_endpoint_rejected" fatal="True" message="no \'way\'"',
    ]


def test_an_exchange_that_is_cancelled(tmp_path: Path) -> None:
    cancelled = progress.Cancelled(step=LoginFailureStep.EXCHANGE_TOKEN, message="m")
    assert logged(tmp_path, KEY, cancelled)[2:] == [
        'exchange_ended of="API key" seconds',
        'cancelled phase="exchange_token" message="m"',
    ]


@pytest.mark.parametrize(("size", "is_full"), [(1_048_575, False), (1_048_576, True)])
def test_a_full_file_is_put_aside(tmp_path: Path, size: int, *, is_full: bool) -> None:
    folder = tmp_path / "log"
    folder.mkdir()
    path, aside = folder / "codex-login.log", folder / "codex-login.log.1"
    path.write_bytes(b"x" * size)
    aside.write_text("older")
    with LogFile(str(tmp_path)) as log:
        log.note("new")
    assert (aside.stat().st_size, path.stat().st_size < 100) == ((size, True) if is_full else (5, False))
    assert path.read_bytes().endswith(b"] new\n")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_link_is_not_put_aside(tmp_path: Path) -> None:
    (tmp_path / "log").mkdir()
    target = tmp_path / "target"
    target.write_bytes(b"x" * 2_000_000)
    (tmp_path / "log" / "codex-login.log").symlink_to(target)
    with LogFile(str(tmp_path)):
        pass
    assert sorted(path.name for path in (tmp_path / "log").iterdir()) == ["codex-login.log"]


def test_one_login_writes_no_more_than_a_file_may_hold(tmp_path: Path) -> None:
    with LogFile(str(tmp_path)) as log:
        for _ in range(5):
            log.note("x" * 300_000)
    assert 900_000 < (tmp_path / "log" / "codex-login.log").stat().st_size < 1_048_576
