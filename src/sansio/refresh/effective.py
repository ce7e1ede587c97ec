"""Which credentials apply, of all that there may be."""

from __future__ import annotations

from ..base.records import Record
from ..base.secret import Secret
from ..model.credentials import AuthMode, Credentials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..model.provider import Provider


class Applicable(Record):
    """The credentials that count, and how they are used."""

    mode: str
    """``chatgpt``, ``apikey``, or the mode of a newer version."""
    credentials: Credentials
    from_environment: bool = False
    """Nothing is stored: they are the API key in the environment."""

    @property
    def bearer(self) -> Secret | None:
        """What is sent to the API (RFC 6750); None if the mode is a newer version's, or what it needs is missing."""
        credentials = self.credentials
        if self.mode == AuthMode.API_KEY:
            return credentials.api_key
        if self.mode == AuthMode.CHATGPT and credentials.tokens is not None:
            return credentials.tokens.access_token
        return None


def applicable(
    stored: Credentials | None, provider: Provider, *, environment_key: str | None = None
) -> Applicable | None:
    """Choose. What is stored always comes before the environment, whatever is wrong with it.

    Args:
        stored: What the store holds; None if nothing.
        provider: Says where the plan is to be found in an id token.
        environment_key: The API key that the program found in its environment; empty counts as none.

    Returns:
        What applies; None if there is nothing at all.
    """
    if stored is not None:
        # Only where no mode is stored does the plan count; for it two tokens are decoded, and this is asked often.
        tokens = stored.tokens if stored.auth_mode is None else None
        plan = tokens.account(provider).plan if tokens else None
        return Applicable(mode=stored.effective_mode(plan), credentials=stored)
    key = (environment_key or "").strip()
    if not key:
        return None
    credentials = Credentials.from_api_key(Secret(key))
    return Applicable(mode=AuthMode.API_KEY, credentials=credentials, from_environment=True)
