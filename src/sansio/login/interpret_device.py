"""What an answer means while a device code is asked for or waits to be used."""

from __future__ import annotations

from ..base.text import clean_text, safe_url
from ..oauth.device_code import endpoints_of, read_device_code, read_poll
from .failures import LoginFailurePhase
from .interpret_tokens import TRANSPORT_PROBLEMS, check_tokens
from .interpretation import Interpretation
from .states import LoginState, Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .events import TokenRequestFailed, TokenResponseReceived
    from .state import LoginData


def device_failure(event: TokenRequestFailed, login: LoginData) -> Interpretation:
    """Say what it means that a request for a device code, or a poll, got no answer."""
    polling = login.state is LoginState.POLLING_DEVICE_CODE
    trigger = Trigger.POLL_FAILED if polling else TRANSPORT_PROBLEMS[event.kind]
    words = clean_text(event.message, hide=login.known_secrets())
    return _located(Interpretation(trigger=trigger, message=words), login)


def device_response(event: TokenResponseReceived, login: LoginData) -> Interpretation:
    """Say what the answer to a request for a device code, or to a poll, means."""
    provider, hide = login.options.provider, login.known_secrets()
    if login.state is LoginState.REQUESTING_DEVICE_CODE:
        return _located(read_device_code(event, provider, hide), login)
    result = read_poll(event, provider, hide)
    return _located(result, login) if isinstance(result, Interpretation) else check_tokens(result, event, login)


def _located(step: Interpretation, login: LoginData) -> Interpretation:
    """With the endpoint that was asked, and what was being done."""
    provider = login.options.provider
    endpoints = endpoints_of(provider)
    if login.state is LoginState.REQUESTING_DEVICE_CODE:
        url, phase = endpoints.code_endpoint, LoginFailurePhase.REQUEST_DEVICE_CODE
    else:
        url = endpoints.poll_endpoint or provider.token_endpoint
        phase = LoginFailurePhase.WAIT_FOR_DEVICE_CODE
    return step.__replace__(message=f"{safe_url(url)}: {step.message}" if step.message else "", phase=phase)
