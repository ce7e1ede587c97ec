"""The shape of ``auth.json``, which is shared with the Codex CLI."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from ..base.records import Record, hidden
from ..base.secret import Secret
from ..base.strict_json import JsonError, JsonObject, loads_object
from ..base.text import is_printable_ascii
from . import claims
from .account import identifier, read_account

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Final

    from .account import Account
    from .provider import Provider
    from .tokens import RefreshedTokens, TokenSet

_FREE_OF_API_KEY: Final = frozenset({"free", "plus", "pro", "team"})
"""Plans whose use is paid by the subscription: their API key does not apply when there are tokens."""

_LOGIN_KEYS: Final = (
    "auth_mode",
    "OPENAI_API_KEY",
    "tokens",
    "last_refresh",
    "agent_identity",
    "personal_access_token",
    "bedrock_api_key",
)
"""Members that hold somebody's credentials. A new login sets them or removes them; all others are kept."""


_TOKEN_KEYS: Final = ("id_token", "access_token", "refresh_token")
_KNOWN_KEYS: Final = ("auth_mode", "OPENAI_API_KEY", "tokens", "last_refresh")
_KNOWN_TOKEN_KEYS: Final = (*_TOKEN_KEYS, "account_id")


class AuthMode(StrEnum):
    """Which credentials apply."""

    CHATGPT = "chatgpt"
    API_KEY = "apikey"


class CredentialsError(ValueError):
    """Stored credentials cannot be read. The message says what is wrong where, never the value."""


class Tokens(Record):
    """The tokens of a ChatGPT login."""

    id_token: Secret
    """As it was received: nothing is taken out of it and put together again."""
    access_token: Secret
    refresh_token: Secret
    account_id: str | None = None
    others: Secret | None = hidden(default=None)
    """The members that a newer version put beside these, as a JSON object."""

    def account(self, provider: Provider) -> Account:
        """Whose they are, as the tokens say. A token that cannot be read says nothing."""
        account = read_account(_claims_of(self.id_token), _claims_of(self.access_token), provider)
        return account if account.account_id else account.__replace__(account_id=identifier(self.account_id))

    def expires_at(self) -> float | None:
        """When the access token ends, in seconds since 1970; None if it does not say."""
        return claims.expiry(_claims_of(self.access_token))


class Credentials(Record):
    """What a login leaves behind."""

    auth_mode: str | None = AuthMode.CHATGPT
    """``chatgpt``, ``apikey``, or the mode of a newer version; None in older files."""
    api_key: Secret | None = None
    tokens: Tokens | None = None
    last_refresh: str | None = None
    """When the tokens were received: RFC 3339, UTC."""
    others: Secret | None = hidden(default=None)
    """The other members of the file that they were read from, as a JSON object."""

    @classmethod
    def from_login(
        cls, tokens: TokenSet, *, account_id: str | None, received_at: float, api_key: Secret | None = None
    ) -> Credentials:
        """The credentials of a login through the browser.

        Args:
            tokens: From the code exchange.
            account_id: The workspace.
            received_at: When the tokens came, in seconds since 1970.
            api_key: From the API-key exchange, if it gave one.
        """
        return cls(
            auth_mode=AuthMode.CHATGPT,
            api_key=api_key,
            tokens=Tokens(
                id_token=tokens.id_token,
                access_token=tokens.access_token,
                refresh_token=tokens.refresh_token,
                account_id=account_id,
            ),
            last_refresh=_rfc3339(received_at),
        )

    @classmethod
    def parse(cls, data: bytes) -> Credentials:
        """Read the bytes of an ``auth.json``.

        Raises:
            CredentialsError: They are not a JSON object, or a member has the wrong type.
        """
        return parse(data)

    def serialise(self) -> bytes:
        """The bytes of an ``auth.json``, secrets included."""
        return serialise(self)

    @classmethod
    def from_api_key(cls, key: Secret) -> Credentials:
        """The credentials of a person who has nothing but an API key."""
        return cls(auth_mode=AuthMode.API_KEY, api_key=key)

    def refreshed(self, answer: RefreshedTokens, *, received_at: float) -> Credentials:
        """These credentials after a refresh: what came takes the place of what was, all else stays.

        Args:
            answer: From the token endpoint; each token is optional (RFC 6749 section 6).
            received_at: When it came, in seconds since 1970.
        """
        assert self.tokens is not None
        came = {name: token for name, token in answer.values().items() if token is not None}
        return self.__replace__(tokens=self.tokens.__replace__(**came), last_refresh=_rfc3339(received_at))

    def secrets(self) -> tuple[str, ...]:
        """Every secret in it, revealed: for finding an echo of one."""
        tokens = self.tokens
        held = (self.api_key, *((tokens.id_token, tokens.access_token, tokens.refresh_token) if tokens else ()))
        return tuple(secret.reveal() for secret in held if secret is not None)

    def effective_mode(self, plan: str | None) -> str:
        """The mode that applies.

        Args:
            plan: The plan in the id token, None if unknown.

        Returns:
            `auth_mode` if it is there; else what older versions meant by the members that are.
        """
        if self.auth_mode is not None:
            return self.auth_mode
        if self.api_key is not None and (self.tokens is None or plan not in _FREE_OF_API_KEY):
            return AuthMode.API_KEY
        return AuthMode.CHATGPT

    def last_refresh_time(self) -> datetime | None:
        """`last_refresh` as a moment in UTC; None if it is missing or unreadable."""
        from datetime import UTC, datetime  # noqa: PLC0415 - not needed before the URL is shown

        try:
            # Codex writes nanoseconds; Python reads microseconds.
            moment = datetime.fromisoformat(self.last_refresh or "")
            return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            # (The first and last hours of the calendar are in no other time zone.)
            return None


