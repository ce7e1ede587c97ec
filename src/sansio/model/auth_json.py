"""The members of ``auth.json``: which there are, and which types they have. `credentials` makes records of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.secret import Secret
from ..base.strict_json import JsonError, JsonObject, loads_object
from ..base.text import is_printable_ascii

if TYPE_CHECKING:
    from typing import Final, TypeGuard

LOGIN_KEYS: Final = (
    "auth_mode",
    "OPENAI_API_KEY",
    "tokens",
    "last_refresh",
    "agent_identity",
    "personal_access_token",
    "bedrock_api_key",
    "bedrock_access_keys",
)
"""Members that hold credentials. A new login sets or removes them. All other members are kept."""


TOKEN_KEYS: Final = ("id_token", "access_token", "refresh_token")
KNOWN_KEYS: Final = ("auth_mode", "OPENAI_API_KEY", "tokens", "last_refresh")
PROVENANCE: Final = "oauth_provenance"
EXPIRES_AT: Final = "expires_at"
KNOWN_TOKEN_KEYS: Final = (*TOKEN_KEYS, "account_id")
PROVENANCE_KEYS: Final = ("issuer", "client_id")


class CredentialsError(ValueError):
    """Stored credentials cannot be read. The message names the member and what is wrong with it, never its value."""


def parse_object(data: bytes) -> JsonObject:
    """Read the bytes of an ``auth.json`` as a JSON object, without checking its members.

    Raises:
        CredentialsError: The bytes are not a JSON object.
    """
    content = read_members(data)
    if isinstance(content, str):
        del data
        raise CredentialsError(content)
    return content


def read_members(data: bytes) -> JsonObject | str:
    """Return the members of the file, or what is wrong with it."""
    try:
        return loads_object(data)
    except JsonError as error:
        return f"the file cannot be used: {error}"


def problem_of(content: JsonObject) -> str:
    """Return which member is wrong and why, without its value; empty if all are right."""
    tokens = content.get("tokens")
    if tokens is not None and not isinstance(tokens, dict):
        return "tokens is not an object"
    for where, members, names in (
        ("", content, ("auth_mode", "OPENAI_API_KEY", "last_refresh", "personal_access_token")),
        ("tokens.", tokens or {}, (*TOKEN_KEYS, "account_id")),
    ):
        for name in names:
            if not isinstance(members.get(name), (str, type(None))):
                return f"{where}{name} is not a string"
    held = (("", content, ("OPENAI_API_KEY",)), ("tokens.", tokens or {}, TOKEN_KEYS))
    for where, name, value in ((where, name, members.get(name)) for where, members, names in held for name in names):
        # Tokens are written into headers and to standard output.
        if value and not is_printable_ascii(value):
            return f"{where}{name} holds a character that is in no token"
    missing = [name for name in TOKEN_KEYS if tokens and tokens.get(name) is None]
    return f"tokens.{missing[0]} is missing" if missing else ""


def is_provenance(members: object) -> TypeGuard[JsonObject]:
    """Return whether a member names an issuer and a client. Another one is kept, and means nothing here."""
    if not isinstance(members, dict):
        return False
    return all(isinstance(members.get(name), str) and members[name] for name in PROVENANCE_KEYS)


def others_of(members: JsonObject, known: tuple[str, ...]) -> Secret | None:
    """Return the unknown members as JSON text, which is immutable and hidden; None if there are none."""
    import json  # noqa: PLC0415 - not needed before the URL is shown

    others = {name: value for name, value in members.items() if name not in known}
    return Secret(json.dumps(others)) if others else None


def members_of(others: Secret | None) -> JsonObject:
    """Return the members that `others_of` has set aside."""
    import json  # noqa: PLC0415 - not needed before the URL is shown

    members: JsonObject = json.loads(others.reveal()) if others else {}
    return members
