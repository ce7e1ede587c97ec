"""The events of a refresh. Those about token requests and storing are the same as in a login."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.records import Record
from ..login.events import CredentialsSaved, SaveFailed, TokenRequestFailed, TokenResponseReceived

if TYPE_CHECKING:
    from ..base.secret import Secret
    from ..model.credentials import Credentials
    from .outcome import Refusal


class AccessTokenWanted(Record):
    """The caller needs an access token. The first event of every refresh."""

    rejected: Secret | None = None
    """An access token that an API has rejected with status 401. It is not delivered, even if it is still valid."""
    forced: bool = False
    """Refresh the tokens even if they are not due. The stored access token is not delivered."""


class CredentialsLoaded(Record):
    """The store was read."""

    credentials: Credentials | None
    """The stored credentials; None if nothing is stored."""
    loaded_at: float
    """Wall-clock time, in seconds since 1970-01-01 UTC."""
    refusal: Refusal | None = None
    """What the last `RememberRefusal` held; None if the store does not know."""


class LoadFailed(Record):
    """The store cannot be read, or its content cannot be parsed."""

    failed_at: float
    """Wall-clock time, in seconds since 1970-01-01 UTC."""
    message: str
    """Why, as text for people."""


class LockTaken(Record):
    """The lock is taken. No other session can refresh the tokens until it is released."""


class LockBusy(Record):
    """Another session held the lock for the whole time-out."""


class LockFailed(Record):
    """The store cannot be locked, so it cannot be written either."""

    message: str
    """Why, as text for people."""


RefreshEvent: TypeAlias = (
    AccessTokenWanted
    | CredentialsLoaded
    | LoadFailed
    | LockTaken
    | LockBusy
    | LockFailed
    | TokenResponseReceived
    | TokenRequestFailed
    | CredentialsSaved
    | SaveFailed
)
"""Every event that `RefreshMachine.handle` takes."""
