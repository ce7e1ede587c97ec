"""The transitions of a sign-out, and their effects. `loginmachine.sansio.login.table` explains how to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from ..base import engine
from ..refresh.actions import LoadCredentials
from .actions import EndSignOut, RemoveCredentials, ReportRemoval, RevokeTokens
from .outcome import SignOutFailure, SignOutFailureCategory, SignOutResult
from .states import SignOutState, SignOutTrigger

if TYPE_CHECKING:
    from .state import Meaning, SignOutData


def is_named(data: SignOutData, _: Meaning) -> bool:
    """The host has named the provider."""
    return data.named_provider is not None


def load(data: SignOutData, meaning: Meaning) -> None:
    """Read the store."""
    data.keeps_tokens = meaning.keeps_tokens
    data.out.append(LoadCredentials())


def begin(data: SignOutData, meaning: Meaning) -> None:
    """Remove the credentials, whichever provider has issued them."""
    data.keeps_tokens = meaning.keeps_tokens
    data.out.append(RemoveCredentials())


def remove(data: SignOutData, _: Meaning) -> None:
    """Remove the credentials."""
    data.out.append(RemoveCredentials())


def revoke(data: SignOutData, meaning: Meaning) -> None:
    """Report the removal, and revoke the tokens."""
    assert meaning.request is not None
    data.removed = meaning.removed
    data.out += [ReportRemoval(was_signed_in=True), RevokeTokens(**meaning.request.values())]


def end(data: SignOutData, meaning: Meaning) -> None:
    """End without a revocation. The message says why, if there are tokens."""
    data.out.append(ReportRemoval(was_signed_in=meaning.removed is not None))
    is_revoked = False if meaning.message else None
    _end(data, SignOutResult(removed=meaning.removed, is_revoked=is_revoked, problem=meaning.message))


def confirm(data: SignOutData, meaning: Meaning) -> None:
    """End with the result of the revocation."""
    is_revoked = not meaning.message
    _end(data, SignOutResult(removed=data.removed, is_revoked=is_revoked, problem=meaning.message))


def refuse(data: SignOutData, meaning: Meaning) -> None:
    """Keep the credentials, which another provider has issued."""
    _end(data, SignOutFailure(category=SignOutFailureCategory.PROVIDER_MISMATCH, message=meaning.message))


def fail(data: SignOutData, meaning: Meaning) -> None:
    """End with the trouble of the store."""
    _end(data, SignOutFailure(category=SignOutFailureCategory.REMOVAL_FAILED, message=meaning.message))


def _end(data: SignOutData, outcome: SignOutResult | SignOutFailure) -> None:
    data.outcome = outcome
    data.out.append(EndSignOut(outcome=outcome))


SignOutRow: TypeAlias = engine.Row[SignOutState, SignOutTrigger, "SignOutData"]
"""A transition of a sign-out."""
S, T, Row = SignOutState, SignOutTrigger, SignOutRow

# fmt: off
SIGN_OUT_ROWS: Final[tuple[SignOutRow, ...]] = (
    Row(T.SIGN_OUT_WANTED,        (S.IDLE,),     S.CHECKING,  load, is_named),
    Row(T.SIGN_OUT_WANTED,        (S.IDLE,),     S.REMOVING,  begin),
    Row(T.PROVIDER_MISMATCHED,    (S.CHECKING,), S.FAILED,    refuse),
    Row(T.PROVIDER_MATCHED,       (S.CHECKING,), S.REMOVING,  remove),
    Row(T.CREDENTIALS_UNREADABLE, (S.CHECKING,), S.REMOVING,  remove),
    Row(T.REMOVAL_FAILED,         (S.REMOVING,), S.FAILED,    fail),
    Row(T.CREDENTIALS_REMOVED,    (S.REMOVING,), S.REVOKING,  revoke),
    Row(T.NOTHING_TO_REVOKE,      (S.REMOVING,), S.SUCCEEDED, end),
    Row(T.PROVIDER_UNKNOWN,       (S.REMOVING,), S.SUCCEEDED, end),
    Row(T.REVOCATION_CONFIRMED,   (S.REVOKING,), S.SUCCEEDED, confirm),
    Row(T.REVOCATION_UNCONFIRMED, (S.REVOKING,), S.SUCCEEDED, confirm),
)
# fmt: on
