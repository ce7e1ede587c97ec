"""The actions of a refresh. `SendTokenRequest` and `SaveCredentials` are the same as in a login."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.records import Record
from ..login.actions import SaveCredentials, SendTokenRequest

if TYPE_CHECKING:
    from .outcome import RefreshOutcome, Refusal


class LoadCredentials(Record):
    """Read the store. Answered by `CredentialsLoaded` or `LoadFailed`."""


class TakeLock(Record):
    """Keep other sessions from refreshing the tokens. Answered by `LockTaken`, `LockBusy` or `LockFailed`."""

    timeout: float
    """Seconds to wait for another session that holds the lock."""


class ReleaseLock(Record):
    """Release the lock. Returned if and only if the lock was taken. Never answered."""


class RememberRefusal(Record):
    """Store that a refresh token was refused, so that no program sends it again. Never answered.

    A store that cannot do that ignores it.
    """

    refusal: Refusal


class ForgetTokens(Record):
    """Remove the credentials: their refresh token was refused. The client that was issued stays. Never answered."""


class Warn(Record):
    """Warn about something unusual. Never answered."""

    message: str
    """The warning, as text for people."""


class Deliver(Record):
    """Pass the outcome to the caller. Every refresh has this action once, as its last. Never answered."""

    outcome: RefreshOutcome


RefreshAction: TypeAlias = (
    LoadCredentials
    | TakeLock
    | ReleaseLock
    | SendTokenRequest
    | SaveCredentials
    | RememberRefusal
    | ForgetTokens
    | Warn
    | Deliver
)
"""Every action that `RefreshMachine.handle` returns."""
