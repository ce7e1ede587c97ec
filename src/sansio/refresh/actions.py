"""What a refresh asks of the host: orders, performed in the sequence given. Sending and saving are a login's."""

from __future__ import annotations

from ..base.records import Record
from ..login.actions import SaveCredentials, SendTokenRequest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from .outcome import RefreshOutcome


class LoadCredentials(Record):
    """Read the store. Answered by `CredentialsLoaded` or `LoadFailed`."""


class TakeLock(Record):
    """Keep other sessions from renewing the tokens. Answered by `LockTaken`, `LockBusy` or `LockFailed`."""

    timeout: float
    """Seconds to wait for whoever holds it."""


class ReleaseLock(Record):
    """Let other sessions renew the tokens. Never answered; comes if and only if the lock was taken."""


class Warn(Record):
    """Something unusual happened that somebody should read. Never answered."""

    message: str


class Deliver(Record):
    """Whoever wanted a token has the answer now. The last action, exactly once."""

    outcome: RefreshOutcome


RefreshAction: TypeAlias = (
    LoadCredentials | TakeLock | ReleaseLock | SendTokenRequest | SaveCredentials | Warn | Deliver
)
