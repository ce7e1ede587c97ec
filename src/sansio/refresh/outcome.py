"""How a refresh ended, how long its token lasts, and the memory for the next one."""

from __future__ import annotations

import json
import math
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from ..base.digests import sha256
from ..base.records import Record
from .failures import RefreshFailure, RefreshFailureCategory

if TYPE_CHECKING:
    from ..base.secret import Secret
    from ..model.credentials import Credentials
    from ..model.provider import Provider
    from ..model.tokens import Tokens


REFRESH_AHEAD: Final = 300.0
"""The most seconds before its expiry at which an access token is refreshed."""
EARLY_SHARE: Final = 0.1
"""The share of its lifetime before its end at which a short-lived access token is refreshed."""
OLDEST: Final = 8 * 86400.0
"""Seconds after which tokens without an expiry are refreshed."""


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
    failure: RefreshFailure | None = None
    """Why the sign-in has ended, if it has: the token is the last one, and only a new sign-in gives another."""


RefreshOutcome: TypeAlias = RefreshSuccess | RefreshFailure
"""How a refresh ended."""


class Lifetime(NamedTuple):
    """How long a delivered token can be delivered again, in seconds since 1970. Infinite for an API key."""

    due: float
    """From this time on it is refreshed."""
    end: float
    """From this time on it is not valid."""


def due_at(tokens: Tokens, last_refresh: float | None) -> float:
    """Return when tokens are to be refreshed, because of their expiry or their age, in seconds since 1970.

    Args:
        tokens: The tokens. The access token may have an expiry.
        last_refresh: When they were received, in seconds since 1970; None if unknown.
    """
    ends = tokens.expires_at()
    if ends is None:
        return math.inf if last_refresh is None else last_refresh + OLDEST
    lifetime = math.inf if last_refresh is None else max(0.0, ends - last_refresh)
    due, earliest = ends - min(REFRESH_AHEAD, lifetime * EARLY_SHARE), tokens.earliest_refresh()
    return due if earliest is None else max(due, min(earliest, ends))


def lifetime_of(success: RefreshSuccess) -> Lifetime:
    """Return how long a token can be delivered again, if nothing else is stored meanwhile."""
    tokens = success.credentials.tokens
    if tokens is None or tokens.access_token != success.token:
        return Lifetime(math.inf, math.inf)
    ends = tokens.expires_at()
    end = math.inf if ends is None else ends
    if not tokens.has_refresh_token:
        return Lifetime(end, end)
    received = success.credentials.last_refresh_time()
    return Lifetime(due_at(tokens, received.timestamp() if received else None), end)


class Refusal(Record):
    """A refresh token that the provider refused for good. It does not hold the token, and can be stored."""

    digest: str
    """What `digest_of` returned for the token."""
    category: RefreshFailureCategory
    """The category of the failure."""


def digest_of(credentials: Credentials, provider: Provider) -> str:
    """Return a text that identifies a refresh token, without revealing it.

    It is the SHA-256 of the token, of the time when it was received, and of the endpoint and client that it is for. A
    new sign-in has another digest, even if the provider issues the same refresh token again.

    Args:
        credentials: Credentials with tokens.
        provider: The provider that the token is sent to.
    """
    assert credentials.tokens is not None
    refresh_token = credentials.tokens.refresh_token
    token = refresh_token.reveal() if refresh_token else ""
    parts = (provider.token_endpoint, provider.client_id, credentials.last_refresh, token)
    return sha256(json.dumps(parts).encode()).hex()


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
    refused: str | None = None
    """The digest of a refresh token that the provider refused for good."""
    refusal: RefreshFailure | None = None
    """The failure after that refusal."""
