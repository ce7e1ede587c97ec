"""Which credentials apply: the stored ones, or the API key of the environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record
from ..base.secret import Secret
from ..model.credentials import AuthMode, Credentials

if TYPE_CHECKING:
    from ..model.provider import Provider


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
        if self.mode == AuthMode.CHATGPT and credentials.tokens is not None:
            return credentials.tokens.access_token
        return None


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
