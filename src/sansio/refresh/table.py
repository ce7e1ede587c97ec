"""The whole behaviour of a refresh as one table, read as that of a login is (`table`).

The lock is held from ``reading_again`` on. It keeps other sessions from renewing the same tokens, and nobody from
reading or changing the store: a login or the Codex CLI may come between, so the store is looked at again before it is
written.
"""

from __future__ import annotations

from enum import StrEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class RefreshState(StrEnum):
    """What the refresh waits for."""

    IDLE = "idle"
    READING = "reading"
    LOCKING = "locking"
    LOOKING = "looking"
    """Somebody else holds the lock: perhaps they have renewed the tokens by now."""
    READING_AGAIN = "reading_again"
    EXCHANGING_REFRESH_TOKEN = "exchanging_refresh_token"
    COMPARING = "comparing"
    """New tokens are here; the store is read once more before it is written."""
    DOUBTING = "doubting"
    """The refresh token was refused: perhaps a program without locks has used it, and stored what it got."""
    SAVING_CREDENTIALS = "saving_credentials"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


class RefreshTrigger(StrEnum):
    """What an event means for the refresh."""

    ACCESS_TOKEN_WANTED = "access_token_wanted"
    CREDENTIALS_CURRENT = "credentials_current"
    """They will do as they are."""
    CREDENTIALS_RENEWED = "credentials_renewed"
    """Another process, or a new login, has put others there."""
    CREDENTIALS_UNCHANGED = "credentials_unchanged"
    CREDENTIALS_UNKNOWN = "credentials_unknown"
    """The store broke down while it was locked."""
    CREDENTIALS_MISSING = "credentials_missing"
    CREDENTIALS_UNREADABLE = "credentials_unreadable"
    CREDENTIALS_UNSUPPORTED = "credentials_unsupported"
    REFRESH_DUE = "refresh_due"
    REFRESH_HOPELESS = "refresh_hopeless"
    """There is no refresh token, or it was refused before."""
    REFRESH_POSTPONED = "refresh_postponed"
    """The last try was a moment ago, and the token still lasts."""
    SAVE_DUE = "save_due"
    """Tokens that could not be stored are still to be."""
    LOCK_TAKEN = "lock_taken"
    LOCK_BUSY = "lock_busy"
    LOCK_FAILED = "lock_failed"
    TOKENS_RECEIVED = "tokens_received"
    REFRESH_TOKEN_REFUSED = "refresh_token_refused"
    ACCOUNT_CHANGED = "account_changed"
    REFRESH_UNAVAILABLE = "refresh_unavailable"
    REFRESH_RESPONSE_MALFORMED = "refresh_response_malformed"
    CREDENTIALS_SAVED = "credentials_saved"
    SAVE_FAILED = "save_failed"


class RefreshRow:
    """One transition."""

    __slots__ = ("dest", "effect", "guard", "source", "trigger")

    def __init__(
        self,
        trigger: RefreshTrigger,
        source: tuple[RefreshState, ...],
        dest: RefreshState | None,
        effect: str,
        guard: str = "",
    ) -> None:
        self.trigger = trigger
        self.source = source
        self.dest = dest
        self.effect = effect
        self.guard = guard


S, T, Row = RefreshState, RefreshTrigger, RefreshRow
_IDLE = (S.IDLE,)
_READING = (S.READING,)
_LOCKING = (S.LOCKING,)
_LOOKING = (S.LOOKING,)
_AGAIN = (S.READING_AGAIN,)
_EXCHANGING = (S.EXCHANGING_REFRESH_TOKEN,)
_COMPARING = (S.COMPARING,)
_DOUBTING = (S.DOUBTING,)
_CHECKING = (*_COMPARING, *_DOUBTING)
_SAVING = (S.SAVING_CREDENTIALS,)
_BEFORE = (*_READING, *_LOOKING, *_AGAIN)
_LATER = (*_LOOKING, *_AGAIN)
REFRESH_FINAL_STATES: Final = (S.SUCCEEDED, S.FAILED)

