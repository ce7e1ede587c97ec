"""The guard and effects of the table, for a login with a device code. See `login.effects`."""

from __future__ import annotations

from ...oauth import device_code
from ...oauth.device_code import LONGEST_BACK_OFF, SLOW_DOWN
from .. import progress
from ..actions import Timer
from ..port.effects import bind_first_port

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..interpretation import Interpretation, PostponedCode, Problem, ReceivedDeviceCode, ReceivedGrant
    from ..state import LoginData


def may_use_browser(login: LoginData, _: Interpretation) -> bool:
    """The caller allows the browser where device codes are not enabled."""
    return login.options.device_code_fallback


def request_device_code(login: LoginData, _: Interpretation) -> None:
    """Request a device code from the provider."""
    login.report(progress.RequestingDeviceCode())
    login.send(device_code.code_request(login.options))


def request_code_later(login: LoginData, meaning: PostponedCode) -> None:
    """Request the device code again after a pause. Report the first pause."""
    if not login.code_waited:
        login.report(progress.PollingDelayed(message=meaning.message))
    login.code_waited += meaning.pause
    login.start_timer(Timer.CODE_REQUEST, meaning.pause)


def use_browser_instead(login: LoginData, meaning: Problem) -> None:
    """Continue with a login in the browser."""
    login.wants_device_code = False
    login.report(progress.UsingBrowserInstead(message=meaning.message))
    bind_first_port(login, meaning)


def show_device_code(login: LoginData, meaning: ReceivedDeviceCode) -> None:
    """Show the code to the person, and start the timers that limit it."""
    device = login.device_code = meaning.device_code
    login.poll_interval = device.interval
    deadline = login.options.device_deadline
    if deadline is not None:
        # It also limits the wait for the code.
        deadline -= login.code_waited
    login.report(
        progress.DeviceCodeShown(
            url=device.verification_url,
            user_code=device.user_code,
            complete_url=device.complete_url,
            expires_in=device.expires_in if deadline is None else min(deadline, device.expires_in),
        )
    )
    login.start_timer(Timer.DEVICE_CODE_EXPIRY, device.expires_in)
    if deadline is not None:
        login.start_timer(Timer.DEADLINE, deadline)
    login.start_timer(Timer.POLL, login.poll_interval)


def poll(login: LoginData, _: Interpretation) -> None:
    """Poll the provider: ask whether the person has entered the code."""
    assert login.device_code is not None
    login.send(device_code.poll_request(login.options.provider, login.device_code))


def poll_later(login: LoginData, _: Interpretation) -> None:
    """Poll again after the interval."""
    login.poll_troubles = 0
    login.start_timer(Timer.POLL, login.poll_interval)


def poll_more_slowly(login: LoginData, meaning: Interpretation) -> None:
    """Poll again after a longer interval, which applies to all later polls (RFC 8628 section 3.5)."""
    login.poll_interval += SLOW_DOWN
    poll_later(login, meaning)


def poll_after_trouble(login: LoginData, meaning: Problem) -> None:
    """Poll again after an interval that grows with each failed poll. Report the first failed poll."""
    if not login.poll_troubles:
        login.report(progress.PollingDelayed(message=meaning.message))
    login.poll_troubles += 1
    # RFC 8628 section 3.5: the interval doubles with each failed request.
    longest = max(login.poll_interval, LONGEST_BACK_OFF)
    login.start_timer(Timer.POLL, min(login.poll_interval * 2.0 ** min(login.poll_troubles, 10), longest))


def exchange_device_code(login: LoginData, meaning: ReceivedGrant) -> None:
    """Exchange the authorization code of the last poll for tokens."""
    login.device_grant = meaning.grant
    login.stop_waiting_for_person()
    login.report(progress.DeviceCodeAuthorized())
    login.report(progress.ExchangingCode())
    login.send(device_code.grant_exchange(login.options.provider, meaning.grant))