def parse(data: bytes) -> Credentials:
    """Read the bytes of an ``auth.json``.

    Raises:
        CredentialsError: It is not a JSON object, or a member has the wrong type.
    """
    content = _read(data)
    problem = content if isinstance(content, str) else _problem(content)
    if problem or isinstance(content, str):
        # What a traceback with locals would show.
        del data, content
        raise CredentialsError(problem)
    tokens, key = content.get("tokens"), content.get("OPENAI_API_KEY")
    return Credentials(
        auth_mode=content.get("auth_mode"),
        api_key=Secret(key) if key else None,
        tokens=_tokens(tokens) if tokens else None,
        last_refresh=content.get("last_refresh"),
        others=_others(content, _KNOWN_KEYS),
    )


def parse_object(data: bytes) -> JsonObject:
    """Read the bytes of an ``auth.json`` as far as that it is a JSON object.

    Raises:
        CredentialsError: It is not.
    """
    content = _read(data)
    if isinstance(content, str):
        del data
        raise CredentialsError(content)
    return content


def serialise(credentials: Credentials, *, previous: Mapping[str, object] | None = None) -> bytes:
    """The bytes of ``auth.json``.

    Args:
        credentials: From a login, or from a file and perhaps refreshed: then with all the other members of that file.
        previous: The old file's members: those that are no credentials are kept, after ours.
    """
    import json  # noqa: PLC0415 - not needed before the URL is shown

    tokens, key = credentials.tokens, credentials.api_key
    content: JsonObject = {} if credentials.auth_mode is None else {"auth_mode": credentials.auth_mode}
    content["OPENAI_API_KEY"] = key.reveal() if key else None
    if tokens is not None:
        known = {name: getattr(tokens, name).reveal() for name in _TOKEN_KEYS}
        content["tokens"] = {**known, "account_id": tokens.account_id, **_members(tokens.others)}
    if tokens is not None or credentials.last_refresh is not None:
        content["last_refresh"] = credentials.last_refresh
    content |= _members(credentials.others)
    kept = {name: value for name, value in (previous or {}).items() if name not in (*_LOGIN_KEYS, *content)}
    # ASCII only: a kept value may hold a lone surrogate, which UTF-8 cannot.
    return json.dumps({**content, **kept}, indent=2).encode("ascii")


def _read(data: bytes) -> JsonObject | str:
    """The members, or what is wrong."""
    try:
        return loads_object(data)
    except JsonError as error:
        return f"the file cannot be used: {error}"


def _tokens(members: JsonObject) -> Tokens:
    return Tokens(
        id_token=Secret(members["id_token"]),
        access_token=Secret(members["access_token"]),
        refresh_token=Secret(members["refresh_token"]),
        account_id=members.get("account_id"),
        others=_others(members, _KNOWN_TOKEN_KEYS),
    )


def _others(members: JsonObject, known: tuple[str, ...]) -> Secret | None:
    """The members that we do not know, as text: it cannot be changed, compares like any value, and shows nothing."""
    import json  # noqa: PLC0415 - not needed before the URL is shown

    others = {name: value for name, value in members.items() if name not in known}
    return Secret(json.dumps(others)) if others else None


def _members(others: Secret | None) -> JsonObject:
    import json  # noqa: PLC0415 - not needed before the URL is shown

    members: JsonObject = json.loads(others.reveal()) if others else {}
    return members


def _claims_of(token: Secret) -> JsonObject:
    """An access token is opaque to a client (RFC 6749 section 1.4), and old files hold anything."""
    try:
        return claims.read_claims(token)
    except claims.ClaimError:
        return {}


def _problem(content: JsonObject) -> str:
    """What is wrong where; empty if nothing is. The value is never told."""
    tokens = content.get("tokens")
    if tokens is not None and not isinstance(tokens, dict):
        return "tokens is not an object"
    for where, members, names in (
        ("", content, ("auth_mode", "OPENAI_API_KEY", "last_refresh")),
        ("tokens.", tokens or {}, (*_TOKEN_KEYS, "account_id")),
    ):
        for name in names:
            if not isinstance(members.get(name), (str, type(None))):
                return f"{where}{name} is not a string"
    held = (("", content, ("OPENAI_API_KEY",)), ("tokens.", tokens or {}, _TOKEN_KEYS))
    for where, name, value in ((where, name, members.get(name)) for where, members, names in held for name in names):
        # It goes into headers and onto standard output.
        if value and not is_printable_ascii(value):
            return f"{where}{name} holds a character that is in no token"
    missing = [name for name in _TOKEN_KEYS if tokens and tokens.get(name) is None]
    return f"tokens.{missing[0]} is missing" if missing else ""


def _rfc3339(seconds: float) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415 - not needed before the URL is shown

    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
