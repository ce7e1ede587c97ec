"""An event, seen by a login -> its meaning. Pure: nothing is changed here.

Requests are read by `routes`, pasted addresses by `pasted`, answers of the provider by `interpret_tokens` and
`interpret_device`.
"""

from __future__ import annotations

from ..base.errors import UnexpectedEvent
from ..base.text import clean_text
from ..callback.requests import CallbackRules, route
from ..model.options import LoginMethod
from . import events
from .actions import Timer
from .failures import LoginFailurePhase
from .interpret_device import device_failure, device_response
from .interpret_tokens import token_failure, token_response
from .interpretation import Interpretation
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
_CANCELLED_WHILE: Final[Mapping[LoginState, LoginFailurePhase]] = {
    LoginState.REQUESTING_DEVICE_CODE: LoginFailurePhase.REQUEST_DEVICE_CODE,
    LoginState.POLLING_DEVICE_CODE: LoginFailurePhase.WAIT_FOR_DEVICE_CODE,
    LoginState.BINDING: LoginFailurePhase.BIND_LOCAL_SERVER,
    LoginState.CANCELLING_PREVIOUS: LoginFailurePhase.BIND_LOCAL_SERVER,
    LoginState.BACKING_OFF: LoginFailurePhase.BIND_LOCAL_SERVER,
    LoginState.EXCHANGING_CODE: LoginFailurePhase.EXCHANGE_TOKEN,
    LoginState.EXCHANGING_API_KEY: LoginFailurePhase.EXCHANGE_TOKEN,
}
"""What is being done in a state; in the others the login waits for the callback."""
_DEVICE_STATES: Final = (LoginState.REQUESTING_DEVICE_CODE, LoginState.POLLING_DEVICE_CODE)
_TIMERS: Final[Mapping[Timer, Trigger]] = {
    Timer.BIND_RETRY: Trigger.RETRY_DUE,
    Timer.DEADLINE: Trigger.DEADLINE_PASSED,
    Timer.POLL: Trigger.POLL_DUE,
    Timer.DEVICE_CODE_EXPIRY: Trigger.DEVICE_CODE_EXPIRED,
    Timer.LINGER: Trigger.LINGER_OVER,
}


def interpret(event: events.Event, login: LoginData) -> Interpretation | None:
    """Say what an event means.

    Returns:
        Its meaning; None for an answer that is no longer waited for, which a real host cannot help giving.

    Raises:
        UnexpectedEvent: It answers what was never asked.
    """
    return _READERS[type(event)](event, login)


def _started(event: events.Started, login: LoginData) -> Interpretation:
    try:
        login.options.check_method(event.method)
    except ValueError:
        raise UnexpectedEvent(login.state, event) from None
    has_codes = login.options.provider.device_code is not None
    with_code = event.method is LoginMethod.DEVICE_CODE and has_codes
    return Interpretation(trigger=Trigger.STARTED_WITH_DEVICE_CODE if with_code else Trigger.STARTED)


def _bound(event: events.Bound, login: LoginData) -> Interpretation:
    if not 0 < event.port <= 65535 or login.port not in (0, event.port):
        raise UnexpectedEvent(login.state, event)
    return Interpretation(trigger=Trigger.BOUND, port=event.port)


def _bind_failed(event: events.BindFailed, login: LoginData) -> Interpretation:
    message = f"port {login.port}: {_clean(login, event.message)}"
    return Interpretation(trigger=_BIND_PROBLEMS[event.kind], message=message)


def _previous_cancelled(event: events.PreviousCancelled, login: LoginData) -> Interpretation:
    trigger = Trigger.PREVIOUS_CANCELLED if event.accepted else Trigger.PREVIOUS_REFUSED
    return Interpretation(trigger=trigger, message=f"port {login.port} is in use by another program")


def _browser_opened(event: events.BrowserOpened, login: LoginData) -> Interpretation:
    _expect_browser(event, login)
    return Interpretation(trigger=Trigger.BROWSER_OPENED)


def _browser_failed(event: events.BrowserFailed, login: LoginData) -> Interpretation:
    _expect_browser(event, login)
    return Interpretation(trigger=Trigger.BROWSER_FAILED, message=_clean(login, event.message))


def _expect_browser(event: events.Event, login: LoginData) -> None:
    if not login.options.open_browser or login.auth_url is None:
        raise UnexpectedEvent(login.state, event)


def _request_received(event: events.RequestReceived, login: LoginData) -> Interpretation:
    is_open = event.request_id in login.waiting or event.request_id in login.pages
    if is_open or login.auth_url is None:
        raise UnexpectedEvent(login.state, event)
    step = route(event, _callback_rules(login))
    return _cancellation(step, login) if step.trigger is Trigger.CANCEL_REQUESTED else step


