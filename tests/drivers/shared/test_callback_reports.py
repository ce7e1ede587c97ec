"""What each callback carried, reported to the observer and in the log, with each driver."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from loginmachine import MemoryStore
from loginmachine.drivers.shared.callback_reports import MAX_REPORTED
from loginmachine.sansio.login.progress import CallbackReceived

from ..conformance.drivers import DRIVERS, Play
from ..support import Browser, Progress
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..conftest import ScriptedProvider

each_driver = pytest.mark.parametrize("driver", ["threads", "trio", "asyncio"])
WRONG = CallbackReceived(has_code=True, has_state=True, has_error=False, state_valid=False, accepted=False)


def received(driver: str, provider: ScriptedProvider, visit: Callable[[Browser], None]) -> list[CallbackReceived]:
    """Run a login, and return the callbacks that were reported."""
    progress = Progress()
    play = Play(provider.options(), MemoryStore(), progress, lambda play: visit(Browser(play.auth_url)))
    DRIVERS[driver](play)
    assert play.trouble is None
    return [phase for phase in progress.phases if isinstance(phase, CallbackReceived)]


@each_driver
def test_every_callback_is_reported_and_logged(
    driver: str, provider: ScriptedProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "loginmachine")

    def visit(browser: Browser) -> None:
        browser.request("/auth/callback?code=canary&state=canary")
        browser.request("/auth/callback?error=canary")
        browser.request("/favicon.ico")
        browser.finish()

    without_state = CallbackReceived(has_code=False, has_state=False, has_error=True, state_valid=False, accepted=False)
    assert received(driver, provider, visit) == [WRONG, without_state, CallbackReceived()]
    assert [(record.levelname, record.getMessage()) for record in caplog.records if record.name == "loginmachine"] == [
        ("INFO", f"callback_received {fields}")
        for fields in (
            "has_code=True has_state=True has_error=False state_valid=False accepted=False",
            "has_code=False has_state=False has_error=True state_valid=False accepted=False",
            "has_code=True has_state=True has_error=False state_valid=True accepted=True",
        )
    ]
    assert "canary" not in caplog.text


@each_driver
def test_a_page_cannot_fill_the_log(driver: str, provider: ScriptedProvider) -> None:
    def visit(browser: Browser) -> None:
        for _ in range(MAX_REPORTED + 5):
            browser.request("/auth/callback?code=canary&state=canary")
        browser.finish()

    assert received(driver, provider, visit) == [*[WRONG] * MAX_REPORTED, CallbackReceived()]


@each_driver
def test_an_error_of_the_provider_is_reported_before_the_failure(driver: str, provider: ScriptedProvider) -> None:
    def visit(browser: Browser) -> None:
        browser.callback("error=access_denied&state={state}")

    progress = Progress()
    DRIVERS[driver](Play(provider.options(), MemoryStore(), progress, lambda play: visit(Browser(play.auth_url))))
    *_, report, failed = progress.phases
    expected = CallbackReceived(has_code=False, has_state=True, has_error=True, state_valid=True, accepted=False)
    assert (report, failed.name) == (expected, "failed")
