"""Interpret an event: find out what it means for a login. The login is not changed.

`interpret_callback` interprets requests and pasted addresses, `interpret_tokens` and `device_code.interpret` the
provider's responses. Every trigger of the table comes from one of these modules.
"""

from __future__ import annotations

from functools import cache

from ..base.errors import UnexpectedEvent
from ..base.text import clean_text
from ..model.options import LoginMethod
from . import events
from .actions import Timer
from .failures import LoginFailureStep
from .interpret_callback import interpret_arrival, interpret_paste, interpret_request
from .interpretation import AnsweredRequest, Cancellation, Interpretation, PortBound, Problem, SavedCredentials
from .states import LoginState, Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Final

    from .state import LoginData

_BIND_PROBLEMS: Final[Mapping[events.BindProblem, Trigger]] = {
    events.BindProblem.IN_USE: Trigger.PORT_TAKEN,
    events.BindProblem.FORBIDDEN: Trigger.PORT_FORBIDDEN,
    events.BindProblem.OTHER: Trigger.BIND_FAILED,
}
_STEPS: Final[Mapping[LoginState, LoginFailureStep]] = {
    LoginState.DISCOVERING_RESOURCE: LoginFailureStep.READ_METADATA,
    LoginState.DISCOVERING: LoginFailureStep.READ_METADATA,
    LoginState.REGISTERING: LoginFailureStep.REGISTER_CLIENT,
    LoginState.SAVING_REGISTRATION: LoginFailureStep.REGISTER_CLIENT,
    LoginState.SAVING_CLIENT: LoginFailureStep.REGISTER_CLIENT,
    LoginState.PUSHING_REQUEST: LoginFailureStep.PUSH_REQUEST,
    LoginState.FETCHING_KEYS: LoginFailureStep.FETCH_KEYS,
    LoginState.REQUESTING_DEVICE_CODE: LoginFailureStep.REQUEST_DEVICE_CODE,
    LoginState.POLLING_DEVICE_CODE: LoginFailureStep.WAIT_FOR_DEVICE_CODE,
    LoginState.BINDING: LoginFailureStep.BIND_LOCAL_SERVER,
    LoginState.CANCELLING_PREVIOUS: LoginFailureStep.BIND_LOCAL_SERVER,
    LoginState.BACKING_OFF: LoginFailureStep.BIND_LOCAL_SERVER,
    LoginState.EXCHANGING_CODE: LoginFailureStep.EXCHANGE_TOKEN,
    LoginState.EXCHANGING_API_KEY: LoginFailureStep.EXCHANGE_TOKEN,
}
"""The step of a cancellation, by the state of the login. In all other states it is `WAIT_FOR_CALLBACK`."""
_SERVER_STATES: Final = (
    *(LoginState.DISCOVERING_RESOURCE, LoginState.DISCOVERING, LoginState.REGISTERING),
    *(LoginState.PUSHING_REQUEST, LoginState.FETCHING_KEYS),
)
_SERVER, _DEVICE_CODE, _TOKENS = "server", "device code", "tokens"
_DEVICE_STATES: Final = (LoginState.REQUESTING_DEVICE_CODE, LoginState.POLLING_DEVICE_CODE)
_TIMERS: Final[Mapping[Timer, Trigger]] = {
    Timer.BIND_RETRY: Trigger.RETRY_DUE,
    Timer.DEADLINE: Trigger.DEADLINE_PASSED,
    Timer.CODE_REQUEST: Trigger.CODE_REQUEST_DUE,
    Timer.POLL: Trigger.POLL_DUE,
    Timer.DEVICE_CODE_EXPIRY: Trigger.DEVICE_CODE_EXPIRED,
    Timer.LINGER: Trigger.LINGER_OVER,
}


def interpret(event: events.Event, login: LoginData) -> Interpretation | None:
    """Find out what an event means for a login.

    Args:
        event: The event.
        login: The login, which is not changed.

    Returns:
        The meaning; None if the event answers an action that was stopped or aborted.

    Raises:
        UnexpectedEvent: The event answers an action that the machine never returned.
    """
    return _INTERPRETERS[type(event)](event, login)


def _started(event: events.Started, login: LoginData) -> Interpretation:
    try:
        login.options.check_method(event.method)
    except ValueError:
        raise UnexpectedEvent(login.state, event) from None
    provider = login.options.provider
    # (The issuer of a resource is not known yet.)
    is_others = event.registration is not None and event.registration.issuer != provider.origin
    lacks_host = provider.dialect.host_parameter is not None and not (event.host_id or login.options.host_id)
    if (is_others and not provider.needs_resource_metadata) or lacks_host:
        raise UnexpectedEvent(login.state, event)
    has_codes = provider.device_code is not None or provider.needs_discovery
    with_code = event.method is LoginMethod.DEVICE_CODE and has_codes
    return Interpretation(trigger=Trigger.STARTED_WITH_DEVICE_CODE if with_code else Trigger.STARTED)


