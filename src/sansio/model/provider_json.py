"""A provider as members of a JSON object: its fields under their RFC names, those with their default left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.http import Encoding
from ..base.records import Record
from ..base.secret import Secret
from ..base.text import is_printable_ascii
from ..base.urls import check_endpoint
from ..server.client_secret import ExternalSecret
from ..server.dialect import Dialect
from ..server.endpoints import ClientAuthentication, DeviceCodeDialect, DeviceCodeEndpoints, IdTokenPolicy
from ..server.registration import ClientMetadata
from .auth_json import CredentialsError
from .provider import Provider

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum
    from typing import Any, Final

    from ..base.strict_json import JsonObject

    Reader = Callable[[str, Any], object]

_NAMES: Final = {
    "name": "provider",
    "promises_iss": "authorization_response_iss_parameter_supported",
    "code_endpoint": "device_authorization_endpoint",
}
"""Members with another name than the field."""
SECRET_MEMBERS: Final = ("client_secret", "client_secret_file", "client_secret_command")
"""Where the client secret is. A provider has at most one of them."""
_URLS: Final = ("_endpoint", "_uri", "_url")
"""What the names of members with a URL end with."""


def provider_members(provider: Provider) -> JsonObject:
    """Return the members of a provider. A client secret is among them, unless a file or a command has it.

    The bootstrap client id of a provider that issues clients is never stored.
    """
    # The kind of provider comes first, also the usual one: people read this.
    members: JsonObject = {"provider": provider.name}
    members |= _members(provider, provider.values(), leave_out=("client_secret", "bootstrap_client_id"))
    secret = provider.client_secret
    if isinstance(secret, ExternalSecret):
        external: JsonObject = {"client_secret_file": secret.file, "client_secret_command": list(secret.command)}
        members |= {name: value for name, value in external.items() if value}
    elif secret is not None:
        members["client_secret"] = secret.reveal()
    return members


def read_provider(content: JsonObject) -> Provider:
    """Return the provider that an object describes. Members that are not those of a provider are ignored.

    Raises:
        CredentialsError: A member is missing, of the wrong type or out of its range. The message names it, and never
            its value.
    """
    values = _values(Provider, content, "")
    values["client_secret"] = _secret(content)
    for name in ("issuer", "authorization_endpoint", "token_endpoint", "scopes"):
        # They have no default, and may be left out.
        values.setdefault(name, {"issuer": None, "scopes": ()}.get(name, ""))
    if "client_id" not in values:
        raise CredentialsError("client_id is missing")
    problem = _problem_of_urls(values)
    if not problem:
        try:
            return Provider(**values)
        except ValueError as error:
            # It names the rule.
            problem = f"the provider cannot be used: {error}"
    # Not in the handler above: a traceback with locals must not show the members.
    del values, content
    raise CredentialsError(problem)


def known_members() -> tuple[str, ...]:
    """Return the names of the members that `provider_members` may write."""
    fields = (_NAMES.get(name, name) for name in Provider._fields)
    return (*fields, *SECRET_MEMBERS)


def nested_members() -> dict[str, tuple[str, ...]]:
    """Return the names of the members in the objects within: those of a device code's endpoints, and of a dialect."""
    return {
        member: tuple(_NAMES.get(name, name) for name in record._fields)
        for member, record in (
            ("device_code", DeviceCodeEndpoints),
            ("dialect", Dialect),
            ("registration", ClientMetadata),
        )
    }


def _members(record: Record, values: JsonObject, *, leave_out: tuple[str, ...] = ()) -> JsonObject:
    defaults = type(record)._defaults  # noqa: SLF001 - a record of ours
    members: JsonObject = {}
    for name, value in values.items():
        if name in leave_out or (name in defaults and value == defaults[name]):
            continue
        if name not in defaults and value in (None, "", ()):
            continue
        inner = _members(value, value.values(), leave_out=leave_out) if isinstance(value, Record) else value
        members[_NAMES.get(name, name)] = inner
    return members


