"""Interpret requests to the callback listener, and pasted addresses.

`callback.requests` and `callback.pasted` classify them. This module decides what the result means for the login.
"""

from __future__ import annotations

from ..base.errors import UnexpectedEvent
from ..callback.judgement import Callback, CallbackRules, CallbackVerdict
from ..callback.pasted import PasteProblem, classify_paste
from ..callback.requests import (
    MAX_TARGET,
    Mismatched,
    Refused,
    StartPageRequested,
    SuccessPageRequested,
    classify_callback,
    classify_request,
    read_query,
    split_target,
)
from ..callback.responses import refusal, start_path, success_path
from ..oauth.authorization import redirect_uri
from .failures import FAILURES
from .interpretation import (
    AcceptedCallback,
    ConfirmedClient,
    FromRequest,
    Problem,
    Refusal,
    RefusedCallback,
    RefusedPaste,
)
from .outcome import LoginFailure
from .progress import CallbackReceived
from .states import LoginState, Trigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from .events import CallbackArrived, RequestReceived
    from .interpretation import Interpretation
    from .state import LoginData

_PROBLEMS: Final[Mapping[CallbackVerdict, Trigger]] = {
    CallbackVerdict.ISSUER_MISMATCHED: Trigger.CALLBACK_ISSUER_MISMATCHED,
    CallbackVerdict.DENIED: Trigger.CALLBACK_DENIED,
    CallbackVerdict.WITHOUT_CODE: Trigger.CALLBACK_WITHOUT_CODE,
    CallbackVerdict.CLIENT_REFUSED: Trigger.CALLBACK_CLIENT_REFUSED,
}
_REPEATS: Final[Mapping[CallbackVerdict, Trigger]] = {
    CallbackVerdict.REPEATED: Trigger.CALLBACK_REPEATED,
    CallbackVerdict.CONFLICTED: Trigger.CALLBACK_CONFLICTED,
}

_WAITING: Final = LoginState.AWAITING_CALLBACK
_ACCEPTED: Final = (Trigger.CALLBACK_ACCEPTED, Trigger.CLIENT_CONFIRMED)
_CALLBACKS: Final = frozenset(
    (
        *(*_ACCEPTED, Trigger.CALLBACK_MISMATCHED, Trigger.CALLBACK_FROM_OTHER_USER),
        *(*_PROBLEMS.values(), *_REPEATS.values()),
    )
)
_REASONS: Final[Mapping[Trigger, str]] = {
    Trigger.CALLBACK_MISMATCHED: "the callback does not carry this sign-in's state",
    Trigger.CALLBACK_FROM_OTHER_USER: "a program of another user on this machine, or one that left at once, sent it",
}


def interpret_request(event: RequestReceived, login: LoginData) -> Interpretation | None:
    """Interpret a request to the callback listener.

    Returns:
        The meaning; None if another login server asks this one to stop.
    """
    classified = classify_request(event.method, event.target, event.headers, _rules(login))
    if isinstance(classified, Callback):
        if event.from_other_user and not login.options.any_user:
            return _refused(Trigger.CALLBACK_FROM_OTHER_USER, event.request_id, login)
        return _callback(classified, event.request_id, login)
    if isinstance(classified, Refused):
        return Refusal(trigger=Trigger.REQUEST_REFUSED, request_id=event.request_id, response=classified.response)
    if isinstance(classified, Mismatched):
        return _refused(Trigger.CALLBACK_MISMATCHED, event.request_id, login)
    if isinstance(classified, SuccessPageRequested):
        return FromRequest(trigger=Trigger.SUCCESS_PAGE_REQUESTED, request_id=event.request_id)
    if isinstance(classified, StartPageRequested):
        if event.from_other_user and not login.options.any_user:
            return Refusal(trigger=Trigger.REQUEST_REFUSED, request_id=event.request_id, response=refusal(403))
        return FromRequest(trigger=Trigger.START_PAGE_REQUESTED, request_id=event.request_id)
    return None