def _bound(event: events.Bound, login: LoginData) -> PortBound:
    if not 0 < event.port <= 65535 or login.port not in (0, event.port):
        raise UnexpectedEvent(login.state, event)
    return PortBound(trigger=Trigger.BOUND, port=event.port)


def _bind_failed(event: events.BindFailed, login: LoginData) -> Problem:
    message = f"port {login.port}: {_clean(login, event.message)}"
    return Problem(trigger=_BIND_PROBLEMS[event.kind], message=message)


def _previous_cancelled(event: events.PreviousCancelled, login: LoginData) -> Problem:
    trigger = Trigger.PREVIOUS_CANCELLED if event.accepted else Trigger.PREVIOUS_REFUSED
    return Problem(trigger=trigger, message=f"port {login.port} is in use by another program")


def _browser_opened(event: events.BrowserOpened, login: LoginData) -> Interpretation:
    _expect_browser(event, login)
    return Interpretation(trigger=Trigger.BROWSER_OPENED)


def _browser_failed(event: events.BrowserFailed, login: LoginData) -> Problem:
    _expect_browser(event, login)
    return Problem(trigger=Trigger.BROWSER_FAILED, message=_clean(login, event.message))


def _expect_browser(event: events.Event, login: LoginData) -> None:
    if not login.options.launches_browser or login.auth_url is None:
        raise UnexpectedEvent(login.state, event)


def _request_received(event: events.RequestReceived, login: LoginData) -> Interpretation:
    is_open = event.request_id in login.waiting or event.request_id in login.pages
    if is_open or not login.is_listening:
        raise UnexpectedEvent(login.state, event)
    return interpret_request(event, login) or _cancellation(
        login, "another sign-in on this machine took over", event.request_id
    )


def _https_attempted(event: events.HttpsAttempted, login: LoginData) -> Interpretation:
    if not login.is_listening:
        raise UnexpectedEvent(login.state, event)
    return Interpretation(trigger=Trigger.HTTPS_ATTEMPTED)


def _callback_pasted(event: events.CallbackPasted, login: LoginData) -> Interpretation | None:
    if login.outcome is not None:
        return None
    if login.auth_url is None or login.options.redirect_uri is not None:
        raise UnexpectedEvent(login.state, event)
    return interpret_paste(event.text, login)


def _callback_arrived(event: events.CallbackArrived, login: LoginData) -> Interpretation:
    return interpret_arrival(event, login)


def _timer_fired(event: events.TimerFired, login: LoginData) -> Interpretation | None:
    timer = event.timer
    if timer not in login.timers_used:
        raise UnexpectedEvent(login.state, event)
    if timer not in login.timers:
        return None
    if timer is Timer.DEVICE_CODE_EXPIRY:
        assert login.device_code is not None
        message = f"nobody used the code within {login.device_code.expires_in:g} seconds"
        return Problem(trigger=_TIMERS[timer], message=message)
    if timer is Timer.DEADLINE:
        seconds, in_device_login = login.options.deadline or 0, login.device_code is not None
        what = "nobody used the code" if in_device_login else "no callback came"
        step = LoginFailureStep.WAIT_FOR_DEVICE_CODE if in_device_login else None
        return Problem(trigger=_TIMERS[timer], message=f"{what} within {seconds:g} seconds", step=step)
    return Interpretation(trigger=_TIMERS[timer])


def _response_sent(event: events.ResponseSent, login: LoginData) -> AnsweredRequest | None:
    if event.request_id in login.waiting:
        raise UnexpectedEvent(login.state, event)
    # Other responses than the last pages are forgotten when they are sent.
    if event.request_id not in login.pages:
        return None
    return AnsweredRequest(trigger=Trigger.PAGE_SENT, request_id=event.request_id)


def _client_gone(event: events.ClientGone, login: LoginData) -> AnsweredRequest | None:
    if event.request_id not in login.waiting and event.request_id not in login.pages:
        return None
    return AnsweredRequest(trigger=Trigger.CLIENT_GONE, request_id=event.request_id)


