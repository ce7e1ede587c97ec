"""An event, seen by a refresh -> its meaning. Pure: nothing is changed here."""

from __future__ import annotations

from ..base.errors import UnexpectedEvent
from ..base.http import TransportProblem
from ..base.records import Record
from ..base.text import clean_text, safe_url
from ..login import events
from ..model import claims
from ..model.account import read_account
from ..oauth import token_requests
from ..oauth import token_responses as oauth
from . import events as refresh_events
from .effective import applicable
from .table import RefreshState, RefreshTrigger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..base.secret import Secret
    from ..model.credentials import Credentials, Tokens
    from ..model.tokens import RefreshedTokens
    from .effects import Refresh
    from .events import RefreshEvent
    from .failures import RefreshFailure

REFRESH_AHEAD: Final = 300.0
"""Seconds before its end at which an access token is renewed."""
OLDEST: Final = 8 * 86400.0
"""Seconds after which tokens are renewed that do not say when they end."""
RETRY_AFTER: Final = 30.0
"""Seconds between two tries while the old token lasts."""
_LOCKED: Final = "another session was renewing the tokens all the time"
_CHECKING: Final = (RefreshState.COMPARING, RefreshState.DOUBTING)


class RefreshStep(Record):
    """A trigger, and what its effect needs to know."""

    trigger: RefreshTrigger
    message: str = ""
    """Clean words for a failure."""
    now: float | None = None
    """The time, if the event tells it."""
    loaded: bool = False
    """The store was read, and `credentials` are those that count now."""
    credentials: Credentials | None = None
    stored: Secret | None = None
    """The refresh token that is in the store."""
    refreshed: Credentials | None = None
    failure: RefreshFailure | None = None
    """One that was reported before."""


def interpret_refresh(event: RefreshEvent, refresh: Refresh) -> RefreshStep:  # noqa: C901 - one arm an event
    """Say what an event means.

    Raises:
        UnexpectedEvent: It answers what was never asked, or its time is none.
    """
    match event:
        case refresh_events.AccessTokenWanted():
            return RefreshStep(trigger=RefreshTrigger.ACCESS_TOKEN_WANTED)
        case refresh_events.CredentialsLoaded():
            return _loaded(event, refresh)
        case refresh_events.LoadFailed(message=message):
            return _load_failed(clean_text(message), refresh)
        case refresh_events.LockTaken():
            return RefreshStep(trigger=RefreshTrigger.LOCK_TAKEN)
        case refresh_events.LockBusy():
            return RefreshStep(trigger=RefreshTrigger.LOCK_BUSY)
        case refresh_events.LockFailed(message=message):
            return RefreshStep(trigger=RefreshTrigger.LOCK_FAILED, message=clean_text(message))
        case events.TokenResponseReceived():
            return _token_response(event, refresh)
        case events.TokenRequestFailed():
            return _token_failure(event, refresh)
        case events.CredentialsSaved():
            return RefreshStep(trigger=RefreshTrigger.CREDENTIALS_SAVED)
        case events.SaveFailed(message=message):
            words = clean_text(message, hide=refresh.known_secrets())
            return RefreshStep(trigger=RefreshTrigger.SAVE_FAILED, message=words)
    from typing import assert_never  # noqa: PLC0415

    return assert_never(event)


def is_due(tokens: Tokens, last_refresh: float | None, now: float) -> bool:
    """Whether tokens should be renewed, as they say themselves.

    Args:
        tokens: Whose access token may say when it ends.
        last_refresh: When they were received, in seconds since 1970; None if unknown.
        now: In seconds since 1970.
    """
    ends = tokens.expires_at()
    if ends is not None:
        return ends - now <= REFRESH_AHEAD
    return last_refresh is not None and now - last_refresh > OLDEST


# What is stored


def _load_failed(message: str, refresh: Refresh) -> RefreshStep:
    if refresh.state in _CHECKING:
        # Whatever is wrong with it: new tokens must not be lost, and a refusal stays one.
        return RefreshStep(trigger=RefreshTrigger.CREDENTIALS_UNKNOWN, message=message, failure=refresh.failure)
    unsaved = refresh.memory.unsaved
    if unsaved is not None:
        # They are nowhere else.
        return RefreshStep(trigger=RefreshTrigger.CREDENTIALS_CURRENT, loaded=True, credentials=unsaved)
    return RefreshStep(trigger=RefreshTrigger.CREDENTIALS_UNREADABLE, message=message)


def _loaded(event: refresh_events.CredentialsLoaded, refresh: Refresh) -> RefreshStep:
    if not events.is_moment(event.loaded_at):
        raise UnexpectedEvent(refresh.state, event)
    stored = event.credentials
    tokens = stored.tokens if stored else None
    token = tokens.refresh_token if tokens else None
    counts = stored
    if refresh.memory.unsaved is not None and token is not None and token == refresh.memory.replaces:
        counts = refresh.memory.unsaved
    told = RefreshStep(
        trigger=RefreshTrigger.CREDENTIALS_CURRENT,
        now=event.loaded_at,
        loaded=True,
        credentials=counts,
        stored=token,
    )
    if refresh.state in _CHECKING and token is not None and token == refresh.stored:
        return told.__replace__(trigger=RefreshTrigger.CREDENTIALS_UNCHANGED, loaded=False, failure=refresh.failure)
    choice = applicable(counts, refresh.provider, environment_key=refresh.environment_key)
    if choice is None:
        return _told(told, RefreshTrigger.CREDENTIALS_MISSING, "nothing is stored")
    if choice.bearer is None:
        words = f"the stored mode is {clean_text(choice.mode)}, and there is no token for it"
        return _told(told, RefreshTrigger.CREDENTIALS_UNSUPPORTED, words)
    tokens = choice.credentials.tokens
    if tokens is None or choice.bearer != tokens.access_token:
        # An API key is handed out as it is.
        return _told(told, RefreshTrigger.CREDENTIALS_RENEWED) if refresh.state in _CHECKING else told
    if refresh.state in _CHECKING:
        if refresh.lasts_at(tokens, event.loaded_at):
            return _told(told, RefreshTrigger.CREDENTIALS_RENEWED)
        return _told(told, RefreshTrigger.REFRESH_UNAVAILABLE, "other tokens were stored meanwhile, and they are over")
    return _judged(told, tokens, refresh)


