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

TRY_TIMEOUT: Final = 0.8
"""Time limit of a try to revoke tokens before they are removed, in seconds."""
PAUSES: Final = (0.0, 0.2, 0.4)
"""Seconds before each try. All tries together take three seconds at most."""


def reads_first(data: SignOutData, meaning: Meaning) -> bool:
    """The host has named the provider, or wants the store to be read."""
    return data.named_provider is not None or meaning.reads_store


def may_try_again(data: SignOutData, _: Meaning) -> bool:
    """The revocation was tried fewer than three times."""
    return data.request is not None and data.request.pause < PAUSES[-1]


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


def revoke_first(data: SignOutData, meaning: Meaning) -> None:
    """Revoke the tokens, which are still stored."""
    assert meaning.request is not None
    _try(data, RevokeTokens(**{**meaning.request.values(), "timeout": TRY_TIMEOUT}))


def revoke_again(data: SignOutData, _: Meaning) -> None:
    """Revoke the tokens once more, after a pause."""
    assert data.request is not None
    _try(data, data.request.__replace__(pause=next(pause for pause in PAUSES if pause > data.request.pause)))


def _try(data: SignOutData, request: RevokeTokens) -> None:
    data.request = request
    data.out.append(request)


def remove_revoked(data: SignOutData, meaning: Meaning) -> None:
    """Remove the credentials, whether their revocation is confirmed or not."""
    data.problem = meaning.message
    data.out.append(RemoveCredentials())


def end_revoked(data: SignOutData, meaning: Meaning) -> None:
    """End with the result of the revocation, which came before the removal."""
    data.out.append(ReportRemoval(was_signed_in=True))
    _end(data, SignOutResult(removed=meaning.removed, is_revoked=not meaning.message, problem=meaning.message))


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
    Row(T.SIGN_OUT_WANTED,        (S.IDLE,),     S.CHECKING,  load, reads_first),
    Row(T.SIGN_OUT_WANTED,        (S.IDLE,),     S.REMOVING,  begin),
    Row(T.PROVIDER_MISMATCHED,    (S.CHECKING,), S.FAILED,    refuse),
    Row(T.REVOCATION_DUE,         (S.CHECKING,), S.REVOKING_FIRST, revoke_first),
    Row(T.REVOCATION_CONFIRMED,   (S.REVOKING_FIRST,), S.REMOVING, remove_revoked),
    Row(T.REVOCATION_UNCONFIRMED, (S.REVOKING_FIRST,), S.REMOVING, remove_revoked),
    Row(T.REVOCATION_INTERRUPTED, (S.REVOKING_FIRST,), S.REVOKING_FIRST, revoke_again, may_try_again),
    Row(T.REVOCATION_INTERRUPTED, (S.REVOKING_FIRST,), S.REMOVING, remove_revoked),
    Row(T.REVOKED_REMOVED,        (S.REMOVING,), S.SUCCEEDED, end_revoked),
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
