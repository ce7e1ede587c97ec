"""Interpret the responses to a request for a device code, and to polls."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...base.text import DRIVER_TEXT_LIMIT, clean_text, safe_url
from ...model.tokens import TokenSet
from ...oauth.device_code import DeviceCode, DeviceGrant, endpoints_of, poll_endpoint
from ...oauth.device_code_responses import (
    DEFAULT_LIFETIME,
    NotEnabled,
    PollProblem,
    PollRejected,
    Postponed,
    read_device_code,
    read_poll,
)
from ...oauth.responses import Malformed
from ..failures import LoginFailureStep
from ..interpret_tokens import TRANSPORT_PROBLEMS, check_tokens
from ..interpretation import PostponedCode, Problem, ReceivedDeviceCode, ReceivedGrant
from ..states import LoginState, Trigger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ..events import TokenRequestFailed, TokenResponseReceived
    from ..interpretation import Interpretation
    from ..state import LoginData

_POLL_PROBLEMS: Final[Mapping[PollProblem, Trigger]] = {
    PollProblem.PENDING: Trigger.DEVICE_CODE_PENDING,
    PollProblem.SLOW_DOWN: Trigger.SLOW_DOWN_REQUESTED,
    PollProblem.DENIED: Trigger.DEVICE_CODE_DENIED,
    PollProblem.EXPIRED: Trigger.DEVICE_CODE_EXPIRED,
    PollProblem.UNAVAILABLE: Trigger.POLL_FAILED,
}


def interpret_device_failure(event: TokenRequestFailed, login: LoginData) -> Problem:
    """Interpret a request for a device code, or a poll, that got no response."""
    polling = login.state is LoginState.POLLING_DEVICE_CODE
    trigger = Trigger.POLL_FAILED if polling else TRANSPORT_PROBLEMS[event.kind]
    message = clean_text(event.message, hide=login.known_secrets(), limit=DRIVER_TEXT_LIMIT)
    return _problem(trigger, message, login)


def interpret_device_response(event: TokenResponseReceived, login: LoginData) -> Interpretation:
    """Interpret the response to a request for a device code, or to a poll."""
    if login.state is LoginState.REQUESTING_DEVICE_CODE:
        return _device_code(event, login)
    result = read_poll(event, login.options.provider, login.known_secrets())
    if isinstance(result, TokenSet):
        return check_tokens(result, event, login)
    if isinstance(result, DeviceGrant):
        return ReceivedGrant(trigger=Trigger.DEVICE_CODE_AUTHORIZED, grant=result)
    if isinstance(result, PollRejected):
        return _problem(_POLL_PROBLEMS[result.problem], result.message, login)
    return _problem(Trigger.TOKEN_RESPONSE_MALFORMED, result.message, login)


def _device_code(event: TokenResponseReceived, login: LoginData) -> Interpretation:
    result = read_device_code(event, login.options.provider, login.known_secrets())
    if isinstance(result, DeviceCode):
        return ReceivedDeviceCode(trigger=Trigger.DEVICE_CODE_RECEIVED, device_code=result)
    if isinstance(result, Malformed):
        return _problem(Trigger.TOKEN_RESPONSE_MALFORMED, result.message, login)
    if isinstance(result, Postponed) and login.code_waited + result.pause < _longest_wait(login):
        problem = _problem(Trigger.DEVICE_CODE_POSTPONED, result.message, login)
        return PostponedCode(**problem.values(), pause=result.pause)
    not_enabled = isinstance(result, NotEnabled)
    trigger = Trigger.DEVICE_CODE_NOT_ENABLED if not_enabled else Trigger.DEVICE_CODE_REFUSED
    return _problem(trigger, result.message, login)


def _longest_wait(login: LoginData) -> float:
    """Return for how many seconds a login waits for a device code that the provider does not give at once."""
    deadline = login.options.device_deadline
    return DEFAULT_LIFETIME if deadline is None else deadline


def _problem(trigger: Trigger, message: str, login: LoginData) -> Problem:
    """Return a problem that names the endpoint and the step."""
    provider = login.options.provider
    if login.state is LoginState.REQUESTING_DEVICE_CODE:
        url, step = endpoints_of(provider).code_endpoint, LoginFailureStep.REQUEST_DEVICE_CODE
    else:
        url, step = poll_endpoint(provider), LoginFailureStep.WAIT_FOR_DEVICE_CODE
    return Problem(trigger=trigger, message=f"{safe_url(url)}: {message}" if message else "", step=step)