def _judged(told: RefreshStep, tokens: Tokens, refresh: Refresh) -> RefreshStep:
    """What is to be done about tokens that apply."""
    assert told.credentials is not None
    assert told.now is not None
    now, memory = told.now, refresh.memory
    lasts = refresh.lasts_at(tokens, now)
    if refresh.seen is None:
        rejected = refresh.wanted.forced or tokens.access_token == refresh.wanted.rejected
    else:
        rejected = tokens.access_token == refresh.unwanted
        if tokens.access_token != refresh.seen and lasts and not rejected:
            return _told(told, RefreshTrigger.CREDENTIALS_RENEWED)
    moment = told.credentials.last_refresh_time()
    due = is_due(tokens, moment.timestamp() if moment else None, now)
    is_new = refresh.is_new(tokens, now)
    tried = memory.tried_at is not None and 0 <= now - memory.tried_at < RETRY_AFTER
    first = refresh.state is RefreshState.READING
    if not rejected and (not due or is_new or (lasts and not tokens.refresh_token.reveal())):
        unsaved = told.credentials == memory.unsaved and not (first and tried)
        return _told(told, RefreshTrigger.SAVE_DUE, _LOCKED) if unsaved else told
    if not tokens.refresh_token.reveal():
        return _told(told, RefreshTrigger.REFRESH_HOPELESS, "no refresh token is stored")
    if tokens.refresh_token == memory.refused:
        return _told(told, RefreshTrigger.REFRESH_HOPELESS).__replace__(failure=memory.refusal)
    if first and tried and lasts and not rejected:
        return _told(told, RefreshTrigger.REFRESH_POSTPONED, "the last try was a moment ago")
    return _told(told, RefreshTrigger.REFRESH_DUE, _LOCKED)


def _told(told: RefreshStep, trigger: RefreshTrigger, message: str = "") -> RefreshStep:
    return told.__replace__(trigger=trigger, message=message)


# What the token endpoint answers


def _token_failure(event: events.TokenRequestFailed, refresh: Refresh) -> RefreshStep:
    _check_outstanding(event, refresh)
    took = token_requests.REFRESH_TIMEOUT if event.kind is TransportProblem.TIMEOUT else 0.0
    return RefreshStep(
        trigger=RefreshTrigger.REFRESH_UNAVAILABLE, message=_endpoint(refresh, event.message), now=refresh.now + took
    )


def _token_response(event: events.TokenResponseReceived, refresh: Refresh) -> RefreshStep:
    if not events.is_moment(event.received_at):
        raise UnexpectedEvent(refresh.state, event)
    _check_outstanding(event, refresh)
    told = RefreshStep(trigger=RefreshTrigger.TOKENS_RECEIVED, now=event.received_at)
    answer = oauth.read_refresh(event, refresh.known_secrets())
    if isinstance(answer, oauth.GrantRefused):
        return _told(told, RefreshTrigger.REFRESH_TOKEN_REFUSED, _endpoint(refresh, answer.message))
    if isinstance(answer, oauth.Rejected):
        return _told(told, RefreshTrigger.REFRESH_UNAVAILABLE, _endpoint(refresh, answer.message))
    if isinstance(answer, oauth.Malformed):
        return _told(told, RefreshTrigger.REFRESH_RESPONSE_MALFORMED, _endpoint(refresh, answer.message))
    return _tokens(answer, told, refresh)


def _tokens(answer: RefreshedTokens, told: RefreshStep, refresh: Refresh) -> RefreshStep:
    """Check whose the new tokens are, before anything is kept."""
    assert told.now is not None
    assert refresh.credentials is not None
    assert refresh.credentials.tokens is not None
    old = refresh.credentials.tokens
    if answer.access_token is None and not refresh.lasts_at(old, told.now):
        words = _endpoint(refresh, "no access_token in the answer")
        return _told(told, RefreshTrigger.REFRESH_RESPONSE_MALFORMED, words)
    if answer.id_token is not None:
        whose = _account_id(answer.id_token, refresh)
        was = old.account_id or old.account(refresh.provider).account_id
        if whose and was and whose != was:
            return _told(told, RefreshTrigger.ACCOUNT_CHANGED, "the new id token is of another account")
        if whose is None and _account_id(old.id_token, refresh):
            # The old one is known to be readable; nothing that came with the new one must be lost.
            answer = answer.__replace__(id_token=None)
    return told.__replace__(refreshed=refresh.credentials.refreshed(answer, received_at=told.now))


def _account_id(id_token: Secret, refresh: Refresh) -> str | None:
    try:
        id_claims = claims.read_claims(id_token)
    except claims.ClaimError:
        return None
    return read_account(id_claims, {}, refresh.provider).account_id


def _check_outstanding(event: events.TokenResponseReceived | events.TokenRequestFailed, refresh: Refresh) -> None:
    if event.exchange_id != 1 or refresh.state is not RefreshState.EXCHANGING_REFRESH_TOKEN:
        raise UnexpectedEvent(refresh.state, event)


def _endpoint(refresh: Refresh, words: str) -> str:
    return f"{safe_url(refresh.provider.token_endpoint)}: {clean_text(words, hide=refresh.known_secrets())}"
