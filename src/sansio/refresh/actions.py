"""The actions of a refresh. Those for sending a request and for storing are the same as in a login."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.records import Record
from ..login.actions import SaveCredentials, SendTokenRequest

if TYPE_CHECKING:
    from .outcome import RefreshOutcome


class LoadCredentials(Record):
    """Read the store. Answered by `CredentialsLoaded` or `LoadFailed`."""


class TakeLock(Record):
    """Keep other sessions from refreshing the tokens. Answered by `LockTaken`, `LockBusy` or `LockFailed`."""

    timeout: float
    """Seconds to wait for another session that holds the lock."""


class ReleaseLock(Record):
    """Let other sessions refresh the tokens. Comes if and only if the lock was taken. Never answered."""


class Warn(Record):
    """Warn about something unusual. Never answered."""

    message: str


class Deliver(Record):
    """Hand the outcome to the caller. The last action; comes exactly once. Never answered."""

    outcome: RefreshOutcome


RefreshAction: TypeAlias = (
    LoadCredentials | TakeLock | ReleaseLock | SendTokenRequest | SaveCredentials | Warn | Deliver
)
"""Every action that `RefreshMachine.handle` returns."""
