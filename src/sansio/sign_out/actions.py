"""The actions of a sign-out. `LoadCredentials` is the same as in a refresh."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ..base.http import HttpRequest
from ..base.records import Record
from ..refresh.actions import LoadCredentials

if TYPE_CHECKING:
    from .outcome import SignOutOutcome


class RemoveCredentials(Record):
    """Remove the credentials from the store. Answered by `CredentialsRemoved` or `RemovalFailed`."""


class ReportRemoval(Record):
    """Tell the person that nothing is stored any more. Never answered. The revocation may take a while."""

    was_signed_in: bool
    """Whether credentials were stored."""


class RevokeTokens(HttpRequest):
    """Send a request to the revocation endpoint (RFC 7009). Answered by `RevocationEnded`."""

    pause: float = 0.0
    """Seconds to wait before."""


class EndSignOut(Record):
    """Pass the outcome to the caller. Every sign-out has this action once, as its last. Never answered."""

    outcome: SignOutOutcome


SignOutAction: TypeAlias = LoadCredentials | RemoveCredentials | ReportRemoval | RevokeTokens | EndSignOut
"""Every action that `SignOutMachine.handle` returns."""