def describe_callback(event: RequestReceived, login: LoginData) -> CallbackReceived | None:
    """Describe a callback that is not accepted.

    Args:
        event: A request to the callback listener.
        login: The login, which is not changed.

    Returns:
        The report, without a value from the callback; None for another request, for the accepted callback, and after
        the outcome.
    """
    if (
        login.auth_url is None
        or login.outcome is not None
        or login.options.provider.callback_path.encode() not in event.target
    ):
        return None
    meaning = interpret_request(event, login)
    trigger = None if meaning is None else meaning.trigger
    if trigger not in _CALLBACKS or (trigger in _ACCEPTED and login.state is _WAITING):
        return None
    parameters = read_query(split_target(event.target)[1].partition(b"?")[2]) or {}
    return CallbackReceived(
        has_code="code" in parameters,
        has_state="state" in parameters,
        has_error="error" in parameters,
        state_valid=trigger is not Trigger.CALLBACK_MISMATCHED,
        accepted=False,
    )


def interpret_paste(text: str, login: LoginData) -> Interpretation:
    """Interpret a pasted text."""
    classified = classify_paste(text, _rules(login))
    if isinstance(classified, PasteProblem):
        return RefusedPaste(trigger=Trigger.PASTE_REFUSED, problem=classified)
    return _callback(classified, None, login)


def interpret_arrival(event: CallbackArrived, login: LoginData) -> Interpretation:
    """Interpret a callback that the host's own web server received.

    Args:
        event: The callback. A query that is too long, or cannot be read, has not this login's ``state``.
        login: The login, which is not changed.

    Raises:
        UnexpectedEvent: The login has a listener, or its address is not known yet.
    """
    if login.auth_url is None or login.options.redirect_uri is None:
        raise UnexpectedEvent(login.state, event)
    classified = classify_callback(event.query, _rules(login)) if len(event.query) <= MAX_TARGET else None
    if isinstance(classified, Callback):
        return _callback(classified, None, login)
    return _refused(Trigger.CALLBACK_MISMATCHED, None, login)


def _callback(callback: Callback, request_id: int | None, login: LoginData) -> Interpretation:
    verdict, provider = callback.verdict, login.options.provider
    if verdict is CallbackVerdict.ACCEPTED and provider.dialect.issues_clients:
        from ..server.registration import Registration  # noqa: PLC0415 - not for the default provider

        registration = Registration(
            issuer=provider.origin,
            client_id=callback.client_id or provider.client_id,
            redirect_uri=redirect_uri(login.options, login.port),
        )
        return ConfirmedClient(
            trigger=Trigger.CLIENT_CONFIRMED, request_id=request_id, code=callback.code, registration=registration
        )
    if verdict is CallbackVerdict.ACCEPTED:
        return AcceptedCallback(trigger=Trigger.CALLBACK_ACCEPTED, request_id=request_id, code=callback.code)
    if verdict in _REPEATS:
        return FromRequest(trigger=_REPEATS[verdict], request_id=request_id)
    return Problem(trigger=_PROBLEMS[verdict], request_id=request_id, message=callback.message)


def _refused(trigger: Trigger, request_id: int | None, login: LoginData) -> RefusedCallback:
    step, category = FAILURES[trigger]
    message = _REASONS[trigger]
    failure = LoginFailure(step=step, category=category, message=message, help_url=login.options.provider.help_url)
    return RefusedCallback(trigger=trigger, request_id=request_id, message=message, response=failure.response())


def _rules(login: LoginData) -> CallbackRules:
    return CallbackRules(
        provider=login.options.provider,
        port=login.port,
        state=login.secrets.state,
        accepted_code=login.code,
        success_path=success_path(login.secrets),
        start_path=start_path(login.secrets) if login.has_start_page and login.state is _WAITING else "",
        hide=login.known_secrets(),
    )
