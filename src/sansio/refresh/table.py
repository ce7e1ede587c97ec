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
    compare,
    deliver,
    deliver_refreshed,
    deliver_unsaved,
    doubt,
    exchange,
    fail,
    fail_for_good,
    keep,
    keep_for_good,
    keep_for_now,
    keep_last,
    load,
    load_locked,
    may_wait,
    save,
    save_late,
    still_lasts,
    take_lock,
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
_LOOKING = (S.LOOKING,)
_AGAIN = (S.READING_AGAIN,)
_EXCHANGING = (S.EXCHANGING_REFRESH_TOKEN,)
_COMPARING = (S.COMPARING,)
_DOUBTING = (S.DOUBTING,)
_CHECKING = (*_COMPARING, *_DOUBTING)
_SAVING = (S.SAVING_CREDENTIALS,)
_BEFORE = (*_READING, *_LOOKING, *_AGAIN)
_LATER = (*_LOOKING, *_AGAIN)

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

    # One at a time, of all threads and processes
    Row(T.REFRESH_DUE,                _READING,    S.LOCKING,                  take_lock),
    Row(T.SAVE_DUE,                   _READING,    S.LOCKING,                  take_lock),
    Row(T.LOCK_TAKEN,                 _LOCKING,    S.READING_AGAIN,            load_locked),
    Row(T.LOCK_BUSY,                  _LOCKING,    S.LOOKING,                  load),
    Row(T.LOCK_FAILED,                _LOCKING,    S.SUCCEEDED,                keep_for_now,     still_lasts),
    Row(T.LOCK_FAILED,                _LOCKING,    S.FAILED,                   fail),
    Row(T.CREDENTIALS_RENEWED,        _LATER,      S.SUCCEEDED,                adopt),
    Row(T.REFRESH_DUE,                _LOOKING,    S.LOCKING,                  take_lock,        may_wait),
    Row(T.REFRESH_DUE,                _LOOKING,    S.SUCCEEDED,                keep_for_now,     still_lasts),
    Row(T.REFRESH_DUE,                _LOOKING,    S.FAILED,                   fail),
    Row(T.SAVE_DUE,                   _LOOKING,    S.LOCKING,                  take_lock,        may_wait),
    Row(T.SAVE_DUE,                   _LOOKING,    S.SUCCEEDED,                keep_for_now),

    # Old tokens to new
    Row(T.REFRESH_DUE,                _AGAIN,      S.EXCHANGING_REFRESH_TOKEN, exchange),
    Row(T.REFRESH_TOKEN_REFUSED,      _EXCHANGING, S.DOUBTING,                 doubt),
    Row(T.CREDENTIALS_UNCHANGED,      _DOUBTING,   S.SUCCEEDED,                keep_for_good,    still_lasts),
    Row(T.CREDENTIALS_UNCHANGED,      _DOUBTING,   S.FAILED,                   fail_for_good),
    Row(T.CREDENTIALS_UNKNOWN,        _DOUBTING,   S.SUCCEEDED,                keep_for_good,    still_lasts),
    Row(T.CREDENTIALS_UNKNOWN,        _DOUBTING,   S.FAILED,                   fail_for_good),
    Row(T.CLIENT_REFUSED,             _EXCHANGING, S.SUCCEEDED,                keep_for_now,     still_lasts),
    Row(T.CLIENT_REFUSED,             _EXCHANGING, S.FAILED,                   fail),
    Row(T.ACCOUNT_CHANGED,            _EXCHANGING, S.SUCCEEDED,                keep_for_good,    still_lasts),
    Row(T.ACCOUNT_CHANGED,            _EXCHANGING, S.FAILED,                   fail_for_good),
    Row(T.REFRESH_UNAVAILABLE,        _EXCHANGING, S.SUCCEEDED,                keep_for_now,     still_lasts),
    Row(T.REFRESH_UNAVAILABLE,        _EXCHANGING, S.FAILED,                   fail),
    Row(T.REFRESH_RESPONSE_MALFORMED, _EXCHANGING, S.SUCCEEDED,                keep_for_now,     still_lasts),
    Row(T.REFRESH_RESPONSE_MALFORMED, _EXCHANGING, S.FAILED,                   fail),
    Row(T.TOKENS_RECEIVED,            _EXCHANGING, S.COMPARING,                compare),

    # New tokens to the store
    Row(T.SAVE_DUE,                   _AGAIN,      S.SAVING_CREDENTIALS,       save_late),
    Row(T.CREDENTIALS_UNCHANGED,      _COMPARING,  S.SAVING_CREDENTIALS,       save),
    Row(T.CREDENTIALS_RENEWED,        _CHECKING,   S.SUCCEEDED,                adopt),
    Row(T.CREDENTIALS_MISSING,        _CHECKING,   S.FAILED,                   fail),
    Row(T.CREDENTIALS_UNSUPPORTED,    _CHECKING,   S.FAILED,                   fail),
    Row(T.PROVIDER_MISMATCHED,        _CHECKING,   S.FAILED,                   fail),
    Row(T.REFRESH_UNAVAILABLE,        _CHECKING,   S.FAILED,                   fail),
    Row(T.CREDENTIALS_SAVED,          _SAVING,     S.SUCCEEDED,                deliver_refreshed),
    Row(T.CREDENTIALS_UNKNOWN,        _COMPARING,  S.SUCCEEDED,                deliver_unsaved),
    Row(T.SAVE_FAILED,                _SAVING,     S.SUCCEEDED,                deliver_unsaved),
)
# fmt: on
