"""What the host tells a refresh: facts, in the past tense. Those about requests and saving are a login's."""

from __future__ import annotations

from ..base.records import Record
from ..login.events import CredentialsSaved, SaveFailed, TokenRequestFailed, TokenResponseReceived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from ..base.secret import Secret
    from ..model.credentials import Credentials


class AccessTokenWanted(Record):
    """Somebody needs an access token. The first event of every refresh."""

    rejected: Secret | None = None
    """One that an API has just answered with 401: it will not do, however long it says that it lasts."""
    forced: bool = False
    """The one that is stored will not do."""


class CredentialsLoaded(Record):
    """The store was read."""

    credentials: Credentials | None
    """What it holds; None for nothing."""
    loaded_at: float
    """Wall-clock time, in seconds since 1970-01-01 UTC."""


class LoadFailed(Record):
    """The store cannot be read, or what it holds cannot be understood."""

    message: str


class LockTaken(Record):
    """From now on no other session renews the tokens."""


class LockBusy(Record):
    """Somebody else has held the lock all the time."""


class LockFailed(Record):
    """The store cannot be locked at all, and so not be written."""

    message: str


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
