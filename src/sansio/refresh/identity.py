"""Whether new tokens are of the same sign-in as the old ones (OpenID Connect Core section 12.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model.account import read_account
from ..model.claims import ClaimError, claims_of
from ..oauth.id_token import IDENTITY, check_refreshed
from ..server.endpoints import IdTokenPolicy

if TYPE_CHECKING:
    from ..base.secret import Secret
    from ..base.strict_json import JsonObject
    from ..model.provider import Provider
    from ..model.tokens import Tokens


def change_of_identity(id_token: Secret, old: Tokens, provider: Provider) -> str:
    """Return how a new id token shows that it is of another sign-in, after "the new id token"; empty if it does not.

    Args:
        id_token: The new id token. One that cannot be read shows nothing.
        old: The tokens before.
        provider: Its policy says whether a missing claim is refused.
    """
    claims, before = claims_of(id_token), claims_of(old.id_token)
    account = _account_id(claims, provider)
    old_account = old.account_id or old.account(provider).account_id
    if account and old_account and account != old_account:
        return "is of another account"
    missing = _missing(claims, before)
    if claims and missing and provider.id_token_policy == IdTokenPolicy.STRICT:
        return f"has no {missing[0]}"
    try:
        check_refreshed(claims, before)
    except ClaimError as error:
        return str(error)
    return ""


def says_less(id_token: Secret, old: Tokens, provider: Provider) -> bool:
    """Return whether a new id token lacks what the old one says about the person, perhaps because it is unreadable."""
    claims, before = claims_of(id_token), claims_of(old.id_token)
    if _account_id(claims, provider) is None and _account_id(before, provider):
        return True
    return bool(_missing(claims, before))


def _missing(claims: JsonObject, before: JsonObject) -> list[str]:
    return [name for name in IDENTITY if name in before and name not in claims]


def _account_id(claims: JsonObject, provider: Provider) -> str | None:
    return read_account(claims, {}, provider).account_id
