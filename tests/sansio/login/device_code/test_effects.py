"""The guard and the effects of a login with a device code: which actions follow, and how long the pauses are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from loginmachine.sansio.login.actions import SendTokenRequest, StartTimer, StopTimer, Timer
from loginmachine.sansio.login.device_code.effects import (
    exchange_device_code,
    may_use_browser,
    poll,
    poll_after_trouble,
    poll_later,
    poll_more_slowly,
    request_code_later,
    request_device_code,
    show_device_code,
    use_browser_instead,
)
from loginmachine.sansio.login.interpretation import (
    Interpretation,
    PostponedCode,
    Problem,
    ReceivedDeviceCode,
    ReceivedGrant,
)
from loginmachine.sansio.login.progress import (
    Binding,
    DeviceCodeAuthorized,
    DeviceCodeShown,
    ExchangingCode,
    PollingDelayed,
    RequestingDeviceCode,
    UsingBrowserInstead,
)
from loginmachine.sansio.login.state import LoginData
from loginmachine.sansio.login.states import Trigger
from loginmachine.sansio.oauth.device_code import DeviceCode, DeviceGrant

from ...playbook import reported
from ...samples import (
    CODE_ENDPOINT,
    DEVICE_AUTH_ID,
    DEVICE_URL,
    OPTIONS,
    POLL_ENDPOINT,
    SECRETS,
    TOKEN_ENDPOINT,
    USER_CODE,
)

if TYPE_CHECKING:
    from loginmachine.sansio import LoginOptions

CODE = DeviceCode(
    device_code=DEVICE_AUTH_ID, user_code=USER_CODE, verification_url=DEVICE_URL, expires_in=900.0, interval=5.0
)
DUE = Interpretation(trigger=Trigger.POLL_DUE)
TROUBLE = Problem(trigger=Trigger.POLL_FAILED, message="status 503")


def data(options: LoginOptions = OPTIONS) -> LoginData:
    return LoginData(options, SECRETS)


def polling(interval: float = 5.0) -> LoginData:
    """Return a login that shows its code, before the first poll."""
    login = data()
    show_device_code(login, ReceivedDeviceCode(trigger=DUE.trigger, device_code=CODE.__replace__(interval=interval)))
    login.out.clear()
    return login


def pause(login: LoginData) -> float:
    """Return the seconds until the next poll, and let its timer fire."""
    last = login.out[-1]
    assert isinstance(last, StartTimer)
    assert last.timer is Timer.POLL
    login.timers -= {Timer.POLL}
    return last.seconds


@pytest.mark.parametrize("allowed", [True, False])
def test_the_browser_is_used_instead_where_the_caller_allows_it(*, allowed: bool) -> None:
    assert may_use_browser(data(OPTIONS.__replace__(device_code_fallback=allowed)), DUE) is allowed


def test_a_device_code_is_requested() -> None:
    login = data()
    request_device_code(login, DUE)
    report, request = login.out
    assert report == reported(RequestingDeviceCode())
    assert isinstance(request, SendTokenRequest)
    assert request.url == CODE_ENDPOINT


def test_a_device_code_is_requested_again_after_each_pause() -> None:
    login = data()
    for pause in (5.0, 30.0):
        later = PostponedCode(trigger=Trigger.DEVICE_CODE_POSTPONED, message="status 429", pause=pause)
        request_code_later(login, later)
    assert login.out == [
        reported(PollingDelayed(message="status 429")),
        StartTimer(timer=Timer.CODE_REQUEST, seconds=5.0),
        StartTimer(timer=Timer.CODE_REQUEST, seconds=30.0),
    ]
    assert login.code_waited == 35.0


def test_the_deadline_includes_the_wait_for_the_code() -> None:
    login = data(OPTIONS.__replace__(deadline=60.0))
    login.code_waited = 20.0
    show_device_code(login, ReceivedDeviceCode(trigger=Trigger.DEVICE_CODE_RECEIVED, device_code=CODE))
    assert StartTimer(timer=Timer.DEADLINE, seconds=40.0) in login.out
    shown = DeviceCodeShown(url=DEVICE_URL, user_code=USER_CODE, complete_url=CODE.complete_url, expires_in=40.0)
    assert login.out[0] == reported(shown)


def test_a_login_in_the_browser_instead_begins_with_the_port() -> None:
    login = data()
    use_browser_instead(login, TROUBLE)
    assert login.out[:2] == [
        reported(UsingBrowserInstead(message="status 503")),
        reported(Binding(port=1455, attempt=1)),
    ]


@pytest.mark.parametrize(
    ("deadline", "shown", "timers"),
    [
        ("default", 900.0, {Timer.DEVICE_CODE_EXPIRY: 900.0, Timer.POLL: 5.0}),
        (None, 900.0, {Timer.DEVICE_CODE_EXPIRY: 900.0, Timer.POLL: 5.0}),
        (60.0, 60.0, {Timer.DEVICE_CODE_EXPIRY: 900.0, Timer.DEADLINE: 60.0, Timer.POLL: 5.0}),
        (1000.0, 900.0, {Timer.DEVICE_CODE_EXPIRY: 900.0, Timer.DEADLINE: 1000.0, Timer.POLL: 5.0}),
    ],
)
def test_the_code_is_shown_with_the_time_that_is_left(
    deadline: float | str | None, shown: float, timers: dict[Timer, float]
) -> None:
    login = data() if deadline == "default" else data(OPTIONS.__replace__(deadline=deadline))
    show_device_code(login, ReceivedDeviceCode(trigger=Trigger.DEVICE_CODE_RECEIVED, device_code=CODE))
    phase = DeviceCodeShown(url=DEVICE_URL, user_code=USER_CODE, complete_url=CODE.complete_url, expires_in=shown)
    assert login.out[0] == reported(phase)
    assert {each.timer: each.seconds for each in login.out if isinstance(each, StartTimer)} == timers


def test_a_poll_is_one_request() -> None:
    login = polling()
    poll(login, DUE)
    (request,) = login.out
    assert isinstance(request, SendTokenRequest)
    assert request.url == POLL_ENDPOINT


@pytest.mark.parametrize(
    ("interval", "pauses"), [(5.0, [10.0, 20.0, 30.0, 30.0]), (20.0, [30.0, 30.0]), (45.0, [45.0, 45.0])]
)
def test_pauses_double_while_the_provider_does_not_answer(interval: float, pauses: list[float]) -> None:
    """RFC 8628 section 3.5."""
    login = polling(interval)
    seen = []
    for _ in pauses:
        poll_after_trouble(login, TROUBLE)
        seen.append(pause(login))
    assert seen == pauses
    assert login.out.count(reported(PollingDelayed(message="status 503"))) == 1


def test_an_answer_ends_the_long_pauses() -> None:
    login = polling()
    poll_after_trouble(login, TROUBLE)
    pause(login)
    poll_later(login, DUE)
    assert pause(login) == 5.0
    login.out.clear()
    poll_after_trouble(login, TROUBLE)
    assert pause(login) == 10.0
    assert login.out[0] == reported(PollingDelayed(message="status 503"))


def test_slow_down_adds_five_seconds_to_each_later_pause() -> None:
    login = polling()
    pauses = []
    for effect in (poll_more_slowly, poll_later, poll_more_slowly):
        effect(login, DUE)
        pauses.append(pause(login))
    assert pauses == [10.0, 10.0, 15.0]


def test_the_code_of_the_last_poll_is_exchanged() -> None:
    login = polling()
    grant = DeviceGrant(code="c", code_verifier="v")
    exchange_device_code(login, ReceivedGrant(trigger=Trigger.DEVICE_CODE_AUTHORIZED, grant=grant))
    *others, request = login.out
    assert others == [
        StopTimer(timer=Timer.POLL),
        StopTimer(timer=Timer.DEVICE_CODE_EXPIRY),
        reported(DeviceCodeAuthorized()),
        reported(ExchangingCode()),
    ]
    assert isinstance(request, SendTokenRequest)
    assert request.url == TOKEN_ENDPOINT
    assert dict(request.form)["code"] == "c"
