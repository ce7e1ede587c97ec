"""Interpret an event: find out what it means for a refresh. The refresh is not changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..base.errors import UnexpectedEvent
from ..base.text import clean_text
from ..login.events import CredentialsSaved, SaveFailed, TokenRequestFailed, TokenResponseReceived, is_moment
from ..model.credentials import why_unknown
from ..model.issuer import why_not_from
from .effective import applicable
from .events import AccessTokenWanted, CredentialsLoaded, LoadFailed, LockBusy, LockFailed, LockTaken, RefreshEvent
from .failures import RefreshFailure
from .interpret_response import interpret_failure, interpret_response
from .interpretation import Interpretation, Problem, StoreRead
from .outcome import digest_of, due_at
from .states import RefreshState, RefreshTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..model.credentials import Credentials
    from ..model.tokens import Tokens
    from .state import RefreshData

RETRY_AFTER: Final = 30.0
"""Seconds between two attempts while the old token is valid."""
_IDENTITY_ONLY: Final = "the sign-in only says who the person is, and the provider gave no access token"
_LOCKED: Final = "another session was renewing the tokens all the time"
_REFUSED_BEFORE: Final = "the provider has refused this refresh token before, and it was not sent again"
_AFTER_RESPONSE: Final = (RefreshState.READING_BEFORE_SAVING, RefreshState.READING_AFTER_REFUSAL)


def interpret(event: RefreshEvent, refresh: RefreshData) -> Interpretation:
    """Find out what an event means for a refresh.

    Args:
        event: The event.
        refresh: The refresh, which is not changed.

    Raises:
        UnexpectedEvent: The event answers an action that the machine never returned, or its time is out of range.
    """
    return _INTERPRETERS[type(event)](event, refresh)


def _access_token_wanted(_event: AccessTokenWanted, _: RefreshData) -> Interpretation:
    return Interpretation(trigger=RefreshTrigger.ACCESS_TOKEN_WANTED)


# What is stored


def _load_failed(event: LoadFailed, refresh: RefreshData) -> Problem:
    if not is_moment(event.failed_at):
        raise UnexpectedEvent(refresh.state, event)
    message = clean_text(event.message, hide=refresh.known_secrets())
    if refresh.state in _AFTER_RESPONSE:
        # New tokens must not be lost, and a refusal stays a refusal, whatever is wrong with the store.
        unknown = RefreshTrigger.CREDENTIALS_UNKNOWN
        return Problem(trigger=unknown, message=message, failure=refresh.failure, now=event.failed_at)
    unsaved = refresh.memory.unsaved
    read = StoreRead(trigger=RefreshTrigger.CREDENTIALS_CURRENT, now=event.failed_at, credentials=unsaved)
    if unsaved is not None and not refresh.is_unwanted(unsaved) and refresh.is_valid_at(unsaved, event.failed_at):
        # These tokens are in memory only.
        return read
    return _as(read, RefreshTrigger.CREDENTIALS_UNREADABLE, message)


def _credentials_loaded(event: CredentialsLoaded, refresh: RefreshData) -> StoreRead:
    if not is_moment(event.loaded_at):
        raise UnexpectedEvent(refresh.state, event)
    tokens = event.credentials.tokens if event.credentials else None
    stored = tokens.refresh_token if tokens else None
    credentials = event.credentials
    if refresh.memory.unsaved is not None and stored is not None and stored == refresh.memory.replaces:
        credentials = refresh.memory.unsaved
    read = StoreRead(
        trigger=RefreshTrigger.CREDENTIALS_CURRENT, now=event.loaded_at, credentials=credentials, stored=stored
    )
    if refresh.state in _AFTER_RESPONSE and stored is not None and stored == refresh.stored:
        unchanged = RefreshTrigger.CREDENTIALS_UNCHANGED
        return read.__replace__(trigger=unchanged, is_unchanged=True, failure=refresh.failure)
    choice = applicable(credentials, refresh.provider_for(credentials), environment_key=refresh.environment_key)
    if choice is None:
        return _as(read, RefreshTrigger.CREDENTIALS_MISSING, "nothing is stored")
    if choice.bearer is None:
        words = why_unknown(choice.mode) or f"the stored mode is {choice.mode}, and there is no token for it"
        words = _IDENTITY_ONLY if choice.is_identity_only else words
        return _as(read, RefreshTrigger.CREDENTIALS_UNSUPPORTED, words)
    tokens = choice.credentials.tokens
    if tokens is None or choice.bearer != tokens.access_token:
        # An API key is delivered as it is.
        return _as(read, RefreshTrigger.CREDENTIALS_RENEWED) if refresh.state in _AFTER_RESPONSE else read
    foreign = why_not_from(choice.credentials, refresh.named_provider)
    if foreign:
        return _as(read, RefreshTrigger.PROVIDER_MISMATCHED, f"no token is sent or given: {foreign}")
    if refresh.state in _AFTER_RESPONSE:
        return _judge_others(read, choice.credentials, event.loaded_at, refresh)
    return _judge_tokens(read, tokens, event, refresh)


def _judge_others(read: StoreRead, others: Credentials, now: float, refresh: RefreshData) -> StoreRead:
    """Decide whether to adopt other tokens that were stored while the token request was under way."""
    words = "other tokens were stored meanwhile, and"
    if not refresh.is_valid_at(others, now):
        return _as(read, RefreshTrigger.REFRESH_UNAVAILABLE, f"{words} they are over")
    if refresh.is_unwanted(others):
        return _as(read, RefreshTrigger.REFRESH_UNAVAILABLE, f"{words} their access token is not wanted")
    return _as(read, RefreshTrigger.CREDENTIALS_RENEWED)


def _judge_tokens(read: StoreRead, tokens: Tokens, event: CredentialsLoaded, refresh: RefreshData) -> StoreRead:
    """Decide what to do with the tokens that apply."""
    now, memory = event.loaded_at, refresh.memory
    assert read.credentials is not None
    is_valid = refresh.is_valid_at(read.credentials, now)
    rejected = refresh.is_unwanted(read.credentials)
    if refresh.seen not in (None, tokens.access_token) and is_valid and not rejected:
        return _as(read, RefreshTrigger.CREDENTIALS_RENEWED)
    has_refresh_token = tokens.has_refresh_token
    tried = any(
        0 <= now - moment < RETRY_AFTER for moment in (memory.tried_at, tokens.refresh_sent_at) if moment is not None
    )
    first, waits = refresh.state is RefreshState.READING, read.credentials.unverified is not None
    if (
        not rejected
        and not waits
        and not _needs_refresh(read, tokens, now, refresh, can_keep=is_valid and not has_refresh_token)
    ):
        is_unsaved = read.credentials == memory.unsaved and not (first and tried)
        return _as(read, RefreshTrigger.SAVE_DUE, _LOCKED) if is_unsaved else read
    if not has_refresh_token:
        return _as(read, RefreshTrigger.REFRESH_HOPELESS, "no refresh token is stored")
    refusal = _refusal_of(read, event, refresh)
    if refusal is not None:
        is_last = is_valid and not rejected
        ending = RefreshTrigger.SIGN_IN_ENDED if is_last else RefreshTrigger.REFRESH_HOPELESS
        return _as(read, ending).__replace__(failure=refusal)
    if first and tried and is_valid and not rejected:
        return _as(read, RefreshTrigger.REFRESH_POSTPONED, "the last try was a moment ago")
    if waits and refresh.state is RefreshState.READING_AGAIN:
        return _as(read, RefreshTrigger.VERIFICATION_DUE)
    earliest = tokens.earliest_refresh()
    if not waits and earliest is not None and now < earliest:
        return _as(read, RefreshTrigger.REFRESH_TOO_EARLY, f"the provider accepts no refresh before {_time(earliest)}")
    return _as(read, RefreshTrigger.REFRESH_DUE, _LOCKED)


def _time(moment: float) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - few refreshes are too early

    try:
        return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return "a time after the year 9999"


def _refusal_of(read: StoreRead, event: CredentialsLoaded, refresh: RefreshData) -> RefreshFailure | None:
    """Return the failure of a refresh token that was refused before, by this session or another; None if it was not."""
    assert read.credentials is not None
    memory, known = refresh.memory, event.refusal
    if memory.refused is None and known is None:
        return None
    digest = digest_of(read.credentials, refresh.provider_for(read.credentials))
    if digest == memory.refused:
        return memory.refusal
    if known is None or digest != known.digest:
        return None
    return RefreshFailure(category=known.category, message=_REFUSED_BEFORE, trigger=RefreshTrigger.REFRESH_HOPELESS)


def _needs_refresh(read: StoreRead, tokens: Tokens, now: float, refresh: RefreshData, *, can_keep: bool) -> bool:
    assert read.credentials is not None
    if can_keep or (tokens.expiry is None and refresh.is_new(read.credentials, now)):
        return False
    received = read.credentials.last_refresh_time()
    return now >= due_at(tokens, received.timestamp() if received else None)


def _as(read: StoreRead, trigger: RefreshTrigger, message: str = "") -> StoreRead:
    return read.__replace__(trigger=trigger, message=message)


# The lock


def _lock_taken(_event: LockTaken, _: RefreshData) -> Interpretation:
    return Interpretation(trigger=RefreshTrigger.LOCK_TAKEN)


def _lock_busy(_event: LockBusy, _: RefreshData) -> Interpretation:
    return Interpretation(trigger=RefreshTrigger.LOCK_BUSY)


def _lock_failed(event: LockFailed, refresh: RefreshData) -> Problem:
    message = clean_text(event.message, hide=refresh.known_secrets())
    return Problem(trigger=RefreshTrigger.LOCK_FAILED, message=message)


# The new tokens are stored


def _credentials_saved(_event: CredentialsSaved, _: RefreshData) -> Interpretation:
    return Interpretation(trigger=RefreshTrigger.CREDENTIALS_SAVED)


def _save_failed(event: SaveFailed, refresh: RefreshData) -> Problem:
    message = clean_text(event.message, hide=refresh.known_secrets())
    return Problem(trigger=RefreshTrigger.SAVE_FAILED, message=message)


_INTERPRETERS: Final[Mapping[type[RefreshEvent], Callable[[Any, RefreshData], Interpretation]]] = {
    AccessTokenWanted: _access_token_wanted,
    CredentialsLoaded: _credentials_loaded,
    LoadFailed: _load_failed,
    LockTaken: _lock_taken,
    LockBusy: _lock_busy,
    LockFailed: _lock_failed,
    TokenResponseReceived: interpret_response,
    TokenRequestFailed: interpret_failure,
    CredentialsSaved: _credentials_saved,
    SaveFailed: _save_failed,
}
"""The function for each type of event. A test checks that each type has one."""