def _values(record: type[Record], content: JsonObject, where: str) -> JsonObject:
    """Return the fields of a record that are in an object, read as their types say."""
    annotations: dict[str, str] = record.__annotations__
    found: JsonObject = {}
    for name in record._fields:
        member = _NAMES.get(name, name)
        if member not in content or annotations[name] == "Secret | None":
            continue
        kind = annotations[name]
        is_optional = kind.endswith(" | None")
        value = content[member]
        if value is None and is_optional:
            found[name] = None
        else:
            found[name] = READERS[kind.removesuffix(" | None")](f"{where}{member}", value)
    return found


def _secret(content: JsonObject) -> Secret | None:
    given = [name for name in SECRET_MEMBERS if content.get(name)]
    if len(given) > 1:
        raise CredentialsError(f"{given[0]} and {given[1]} are both there")
    if not given:
        return None
    name = given[0]
    if name == "client_secret_command":
        return ExternalSecret(command=_texts(name, content[name]))
    value = _text(name, content[name])
    if name == "client_secret_file":
        return ExternalSecret(file=value)
    if not is_printable_ascii(value):
        raise CredentialsError(f"{name} holds a character that is in no secret")
    return Secret(value)


def _problem_of_urls(values: JsonObject) -> str:
    for name, value in values.items():
        if value and (name == "issuer" or name.endswith(_URLS)):
            try:
                check_endpoint(value)
            except ValueError as error:
                return f"{name}: {error}"
    return ""


# Values


def _of(kind: type | tuple[type, ...], words: str) -> Reader:
    def read(member: str, value: object) -> object:
        # In Python a truth value is a number.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise CredentialsError(f"{member} is not {words}")
        return value

    return read


def _text(member: str, value: object) -> str:
    if not isinstance(value, str):
        raise CredentialsError(f"{member} is not a string")
    return value


def _texts(member: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise CredentialsError(f"{member} is not a list of strings")
    return tuple(value)


def _pairs(member: str, value: object) -> tuple[tuple[str, ...], ...]:
    if not isinstance(value, list) or not all(isinstance(item, list) and len(item) == 2 for item in value):
        raise CredentialsError(f"{member} is not a list of pairs")
    return tuple(_texts(member, item) for item in value)


def _one_of(kind: type[StrEnum]) -> Reader:
    def read(member: str, value: Any) -> StrEnum:  # noqa: ANN401 - JSON
        if value not in tuple(kind):
            raise CredentialsError(f"{member} is not one of {', '.join(kind)}")
        return kind(value)

    return read


def _record(kind: type[Record]) -> Reader:
    def read(member: str, value: object) -> Record:
        problem = ""
        if not isinstance(value, dict):
            raise CredentialsError(f"{member} is not an object")
        try:
            return kind(**_values(kind, value, f"{member}."))
        except TypeError:
            problem = "a member is missing"
        except CredentialsError:
            raise
        except ValueError as error:
            problem = str(error)
        del value
        raise CredentialsError(f"{member}: {problem}")

    return read


READERS: Final[dict[str, Reader]] = {
    "str": _text,
    "bool": _of(bool, "true or false"),
    "int": _of(int, "an integer"),
    "float": _of((int, float), "a number"),
    "tuple[str, ...]": _texts,
    "tuple[tuple[str, str], ...]": _pairs,
    "IdTokenPolicy": _one_of(IdTokenPolicy),
    "ClientAuthentication": _one_of(ClientAuthentication),
    "DeviceCodeDialect": _one_of(DeviceCodeDialect),
    "Encoding": _one_of(Encoding),
    "Dialect": _record(Dialect),
    "DeviceCodeEndpoints": _record(DeviceCodeEndpoints),
    "ClientMetadata": _record(ClientMetadata),
}
"""How each type of a field is read."""
