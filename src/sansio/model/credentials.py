"""Credentials, and the format of ``auth.json``, which is shared with the Codex CLI."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ..base.records import Record, hidden
from ..base.secret import Secret
from ..base.text import clean_text
from . import claims
from .auth_json import (
    EXPIRES_AT,
    KNOWN_KEYS,
    KNOWN_TOKEN_KEYS,
    LOGIN_KEYS,
    PROVENANCE,
    PROVENANCE_KEYS,
    TOKEN_KEYS,
    CredentialsError,
    is_provenance,
    members_of,
    others_of,
    problem_of,
    read_members,
)
from .claims import claims_of
from .provenance import Provenance, provenance_of_provider
from .tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any, Final

    from ..base.strict_json import JsonObject
    from .options import LoginOptions
    from .tokens import RefreshedTokens, TokenSet

_FREE_OF_API_KEY: Final = frozenset({"free", "plus", "pro", "team"})
"""Plans with a subscription that pays for the use. With tokens of such a plan, the API key does not apply."""


class AuthMode(StrEnum):
    """The kind of credentials that are used."""

    CHATGPT = "chatgpt"
    API_KEY = "apikey"
    OAUTH = "oauth"
    """Tokens of another provider than Codex's. ``auth.json`` never holds them."""
    # The others are Codex's alone. They give no token here.
    CHATGPT_AUTH_TOKENS = "chatgptAuthTokens"
    AGENT_IDENTITY = "agentIdentity"
    PERSONAL_ACCESS_TOKEN = "personalAccessToken"  # noqa: S105 - a mode
    BEDROCK_API_KEY = "bedrockApiKey"
    BEDROCK_ACCESS_KEYS = "bedrockAccessKeys"


_MODES: Final = frozenset(mode.value for mode in AuthMode)
_MODE_OF_MEMBER: Final = (
    ("personal_access_token", AuthMode.PERSONAL_ACCESS_TOKEN),
    ("bedrock_api_key", AuthMode.BEDROCK_API_KEY),
    ("bedrock_access_keys", AuthMode.BEDROCK_ACCESS_KEYS),
)
"""In a file without a mode, Codex uses the first of these members that there is, before an API key and tokens."""


def why_unknown(mode: str) -> str:
    """Return why credentials of a mode cannot be used, as clean text; empty if Codex 0.171 knows the mode."""
    return "" if mode in _MODES else f"auth_mode is {clean_text(mode)!r}, which is not known here"