def _callback_pasted(event: events.CallbackPasted, login: LoginData) -> Interpretation | None:
    if login.outcome is not None:
        return None
    if login.auth_url is None:
        raise UnexpectedEvent(login.state, event)
    from ..callback.pasted import read_paste  # noqa: PLC0415 - the URL is shown long before anything is pasted

    return read_paste(event.text, _callback_rules(login))


def _cancellation(step: Interpretation, login: LoginData) -> Interpretation:
    return step.__replace__(phase=_CANCELLED_WHILE.get(login.state, LoginFailurePhase.WAIT_FOR_CALLBACK))


def _timer_fired(event: events.TimerFired, login: LoginData) -> Interpretation | None:
    timer = event.timer
    if timer not in login.timers_used:
        raise UnexpectedEvent(login.state, event)
    if timer not in login.timers:
        return None
    step = Interpretation(trigger=_TIMERS[timer])
    if timer is Timer.DEVICE_CODE_EXPIRY and login.device_code is not None:
        return step.__replace__(message=f"nobody used the code within {login.device_code.expires_in:g} seconds")
    if timer is Timer.DEADLINE:
        seconds, in_device_login = login.options.deadline or 0, login.device_code is not None
        what = "nobody used the code" if in_device_login else "no callback came"
        phase = LoginFailurePhase.WAIT_FOR_DEVICE_CODE if in_device_login else None
        return step.__replace__(message=f"{what} within {seconds:g} seconds", phase=phase)
    return step


def _callback_rules(login: LoginData) -> CallbackRules:
    return CallbackRules(
        provider=login.options.provider,
        port=login.port,
        state=login.secrets.state,
        accepted_code=login.code,
        hide=login.known_secrets(),
    )


def _response_sent(event: events.ResponseSent, login: LoginData) -> Interpretation | None:
    if event.request_id in login.waiting:
        raise UnexpectedEvent(login.state, event)
    return _about_request(Trigger.PAGE_SENT, event.request_id, login)


def _client_gone(event: events.ClientGone, login: LoginData) -> Interpretation | None:
    return _about_request(Trigger.CLIENT_GONE, event.request_id, login)


def _about_request(trigger: Trigger, request_id: int, login: LoginData) -> Interpretation | None:
    """Only the requests of browsers that wait for the outcome matter; the rest was answered and forgotten."""
    waiting = trigger is Trigger.CLIENT_GONE and request_id in login.waiting
    if not waiting and request_id not in login.pages:
        return None
    return Interpretation(trigger=trigger, request_id=request_id)


def _is_outstanding(event: events.TokenResponseReceived | events.TokenRequestFailed, login: LoginData) -> bool:
    if not 0 < event.exchange_id <= login.exchanges:
        raise UnexpectedEvent(login.state, event)
    return event.exchange_id == login.exchange_id


def _token_request_failed(event: events.TokenRequestFailed, login: LoginData) -> Interpretation | None:
    if not _is_outstanding(event, login):
        return None
    return device_failure(event, login) if login.state in _DEVICE_STATES else token_failure(event, login)


def _token_response_received(event: events.TokenResponseReceived, login: LoginData) -> Interpretation | None:
    if not events.is_moment(event.received_at):
        raise UnexpectedEvent(login.state, event)
    if not _is_outstanding(event, login):
        return None
    return device_response(event, login) if login.state in _DEVICE_STATES else token_response(event, login)


def _credentials_saved(event: events.CredentialsSaved, _: LoginData) -> Interpretation:
    return Interpretation(trigger=Trigger.CREDENTIALS_SAVED, replaced=event.replaced)


def _save_failed(event: events.SaveFailed, login: LoginData) -> Interpretation:
    return Interpretation(trigger=Trigger.SAVE_FAILED, message=_clean(login, event.message))


def _cancel_requested(event: events.CancelRequested, login: LoginData) -> Interpretation:
    step = Interpretation(trigger=Trigger.CANCEL_REQUESTED, message=_clean(login, event.reason))
    return _cancellation(step, login)


def _clean(login: LoginData, words: str) -> str:
    return clean_text(words, hide=login.known_secrets())


_READERS: Final[Mapping[type[events.Event], Callable[[Any, LoginData], Interpretation | None]]] = {
    events.Started: _started,
    events.Bound: _bound,
    events.BindFailed: _bind_failed,
    events.PreviousCancelled: _previous_cancelled,
    events.TimerFired: _timer_fired,
    events.BrowserOpened: _browser_opened,
    events.BrowserFailed: _browser_failed,
    events.RequestReceived: _request_received,
    events.CallbackPasted: _callback_pasted,
    events.ResponseSent: _response_sent,
    events.ClientGone: _client_gone,
    events.TokenResponseReceived: _token_response_received,
    events.TokenRequestFailed: _token_request_failed,
    events.CredentialsSaved: _credentials_saved,
    events.SaveFailed: _save_failed,
    events.CancelRequested: _cancel_requested,
}
"""One for every kind of event, which a test makes sure of."""
