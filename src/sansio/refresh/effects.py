"""The guards and effects of the table of a refresh.

An effect only sets fields and appends actions, so it cannot fail half-way. A guard changes nothing. Its docstring
states the condition, which docs/refresh-diagram.md lists.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..login.actions import SaveCredentials, SendTokenRequest
from ..oauth import token_requests
from .actions import ForgetTokens, LoadCredentials, TakeLock, Warn
from .outcome import Delivery

if TYPE_CHECKING:
    from .interpretation import Interpretation, Problem, ReceivedKeys, ReceivedTokens, StoreRead
    from .state import RefreshData

REQUEST: Final = 1
"""The number of each request. One is sent at a time."""
LOCK_SLICE: Final = 0.25
"""Seconds to wait for the lock before the store is read again."""
PATIENCE: Final = 4.0
"""Seconds to wait for the lock while the old token is still valid."""
LONGEST_WAIT: Final = token_requests.REFRESH_TIMEOUT + 10.0
"""Seconds to wait for the lock otherwise. By then the holder of the lock has received its response."""


# Guards


def still_lasts(refresh: RefreshData, _: Interpretation) -> bool:
    """The old token is still valid, and may be delivered once more."""
    tokens = refresh.credentials.tokens if refresh.credentials else None
    if refresh.credentials is None or tokens is None or tokens.access_token == refresh.unwanted:
        return False
    return refresh.is_valid_at(refresh.credentials, refresh.now)


def may_wait(refresh: RefreshData, meaning: Interpretation) -> bool:
    """The session that holds the lock may not have finished yet."""
    return refresh.waited < (PATIENCE if still_lasts(refresh, meaning) else LONGEST_WAIT)


def verifies_id_tokens(refresh: RefreshData, _: Interpretation) -> bool:
    """The sign-in has an id token, and the provider has keys that verify it."""
    return refresh.provider.jwks_uri is not None and refresh.tokens.id_token is not None


def lasts_yet(refresh: RefreshData, _: Interpretation) -> bool:
    """The old token is still valid, and no API has rejected it."""
    credentials = refresh.credentials
    if credentials is None or credentials.tokens is None or credentials.tokens.access_token == refresh.wanted.rejected:
        return False
    return refresh.is_valid_at(credentials, refresh.now)


def spends_refresh_token(refresh: RefreshData, _: Interpretation) -> bool:
    """The refresh token works once."""
    return refresh.provider.dialect.one_use_refresh_tokens


def must_verify(refresh: RefreshData, _: Interpretation) -> bool:
    """The id token of the new tokens is not verified yet."""
    return refresh.refreshed is not None and refresh.refreshed.unverified is not None


# What is stored


def load(refresh: RefreshData, _: Interpretation) -> None:
    """Read the store."""
    refresh.out.append(LoadCredentials())


def take_lock(refresh: RefreshData, _: StoreRead) -> None:
    """Wait for the lock, for a fraction of a second."""
    if refresh.seen is None:
        refresh.seen = refresh.tokens.access_token
        refresh.unwanted = refresh.seen if refresh.wanted.forced else refresh.wanted.rejected
    refresh.waited += LOCK_SLICE
    refresh.out.append(TakeLock(timeout=LOCK_SLICE))


def load_locked(refresh: RefreshData, meaning: Interpretation) -> None:
    """Read the store again, under the lock."""
    refresh.locked = True
    load(refresh, meaning)


# Old tokens to new


def mark(refresh: RefreshData, meaning: StoreRead) -> None:
    """Store that the refresh token is sent now. If no answer is ever stored, it is perhaps spent."""
    refresh.stored = meaning.stored
    assert refresh.credentials is not None
    marked = refresh.credentials.__replace__(tokens=refresh.tokens.__replace__(refresh_sent_at=refresh.now))
    refresh.credentials = marked
    refresh.out.append(SaveCredentials(credentials=marked))


def exchange_marked(refresh: RefreshData, _: Interpretation) -> None:
    """Exchange the refresh token for new tokens, now that the mark is stored."""
    _exchange(refresh)


def fetch_keys(refresh: RefreshData, meaning: StoreRead) -> None:
    """Fetch the provider's keys."""
    refresh.stored = meaning.stored
    _request_keys(refresh)


def fetch_keys_for_waiting(refresh: RefreshData, meaning: StoreRead) -> None:
    """Fetch the provider's keys, for the tokens of an earlier refresh."""
    refresh.exchanged = True
    fetch_keys(refresh, meaning)


def fetch_keys_for_saved(refresh: RefreshData, _: Interpretation) -> None:
    """Fetch the provider's keys, for new tokens that are stored."""
    refresh.credentials = refresh.refreshed
    _request_keys(refresh)


def fetch_keys_for_unsaved(refresh: RefreshData, meaning: Problem) -> None:
    """Fetch the provider's keys, for new tokens that are in memory only, because they could not be stored."""
    _keep_unsaved(refresh, meaning)
    refresh.credentials = refresh.refreshed
    _request_keys(refresh)


def _request_keys(refresh: RefreshData) -> None:
    from ..oauth.keys import keys_request  # noqa: PLC0415 - not for the default provider

    assert refresh.provider.jwks_uri is not None
    request = keys_request(refresh.provider.jwks_uri)
    refresh.out.append(SendTokenRequest(exchange_id=REQUEST, **request.values()))


def exchange(refresh: RefreshData, meaning: StoreRead) -> None:
    """Exchange the refresh token for new tokens."""
    refresh.stored = meaning.stored
    _exchange(refresh)