# fmt: off
REFRESH_ROWS: Final[tuple[RefreshRow, ...]] = (
    # What is stored
    Row(T.ACCESS_TOKEN_WANTED,        _IDLE,       S.READING,                  "load"),
    Row(T.CREDENTIALS_CURRENT,        _BEFORE,     S.SUCCEEDED,                "deliver"),
    Row(T.CREDENTIALS_MISSING,        _BEFORE,     S.FAILED,                   "fail"),
    Row(T.CREDENTIALS_UNREADABLE,     _BEFORE,     S.FAILED,                   "fail"),
    Row(T.CREDENTIALS_UNSUPPORTED,    _BEFORE,     S.FAILED,                   "fail"),
    Row(T.REFRESH_HOPELESS,           _BEFORE,     S.FAILED,                   "fail"),
    Row(T.REFRESH_POSTPONED,          _READING,    S.SUCCEEDED,                "keep"),

    # One at a time, of all threads and processes
    Row(T.REFRESH_DUE,                _READING,    S.LOCKING,                  "take_lock"),
    Row(T.SAVE_DUE,                   _READING,    S.LOCKING,                  "take_lock"),
    Row(T.LOCK_TAKEN,                 _LOCKING,    S.READING_AGAIN,            "load_locked"),
    Row(T.LOCK_BUSY,                  _LOCKING,    S.LOOKING,                  "load"),
    Row(T.LOCK_FAILED,                _LOCKING,    S.SUCCEEDED,                "keep_for_now",     "still_lasts"),
    Row(T.LOCK_FAILED,                _LOCKING,    S.FAILED,                   "fail"),
    Row(T.CREDENTIALS_RENEWED,        _LATER,      S.SUCCEEDED,                "adopt"),
    Row(T.REFRESH_DUE,                _LOOKING,    S.LOCKING,                  "take_lock",        "may_wait"),
    Row(T.REFRESH_DUE,                _LOOKING,    S.SUCCEEDED,                "keep_for_now",     "still_lasts"),
    Row(T.REFRESH_DUE,                _LOOKING,    S.FAILED,                   "fail"),
    Row(T.SAVE_DUE,                   _LOOKING,    S.LOCKING,                  "take_lock",        "may_wait"),
    Row(T.SAVE_DUE,                   _LOOKING,    S.SUCCEEDED,                "keep_for_now"),

    # Old tokens to new
    Row(T.REFRESH_DUE,                _AGAIN,      S.EXCHANGING_REFRESH_TOKEN, "exchange"),
    Row(T.REFRESH_TOKEN_REFUSED,      _EXCHANGING, S.DOUBTING,                 "doubt"),
    Row(T.CREDENTIALS_UNCHANGED,      _DOUBTING,   S.FAILED,                   "fail_for_good"),
    Row(T.CREDENTIALS_UNKNOWN,        _DOUBTING,   S.FAILED,                   "fail_for_good"),
    Row(T.ACCOUNT_CHANGED,            _EXCHANGING, S.FAILED,                   "fail_for_good"),
    Row(T.REFRESH_UNAVAILABLE,        _EXCHANGING, S.SUCCEEDED,                "keep_for_now",     "still_lasts"),
    Row(T.REFRESH_UNAVAILABLE,        _EXCHANGING, S.FAILED,                   "fail"),
    Row(T.REFRESH_RESPONSE_MALFORMED, _EXCHANGING, S.SUCCEEDED,                "keep_for_now",     "still_lasts"),
    Row(T.REFRESH_RESPONSE_MALFORMED, _EXCHANGING, S.FAILED,                   "fail"),
    Row(T.TOKENS_RECEIVED,            _EXCHANGING, S.COMPARING,                "compare"),

    # New tokens to the store
    Row(T.SAVE_DUE,                   _AGAIN,      S.SAVING_CREDENTIALS,       "save_late"),
    Row(T.CREDENTIALS_UNCHANGED,      _COMPARING,  S.SAVING_CREDENTIALS,       "save"),
    Row(T.CREDENTIALS_RENEWED,        _CHECKING,   S.SUCCEEDED,                "adopt"),
    Row(T.CREDENTIALS_MISSING,        _CHECKING,   S.FAILED,                   "fail"),
    Row(T.CREDENTIALS_UNSUPPORTED,    _CHECKING,   S.FAILED,                   "fail"),
    Row(T.REFRESH_UNAVAILABLE,        _CHECKING,   S.FAILED,                   "fail"),
    Row(T.CREDENTIALS_SAVED,          _SAVING,     S.SUCCEEDED,                "deliver_refreshed"),
    Row(T.CREDENTIALS_UNKNOWN,        _COMPARING,  S.SUCCEEDED,                "deliver_unsaved"),
    Row(T.SAVE_FAILED,                _SAVING,     S.SUCCEEDED,                "deliver_unsaved"),
)
# fmt: on
