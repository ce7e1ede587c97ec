"""The states of a refresh, and its triggers: what an event can mean."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class RefreshState(StrEnum):
    """The states of a refresh."""

    IDLE = "idle"
    READING = "reading"
    LOCKING = "locking"
    READING_WHILE_WAITING = "reading_while_waiting"
    """Another session holds the lock. The store is read between two attempts to take it, because that session may have
    refreshed the tokens."""
    READING_AGAIN = "reading_again"
    """The lock is taken. The store is read again, because it may have changed before that."""
    SAVING_MARK = "saving_mark"
    """A mark is stored before a refresh token is sent that works once: its answer may never come."""
    FETCHING_KEYS = "fetching_keys"
    """The provider's keys are fetched. Usually this comes before the refresh token is sent, so that new tokens can be
    stored at once. If a refresh token works once, the new tokens are stored first."""
    EXCHANGING_REFRESH_TOKEN = "exchanging_refresh_token"
    READING_BEFORE_SAVING = "reading_before_saving"
    """New tokens were received. The store is read once more before it is written."""
    READING_AFTER_REFUSAL = "reading_after_refusal"
    """The refresh token was refused. The store is read once more, because a program without locks may have used the
    token and stored new ones."""
    SAVING_CREDENTIALS = "saving_credentials"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


REFRESH_FINAL_STATES: Final = (RefreshState.SUCCEEDED, RefreshState.FAILED)
"""The states that a refresh never leaves."""


class RefreshTrigger(StrEnum):
    """The meanings of events. docs/refresh-diagram.md explains each."""

    ACCESS_TOKEN_WANTED = "access_token_wanted"
    CREDENTIALS_CURRENT = "credentials_current"
    """The stored tokens need no refresh."""
    CREDENTIALS_RENEWED = "credentials_renewed"
    """Another process, or a new login, has stored other credentials."""
    CREDENTIALS_UNCHANGED = "credentials_unchanged"
    CREDENTIALS_UNKNOWN = "credentials_unknown"
    """The store could no longer be read while the lock was held."""
    CREDENTIALS_MISSING = "credentials_missing"
    CREDENTIALS_UNREADABLE = "credentials_unreadable"
    CREDENTIALS_UNSUPPORTED = "credentials_unsupported"
    PROVIDER_MISMATCHED = "provider_mismatched"
    """The stored tokens were issued by another provider, or to another client. They are sent nowhere."""
    REFRESH_DUE = "refresh_due"
    REFRESH_TOO_EARLY = "refresh_too_early"
    """The provider accepts no refresh yet."""
    VERIFICATION_DUE = "verification_due"
    """The tokens of an earlier refresh are stored, and their id token is not verified yet."""
    VERIFICATION_POSTPONED = "verification_postponed"
    """The keys are not there yet, for tokens that are stored."""
    REFRESH_HOPELESS = "refresh_hopeless"
    """There is no refresh token, or it was refused before."""
    SIGN_IN_ENDED = "sign_in_ended"
    """The refresh token was refused before, and the access token is still valid."""
    REFRESH_POSTPONED = "refresh_postponed"
    """The last attempt was a moment ago, and the token is still valid."""
    SAVE_DUE = "save_due"
    """New tokens that could not be stored before are to be stored now."""
    LOCK_TAKEN = "lock_taken"
    LOCK_BUSY = "lock_busy"
    LOCK_FAILED = "lock_failed"
    KEYS_RECEIVED = "keys_received"
    KEYS_UNAVAILABLE = "keys_unavailable"
    """The provider's keys cannot be fetched or used. A new id token is not stored then."""
    TOKENS_RECEIVED = "tokens_received"
    REFRESH_TOKEN_REFUSED = "refresh_token_refused"
    CLIENT_REFUSED = "client_refused"
    """The provider does not accept the client. The tokens may be good."""
    ACCOUNT_CHANGED = "account_changed"
    REFRESH_UNAVAILABLE = "refresh_unavailable"
    REFRESH_RESPONSE_MALFORMED = "refresh_response_malformed"
    CREDENTIALS_SAVED = "credentials_saved"
    SAVE_FAILED = "save_failed"