def exchange_with_keys(refresh: RefreshData, meaning: ReceivedKeys) -> None:
    """Exchange the refresh token for new tokens, whose id token the keys verify."""
    refresh.keys = meaning.keys
    _exchange(refresh)


def exchange_without_keys(refresh: RefreshData, meaning: Problem) -> None:
    """Exchange the refresh token for new tokens. A new id token is not stored."""
    refresh.out.append(Warn(message=f"a new id token would not be verified, and is not stored: {meaning.message}"))
    _exchange(refresh)


def _exchange(refresh: RefreshData) -> None:
    refresh.exchanged = True
    tokens = refresh.tokens
    assert tokens.refresh_token is not None
    request = token_requests.refresh_request(refresh.provider, tokens.refresh_token, tokens.resource)
    refresh.out.append(SendTokenRequest(exchange_id=REQUEST, **request.values()))


def load_after_refusal(refresh: RefreshData, meaning: Problem) -> None:
    """Read the store once more before giving up: another program may have used the refresh token."""
    refresh.failure = refresh.failure_of(meaning)
    load(refresh, meaning)


def load_before_saving(refresh: RefreshData, meaning: ReceivedTokens) -> None:
    """Read the store once more before it is written, because of a login that may have stored other credentials."""
    refresh.refreshed = meaning.refreshed
    load(refresh, meaning)


# New tokens to the store


def save(refresh: RefreshData, _: Interpretation) -> None:
    """Store the new tokens."""
    assert refresh.refreshed is not None
    refresh.out.append(SaveCredentials(credentials=refresh.refreshed))


def save_late(refresh: RefreshData, meaning: StoreRead) -> None:
    """Store new tokens that could not be stored before."""
    refresh.stored = meaning.stored
    refresh.refreshed = meaning.credentials
    save(refresh, meaning)


# The outcome


def deliver(refresh: RefreshData, _: Interpretation) -> None:
    """Deliver the stored token."""
    refresh.deliver(refresh.credentials, Delivery.CURRENT)


def adopt(refresh: RefreshData, _: Interpretation) -> None:
    """Deliver the token that another process, or a login, has just stored."""
    refresh.remember_received(refresh.credentials)
    refresh.deliver(refresh.credentials, Delivery.ADOPTED)


def keep(refresh: RefreshData, meaning: Problem) -> None:
    """Deliver the old token, which is still valid."""
    refresh.deliver(refresh.credentials, Delivery.KEPT, meaning.message)


def keep_for_now(refresh: RefreshData, meaning: Problem) -> None:
    """Deliver the old token. A later refresh tries again."""
    refresh.remember_attempt()
    keep(refresh, meaning)


def keep_last(refresh: RefreshData, meaning: StoreRead) -> None:
    """Deliver the old token, which is the last one: its refresh token was refused before."""
    failure = refresh.failure_of(meaning)
    refresh.note_refusal(failure)
    refresh.deliver(refresh.credentials, Delivery.KEPT, failure.message, failure=failure)


def keep_for_good(refresh: RefreshData, meaning: Problem) -> None:
    """Deliver the old token, which is the last one, and never send its refresh token again."""
    failure = refresh.failure_of(meaning)
    refresh.note_refusal(failure)
    refresh.remember_refusal(failure)
    refresh.deliver(refresh.credentials, Delivery.KEPT, failure.message, failure=failure)


def deliver_refreshed(refresh: RefreshData, _: Interpretation) -> None:
    """Deliver the new token, which is stored."""
    refresh.memory = refresh.memory.__replace__(unsaved=None, replaces=None, tried_at=None)
    _deliver_new(refresh)


def deliver_unsaved(refresh: RefreshData, meaning: Problem) -> None:
    """Deliver the new token, and keep it in memory because it could not be stored."""
    _keep_unsaved(refresh, meaning)
    _deliver_new(refresh, is_stored=False)


def _keep_unsaved(refresh: RefreshData, meaning: Problem) -> None:
    refresh.memory = refresh.memory.__replace__(unsaved=refresh.refreshed, replaces=refresh.stored)
    refresh.remember_attempt()
    words = "the new tokens could not be stored, and are lost when this program ends"
    refresh.out.append(Warn(message=f"{words}: {meaning.message}"))


def _deliver_new(refresh: RefreshData, *, is_stored: bool = True) -> None:
    tokens = refresh.refreshed.tokens if refresh.refreshed else None
    if tokens is not None and refresh.tokens.plan_enabled and not tokens.plan_enabled:
        refresh.out.append(Warn(message="the provider no longer grants the use of the plan: plan use is off"))
    if refresh.exchanged and tokens is not None:
        if tokens.access_token == refresh.seen:
            # The provider renewed other tokens only.
            refresh.remember_attempt()
        else:
            refresh.remember_received(refresh.refreshed)
    delivery = Delivery.REFRESHED if refresh.exchanged else Delivery.CURRENT
    refresh.deliver(refresh.refreshed, delivery, is_stored=is_stored)


def fail(refresh: RefreshData, meaning: Problem) -> None:
    """End the refresh with a failure."""
    refresh.end(refresh.failure_of(meaning))


def end_sign_in(refresh: RefreshData, meaning: Problem) -> None:
    """End the refresh with a failure, and remove the tokens. The next sign-in uses the same client."""
    failure = refresh.failure_of(meaning)
    refresh.remember_refusal(failure)
    refresh.out.append(ForgetTokens())
    refresh.end(failure)


def fail_for_good(refresh: RefreshData, meaning: Problem) -> None:
    """End the refresh with a failure, and never send this refresh token again."""
    failure = refresh.failure_of(meaning)
    refresh.remember_refusal(failure)
    refresh.end(failure)
