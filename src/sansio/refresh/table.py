"""The table of a refresh. `loginmachine.sansio.login.table` explains how to read it.

The lock is held from ``reading_again`` to the end. It keeps other sessions from refreshing the same tokens, but no
program from reading or changing the store. A login or the Codex CLI may store other credentials meanwhile, so the store
is read again before it is written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from ..base import engine
from .effects import (
    adopt,
    deliver,
    deliver_refreshed,
    deliver_unsaved,
    end_sign_in,
    exchange,
    exchange_marked,
    exchange_with_keys,
    exchange_without_keys,
    fail,
    fail_for_good,
    fetch_keys,
    fetch_keys_for_saved,
    fetch_keys_for_unsaved,
    fetch_keys_for_waiting,
    keep,
    keep_for_good,
    keep_for_now,
    keep_last,
    lasts_yet,
    load,
    load_after_refusal,
    load_before_saving,
    load_locked,
    mark,
    may_wait,
    must_verify,
    save,
    save_late,
    spends_refresh_token,
    still_lasts,
    take_lock,
    verifies_id_tokens,
)
from .states import RefreshState, RefreshTrigger

if TYPE_CHECKING:
    from .state import RefreshData

RefreshRow: TypeAlias = engine.Row[RefreshState, RefreshTrigger, "RefreshData"]
"""A transition of a refresh."""

S, T, Row = RefreshState, RefreshTrigger, RefreshRow
_IDLE = (S.IDLE,)
_READING = (S.READING,)
_LOCKING = (S.LOCKING,)
_WAITING = (S.READING_WHILE_WAITING,)
_AGAIN = (S.READING_AGAIN,)
_MARKING = (S.SAVING_MARK,)
_KEYS = (S.FETCHING_KEYS,)
_EXCHANGING = (S.EXCHANGING_REFRESH_TOKEN,)
_TO_SAVE = (S.READING_BEFORE_SAVING,)
_REFUSED = (S.READING_AFTER_REFUSAL,)
_ANSWERED = (*_TO_SAVE, *_REFUSED)
_SAVING = (S.SAVING_CREDENTIALS,)
_BEFORE = (*_READING, *_WAITING, *_AGAIN)
_LATER = (*_WAITING, *_AGAIN)

# fmt: off
REFRESH_ROWS: Final[tuple[RefreshRow, ...]] = (
    # What is stored
    Row(T.ACCESS_TOKEN_WANTED,        _IDLE,       S.READING,                  load),
    Row(T.CREDENTIALS_CURRENT,        _BEFORE,     S.SUCCEEDED,                deliver),
    Row(T.CREDENTIALS_MISSING,        _BEFORE,     S.FAILED,                   fail),
    Row(T.CREDENTIALS_UNREADABLE,     _BEFORE,     S.FAILED,                   fail),
    Row(T.CREDENTIALS_UNSUPPORTED,    _BEFORE,     S.FAILED,                   fail),
    Row(T.PROVIDER_MISMATCHED,        _BEFORE,     S.FAILED,                   fail),
    Row(T.REFRESH_HOPELESS,           _BEFORE,     S.FAILED,                   fail),
    Row(T.SIGN_IN_ENDED,              _BEFORE,     S.SUCCEEDED,                keep_last),
    Row(T.REFRESH_POSTPONED,          _READING,    S.SUCCEEDED,                keep),
    Row(T.REFRESH_TOO_EARLY,          _BEFORE,     S.SUCCEEDED,                keep,             lasts_yet),
    Row(T.REFRESH_TOO_EARLY,          _BEFORE,     S.FAILED,                   fail),

    # One at a time, of all threads and processes
    Row(T.REFRESH_DUE,                _READING,    S.LOCKING,                  take_lock),
    Row(T.SAVE_DUE,                   _READING,    S.LOCKING,                  take_lock),
    Row(T.LOCK_TAKEN,                 _LOCKING,    S.READING_AGAIN,            load_locked),
    Row(T.LOCK_BUSY,                  _LOCKING,    S.READING_WHILE_WAITING,    load),
    Row(T.LOCK_FAILED,                _LOCKING,    S.SUCCEEDED,                keep_for_now,     still_lasts),
    Row(T.LOCK_FAILED,                _LOCKING,    S.FAILED,                   fail),
    Row(T.CREDENTIALS_RENEWED,        _LATER,      S.SUCCEEDED,                adopt),
    Row(T.REFRESH_DUE,                _WAITING,    S.LOCKING,                  take_lock,        may_wait),
    Row(T.REFRESH_DUE,                _WAITING,    S.SUCCEEDED,                keep_for_now,     still_lasts),
    Row(T.REFRESH_DUE,                _WAITING,    S.FAILED,                   fail),
    Row(T.SAVE_DUE,                   _WAITING,    S.LOCKING,                  take_lock,        may_wait),
    Row(T.SAVE_DUE,                   _WAITING,    S.SUCCEEDED,                keep_for_now),

    # Old tokens to new
    Row(T.REFRESH_DUE,                _AGAIN,      S.SAVING_MARK,              mark,             spends_refresh_token),
    Row(T.CREDENTIALS_SAVED,          _MARKING,    S.EXCHANGING_REFRESH_TOKEN, exchange_marked),
    Row(T.SAVE_FAILED,                _MARKING,    S.SUCCEEDED,                keep_for_now,     still_lasts),
    Row(T.SAVE_FAILED,                _MARKING,    S.FAILED,                   fail),
    Row(T.REFRESH_DUE,                _AGAIN,      S.FETCHING_KEYS,            fetch_keys,       verifies_id_tokens),
    Row(T.REFRESH_DUE,                _AGAIN,      S.EXCHANGING_REFRESH_TOKEN, exchange),
    Row(T.KEYS_RECEIVED,              _KEYS,       S.EXCHANGING_REFRESH_TOKEN, exchange_with_keys),
    Row(T.KEYS_UNAVAILABLE,           _KEYS,       S.EXCHANGING_REFRESH_TOKEN, exchange_without_keys),
    Row(T.REFRESH_TOKEN_REFUSED,      _EXCHANGING, S.READING_AFTER_REFUSAL,    load_after_refusal),
    Row(T.CREDENTIALS_UNCHANGED,      _REFUSED,    S.FAILED,                   end_sign_in,      spends_refresh_token),
    Row(T.CREDENTIALS_UNCHANGED,      _REFUSED,    S.SUCCEEDED,                keep_for_good,    still_lasts),
    Row(T.CREDENTIALS_UNCHANGED,      _REFUSED,    S.FAILED,                   fail_for_good),
    Row(T.CREDENTIALS_UNKNOWN,        _REFUSED,    S.SUCCEEDED,                keep_for_good,    still_lasts),
    Row(T.CREDENTIALS_UNKNOWN,        _REFUSED,    S.FAILED,                   fail_for_good),
    Row(T.CLIENT_REFUSED,             _EXCHANGING, S.SUCCEEDED,                keep_for_now,     still_lasts),
    Row(T.CLIENT_REFUSED,             _EXCHANGING, S.FAILED,                   fail),
    Row(T.ACCOUNT_CHANGED,            _EXCHANGING, S.SUCCEEDED,                keep_for_good,    still_lasts),
    Row(T.ACCOUNT_CHANGED,            _EXCHANGING, S.FAILED,                   fail_for_good),
    Row(T.REFRESH_UNAVAILABLE,        _EXCHANGING, S.SUCCEEDED,                keep_for_now,     still_lasts),
    Row(T.REFRESH_UNAVAILABLE,        _EXCHANGING, S.FAILED,                   fail),
    Row(T.REFRESH_RESPONSE_MALFORMED, _EXCHANGING, S.SUCCEEDED,                keep_for_now,     still_lasts),
    Row(T.REFRESH_RESPONSE_MALFORMED, _EXCHANGING, S.FAILED,                   fail),
    Row(T.TOKENS_RECEIVED,            _EXCHANGING, S.READING_BEFORE_SAVING,    load_before_saving),

    # New tokens to the store
    Row(T.SAVE_DUE,                   _AGAIN,      S.SAVING_CREDENTIALS,       save_late),
    Row(T.CREDENTIALS_UNCHANGED,      _TO_SAVE,    S.SAVING_CREDENTIALS,       save),
    Row(T.CREDENTIALS_RENEWED,        _ANSWERED,   S.SUCCEEDED,                adopt),
    Row(T.CREDENTIALS_MISSING,        _ANSWERED,   S.FAILED,                   fail),
    Row(T.CREDENTIALS_UNSUPPORTED,    _ANSWERED,   S.FAILED,                   fail),
    Row(T.PROVIDER_MISMATCHED,        _ANSWERED,   S.FAILED,                   fail),
    Row(T.REFRESH_UNAVAILABLE,        _ANSWERED,   S.FAILED,                   fail),
    Row(T.CREDENTIALS_SAVED,          _SAVING,     S.FETCHING_KEYS,            fetch_keys_for_saved, must_verify),
    Row(T.CREDENTIALS_SAVED,          _SAVING,     S.SUCCEEDED,                deliver_refreshed),
    Row(T.CREDENTIALS_UNKNOWN,        _TO_SAVE,    S.FETCHING_KEYS,            fetch_keys_for_unsaved, must_verify),
    Row(T.CREDENTIALS_UNKNOWN,        _TO_SAVE,    S.SUCCEEDED,                deliver_unsaved),
    Row(T.SAVE_FAILED,                _SAVING,     S.FETCHING_KEYS,            fetch_keys_for_unsaved, must_verify),
    Row(T.SAVE_FAILED,                _SAVING,     S.SUCCEEDED,                deliver_unsaved),

    # New tokens that wait for the keys
    Row(T.VERIFICATION_DUE,           _AGAIN,      S.FETCHING_KEYS,            fetch_keys_for_waiting),
    Row(T.TOKENS_RECEIVED,            _KEYS,       S.READING_BEFORE_SAVING,    load_before_saving),
    Row(T.VERIFICATION_POSTPONED,     _KEYS,       S.SUCCEEDED,                keep_for_now,     still_lasts),
    Row(T.VERIFICATION_POSTPONED,     _KEYS,       S.FAILED,                   fail),
    Row(T.ACCOUNT_CHANGED,            _KEYS,       S.SUCCEEDED,                keep_for_good,    still_lasts),
    Row(T.ACCOUNT_CHANGED,            _KEYS,       S.FAILED,                   fail_for_good),
)
# fmt: on
