"""The account that a person signed in to, as the tokens describe it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record
from ..base.text import clean_text

if TYPE_CHECKING:
    from ..base.secret import Secret
    from ..base.strict_json import JsonObject
    from .provider import Provider


class Account(Record):
    """The account that a person signed in to. A field is None if the tokens do not contain it."""

    account_id: str | None = None
    """The ChatGPT account, which is also the workspace."""
    email: str | None = None
    plan: str | None = None
    """The plan in the id token. It decides which credentials apply."""
    shown_plan: str | None = None
    """The plan in the access token. It is shown on the success page."""
    organization_id: str | None = None
    project_id: str | None = None
    needs_setup: bool = False
    """The person owns an organisation, and its setup is not finished."""


class KnownAccount(Record):
    """The account that a login renews: the person that the client belongs to."""

    subject: str
    """``sub`` of the id token. A login of another person is refused."""
    email: str | None = None
    """For ``login_hint``. Only the browser gets it."""
    id_token: Secret | None = None
    """The id token of the last login, for ``id_token_hint``; None after a sign-out. Only the browser gets it."""


def read_account(id_claims: JsonObject, access_claims: JsonObject, provider: Provider) -> Account:
    """Return the account that the tokens describe.

    Args:
        id_claims: The claims of the id token. They come first.
        access_claims: The claims of the access token.
        provider: Says which claim holds the account claims.
    """
    ours, other = _account_claims(id_claims, provider), _account_claims(access_claims, provider)

    def either(name: str) -> object:
        return ours[name] if name in ours else other.get(name)

    return Account(
        account_id=identifier(ours.get("chatgpt_account_id")),
        email=_text(id_claims.get("email")),
        plan=_text(ours.get("chatgpt_plan_type")),
        shown_plan=_text(other.get("chatgpt_plan_type")),
        organization_id=_text(either("organization_id")),
        project_id=_text(either("project_id")),
        needs_setup=either("is_org_owner") is True and either("completed_platform_onboarding") is not True,
    )


def workspace_allowed(account: Account, allowed_workspaces: tuple[str, ...]) -> bool:
    """Return whether the account may sign in: its id is in the list, or the list is empty."""
    return not allowed_workspaces or account.account_id in allowed_workspaces


def _account_claims(claims: JsonObject, provider: Provider) -> JsonObject:
    if provider.dialect.claims_namespace is None:
        return claims
    nested = claims.get(provider.dialect.claims_namespace)
    return nested if isinstance(nested, dict) else {}


def identifier(value: object) -> str | None:
    """Return an identifier, which is compared exactly; None if the value is empty or no printable string."""
    return value if isinstance(value, str) and value and clean_text(value) == value else None


def _text(value: object) -> str | None:
    """Return a claim as text that is safe to show; None if it is no string or empty."""
    return (clean_text(value) or None) if isinstance(value, str) else None
