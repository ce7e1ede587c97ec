"""Interpret an event: find out what it means for a refresh. The refresh is not changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..base.errors import UnexpectedEvent
from ..base.http import TransportProblem
from ..base.text import DRIVER_TEXT_LIMIT, clean_text, safe_url
from ..login.events import CredentialsSaved, SaveFailed, TokenRequestFailed, TokenResponseReceived, is_moment
from ..model.credentials import why_unknown
from ..model.issuer import why_not_from
from ..model.provenance import provenance_of_provider
from ..oauth import token_requests
from ..oauth.token_responses import ClientRefused, GrantRefused, Malformed, Rejected, read_refresh
from .effective import applicable
from .events import AccessTokenWanted, CredentialsLoaded, LoadFailed, LockBusy, LockFailed, LockTaken, RefreshEvent
from .failures import RefreshFailure
from .identity import change_of_identity, says_less
from .interpretation import Interpretation, Problem, ReceivedTokens, StoreRead
from .outcome import digest_of
from .states import RefreshState, RefreshTrigger

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..model.credentials import Tokens
    from ..model.tokens import RefreshedTokens
    from .state import RefreshData

REFRESH_AHEAD: Final = 300.0
"""Seconds before its expiry at which an access token is refreshed."""
OLDEST: Final = 8 * 86400.0
"""Seconds after which tokens without an expiry are refreshed."""
RETRY_AFTER: Final = 30.0
"""Seconds between two attempts while the old token is valid."""
_LOCKED: Final = "another session was renewing the tokens all the time"
_REFUSED_BEFORE: Final = "the provider has refused this refresh token before, and it was not sent again"
_CHECKING: Final = (RefreshState.COMPARING, RefreshState.DOUBTING)


def interpret(event: RefreshEvent, refresh: RefreshData) -> Interpretation:
    """Find out what an event means for a refresh.

    Args:
        event: The event.
        refresh: The refresh, which is not changed.

    Raises:
        UnexpectedEvent: The event answers an action that the machine never returned, or its time is out of range.
    """
    return _INTERPRETERS[type(event)](event, refresh)


def is_due(tokens: Tokens, last_refresh: float | None, now: float) -> bool:
    """Return whether tokens should be refreshed, because of their expiry or their age.

    Args:
        tokens: The tokens. The access token may have an expiry.
        last_refresh: When they were received, in seconds since 1970; None if unknown.
        now: The time, in seconds since 1970.
    """
    ends = tokens.expires_at()
    if ends is not None:
        return ends - now <= REFRESH_AHEAD
    return last_refresh is not None and now - last_refresh > OLDEST


def _access_token_wanted(_event: AccessTokenWanted, _: RefreshData) -> Interpretation:
    return Interpretation(trigger=RefreshTrigger.ACCESS_TOKEN_WANTED)


# What is stored


def _load_failed(event: LoadFailed, refresh: RefreshData) -> Problem:
    message = clean_text(event.message, hide=refresh.known_secrets())
    if refresh.state in _CHECKING:
        # New tokens must not be lost, and a refusal stays a refusal, whatever is wrong with the store.
        return Problem(trigger=RefreshTrigger.CREDENTIALS_UNKNOWN, message=message, failure=refresh.failure)
    if refresh.memory.unsaved is not None:
        # These tokens are in memory only.
        return StoreRead(trigger=RefreshTrigger.CREDENTIALS_CURRENT, credentials=refresh.memory.unsaved)
    return Problem(trigger=RefreshTrigger.CREDENTIALS_UNREADABLE, message=message)


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
    if refresh.state in _CHECKING and stored is not None and stored == refresh.stored:
        unchanged = RefreshTrigger.CREDENTIALS_UNCHANGED
        return read.__replace__(trigger=unchanged, is_unchanged=True, failure=refresh.failure)
    choice = applicable(credentials, refresh.provider_for(credentials), environment_key=refresh.environment_key)
    if choice is None:
        return _as(read, RefreshTrigger.CREDENTIALS_MISSING, "nothing is stored")
    if choice.bearer is None:
        words = why_unknown(choice.mode) or f"the stored mode is {choice.mode}, and there is no token for it"
        return _as(read, RefreshTrigger.CREDENTIALS_UNSUPPORTED, words)
    tokens = choice.credentials.tokens
    if tokens is None or choice.bearer != tokens.access_token:
        # An API key is delivered as it is.
        return _as(read, RefreshTrigger.CREDENTIALS_RENEWED) if refresh.state in _CHECKING else read
    foreign = why_not_from(tokens, refresh.named_provider)
    if foreign:
        return _as(read, RefreshTrigger.PROVIDER_MISMATCHED, f"no token is sent or given: {foreign}")
    if refresh.state in _CHECKING:
        if refresh.is_valid_at(choice.credentials, event.loaded_at):
            return _as(read, RefreshTrigger.CREDENTIALS_RENEWED)
        return _as(read, RefreshTrigger.REFRESH_UNAVAILABLE, "other tokens were stored meanwhile, and they are over")
    return _judge_tokens(read, tokens, event, refresh)


def _judge_tokens(read: StoreRead, tokens: Tokens, event: CredentialsLoaded, refresh: RefreshData) -> StoreRead:
    """Decide what to do with the tokens that apply."""
    now, memory = event.loaded_at, refresh.memory
    assert read.credentials is not None
    is_valid = refresh.is_valid_at(read.credentials, now)
    if refresh.seen is None:
        rejected = refresh.wanted.forced or tokens.access_token == refresh.wanted.rejected
    else:
        rejected = tokens.access_token == refresh.unwanted
        if tokens.access_token != refresh.seen and is_valid and not rejected:
            return _as(read, RefreshTrigger.CREDENTIALS_RENEWED)
    has_refresh_token = tokens.refresh_token.reveal() != ""
    tried = memory.tried_at is not None and 0 <= now - memory.tried_at < RETRY_AFTER
    first = refresh.state is RefreshState.READING
    if not rejected and not _needs_refresh(read, tokens, now, refresh, can_keep=is_valid and not has_refresh_token):
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
    return _as(read, RefreshTrigger.REFRESH_DUE, _LOCKED)


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
    if can_keep or refresh.is_new(read.credentials, now):
        return False
    received = read.credentials.last_refresh_time()
    return is_due(tokens, received.timestamp() if received else None, now)


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


# The response of the token endpoint


def _token_request_failed(event: TokenRequestFailed, refresh: RefreshData) -> Problem:
    _check_outstanding(event, refresh)
    took = token_requests.REFRESH_TIMEOUT if event.kind is TransportProblem.TIMEOUT else 0.0
    return _problem(RefreshTrigger.REFRESH_UNAVAILABLE, event.message, refresh, now=refresh.now + took)


def _token_response_received(event: TokenResponseReceived, refresh: RefreshData) -> Interpretation:
    if not is_moment(event.received_at):
        raise UnexpectedEvent(refresh.state, event)
    _check_outstanding(event, refresh)
    answer = read_refresh(event, refresh.known_secrets())
    if isinstance(answer, GrantRefused):
        return _problem(RefreshTrigger.REFRESH_TOKEN_REFUSED, answer.message, refresh, now=event.received_at)
    if isinstance(answer, ClientRefused):
        return _problem(RefreshTrigger.CLIENT_REFUSED, answer.message, refresh, now=event.received_at)
    if isinstance(answer, Rejected):
        return _problem(RefreshTrigger.REFRESH_UNAVAILABLE, answer.message, refresh, now=event.received_at)
    if isinstance(answer, Malformed):
        return _problem(RefreshTrigger.REFRESH_RESPONSE_MALFORMED, answer.message, refresh, now=event.received_at)
    return _check_tokens(answer, event.received_at, refresh)


def _check_tokens(answer: RefreshedTokens, now: float, refresh: RefreshData) -> Interpretation:
    """Check that the new tokens are of the same sign-in as the old ones."""
    old = refresh.tokens
    assert refresh.credentials is not None
    if answer.access_token is None and not refresh.is_valid_at(refresh.credentials, now):
        words = "no access_token in the answer"
        return _problem(RefreshTrigger.REFRESH_RESPONSE_MALFORMED, words, refresh, now=now)
    if answer.id_token is not None:
        change = change_of_identity(answer.id_token, old, refresh.provider)
        if change:
            words = f"the new id token {change}"
            return Problem(trigger=RefreshTrigger.ACCOUNT_CHANGED, message=words, now=now)
        if says_less(answer.id_token, old, refresh.provider):
            # The old id token is kept. The other new tokens must not be lost.
            answer = answer.__replace__(id_token=None)
    origin = provenance_of_provider(refresh.provider)
    refreshed = refresh.credentials.refreshed(answer, received_at=now, provenance=origin)
    return ReceivedTokens(trigger=RefreshTrigger.TOKENS_RECEIVED, refreshed=refreshed, now=now)


def _check_outstanding(event: TokenResponseReceived | TokenRequestFailed, refresh: RefreshData) -> None:
    if event.exchange_id != 1 or refresh.state is not RefreshState.EXCHANGING_REFRESH_TOKEN:
        raise UnexpectedEvent(refresh.state, event)


def _problem(trigger: RefreshTrigger, words: str, refresh: RefreshData, *, now: float) -> Problem:
    """Return a problem that names the token endpoint."""
    message = clean_text(words, hide=refresh.known_secrets(), limit=DRIVER_TEXT_LIMIT)
    return Problem(trigger=trigger, message=f"{safe_url(refresh.provider.token_endpoint)}: {message}", now=now)


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
    TokenResponseReceived: _token_response_received,
    TokenRequestFailed: _token_request_failed,
    CredentialsSaved: _credentials_saved,
    SaveFailed: _save_failed,
}
"""The function for each type of event. A test checks that each type has one."""