class Credentials(Record):
    """The credentials of a person: the tokens of a login, or an API key."""

    auth_mode: str | None = AuthMode.CHATGPT
    """One of `AuthMode`, or the mode of a newer version; None in older files."""
    api_key: Secret | None = None
    tokens: Tokens | None = None
    last_refresh: str | None = None
    """When this machine received the access token, in UTC and in the format of RFC 3339."""
    unverified: Credentials | None = None
    """Those of a refresh with an id token that is not verified yet. When it is, they replace these."""
    others: Secret | None = hidden(default=None)
    """The other members of the file from which these credentials were read, as a JSON object."""

    @classmethod
    def from_login(
        cls,
        tokens: TokenSet,
        *,
        account_id: str | None,
        received_at: float,
        api_key: Secret | None = None,
        options: LoginOptions | None = None,
    ) -> Credentials:
        """Return the credentials of a login.

        Args:
            tokens: The tokens of the code exchange.
            account_id: The id of the account, which is also the workspace.
            received_at: When the tokens were received, in seconds since 1970.
            api_key: The result of the API-key exchange, if there is one.
            options: The options of the login: the provider that issued the tokens, and the client. The tokens of
                another provider than Codex's also record the scopes and the resources.
        """
        is_other = options is not None and not options.provider.dialect.stores_in_auth_json
        recorded = {} if options is None else _recorded(tokens, options)
        lifetime = tokens.expires_in
        if lifetime is None and options is not None and claims.expiry(claims_of(tokens.access_token)) is None:
            lifetime = options.provider.access_token_lifetime
        return cls(
            auth_mode=AuthMode.OAUTH if is_other else AuthMode.CHATGPT,
            api_key=api_key,
            tokens=Tokens(
                id_token=tokens.id_token,
                access_token=tokens.access_token,
                refresh_token=tokens.refresh_token,
                account_id=account_id,
                expiry=None if lifetime is None else received_at + lifetime,
                **recorded,
            ),
            last_refresh=_rfc3339(received_at),
        )

    @classmethod
    def parse(cls, data: bytes) -> Credentials:
        """Read the bytes of an ``auth.json``.

        Raises:
            CredentialsError: The bytes are not a JSON object, or a member has the wrong type.
        """
        return parse(data)

    def serialise(self) -> bytes:
        """Return the bytes of an ``auth.json``, secrets included."""
        return serialise(self)

    @classmethod
    def from_api_key(cls, key: Secret) -> Credentials:
        """Return credentials that consist of an API key."""
        return cls(auth_mode=AuthMode.API_KEY, api_key=key)

    def refreshed(
        self, answer: RefreshedTokens, *, received_at: float, provenance: Provenance | None = None
    ) -> Credentials:
        """Return these credentials with the tokens of a refresh. Tokens that were not renewed stay as they are.

        Args:
            answer: The new tokens. Each is optional (RFC 6749 section 6).
            received_at: When they were received, in seconds since 1970.
            provenance: The provider that issued them, and the client. It is recorded if none is recorded yet.
        """
        assert self.tokens is not None
        came = {name: value for name, value in answer.values().items() if value is not None}
        lifetime = came.pop("expires_in", None)
        if answer.access_token is not None:
            provider = self.tokens.provider
            if lifetime is None and provider is not None and claims.expiry(claims_of(answer.access_token)) is None:
                lifetime = provider.access_token_lifetime
            came["expiry"] = None if lifetime is None else received_at + lifetime
        if self.tokens.provenance is None:
            came["provenance"] = provenance
        refreshed = self.__replace__(tokens=self.tokens.__replace__(**came, refresh_sent_at=None), unverified=None)
        if answer.access_token is None and self.tokens.expires_at() is not None:
            # The access token, which says when it ends, is as old as before.
            return refreshed
        return refreshed.__replace__(last_refresh=_rfc3339(received_at))

    def secrets(self) -> tuple[str, ...]:
        """Return every secret in the credentials, revealed, so that echoes of them can be masked."""
        tokens = self.tokens
        held = (self.api_key, *((tokens.id_token, tokens.access_token, tokens.refresh_token) if tokens else ()))
        client = tokens.provider.client_secret if tokens and tokens.provider else None
        others = () if self.unverified is None else self.unverified.secrets()
        return (*(secret.reveal() for secret in (*held, client) if secret is not None), *others)

    def effective_mode(self, plan: str | None) -> str:
        """Return the mode in which the credentials are used.

        Args:
            plan: The plan in the id token; None if unknown.

        Returns:
            `auth_mode` if it is set. Otherwise the mode that Codex infers from the other members.
        """
        if self.auth_mode is not None:
            return self.auth_mode
        others = members_of(self.others)
        for member, mode in _MODE_OF_MEMBER:
            if others.get(member):
                return mode
        if self.api_key is not None and (self.tokens is None or plan not in _FREE_OF_API_KEY):
            return AuthMode.API_KEY
        return AuthMode.CHATGPT

    def last_refresh_time(self) -> datetime | None:
        """Return `last_refresh` as a time in UTC; None if it is missing or unreadable."""
        from datetime import UTC, datetime  # noqa: PLC0415 - not needed before the URL is shown

        try:
            # Codex writes nanoseconds; Python reads microseconds.
            moment = datetime.fromisoformat(self.last_refresh or "")
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            # (In the first and last hours of the calendar, a time zone's offset leads out of it.)
            return None


