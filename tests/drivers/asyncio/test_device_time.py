"""The times of a login with a device code: the real ones, on a clock that stands still until a test moves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine import LoginFailed, LoginMethod, MemoryStore
from loginmachine.drivers.asyncio import open_login
from loginmachine.sansio.login.actions import Timer

from ..replies import reply
from ..shared import without_browser_support as given
from ..shared.without_browser_support import DeviceCodes, tokens_only
from ..support import Progress, eventually
from .clock import Clock, run
from .support import in_thread

if TYPE_CHECKING:
    from pytest_httpserver import HTTPServer
    from werkzeug import Response

    from loginmachine import AsyncioLogin

    from ..conftest import ScriptedProvider

CODE = reply({"device_auth_id": given.DEVICE_AUTH_ID, "user_code": given.USER_CODE, "interval": "5"})


@pytest.fixture
def codes(identity_server: HTTPServer, provider: ScriptedProvider) -> DeviceCodes:
    """Run the provider's endpoints for device codes, with the usual interval."""
    provider.answers = tokens_only()
    codes = DeviceCodes(identity_server)
    codes.code = CODE
    return codes


async def polls_of(login: AsyncioLogin, clock: Clock) -> list[float]:
    """Move the clock from poll to poll until the login is over. Return the time of each poll, in seconds."""
    start, moments = clock.time(), []
    timers = login._owner._timers
    while login.outcome is None:
        # What a real server answers comes in real time.
        assert await in_thread(lambda: eventually(lambda: Timer.POLL in timers or login.outcome is not None))
        if login.outcome is None:
            due = min(timers.values())
            moments.append(round(due - start, 3))
            await clock.jump(due - clock.time())
    return moments


def test_an_outage_of_a_minute(provider: ScriptedProvider, codes: DeviceCodes, progress: Progress) -> None:
    async def program(clock: Clock) -> None:
        async with open_login(
            provider.options(deadline=None), store=MemoryStore(), on_progress=progress, method=LoginMethod.DEVICE_CODE
        ) as login:
            begun = clock.time()

            def answer() -> Response:
                elapsed = clock.time() - begun
                if elapsed < 7:
                    return given.PENDING()
                return given.BROKEN() if elapsed < 67 else given.GRANTED()

            codes.polls = [answer]
            assert await polls_of(login, clock) == [5.0, 10.0, 20.0, 40.0, 70.0]
            await login.wait()

    run(program)
    assert progress.names.count("polling_delayed") == 1


def test_slower_when_the_provider_asks_for_it(provider: ScriptedProvider, codes: DeviceCodes) -> None:
    codes.polls = [given.PENDING, given.SLOW_DOWN, given.PENDING, given.SLOW_DOWN, given.GRANTED]

    async def program(clock: Clock) -> None:
        async with open_login(
            provider.options(deadline=None), store=MemoryStore(), method=LoginMethod.DEVICE_CODE
        ) as login:
            assert await polls_of(login, clock) == [5.0, 10.0, 20.0, 30.0, 45.0]
            await login.wait()

    run(program)


def test_a_code_is_valid_for_fifteen_minutes(provider: ScriptedProvider, codes: DeviceCodes) -> None:
    codes.polls = [given.BROKEN]

    async def program(clock: Clock) -> None:
        # The deadline for the browser, 600 s, is not for a code.
        async with open_login(
            provider.options(deadline=600.0), store=MemoryStore(), method=LoginMethod.DEVICE_CODE
        ) as login:
            moments = await polls_of(login, clock)
            assert moments[-1] == 900.0
            # 10, 20, then every 30 seconds, whatever happens.
            assert len(moments) == 3 + 28 + 1
            with pytest.raises(LoginFailed, match="nobody used the code within 900 seconds"):
                await login.wait()

    run(program)
