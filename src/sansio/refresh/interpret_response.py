"""Interpret the response to a refresh, and the provider's keys. The refresh is not changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..base.errors import UnexpectedEvent
from ..base.http import TransportProblem
from ..base.text import DRIVER_TEXT_LIMIT, clean_text, safe_url
from ..login.events import is_moment
from ..model.provenance import provenance_of_provider
from ..oauth import token_requests
from ..oauth.responses import Malformed, Rejected
from ..oauth.token_responses import ClientRefused, GrantRefused, read_refresh
from .effects import REQUEST
from .identity import change_of_identity, says_less
from .interpretation import Interpretation, Problem, ReceivedKeys, ReceivedTokens
from .states import RefreshState, RefreshTrigger

if TYPE_CHECKING:
    from ..base.secret import Secret
    from ..login.events import TokenRequestFailed, TokenResponseReceived
    from ..model.credentials import Credentials
    from ..model.tokens import RefreshedTokens
    from ..oauth.keys import KeySet
    from .state import RefreshData

_REQUESTING: Final = (RefreshState.FETCHING_KEYS, RefreshState.EXCHANGING_REFRESH_TOKEN)


def interpret_failure(event: TokenRequestFailed, refresh: RefreshData) -> Problem:
    """Interpret a request that got no response."""
    _check_outstanding(event, refresh)
    if refresh.state is RefreshState.FETCHING_KEYS:
        return _keys_problem(event.message, refresh, now=refresh.now)
    took = token_requests.REFRESH_TIMEOUT if event.kind is TransportProblem.TIMEOUT else 0.0
    return _problem(RefreshTrigger.REFRESH_UNAVAILABLE, event.message, refresh, now=refresh.now + took)


def interpret_response(event: TokenResponseReceived, refresh: RefreshData) -> Interpretation:
    """Interpret the response to a request."""
    if not is_moment(event.received_at):
        raise UnexpectedEvent(refresh.state, event)
    _check_outstanding(event, refresh)
    if refresh.state is RefreshState.FETCHING_KEYS:
        return _keys(event, refresh)
    answer = read_refresh(event, refresh.provider, refresh.known_secrets())
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
    is_usable = refresh.is_valid_at(refresh.credentials, now) and not refresh.is_unwanted(refresh.credentials)
    if answer.access_token is None and not is_usable:
        words = "no access_token in the answer"
        return _problem(RefreshTrigger.REFRESH_RESPONSE_MALFORMED, words, refresh, now=now)
    if answer.id_token is not None:
        change = change_of_identity(answer.id_token, old, refresh.provider)
        is_verified, problem = _verify(answer.id_token, refresh)
        if change or problem:
            words = f"the new id token {change or problem}"
            return Problem(trigger=RefreshTrigger.ACCOUNT_CHANGED, message=words, now=now)
        if not is_verified and refresh.provider.dialect.one_use_refresh_tokens:
            return _stored_apart(answer, now, refresh)
        if not is_verified or says_less(answer.id_token, old, refresh.provider):
            # The old id token is kept. The other new tokens must not be lost.
            answer = answer.__replace__(id_token=None)
    origin = provenance_of_provider(refresh.provider)
    refreshed = refresh.credentials.refreshed(answer, received_at=now, provenance=origin)
    return ReceivedTokens(trigger=RefreshTrigger.TOKENS_RECEIVED, refreshed=refreshed, now=now)


def _stored_apart(answer: RefreshedTokens, now: float, refresh: RefreshData) -> ReceivedTokens:
    """Return the old credentials with the new ones beside them, to be stored before the id token is verified."""
    assert refresh.credentials is not None
    unverified = refresh.credentials.refreshed(answer, received_at=now)
    tokens = refresh.tokens.__replace__(refresh_sent_at=None)
    refreshed = refresh.credentials.__replace__(tokens=tokens, unverified=unverified)
    return ReceivedTokens(trigger=RefreshTrigger.TOKENS_RECEIVED, refreshed=refreshed, now=now)


def _verified(waiting: Credentials, keys: KeySet, now: float, refresh: RefreshData) -> Interpretation:
    """Verify the id token of tokens that are stored apart."""
    from ..oauth.keys import KeyUnknown, SignatureRefused, verify_signature  # noqa: PLC0415 - as for `read_keys`

    assert waiting.tokens is not None
    assert waiting.tokens.id_token is not None
    id_token, provider = waiting.tokens.id_token, refresh.provider
    problem = change_of_identity(id_token, refresh.tokens, provider)
    try:
        verify_signature(id_token, keys, provider.id_token_signing_alg_values_supported)
    except SignatureRefused as error:
        problem = problem or f"was refused: {error}"
    except KeyUnknown as error:
        return _keys_problem(str(error), refresh, now=now)
    if problem:
        return Problem(trigger=RefreshTrigger.ACCOUNT_CHANGED, message=f"the new id token {problem}", now=now)
    return ReceivedTokens(trigger=RefreshTrigger.TOKENS_RECEIVED, refreshed=waiting, now=now)


def _verify(id_token: Secret, refresh: RefreshData) -> tuple[bool, str]:
    """Return whether an id token may be stored, and what is wrong with its signature, after "the new id token"."""
    provider = refresh.provider
    if provider.jwks_uri is None:
        return True, ""
    if refresh.keys is None:
        return False, ""
    from ..oauth.keys import KeyUnknown, SignatureRefused, verify_signature  # noqa: PLC0415 - as for `read_keys`

    try:
        verify_signature(id_token, refresh.keys, provider.id_token_signing_alg_values_supported)
    except SignatureRefused as error:
        return False, f"was refused: {error}"
    except KeyUnknown:
        # The keys were fetched a moment ago.
        return False, ""
    return True, ""


def _keys(event: TokenResponseReceived, refresh: RefreshData) -> Interpretation:
    from ..oauth.keys import KeysProblem, read_keys  # noqa: PLC0415 - not for the default provider

    found = read_keys(event)
    if isinstance(found, KeysProblem):
        return _keys_problem(found.message, refresh, now=event.received_at)
    waiting = refresh.credentials.unverified if refresh.credentials is not None else None
    if waiting is not None:
        return _verified(waiting, found, event.received_at, refresh)
    return ReceivedKeys(trigger=RefreshTrigger.KEYS_RECEIVED, keys=found, now=event.received_at)


def _keys_problem(words: str, refresh: RefreshData, *, now: float) -> Problem:
    message = clean_text(words, hide=refresh.known_secrets(), limit=DRIVER_TEXT_LIMIT)
    url = safe_url(refresh.provider.jwks_uri or "")
    waits = refresh.credentials is not None and refresh.credentials.unverified is not None
    trigger = RefreshTrigger.VERIFICATION_POSTPONED if waits else RefreshTrigger.KEYS_UNAVAILABLE
    return Problem(trigger=trigger, message=f"{url}: {message}", now=now)


def _check_outstanding(event: TokenResponseReceived | TokenRequestFailed, refresh: RefreshData) -> None:
    if event.exchange_id != REQUEST or refresh.state not in _REQUESTING:
        raise UnexpectedEvent(refresh.state, event)


def _problem(trigger: RefreshTrigger, words: str, refresh: RefreshData, *, now: float) -> Problem:
    """Return a problem that names the token endpoint."""
    message = clean_text(words, hide=refresh.known_secrets(), limit=DRIVER_TEXT_LIMIT)
    return Problem(trigger=trigger, message=f"{safe_url(refresh.provider.token_endpoint)}: {message}", now=now)
