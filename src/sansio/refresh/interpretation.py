"""Interpretations of events: a trigger, with the values that the effect of its row needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record

if TYPE_CHECKING:
    from ..base.secret import Secret
    from ..model.credentials import Credentials
    from ..oauth.keys import KeySet
    from .failures import RefreshFailure
    from .states import RefreshTrigger


class Interpretation(Record):
    """A trigger without further values. Base of the other interpretations."""

    trigger: RefreshTrigger
    now: float | None = None
    """The time of the event, in seconds since 1970; None if the event has none."""


class Problem(Interpretation):
    """Something went wrong. It may end the refresh."""

    message: str = ""
    """What went wrong, as clean text: it has no secret and no control character."""
    failure: RefreshFailure | None = None
    """A failure that was found before; None if the trigger determines the failure."""


class StoreRead(Problem):
    """The store was read. The message says what is wrong with its content; it is empty if nothing is wrong."""

    credentials: Credentials | None = None
    """The credentials that apply: the stored ones, or newer ones that could not be stored."""
    stored: Secret | None = None
    """The refresh token in the store."""
    is_unchanged: bool = False
    """The store is unchanged, so the credentials of the refresh stay as they are."""


class ReceivedKeys(Interpretation):
    """The provider's keys."""

    keys: KeySet


class ReceivedTokens(Interpretation):
    """New tokens came, and passed the checks."""

    refreshed: Credentials
    """The credentials with the new tokens."""
