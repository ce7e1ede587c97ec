"""How a refresh ended, and what the next one should know."""

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
    """It was stored, and needs no refresh."""
    REFRESHED = "refreshed"
    """It was just received."""
    ADOPTED = "adopted"
    """Another process, or a new login, has just stored it."""
    KEPT = "kept"
    """It is the old one: it could not be refreshed, but is still valid."""


class RefreshSuccess(Record):
    """There is a token."""

    credentials: Credentials
    token: Secret
    """The token to send to the API: the access token, or the API key where that applies."""
    delivery: Delivery
    message: str = ""
    """Why the old token was kept, in clean words."""
    is_stored: bool = True
    """False if the credentials are new and could not be stored: this program holds the only copy."""


RefreshOutcome: TypeAlias = RefreshSuccess | RefreshFailure
"""How a refresh ended."""


class RefreshMemory(Record):
    """What a refresh leaves for the next one. A session keeps it, in memory only."""

    unsaved: Credentials | None = None
    """Refreshed credentials that could not be stored. They are nowhere else."""
    replaces: Secret | None = None
    """The stored refresh token that they replace. Once another one is stored, they are forgotten."""
    received: Secret | None = None
    """The access token received last. It is new, even if our clock is wrong."""
    received_at: float = 0.0
    """In seconds since 1970, by the same clock."""
    tried_at: float | None = None
    """When refreshing or storing last failed in a way that may pass, in seconds since 1970."""
    refused: Secret | None = None
    """A refresh token that the provider refused for good."""
    refusal: RefreshFailure | None = None
    """The failure that it led to."""
