"""The accounts that are stored on this machine, and the names of their entries."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..base.digests import sha256
from ..base.records import Record
from ..base.text import clean_text
from ..model.entry import NO_PROVIDER, identity_of

if TYPE_CHECKING:
    from typing import Final

    from ..model.credentials import Credentials
    from ..model.provider import Provider

_NOT_IN_NAME: Final = re.compile(r"[^a-z0-9.-]+")
_LONGEST_HOST: Final = 40
_DIGITS: Final = 32
NOTHING_KEY: Final = f"nothing-{'0' * _DIGITS}"
"""The name of an entry that there never is."""
_KEY: Final = re.compile(rf"[a-z0-9.-]+-[0-9a-f]{{{_DIGITS}}}")


class StoredAccount(Record):
    """An account with stored credentials. It holds no token."""

    key: str
    """The name of the entry, unique on this machine."""
    provider: str
    """The kind of provider: ``openid``, ``oauth``, ``google`` and so on."""
    issuer: str | None
    """The issuer; None if the provider has none."""
    origin: str
    """What identifies the provider: the issuer, or the token endpoint if it has none."""
    client_id: str
    subject: str = ""
    """``sub`` of the id token; empty if the provider gives none. Then there is one account for each client."""
    email: str | None = None
    name: str | None = None
    scopes: tuple[str, ...] = ()
    """The granted scopes."""
    expires_at: float | None = None
    """When the access token expires, in seconds since 1970; None if nothing says."""
    has_refresh_token: bool = False
    last_refresh: str | None = None
    """When the access token was received, in UTC and in the format of RFC 3339."""
    is_signed_in: bool = True
    """Whether tokens are stored. A client that was issued to the person is kept through a sign-out."""
    plan_enabled: bool | None = None
    """Whether the person's plan pays for requests; None if the provider has no plans."""
    is_default: bool = False
    """Whether it is the default among the accounts of its provider and issuer."""
    is_chosen: bool = False
    """Whether commands use it that name no account, because `use` has chosen it or an account of its provider."""

    @property
    def group(self) -> tuple[str, str]:
        """The provider and its issuer. One account of each group is the default."""
        return self.provider, self.origin

    def __str__(self) -> str:
        person = self.email or self.subject or "one account"
        return f"{clean_text(person)} at {clean_text(self.origin)} (client {clean_text(self.client_id)})"


def account_of(key: str, credentials: Credentials) -> StoredAccount:
    """Return the account of an entry.

    Args:
        key: The name of the entry.
        credentials: What is stored there, with tokens that name their provider.
    """
    tokens = credentials.tokens
    assert tokens is not None
    assert tokens.provider is not None
    provider = tokens.provider
    return StoredAccount(
        key=key,
        provider=provider.name,
        issuer=provider.issuer,
        origin=provider.origin,
        client_id=provider.client_id,
        **identity_of(credentials).values(),
        scopes=tokens.scope or (),
        expires_at=tokens.expires_at(),
        has_refresh_token=tokens.refresh_token is not None,
        plan_enabled=tokens.plan_enabled,
        last_refresh=credentials.last_refresh,
    )


def key_of(credentials: Credentials) -> str:
    """Return the name of the entry of credentials: of their issuer or token endpoint, their client and their account.

    Raises:
        ValueError: The credentials name no provider, or belong into ``auth.json``.
    """
    tokens = credentials.tokens
    provider = None if tokens is None else tokens.provider
    if provider is None:
        raise ValueError(NO_PROVIDER)
    check_stored_here(provider)
    return name_for(provider.origin, provider.client_id, identity_of(credentials).subject)


def check_stored_here(provider: Provider) -> None:
    """Check that the credentials of a provider are stored as accounts.

    Raises:
        ValueError: They are stored in ``auth.json``.
    """
    if provider.dialect.stores_in_auth_json:
        raise ValueError("the credentials of Codex's provider are stored in auth.json")


def name_for(origin: str, *parts: str) -> str:
    """Return a name for a file: the host of a URL, which people can read, and a digest of all parts.

    Args:
        origin: The issuer, or the token endpoint.
        parts: What else the name stands for.
    """
    host = _NOT_IN_NAME.sub("-", (urlsplit(origin).hostname or "").lower())[:_LONGEST_HOST].strip("-.")
    digest = sha256(json.dumps((origin, *parts)).encode("ascii")).hex()
    return f"{host or 'provider'}-{digest[:_DIGITS]}"


def is_key(name: str) -> bool:
    """Return whether a text is the name of an entry."""
    return _KEY.fullmatch(name) is not None
