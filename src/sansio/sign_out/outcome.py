"""How a sign-out ended."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from ..base.records import Record

if TYPE_CHECKING:
    from ..model.credentials import Credentials


class SignOutResult(Record):
    """What a sign-out did."""

    removed: Credentials | None = None
    """The credentials that were stored, without what could not be read; None if nothing was stored."""
    is_revoked: bool | None = None
    """Whether the provider confirmed that it has revoked the tokens; None if there was nothing to revoke, or if
    the tokens were to be kept."""
    problem: str = ""
    """Why the provider did not confirm it, in words for a person; empty if it did, or if there was nothing to revoke.
    It never has a token in it."""


class SignOutFailureCategory(StrEnum):
    """The kind of failure."""

    PROVIDER_MISMATCH = "provider_mismatch"
    REMOVAL_FAILED = "removal_failed"


class SignOutFailure(Record):
    """Why the credentials are still stored. Nothing is revoked then."""

    category: SignOutFailureCategory
    message: str
    """Clean words: no secret, no control character."""


SignOutOutcome: TypeAlias = SignOutResult | SignOutFailure
"""How a sign-out ended."""
