"""The events of a sign-out. `CredentialsLoaded` and `LoadFailed` are the same as in a refresh."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.records import Record
from ..refresh.events import CredentialsLoaded, LoadFailed

if TYPE_CHECKING:
    from ..model.credentials import Credentials


class SignOutWanted(Record):
    """The person wants to sign out. The first event of every sign-out."""

    reads_store: bool = False
    """Read the store first: some providers' tokens are revoked before they are removed."""
    keeps_tokens: bool = False
    """Remove the credentials, and revoke nothing: another machine or program uses the same tokens."""


class CredentialsRemoved(Record):
    """The credentials are removed from the store."""

    removed: Credentials | None
    """What was stored, without what could not be read; None if nothing was stored."""


class RemovalFailed(Record):
    """The credentials cannot be removed."""

    message: str
    """Why, as text for people."""


class RevocationEnded(Record):
    """The provider has answered the revocation request, or will not."""

    problem: str
    """Why the revocation is not confirmed, as text for people; empty if it is."""
    may_pass: bool = False
    """Another try may succeed: there was no response, or the provider has a problem."""


SignOutEvent: TypeAlias = (
    SignOutWanted | CredentialsLoaded | LoadFailed | CredentialsRemoved | RemovalFailed | RevocationEnded
)
"""Every event that `SignOutMachine.handle` takes."""
