"""What an event means for a refresh: a trigger, with what the effect of its row needs to know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record

if TYPE_CHECKING:
    from ..base.secret import Secret
    from ..model.credentials import Credentials
    from .failures import RefreshFailure
    from .states import RefreshTrigger


class Interpretation(Record):
    """A trigger that says everything by itself. Base of the others."""

    trigger: RefreshTrigger
    now: float | None = None
    """The time, in seconds since 1970, if the event says it."""


class Problem(Interpretation):
    """Something went wrong. It may end the refresh."""

    message: str = ""
    """Clean words: no secret, no control character."""
    failure: RefreshFailure | None = None
    """The failure, if it is one that was found before."""


class StoreRead(Problem):
    """The store was read. The message says what is wrong with its content, if something is."""

    credentials: Credentials | None = None
    """The credentials that apply: the stored ones, or newer ones that could not be stored."""
    stored: Secret | None = None
    """The refresh token in the store."""
    is_unchanged: bool = False
    """The store holds what it held before: the credentials of the refresh stay as they are."""


class ReceivedTokens(Interpretation):
    """New tokens came, and passed the checks."""

    refreshed: Credentials
    """The credentials with the new tokens."""
