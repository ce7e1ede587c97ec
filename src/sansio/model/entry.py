"""The stored credentials of another provider than Codex's: one entry for each provider, client and account.

An entry is a JSON object with everything that later requests need: the provider with its endpoints and its client, and
the tokens. ``auth.json`` has a format of its own (`credentials`). docs/design/files.md describes both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record
from ..base.secret import Secret
from ..base.text import clean_text, is_printable_ascii
from . import claims
from .auth_json import TOKEN_KEYS, CredentialsError, members_of, others_of, read_members
from .claims import claims_of
from .credentials import AuthMode, Credentials
from .provider_json import known_members, nested_members, provider_members, read_provider
from .tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ..base.strict_json import JsonObject
    from .provider import Provider

_ACCOUNT_KEYS: Final = ("subject", "email", "name")
_TOKENS_KEYS: Final = (*TOKEN_KEYS, "account_id", "scope", "expires_at", "extra", "refresh_sent_at")
_LOGIN_KEYS: Final = ("resource", "account", "tokens", "last_refresh", "unverified")
NO_PROVIDER: Final = "the credentials do not name the provider that issued them"
_NOTHING: Final = Credentials(auth_mode=None)
"""What an empty object stands for: an entry that could not be removed was emptied."""


class Identity(Record):
    """The person who signed in, as the id token says. Without one, nothing is known."""

    subject: str = ""
    """``sub``, which identifies the person at the provider (OpenID Connect Core section 2). Compared exactly."""
    email: str | None = None
    name: str | None = None


def identity_of(credentials: Credentials) -> Identity:
    """Return the person that credentials of another provider are for.

    Args:
        credentials: The credentials. If they have no id token, what an older or newer version stored about the person
            is used.
    """
    tokens = credentials.tokens
    if tokens is not None and tokens.id_token is not None:
        found = claims_of(tokens.id_token)
        return _identity(found.get("sub"), found.get("email"), found.get("name"))
    account = members_of(credentials.others).get("account")
    known = account if isinstance(account, dict) else {}
    return _identity(known.get("subject"), known.get("email"), known.get("name"))


def parse_entry(data: bytes) -> Credentials:
    """Read the bytes of an entry.

    Raises:
        CredentialsError: The bytes are not a JSON object, or a member is missing or wrong. The message names it.
    """
    content = read_members(data)
    problem = content if isinstance(content, str) else _problem_of(content)
    if problem or isinstance(content, str):
        # A traceback with locals must not show them.
        del data, content
        raise CredentialsError(problem)
    if not content:
        return _NOTHING
    provider, resource = read_provider(content), tuple(content.get("resource") or ())
    waiting = content.get("unverified")
    unknown = _unknown(content, has_id_token=bool(content["tokens"].get("id_token")))
    return _credentials(content, provider, resource).__replace__(
        unverified=_credentials(waiting, provider, resource) if waiting else None, others=others_of(unknown, ())
    )


def _credentials(content: JsonObject, provider: Provider, resource: tuple[str, ...]) -> Credentials:
    tokens = content["tokens"]
    scope, extra = tokens.get("scope"), tokens.get("extra")
    return Credentials(
        auth_mode=AuthMode.OAUTH,
        tokens=Tokens(
            access_token=Secret(tokens["access_token"]),
            refresh_token=_secret(tokens.get("refresh_token")),
            id_token=_secret(tokens.get("id_token")),
            account_id=tokens.get("account_id"),
            expiry=tokens.get("expires_at"),
            scope=None if scope is None else tuple(scope),
            resource=resource,
            extra=others_of(extra, ()) if extra else None,
            provider=provider,
            refresh_sent_at=tokens.get("refresh_sent_at"),
            others=others_of(tokens, _TOKENS_KEYS),
        ),
        last_refresh=content.get("last_refresh"),
    )


def serialise_entry(credentials: Credentials, *, previous: Mapping[str, object] | None = None) -> bytes:
    """Return the bytes of an entry.

    Args:
        credentials: The credentials. Members of a newer version, in their `others`, are written too.
        previous: The members of the entry that is replaced. Those that this version does not know are kept.

    Raises:
        CredentialsError: The credentials have no tokens, or do not name the provider.
    """
    import json  # noqa: PLC0415 - not needed before the URL is shown

    tokens = credentials.tokens
    if tokens is None or tokens.provider is None:
        raise CredentialsError(NO_PROVIDER)
    content = provider_members(tokens.provider)
    if tokens.resource:
        content["resource"] = list(tokens.resource)
    if tokens.id_token is not None:
        found = identity_of(credentials).values()
        content["account"] = {name: value for name, value in found.items() if value}
    content["tokens"] = _token_members(tokens)
    content["last_refresh"] = credentials.last_refresh
    waiting = credentials.unverified
    if waiting is not None and waiting.tokens is not None:
        content["unverified"] = {"tokens": _token_members(waiting.tokens), "last_refresh": waiting.last_refresh}
    known = {*known_members(), *_LOGIN_KEYS}
    kept = {name: value for name, value in (previous or {}).items() if name not in known}
    for name, value in {**kept, **members_of(credentials.others)}.items():
        both = isinstance(value, dict) and isinstance(content.get(name), dict)
        content[name] = {**value, **content[name]} if both else value
    # ASCII only: a kept value may hold a lone surrogate, which UTF-8 cannot.
    return json.dumps(content, indent=2).encode("ascii")


def _token_members(tokens: Tokens) -> JsonObject:
    held = ((name, getattr(tokens, name)) for name in TOKEN_KEYS)
    members: JsonObject = {name: token.reveal() for name, token in held if token is not None}
    optional = {
        "account_id": tokens.account_id,
        "scope": None if tokens.scope is None else list(tokens.scope),
        "expires_at": tokens.expiry,
        "extra": members_of(tokens.extra) or None,
        "refresh_sent_at": tokens.refresh_sent_at,
    }
    members |= {name: value for name, value in optional.items() if value is not None}
    return {**members, **members_of(tokens.others)}


def _secret(value: str | None) -> Secret | None:
    return Secret(value) if value else None


def _identity(subject: object, email: object, name: object) -> Identity:
    return Identity(
        subject=subject if isinstance(subject, str) else "",
        email=(clean_text(email) or None) if isinstance(email, str) else None,
        name=(clean_text(name) or None) if isinstance(name, str) else None,
    )


def _unknown(content: JsonObject, *, has_id_token: bool) -> JsonObject:
    """Return the members that this version does not know, also those in the objects within.

    Args:
        content: The members of the entry.
        has_id_token: Whether the account is read from the id token. Otherwise what is stored about it is kept.
    """
    known = {*known_members(), *_LOGIN_KEYS}
    unknown = {name: value for name, value in content.items() if name not in known}
    within = nested_members() | {"account": _ACCOUNT_KEYS if has_id_token else ()}
    for member, names in within.items():
        found = content.get(member)
        others = {name: value for name, value in found.items() if name not in names} if found else {}
        if others:
            unknown[member] = others
    return unknown


def _problem_of(content: JsonObject) -> str:
    """Return which member beside those of the provider is wrong and why, without its value; empty if all are right."""
    tokens = content.get("tokens")
    if not content:
        return ""
    if not isinstance(tokens, dict):
        return "tokens is missing" if tokens is None else "tokens is not an object"
    for where, members, names, kind, words in (
        ("", content, ("account",), dict, "an object"),
        ("", content, ("resource",), list, "a list of strings"),
        ("", content, ("last_refresh",), str, "a string"),
        ("tokens.", tokens, (*TOKEN_KEYS, "account_id"), str, "a string"),
        ("tokens.", tokens, ("scope",), list, "a list of strings"),
        ("tokens.", tokens, ("extra",), dict, "an object"),
    ):
        for name in names:
            value = members.get(name)
            if value is not None and not _is(value, kind):
                return f"{where}{name} is not {words}"
    if tokens.get("access_token") is None:
        return "tokens.access_token is missing"
    for name in TOKEN_KEYS:
        # Tokens are written into headers and to standard output.
        if not is_printable_ascii(tokens.get(name) or ""):
            return f"tokens.{name} holds a character that is in no token"
    wrong = [name for name in ("expires_at", "refresh_sent_at") if not _is_time(tokens.get(name))]
    return f"tokens.{wrong[0]} is not a time" if wrong else _problem_of_unverified(content)


def _problem_of_unverified(content: JsonObject) -> str:
    """Return what is wrong with the tokens that wait for the keys."""
    waiting = content.get("unverified")
    problem = "" if waiting is None else _problem_of(waiting) if _is(waiting, dict) else "it is not an object"
    return problem and f"unverified: {problem}"


def _is_time(value: object) -> bool:
    return value is None or claims.expiry({"exp": value}) is not None


def _is(value: object, kind: type) -> bool:
    """Return whether a value is of a type. A list has strings only."""
    if isinstance(value, list):
        return kind is list and all(isinstance(item, str) for item in value)
    return isinstance(value, kind)
