"""Describe a replay in words: each event, its meaning, the actions of the machine, and the new state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from ..base.http import header_values
from ..base.text import clean_text, safe_url
from ..login import actions, events, progress
from ..login.outcome import LoginCancellation, LoginFailure, LoginSuccess
from ..model.options import LoginMethod
from .server.kinds import RequestKinds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import Any

    from ..login.outcome import LoginOutcome
    from ..model.options import LoginOptions
    from .reader import AnyTrace, Trace
    from .replay import Replay, Replayed

_MARGIN = " " * 12
_NO_REQUESTS: Final = RequestKinds()
_WORDS: Final[Mapping[type[events.Event], str]] = {
    events.BrowserOpened: "a browser was launched",
    events.HttpsAttempted: "a client begins a TLS handshake",
    events.CallbackPasted: "the person pastes an address",
    events.CallbackArrived: "the host's own web server receives a callback",
    events.CredentialsSaved: "the credentials are stored",
    events.RegistrationSaved: "the registration is stored",
}


def tell(replay: Replay, *, until: int | None = None) -> list[str]:
    """Return the story of a login, in lines that are safe to print.

    Args:
        replay: The replay.
        until: The number of events to describe; None for all.
    """
    steps = replay.steps[:until]
    lines = all_lines(steps, event_words, action_words)
    return [*lines, *(more_events(len(replay.steps) - len(steps)) or _end(replay))]


def more_events(count: int) -> list[str]:
    """Return the line for events that are not described; none if there are none."""
    return [f"({count} more event{'s' if count > 1 else ''})"] if count else []


def head(trace: Trace) -> list[str]:
    """Return where a trace comes from and the options of its login, in lines that are safe to print.

    Empty if the trace does not say where it comes from.
    """
    return head_of(trace, f"Login: {_options_words(trace.options)}")


def head_of(trace: AnyTrace, words: str) -> list[str]:
    """Return where a trace comes from, and then some words. Empty if the trace does not say where it comes from."""
    lines = trace.origin.lines()
    return [*lines, f"{clean_text(words, limit=1024)}.", ""] if lines else []


def _options_words(options: LoginOptions) -> str:
    provider = options.provider
    words = [f"{safe_url(provider.origin)} (client {provider.client_id})"]
    ports = "the provider's ports" if options.port is None else _port_words(options.port)
    words.append(ports if options.redirect_uri is None else "a callback address of the host's own")
    words.append("opens a browser" if options.launches_browser else "opens no browser")
    words.append("no deadline" if options.deadline is None else f"deadline {options.deadline:g} s")
    if options.device_code_fallback:
        words.append("goes on in the browser if there are no device codes")
    if options.allowed_workspaces:
        words.append(f"{len(options.allowed_workspaces)} allowed workspace(s)")
    return ", ".join(words)


def outcome_words(outcome: LoginOutcome | None) -> tuple[str, str | None]:
    """Return how a login ended, in one word, and the category of its failure.

    The word is ``succeeded``, ``failed``, ``cancelled`` or ``unfinished``.
    """
    match outcome:
        case None:
            return "unfinished", None
        case LoginSuccess():
            return "succeeded", None
        case LoginCancellation(failure=failure):
            return "cancelled", failure.category
        case LoginFailure(category=category):
            return "failed", category
        case _:
            assert_never(outcome)


def all_lines(
    steps: Sequence[Replayed],
    event_words: Callable[[Any, int | None, RequestKinds], str],
    action_words: Callable[[Any, RequestKinds], str],
) -> list[str]:
    """Return the lines of some events.

    Args:
        steps: The replayed events, from the first one on.
        event_words: Returns an event in words, from the event, the real size of its body, and the requests so far.
        action_words: Returns an action in words, from the action and the requests so far.
    """
    requests = RequestKinds()
    return [line for step in steps for line in _step_lines(step, requests, event_words, action_words)]


def _step_lines(
    step: Replayed,
    requests: RequestKinds,
    event_words: Callable[[Any, int | None, RequestKinds], str],
    action_words: Callable[[Any, RequestKinds], str],
) -> Iterator[str]:
    meaning = "unexpected: a mistake of the host" if step.unexpected else step.trigger or "too late, dropped"
    yield f"{step.at:9.3f} s {clean_text(event_words(step.event, step.size, requests))}  [{meaning}]"
    # An action may abort a request and send the next one. Each has its own number.
    requests.note(step.after, step.actions)
    for action in step.actions:
        yield _MARGIN + clean_text(action_words(action, requests))
    if step.after is not step.before:
        yield f"{_MARGIN}=> {step.after}"


def _end(replay: Replay) -> Sequence[str]:
    word, category = outcome_words(replay.outcome)
    if replay.outcome is None:
        state = replay.states[-1] if replay.states else "idle"
        return [f"The trace stops while the login is {state.replace('_', ' ')}."]
    if category is None:
        return [f"The login {word}."]
    failure = replay.outcome.failure if isinstance(replay.outcome, LoginCancellation) else replay.outcome
    assert isinstance(failure, LoginFailure)
    word = "was cancelled" if word == "cancelled" else word
    return [f"The login {word}: {category} - {clean_text(failure.message)}", f"Advice for the person: {failure.hint}"]


def event_words(  # noqa: C901, PLR0912 - one arm an event
    event: events.Event, size: int | None = None, requests: RequestKinds = _NO_REQUESTS
) -> str:
    """Return an event in words, with the real size of its body or target, and what the requests so far were about."""
    match event:
        case events.Started(method=method):
            how = "" if method is LoginMethod.BROWSER else f" with a {method.replace('_', ' ')}"
            return f"the host starts the login{how}"
        case events.Bound(port=port):
            return f"port {port} is open"
        case events.BindFailed(kind=kind, message=message):
            return f"the port could not be opened ({kind}): {message}"
        case events.PreviousCancelled(accepted=accepted):
            return f"the program that holds the port {'agrees to stop' if accepted else 'does not stop'}"
        case events.TimerFired(timer=timer):
            return f"the timer {timer} runs out"
        case events.BrowserFailed(message=message):
            return f"no browser could be launched: {message}"
        case events.BrowserOpened() | events.HttpsAttempted() | events.CallbackPasted():
            return _WORDS[type(event)]
        case events.CredentialsSaved() | events.RegistrationSaved() | events.CallbackArrived():
            return _WORDS[type(event)]
        case events.RequestReceived() | events.ResponseSent() | events.ClientGone():
            return _request_words(event, size)
        case events.TokenResponseReceived():
            return _response_words(event, size, requests)
        case events.TokenRequestFailed(exchange_id=exchange_id, kind=kind, message=message):
            return f"{requests.words(exchange_id)} got no answer ({kind}): {message}"
        case events.SaveFailed(message=message) | events.RegistrationSaveFailed(message=message):
            what = "credentials" if isinstance(event, events.SaveFailed) else "registration"
            return f"the {what} could not be stored: {message}"
        case events.CancelRequested(reason=reason):
            return f"the host cancels: {reason}"
        case _:
            assert_never(event)


def _request_words(event: events.RequestReceived | events.ResponseSent | events.ClientGone, size: int | None) -> str:
    if isinstance(event, events.ResponseSent):
        return f"the answer to request {event.request_id} was sent"
    if isinstance(event, events.ClientGone):
        return f"the client of request {event.request_id} has left"
    path = event.target.partition(b"?")[0].decode("latin-1")
    sender = " by another user" if event.from_other_user else ""
    words = f"request {event.request_id}: {event.method.decode('latin-1')} {path}{sender}"
    return words if size is None else f"{words}, {size} bytes"


def _response_words(event: events.TokenResponseReceived, size: int | None, requests: RequestKinds) -> str:
    kinds = [value.decode("latin-1") for value in header_values(event.headers, b"content-type")]
    size = len(event.body) if size is None else size
    words = ", ".join([f"status {event.status}", *kinds, f"{size} bytes"])
    return f"{requests.words(event.exchange_id)} is answered: {words}"


def _port_words(port: int) -> str:
    return f"port {port}" if port else "any free port"


def action_words(  # noqa: C901, PLR0912 - one arm an action
    action: actions.Action, requests: RequestKinds = _NO_REQUESTS
) -> str:
    """Return an action in words, and what the requests so far were about."""
    match action:
        case actions.Bind(port=port, attempt=attempt):
            return f"open {_port_words(port)}, attempt {attempt}"
        case actions.CancelPrevious(port=port):
            return f"ask the program that holds port {port} to stop"
        case actions.StartTimer(timer=timer, seconds=seconds):
            return f"start the timer {timer}: {seconds:g} s"
        case actions.StopTimer(timer=timer):
            return f"stop the timer {timer}"
        case actions.OpenBrowser():
            return "open the browser"
        case actions.Respond(request_id=request_id, status=status):
            return f"answer request {request_id} with status {status}"
        case actions.SendTokenRequest(exchange_id=exchange_id, url=url, timeout=timeout):
            return f"send {requests.words(exchange_id)} to {safe_url(url)}, within {timeout:g} s"
        case actions.AbortTokenRequest(exchange_id=exchange_id):
            return f"abort {requests.words(exchange_id)}"
        case actions.SaveCredentials():
            return "store the credentials"
        case actions.SaveRegistration():
            return "store the registration"
        case actions.ReportProgress(phase=progress.Failed(category=category, message=message)):
            return f"report {category}: {message}"
        case actions.ReportProgress(phase=phase):
            return f"report {phase.name}"
        case actions.Finish(outcome=outcome):
            return f"finish: {outcome_words(outcome)[0]}"
        case actions.RevokeToken(url=url, timeout=timeout):
            return f"revoke the old tokens at {safe_url(url)}, within {timeout:g} s"
        case actions.CloseListener():
            return "close the listener"
        case _:
            assert_never(action)
