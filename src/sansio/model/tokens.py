"""Tokens: those in a response of the token endpoint, and those of a login."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record, hidden
from .account import identifier, read_account
from .auth_json import members_of
from .claims import claims_of, expiry
from .moments import read_moment

if TYPE_CHECKING:
    from ..base.secret import Secret
    from .account import Account
    from .provenance import Provenance
    from .provider import Provider


class TokenAnswer(Record):
    """What the responses to a code exchange and to a refresh have in common (RFC 6749 section 5.1)."""

    id_token: Secret | None = None
    refresh_token: Secret | None = None
    expires_in: float | None = None
    """The lifetime of the access token in seconds, from now; None if the response does not say."""
    scope: tuple[str, ...] | None = None
    """The granted scopes; None if they are those that were asked for."""
    extra: Secret | None = hidden(default=None)
    """Members that no standard describes, as a JSON object."""


class TokenSet(TokenAnswer):
    """The tokens of a code exchange."""

    access_token: Secret
    """Empty if the provider gave none: the login only says who the person is (`Dialect.has_optional_access_token`)."""

    def secrets(self) -> tuple[str, ...]:
        """Return the tokens, revealed, so that echoes of them can be masked."""
        held = (self.access_token, self.id_token, self.refresh_token)
        return tuple(secret.reveal() for secret in held if secret is not None)


class RefreshedTokens(TokenAnswer):
    """The tokens of a refresh. A token that the provider did not renew is None."""

    access_token: Secret | None = None


class Tokens(Record):
    """The tokens of a login."""

    id_token: Secret | None = None
    """The id token, unchanged since it was received; None if the provider gave none."""
    access_token: Secret
    """Empty if the provider gave none, as in `TokenSet`."""
    refresh_token: Secret | None = None
    """None if the provider gave none: then only a new login gives another access token."""
    account_id: str | None = None
    expiry: float | None = None
    """When the access token expires, in seconds since 1970, as the provider said; None if it did not."""
    scope: tuple[str, ...] | None = None
    """The granted scopes (RFC 6749 section 3.3); None if they are not known."""
    resource: tuple[str, ...] = ()
    """The resources that the tokens are for (RFC 8707)."""
    extra: Secret | None = hidden(default=None)
    """Members of the provider's response that no standard describes, as a JSON object."""
    provider: Provider | None = None
    """The provider, with its endpoints and the client. None for Codex's; `provenance` names its issuer and client."""
    provenance: Provenance | None = None
    """The issuer and the client. None in older files: see `loginmachine.sansio.model.provenance`."""
    refresh_sent_at: float | None = None
    """When a refresh token that works once was sent last, in seconds since 1970; None if an answer was stored."""
    others: Secret | None = hidden(default=None)
    """Members that a newer version has added, as a JSON object."""

    @property
    def has_refresh_token(self) -> bool:
        """Whether there is a refresh token. An empty one, as in an older ``auth.json``, is none."""
        return self.refresh_token is not None and self.refresh_token.reveal() != ""

    @property
    def plan_enabled(self) -> bool | None:
        """Whether the person's plan pays for requests: its scope was granted. None if the provider has no plans."""
        scope = None if self.provider is None else self.provider.dialect.plan_scope
        return None if scope is None else scope in (self.scope or ())

    def earliest_refresh(self) -> float | None:
        """Return before when the provider accepts no refresh, in seconds since 1970; None if it does not say."""
        member = None if self.provider is None else self.provider.dialect.earliest_refresh_member
        return None if member is None else read_moment(members_of(self.extra).get(member))

    def account(self, provider: Provider) -> Account:
        """Return the account that the tokens describe. A token that cannot be read adds nothing."""
        account = read_account(claims_of(self.id_token), claims_of(self.access_token), provider)
        return account if account.account_id else account.__replace__(account_id=identifier(self.account_id))

    def expires_at(self) -> float | None:
        """Return when the access token expires, in seconds since 1970; None if nothing says.

        The lifetime in the provider's response (RFC 6749 section 5.1) counts from the moment when it was received.
        Without one, the token itself may say (RFC 9068 section 2.2).
        """
        return expiry(claims_of(self.access_token)) if self.expiry is None else self.expiry
