"""Each golden trace is played through the login objects of both drivers, and ends as it was recorded."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path

import pytest
import trio

from loginmachine import LoginCancelled, LoginFailed, progress
from loginmachine.sansio.login.progress import OpeningBrowser
from loginmachine.sansio.trace import read_trace, replay
from loginmachine.sansio.trace.story import outcome_words
from loginmachine.testing import played

ALL = sorted((Path(__file__).parents[2] / "traces").glob("*.jsonl"))
AT_A_WEB_HOST = [path for path in ALL if path.stem.endswith("_at_a_web_host")]
"""Traces of logins that have no login object: the callback comes to the program's own web server."""
TRACES = [path for path in ALL if path not in AT_A_WEB_HOST]
STOPPED = {"unfinished"}
"""Traces that end before the login does. What is missing goes well."""


@functools.cache
def recorded(path: Path) -> tuple[str, str | None]:
    with path.open("rb") as file:
        return outcome_words(replay(read_trace(file)).outcome)


def ended(failed: LoginFailed | None) -> tuple[str, str | None]:
    if failed is None:
        return "succeeded", None
    return ("cancelled" if isinstance(failed, LoginCancelled) else "failed"), failed.category


def in_threads(path: Path) -> LoginFailed | None:
    try:
        with played(path) as login:
            login.wait()
    except LoginFailed as failed:
        return failed
    return None


def in_trio(path: Path) -> LoginFailed | None:
    async def main() -> LoginFailed | None:
        try:
            async with played(path, driver="trio") as login:
                await login.wait()
        except LoginFailed as failed:
            return failed
        return None

    return trio.run(main)


def in_asyncio(path: Path) -> LoginFailed | None:
    async def main() -> LoginFailed | None:
        try:
            async with played(path, driver="asyncio") as login:
                await login.wait()
        except LoginFailed as failed:
            return failed
        return None

    return asyncio.run(main())


@pytest.mark.parametrize("driver", [in_threads, in_trio, in_asyncio])
@pytest.mark.parametrize("path", TRACES, ids=lambda path: path.stem)
def test_a_trace(path: Path, driver: object) -> None:
    assert callable(driver)
    found = ended(driver(path))
    assert found == (("succeeded", None) if path.stem in STOPPED else recorded(path))


@pytest.mark.parametrize("path", AT_A_WEB_HOST, ids=lambda path: path.stem)
def test_a_trace_of_a_web_host_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="has no listener"):
        played(path)


def test_the_phases_are_those_of_the_recorded_login() -> None:
    path = next(path for path in TRACES if path.stem == "succeeded")
    with played(str(path)) as login:
        login.wait()
    names = [phase.name for phase in login.progress if not isinstance(phase, OpeningBrowser)]
    assert names == [
        *("binding", "listening", "browser_launched", "callback_received", "exchanging_code", "exchanging_api_key"),
        *("saving_credentials", "succeeded"),
    ]


def test_times_are_those_of_the_recorded_login() -> None:
    path = next(path for path in TRACES if path.stem == "succeeded")
    with played(path) as login:
        with pytest.raises(TimeoutError):
            login.wait(timeout=0.3)
        assert login.progress[-1].name == "browser_launched"
        login.wait(timeout=2)


def test_the_program_cancels_where_the_recorded_one_did_not() -> None:
    path = next(path for path in TRACES if path.stem == "succeeded_with_two_tabs")
    with played(path) as login:
        login.cancel()
        with pytest.raises(LoginCancelled):
            login.wait()


def test_the_program_pastes_where_the_recorded_one_did_not() -> None:
    path = next(path for path in TRACES if path.stem == "succeeded")
    with played(path) as login:
        login.paste(f"http://127.0.0.1:{login.port}/auth/callback?code=pasted&state=redacted-state")
        login.wait()
    assert any(isinstance(phase, progress.PasteAccepted) for phase in login.progress)
