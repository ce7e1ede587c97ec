"""Describe a replayed refresh or sign-out in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...base.text import clean_text, safe_url
from ...refresh import actions as refresh_actions
from ...refresh import events as refresh_events
from ...refresh.failures import RefreshFailure
from ...refresh.outcome import RefreshSuccess
from ...sign_out import actions as sign_out_actions
from ...sign_out import events as sign_out_events
from ...sign_out.outcome import SignOutFailure, SignOutResult
from ..story import action_words, all_lines, event_words, head_of, more_events
from .reader import REFRESH, SIGN_OUT
from .replay import session_outcome_words

if TYPE_CHECKING:
    from ...model.credentials import Credentials
    from ...sign_out.outcome import SignOutOutcome
    from ..server.kinds import RequestKinds
    from .reader import SessionTrace
    from .replay import SessionReplay

_NAMES: Final = {REFRESH: "refresh", SIGN_OUT: "sign-out"}


def tell_session(replay: SessionReplay, *, until: int | None = None) -> list[str]:
    """Return the story of a refresh or a sign-out, in lines that are safe to print.

    Args:
        replay: The replay.
        until: The number of events to describe; None for all.
    """
    steps = replay.steps[:until]
    lines = all_lines(steps, _event_words, _action_words)
    return [*lines, *(more_events(len(replay.steps) - len(steps)) or [_end(replay)])]


def session_head(trace: SessionTrace) -> list[str]:
    """Return where a trace comes from and its provider, in lines that are safe to print.

    Empty if the trace does not say where it comes from.
    """
    provider = trace.provider
    words = "the provider that the stored tokens record"
    if provider is not None:
        words = f"{safe_url(provider.origin)} (client {provider.client_id})"
    return head_of(
        trace,
        f"{_NAMES[trace.of].capitalize()}: {words}{', an API key in the environment' * trace.has_environment_key}",
    )


def _end(replay: SessionReplay) -> str:
    name = _NAMES[replay.of]
    word, category = session_outcome_words(replay.outcome)
    if replay.outcome is None:
        state = replay.states[-1] if replay.states else "idle"
        return f"The trace stops while the {name} is {state.replace('_', ' ')}."
    if isinstance(replay.outcome, RefreshFailure | SignOutFailure):
        return f"The {name} {word}: {category} - {clean_text(replay.outcome.message)}"
    return f"The {name} {word}{f', and the sign-in has ended: {category}' if category else ''}."


def _event_words(event: Any, size: int | None, requests: RequestKinds) -> str:  # noqa: ANN401 - one arm an event
    match event:
        case refresh_events.AccessTokenWanted(forced=forced, rejected=rejected):
            which = [", a new one"] * forced + [", other than a rejected one"] * (rejected is not None)
            return f"a token is wanted{''.join(which)}"
        case refresh_events.CredentialsLoaded(credentials=credentials, refusal=refusal):
            known = "" if refusal is None else "; it remembers that a refresh token was refused"
            return f"the store holds {_credentials_words(credentials)}{known}"
        case refresh_events.LoadFailed(message=message):
            return f"the store cannot be read: {message}"
        case refresh_events.LockTaken():
            return "the lock is taken"
        case refresh_events.LockBusy():
            return "another session holds the lock"
        case refresh_events.LockFailed(message=message):
            return f"the store cannot be locked: {message}"
        case _:
            return _sign_out_event_words(event, size, requests)


def _sign_out_event_words(event: Any, size: int | None, requests: RequestKinds) -> str:  # noqa: ANN401 - one arm an event
    match event:
        case sign_out_events.SignOutWanted(keeps_tokens=keeps_tokens):
            return f"the person signs out{', and keeps the tokens valid' if keeps_tokens else ''}"
        case sign_out_events.CredentialsRemoved(removed=removed):
            return f"removed from the store: {_credentials_words(removed)}"
        case sign_out_events.RemovalFailed(message=message):
            return f"the credentials cannot be removed: {message}"
        case sign_out_events.RevocationEnded(problem=problem):
            return f"the revocation is not confirmed: {problem}" if problem else "the tokens are revoked"
        case _:
            return event_words(event, size, requests)


def _credentials_words(credentials: Credentials | None) -> str:
    if credentials is None:
        return "nothing"
    tokens = credentials.tokens
    held = [
        *(["an API key"] if credentials.api_key is not None else []),
        *(["tokens"] if tokens is not None and tokens.has_refresh_token else []),
        *(["tokens without a refresh token"] if tokens is not None and not tokens.has_refresh_token else []),
    ]
    when = f", of {credentials.last_refresh}" if credentials.last_refresh else ""
    return f"{' and '.join(held) or 'no token'} (mode {credentials.auth_mode}{when})"


def _action_words(action: Any, requests: RequestKinds) -> str:  # noqa: ANN401 - one arm an action
    match action:
        case refresh_actions.LoadCredentials():
            return "read the store"
        case refresh_actions.TakeLock(timeout=timeout):
            return f"take the lock, within {timeout:g} s"
        case refresh_actions.ReleaseLock():
            return "release the lock"
        case refresh_actions.RememberRefusal(refusal=refusal):
            return f"remember that the refresh token was refused: {refusal.category}"
        case refresh_actions.ForgetTokens():
            return "remove the tokens"
        case refresh_actions.Warn(message=message):
            return f"warn: {message}"
        case refresh_actions.Deliver(outcome=RefreshSuccess(delivery=delivery, message=message)):
            return f"deliver a token: {delivery}{f' ({message})' if message else ''}"
        case refresh_actions.Deliver(outcome=RefreshFailure() as failure):
            return f"report {failure.category}: {failure.message}"
        case _:
            return _sign_out_action_words(action, requests)


def _sign_out_action_words(action: Any, requests: RequestKinds) -> str:  # noqa: ANN401 - one arm an action
    match action:
        case sign_out_actions.RemoveCredentials():
            return "remove the credentials"
        case sign_out_actions.ReportRemoval(was_signed_in=was_signed_in):
            return "report that the credentials are removed" if was_signed_in else "report that nothing was stored"
        case sign_out_actions.RevokeTokens(url=url, timeout=timeout):
            return f"revoke the tokens at {safe_url(url)}, within {timeout:g} s"
        case sign_out_actions.EndSignOut(outcome=outcome):
            return f"finish: {_result_words(outcome)}"
        case _:
            return action_words(action, requests)


def _result_words(outcome: SignOutOutcome) -> str:
    if not isinstance(outcome, SignOutResult):
        return f"{outcome.category}: {outcome.message}"
    if outcome.is_revoked is None:
        return "signed out, nothing to revoke"
    return "signed out, and revoked" if outcome.is_revoked else f"signed out, not confirmed: {outcome.problem}"
