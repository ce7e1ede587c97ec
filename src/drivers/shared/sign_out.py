"""What signing out returns: the same with threads and with trio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sansio.base.records import Record

if TYPE_CHECKING:
    from ...sansio.model.credentials import Credentials


class SignOutResult(Record):
    """What a sign-out did."""

    removed: Credentials | None = None
    """The credentials that were stored, without what could not be read; None if nothing was stored."""
    is_revoked: bool | None = None
    """Whether the provider confirmed that it has revoked the tokens; None if there was nothing to revoke."""
    problem: str = ""
    """Why the provider did not confirm it, in words for a person; empty if it did, or if there was nothing to revoke.
    It never has a token in it."""