def _is_outstanding(event: events.TokenResponseReceived | events.TokenRequestFailed, login: LoginData) -> bool:
    if not 0 < event.exchange_id <= login.exchanges:
        raise UnexpectedEvent(login.state, event)
    return event.exchange_id == login.exchange_id


# The login URL is shown before the modules for the provider's responses are loaded. Drivers load them after it.


def _subject(exchange_id: int, login: LoginData) -> str:
    """Return what the outstanding request is about: the provider itself, a device code, or tokens."""
    if exchange_id == login.keys_id or login.state in _SERVER_STATES:
        return _SERVER
    return _DEVICE_CODE if login.state in _DEVICE_STATES else _TOKENS


@cache
def _failure_interpreter(subject: str) -> Callable[[Any, LoginData], Interpretation | None]:
    if subject == _SERVER:
        from .server.interpret import interpret_server_failure  # noqa: PLC0415

        return interpret_server_failure
    if subject == _DEVICE_CODE:
        from .device_code.interpret import interpret_device_failure  # noqa: PLC0415

        return interpret_device_failure
    from .interpret_tokens import interpret_token_failure  # noqa: PLC0415

    return interpret_token_failure


@cache
def _response_interpreter(subject: str) -> Callable[[Any, LoginData], Interpretation | None]:
    if subject == _SERVER:
        from .server.interpret import interpret_server_response  # noqa: PLC0415

        return interpret_server_response
    if subject == _DEVICE_CODE:
        from .device_code.interpret import interpret_device_response  # noqa: PLC0415

        return interpret_device_response
    from .interpret_tokens import interpret_token_response  # noqa: PLC0415

    return interpret_token_response


def _token_request_failed(event: events.TokenRequestFailed, login: LoginData) -> Interpretation | None:
    if not _is_outstanding(event, login):
        return None
    return _failure_interpreter(_subject(event.exchange_id, login))(event, login)


def _token_response_received(event: events.TokenResponseReceived, login: LoginData) -> Interpretation | None:
    if not events.is_moment(event.received_at):
        raise UnexpectedEvent(login.state, event)
    if not _is_outstanding(event, login):
        return None
    return _response_interpreter(_subject(event.exchange_id, login))(event, login)


def _credentials_saved(event: events.CredentialsSaved, _: LoginData) -> SavedCredentials:
    return SavedCredentials(trigger=Trigger.CREDENTIALS_SAVED, replaced=event.replaced)


def _save_failed(event: events.SaveFailed, login: LoginData) -> Problem:
    return Problem(trigger=Trigger.SAVE_FAILED, message=_clean(login, event.message))


def _registration_saved(_event: events.RegistrationSaved, _: LoginData) -> Interpretation:
    return Interpretation(trigger=Trigger.REGISTRATION_SAVED)


def _registration_save_failed(event: events.RegistrationSaveFailed, login: LoginData) -> Problem:
    return Problem(trigger=Trigger.REGISTRATION_SAVE_FAILED, message=_clean(login, event.message))


def _cancel_requested(event: events.CancelRequested, login: LoginData) -> Cancellation:
    return _cancellation(login, _clean(login, event.reason))


def _cancellation(login: LoginData, message: str, request_id: int | None = None) -> Cancellation:
    step = _STEPS.get(login.state, LoginFailureStep.WAIT_FOR_CALLBACK)
    return Cancellation(trigger=Trigger.CANCEL_REQUESTED, step=step, message=message, request_id=request_id)


def _clean(login: LoginData, words: str) -> str:
    return clean_text(words, hide=login.known_secrets())


_INTERPRETERS: Final[Mapping[type[events.Event], Callable[[Any, LoginData], Interpretation | None]]] = {
    events.Started: _started,
    events.Bound: _bound,
    events.BindFailed: _bind_failed,
    events.PreviousCancelled: _previous_cancelled,
    events.TimerFired: _timer_fired,
    events.BrowserOpened: _browser_opened,
    events.BrowserFailed: _browser_failed,
    events.RequestReceived: _request_received,
    events.HttpsAttempted: _https_attempted,
    events.CallbackPasted: _callback_pasted,
    events.CallbackArrived: _callback_arrived,
    events.ResponseSent: _response_sent,
    events.ClientGone: _client_gone,
    events.TokenResponseReceived: _token_response_received,
    events.TokenRequestFailed: _token_request_failed,
    events.CredentialsSaved: _credentials_saved,
    events.SaveFailed: _save_failed,
    events.RegistrationSaved: _registration_saved,
    events.RegistrationSaveFailed: _registration_save_failed,
    events.CancelRequested: _cancel_requested,
}
"""The function for each type of event. A test checks that each type has one."""
