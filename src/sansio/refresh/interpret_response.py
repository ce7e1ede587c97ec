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
    from ..model.tokens import RefreshedTokens
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
        if not is_verified or says_less(answer.id_token, old, refresh.provider):
            # The old id token is kept. The other new tokens must not be lost.
            answer = answer.__replace__(id_token=None)
    origin = provenance_of_provider(refresh.provider)
    refreshed = refresh.credentials.refreshed(answer, received_at=now, provenance=origin)
    return ReceivedTokens(trigger=RefreshTrigger.TOKENS_RECEIVED, refreshed=refreshed, now=now)


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
    return ReceivedKeys(trigger=RefreshTrigger.KEYS_RECEIVED, keys=found, now=event.received_at)


def _keys_problem(words: str, refresh: RefreshData, *, now: float) -> Problem:
    message = clean_text(words, hide=refresh.known_secrets(), limit=DRIVER_TEXT_LIMIT)
    url = safe_url(refresh.provider.jwks_uri or "")
    return Problem(trigger=RefreshTrigger.KEYS_UNAVAILABLE, message=f"{url}: {message}", now=now)


def _check_outstanding(event: TokenResponseReceived | TokenRequestFailed, refresh: RefreshData) -> None:
    if event.exchange_id != REQUEST or refresh.state not in _REQUESTING:
        raise UnexpectedEvent(refresh.state, event)


def _problem(trigger: RefreshTrigger, words: str, refresh: RefreshData, *, now: float) -> Problem:
    """Return a problem that names the token endpoint."""
    message = clean_text(words, hide=refresh.known_secrets(), limit=DRIVER_TEXT_LIMIT)
    return Problem(trigger=trigger, message=f"{safe_url(refresh.provider.token_endpoint)}: {message}", now=now)
