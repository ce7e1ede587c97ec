"""How a refresh ended, and what the next one should know of it."""

from __future__ import annotations

from enum import StrEnum

from ..base.records import Record
from .failures import RefreshFailure

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from ..base.secret import Secret
    from ..model.credentials import Credentials


class Delivery(StrEnum):
    """Where a token came from."""

    CURRENT = "current"
    """It was stored, and will do."""
    REFRESHED = "refreshed"
    """It was just received."""
    ADOPTED = "adopted"
    """Another process, or a new login, has just stored it."""
    KEPT = "kept"
    """It is the old one: it could not be renewed, but it still lasts."""


class RefreshSuccess(Record):
    """There is a token."""

    credentials: Credentials
    token: Secret
    """What is sent to the API: the access token, or the API key where that applies."""
    delivery: Delivery
    message: str = ""
    """Why the old token was kept, in clean words."""
    is_stored: bool = True
    """False if they are new and could not be stored: this program has the only ones."""


RefreshOutcome: TypeAlias = RefreshSuccess | RefreshFailure


class RefreshMemory(Record):
    """What outlives a refresh. A session keeps it, in memory only, and gives it to the next."""

    unsaved: Credentials | None = None
    """Refreshed credentials that could not be stored: the only place where they are."""
    replaces: Secret | None = None
    """The stored refresh token whose place they take. Once another is stored, they are forgotten."""
    received: Secret | None = None
    """The access token received last: our clock may be wrong, but it is new."""
    received_at: float = 0.0
    """In seconds since 1970, by the same clock."""
    tried_at: float | None = None
    """When renewing or storing last failed in a way that may pass."""
    refused: Secret | None = None
    """A refresh token that will never do again."""
    refusal: RefreshFailure | None = None
    """What was said of it."""
