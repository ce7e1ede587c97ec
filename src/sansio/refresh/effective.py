"""Which credentials apply: the stored ones, or the API key of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record
from ..base.secret import Secret
from ..model.credentials import AuthMode, Credentials
from ..model.issuer import provider_of
from ..model.provider import Provider
from .outcome import digest_of

if TYPE_CHECKING:
    from .outcome import Refusal


class Applicable(Record):
    """The credentials that apply, and how they are used."""

    mode: str
    """One of `AuthMode`, or the mode of a newer version."""
    credentials: Credentials
    from_environment: bool = False
    """The credentials are the API key of the environment, because nothing is stored."""

    @property
    def bearer(self) -> Secret | None:
        """The token for the API (RFC 6750); None if the mode gives none here, or the token that it needs is missing."""
        credentials = self.credentials
        if self.mode == AuthMode.API_KEY:
            return credentials.api_key
        if self.mode in (AuthMode.CHATGPT, AuthMode.OAUTH) and credentials.tokens is not None:
            return None if self.is_identity_only else credentials.tokens.access_token
        return None

    @property
    def is_identity_only(self) -> bool:
        """Whether the sign-in only says who the person is: the provider gave no access token."""
        tokens = self.credentials.tokens
        return self.mode == AuthMode.OAUTH and tokens is not None and tokens.access_token.reveal() == ""


def applicable(
    stored: Credentials | None, provider: Provider, *, environment_key: str | None = None
) -> Applicable | None:
    """Choose the credentials that apply. Stored credentials take precedence over the environment, even if unusable.

    Args:
        stored: The stored credentials; None if nothing is stored.
        provider: Says where an id token holds the plan.
        environment_key: The API key of the environment; None or empty for none.

    Returns:
        The credentials that apply; None if there are none.
    """
    if stored is not None:
        # The plan is needed only if no mode is stored. It takes time to read, and this function is called often.
        tokens = stored.tokens if stored.auth_mode is None else None
        plan = tokens.account(provider).plan if tokens else None
        return Applicable(mode=stored.effective_mode(plan), credentials=stored)
    key = (environment_key or "").strip()
    if not key:
        return None
    credentials = Credentials.from_api_key(Secret(key))
    return Applicable(mode=AuthMode.API_KEY, credentials=credentials, from_environment=True)


def has_ended(applies: Applicable | None, refusal: Refusal | None, provider: Provider | None = None) -> bool:
    """Return whether the sign-in of the credentials that apply has ended: their refresh token is the refused one.

    Args:
        applies: The credentials that apply; None if there are none.
        refusal: The refusal that the store remembers; None if there is none.
        provider: The provider that the caller names; None for the one that the credentials record.
    """
    if applies is None or refusal is None or applies.mode not in (AuthMode.CHATGPT, AuthMode.OAUTH):
        return False
    tokens = applies.credentials.tokens
    if tokens is None:
        return False
    asked = provider or provider_of(tokens) or Provider.codex()
    return digest_of(applies.credentials, asked) == refusal.digest
