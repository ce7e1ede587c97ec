"""An event, seen by a login -> its meaning. Pure: nothing is changed here.

Requests are read by `routes`, answers of the token endpoint by `oauth` and `claims`.
"""

from __future__ import annotations

from . import claims, events, oauth
from .actions import Timer
from .credentials import Credentials
from .errors import UnexpectedEvent
from .failures import LoginFailurePhase
from .interpretation import Interpretation
from .redaction import clean_text, safe_url
from .routes import CallbackRules, route
from .table import LoginState, Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from .login import LoginData

_BIND_PROBLEMS: Final[Mapping[events.BindProblem, Trigger]] = {
    events.BindProblem.IN_USE: Trigger.PORT_TAKEN,
    events.BindProblem.FORBIDDEN: Trigger.PORT_FORBIDDEN,
    events.BindProblem.OTHER: Trigger.BIND_FAILED,
}
_TRANSPORT_PROBLEMS: Final[Mapping[events.TransportProblem, Trigger]] = {
    events.TransportProblem.TIMEOUT: Trigger.TOKEN_REQUEST_TIMED_OUT,
    events.TransportProblem.CONNECT: Trigger.TOKEN_ENDPOINT_UNREACHABLE,
    events.TransportProblem.REQUEST: Trigger.TOKEN_REQUEST_BROKEN,
}
_CANCELLED_WHILE: Final[Mapping[LoginState, LoginFailurePhase]] = {
    LoginState.BINDING: LoginFailurePhase.BIND_LOCAL_SERVER,
    LoginState.CANCELLING_PREVIOUS: LoginFailurePhase.BIND_LOCAL_SERVER,
    LoginState.BACKING_OFF: LoginFailurePhase.BIND_LOCAL_SERVER,
    LoginState.EXCHANGING_CODE: LoginFailurePhase.EXCHANGE_TOKEN,
    LoginState.EXCHANGING_API_KEY: LoginFailurePhase.EXCHANGE_TOKEN,
}
"""What is being done in a state; in the others the login waits for the callback."""
_END_OF_TIME: Final = 253_402_300_800
"""The year 10000, in seconds since 1970: no calendar goes further."""
_TIMERS: Final[Mapping[Timer, Trigger]] = {
    Timer.BIND_RETRY: Trigger.RETRY_DUE,
    Timer.DEADLINE: Trigger.DEADLINE_PASSED,
    Timer.LINGER: Trigger.LINGER_OVER,
}


def interpret(event: events.Event, login: LoginData) -> Interpretation | None:  # noqa: C901, PLR0912 - one arm an event
    """Say what an event means.

    Returns:
        Its meaning; None for an answer that is no longer waited for, which a real host cannot help giving.

    Raises:
        UnexpectedEvent: It answers what was never asked.
    """
    match event:
        case events.Started():
            return Interpretation(trigger=Trigger.STARTED)
        case events.Bound(port=port):
            if not 0 < port <= 65535 or login.port not in (0, port):
                raise UnexpectedEvent(login.state, event)
            return Interpretation(trigger=Trigger.BOUND, port=port)
        case events.BindFailed(kind=kind, message=message):
            return Interpretation(trigger=_BIND_PROBLEMS[kind], message=_port_message(login, message))
        case events.PreviousCancelled(accepted=accepted):
            trigger = Trigger.PREVIOUS_CANCELLED if accepted else Trigger.PREVIOUS_REFUSED
            return Interpretation(trigger=trigger, message=f"port {login.port} is in use by another program")
        case events.TimerFired(timer=timer):
            return _timer(event, timer, login)
        case events.BrowserOpened():
            return _browser(event, Interpretation(trigger=Trigger.BROWSER_OPENED), login)
        case events.BrowserFailed(message=message):
            step = Interpretation(trigger=Trigger.BROWSER_FAILED, message=_clean(login, message))
            return _browser(event, step, login)
        case events.RequestReceived():
            return _request(event, login)
        case events.ResponseSent(request_id=request_id):
            if request_id in login.waiting:
                raise UnexpectedEvent(login.state, event)
            return _about_request(Trigger.PAGE_SENT, request_id, login)
        case events.ClientGone(request_id=request_id):
            return _about_request(Trigger.CLIENT_GONE, request_id, login)
        case events.TokenResponseReceived():
            return _token_response(event, login)
        case events.TokenRequestFailed():
            return _token_failure(event, login)
        case events.CredentialsSaved(replaced=replaced):
            return Interpretation(trigger=Trigger.CREDENTIALS_SAVED, replaced=replaced)
        case events.SaveFailed(message=message):
            return Interpretation(trigger=Trigger.SAVE_FAILED, message=_clean(login, message))
        case events.CancelRequested(reason=reason):
            return _cancellation(Interpretation(trigger=Trigger.CANCEL_REQUESTED, message=_clean(login, reason)), login)
    from typing import assert_never  # noqa: PLC0415

    return assert_never(event)


def _port_message(login: LoginData, message: str) -> str:
    return f"port {login.port}: {_clean(login, message)}"


def _browser(event: events.Event, step: Interpretation, login: LoginData) -> Interpretation:
    if not login.options.open_browser:
        raise UnexpectedEvent(login.state, event)
    return step