def parse(data: bytes) -> Credentials:
    """Read the bytes of an ``auth.json``.

    Raises:
        CredentialsError: The bytes are not a JSON object, or a member has the wrong type.
    """
    content = read_members(data)
    problem = content if isinstance(content, str) else problem_of(content)
    if problem or isinstance(content, str):
        # A traceback with locals must not show them.
        del data, content
        raise CredentialsError(problem)
    tokens, key = content.get("tokens"), content.get("OPENAI_API_KEY")
    return Credentials(
        auth_mode=content.get("auth_mode"),
        api_key=Secret(key) if key else None,
        tokens=_tokens(tokens) if tokens else None,
        last_refresh=content.get("last_refresh"),
        others=others_of(content, KNOWN_KEYS),
    )


def serialise(credentials: Credentials, *, previous: Mapping[str, object] | None = None) -> bytes:
    """Return the bytes of an ``auth.json``.

    Args:
        credentials: The credentials. Their `others` are written too.
        previous: The members of the file that is replaced. Those that hold no credentials are kept, after the new ones.
    """
    import json  # noqa: PLC0415 - not needed before the URL is shown

    tokens, key = credentials.tokens, credentials.api_key
    content: JsonObject = {} if credentials.auth_mode is None else {"auth_mode": credentials.auth_mode}
    content["OPENAI_API_KEY"] = key.reveal() if key else None
    if tokens is not None:
        held = ((name, getattr(tokens, name)) for name in TOKEN_KEYS)
        known: JsonObject = {name: token.reveal() if token else "" for name, token in held}
        if tokens.expiry is not None:
            known[EXPIRES_AT] = tokens.expiry
        origin = tokens.provenance or (provenance_of_provider(tokens.provider) if tokens.provider else None)
        named = {} if origin is None else {PROVENANCE: _provenance_members(origin)}
        content["tokens"] = {**known, "account_id": tokens.account_id, **named, **members_of(tokens.others)}
    if tokens is not None or credentials.last_refresh is not None:
        content["last_refresh"] = credentials.last_refresh
    content |= members_of(credentials.others)
    kept = {name: value for name, value in (previous or {}).items() if name not in (*LOGIN_KEYS, *content)}
    # ASCII only: a kept value may hold a lone surrogate, which UTF-8 cannot.
    return json.dumps({**content, **kept}, indent=2).encode("ascii")


def _tokens(members: JsonObject) -> Tokens:
    origin = members.get(PROVENANCE)
    recorded = origin if is_provenance(origin) else None
    expiry = claims.expiry({"exp": members.get(EXPIRES_AT)})
    read = (*KNOWN_TOKEN_KEYS, *((PROVENANCE,) if recorded else ()), *(() if expiry is None else (EXPIRES_AT,)))
    return Tokens(
        id_token=Secret(members["id_token"]) if members["id_token"] else None,
        access_token=Secret(members["access_token"]),
        refresh_token=Secret(members["refresh_token"]) if members["refresh_token"] else None,
        account_id=members.get("account_id"),
        expiry=expiry,
        provenance=None if recorded is None else _provenance(recorded),
        others=others_of(members, read),
    )


def _provenance(members: JsonObject) -> Provenance:
    others = others_of(members, PROVENANCE_KEYS)
    return Provenance(issuer=members["issuer"], client_id=members["client_id"], others=others)


def _provenance_members(origin: Provenance) -> JsonObject:
    return {"issuer": origin.issuer, "client_id": origin.client_id, **members_of(origin.others)}


def _recorded(tokens: TokenSet, options: LoginOptions) -> dict[str, Any]:
    """Return what tokens record of their login. Codex's file has a place for the issuer and the client only."""
    if options.provider.dialect.stores_in_auth_json:
        return {"provenance": provenance_of_provider(options.provider)}
    return {
        "scope": options.requested_scopes if tokens.scope is None else tokens.scope,
        "resource": options.requested_resources,
        "extra": tokens.extra,
        "provider": options.provider,
    }


def _rfc3339(seconds: float) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - not needed before the URL is shown

    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
