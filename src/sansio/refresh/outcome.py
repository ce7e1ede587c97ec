"""How a refresh ended, and the memory for the next one."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from ..base.records import Record
from .failures import RefreshFailure

if TYPE_CHECKING:
    from ..base.secret import Secret
    from ..model.credentials import Credentials


class Delivery(StrEnum):
    """Where a token came from."""

    CURRENT = "current"
    """The token was stored, and needs no refresh."""
    REFRESHED = "refreshed"
    """The token was just received from the provider."""
    ADOPTED = "adopted"
    """Another process, or a new login, has just stored the token."""
    KEPT = "kept"
    """The token is the old one. It could not be refreshed, but is still valid."""


class RefreshSuccess(Record):
    """A refresh that ended with a token."""

    credentials: Credentials
    """The credentials that hold the token."""
    token: Secret
    """The token to send to the API: the access token, or the API key if that applies."""
    delivery: Delivery
    message: str = ""
    """Why the old token is delivered, as clean text; empty for another token."""
    is_stored: bool = True
    """False if the credentials are new and could not be stored. Then this program holds the only copy."""


RefreshOutcome: TypeAlias = RefreshSuccess | RefreshFailure
"""How a refresh ended."""


class RefreshMemory(Record):
    """What a refresh has learnt, for the next one. A session keeps it in memory, and never stores it."""

    unsaved: Credentials | None = None
    """Refreshed credentials that could not be stored. There is no other copy."""
    replaces: Secret | None = None
    """The stored refresh token that `unsaved` replaces. When another one is stored, `unsaved` is dropped."""
    received: Secret | None = None
    """The access token that was received last. It is new, even if our clock is wrong."""
    received_at: float = 0.0
    """When it was received, in seconds since 1970, by our clock."""
    tried_at: float | None = None
    """When a refresh or a save last failed temporarily, in seconds since 1970."""
    refused: Secret | None = None
    """A refresh token that the provider refused for good."""
    refusal: RefreshFailure | None = None
    """The failure after that refusal."""