def _request(event: events.RequestReceived, login: LoginData) -> Interpretation:
    is_open = event.request_id in login.waiting or event.request_id in login.pages
    if is_open or login.auth_url is None:
        raise UnexpectedEvent(login.state, event)
    step = route(event, _callback_rules(login))
    return _cancellation(step, login) if step.trigger is Trigger.CANCEL_REQUESTED else step


def _cancellation(step: Interpretation, login: LoginData) -> Interpretation:
    return step.__replace__(phase=_CANCELLED_WHILE.get(login.state, LoginFailurePhase.WAIT_FOR_CALLBACK))


def _timer(event: events.TimerFired, timer: Timer, login: LoginData) -> Interpretation | None:
    if timer not in login.timers_used:
        raise UnexpectedEvent(login.state, event)
    if timer not in login.timers:
        return None
    seconds = login.options.deadline or 0
    message = f"no callback came within {seconds:g} seconds" if timer is Timer.DEADLINE else ""
    return Interpretation(trigger=_TIMERS[timer], message=message)


def _callback_rules(login: LoginData) -> CallbackRules:
    return CallbackRules(
        provider=login.options.provider,
        port=login.port,
        state=login.secrets.state,
        accepted_code=login.code,
        hide=login.known_secrets(),
    )


def _about_request(trigger: Trigger, request_id: int, login: LoginData) -> Interpretation | None:
    """Only the requests of browsers that wait for the outcome matter; the rest was answered and forgotten."""
    waiting = trigger is Trigger.CLIENT_GONE and request_id in login.waiting
    if not waiting and request_id not in login.pages:
        return None
    return Interpretation(trigger=trigger, request_id=request_id, message="the browser left before it was redirected")


def _is_outstanding(event: events.TokenResponseReceived | events.TokenRequestFailed, login: LoginData) -> bool:
    if not 0 < event.exchange_id <= login.exchanges:
        raise UnexpectedEvent(login.state, event)
    return event.exchange_id == login.exchange_id


def _token_failure(event: events.TokenRequestFailed, login: LoginData) -> Interpretation | None:
    if not _is_outstanding(event, login):
        return None
    message = _endpoint(login, _clean(login, event.message))
    if login.state is LoginState.EXCHANGING_API_KEY:
        return Interpretation(trigger=Trigger.API_KEY_UNAVAILABLE, message=message)
    return Interpretation(trigger=_TRANSPORT_PROBLEMS[event.kind], message=message)


def _token_response(event: events.TokenResponseReceived, login: LoginData) -> Interpretation | None:
    if not 0 <= event.received_at < _END_OF_TIME:
        raise UnexpectedEvent(login.state, event)
    if not _is_outstanding(event, login):
        return None
    if login.state is LoginState.EXCHANGING_API_KEY:
        key = oauth.read_api_key(event, login.known_secrets())
        if isinstance(key, (oauth.Rejected, oauth.Malformed)):
            return Interpretation(trigger=Trigger.API_KEY_UNAVAILABLE, message=_endpoint(login, key.message))
        return Interpretation(trigger=Trigger.API_KEY_RECEIVED, api_key=key)
    tokens = oauth.read_tokens(event, login.known_secrets())
    if isinstance(tokens, oauth.Rejected):
        return Interpretation(trigger=Trigger.TOKEN_ENDPOINT_REJECTED, message=_endpoint(login, tokens.message))
    if isinstance(tokens, oauth.Malformed):
        return Interpretation(trigger=Trigger.TOKEN_RESPONSE_MALFORMED, message=_endpoint(login, tokens.message))
    return _tokens(tokens, event, login)


def _tokens(tokens: oauth.TokenSet, event: events.TokenResponseReceived, login: LoginData) -> Interpretation:
    """Check the id token and the workspace, before anything is kept."""
    options = login.options
    problem = ""
    try:
        id_claims = claims.read_claims(tokens.id_token)
        claims.check_id_token(id_claims, options, login.secrets, event.headers, event.received_at)
    except claims.ClaimError as error:
        problem = str(error)
        id_claims = {}
    if problem:
        return Interpretation(trigger=Trigger.ID_TOKEN_REFUSED, message=f"the id token was refused: {problem}")
    account = claims.read_account(id_claims, _access_claims(tokens), options.provider)
    if not claims.workspace_allowed(account, options.allowed_workspaces):
        whose = f"the workspace {account.account_id}" if account.account_id else "an account without a workspace"
        return Interpretation(trigger=Trigger.WORKSPACE_REFUSED, message=f"the sign-in was for {whose}")
    credentials = Credentials.from_login(tokens, account_id=account.account_id, received_at=event.received_at)
    return Interpretation(trigger=Trigger.TOKENS_RECEIVED, credentials=credentials, account=account)


def _access_claims(tokens: oauth.TokenSet) -> dict[str, object]:
    """An access token is opaque to a client (RFC 6749 section 1.4): one that is no JWT is as good."""
    try:
        return claims.read_claims(tokens.access_token)
    except claims.ClaimError:
        return {}


def _endpoint(login: LoginData, words: str) -> str:
    return f"{safe_url(login.options.provider.token_endpoint)}: {words}"


def _clean(login: LoginData, words: str) -> str:
    return clean_text(words, hide=login.known_secrets())
