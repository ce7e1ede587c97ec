"""What the first traces do not have, and how a provider is written: with the fields of its dialect as its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...base.http import Encoding
from ...login.outcome import LoginFailure
from ...login.progress import CallbackReceived
from ...model.provider import Provider
from ...server.dialect import Dialect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Final

    from ...base.records import Record

ADDED: Final[dict[str, object]] = {
    "from_other_user": False,
    "any_user": False,
    "authorization": None,
    "method": "POST",
    "registration": None,
    "registered_port": None,
    "account": None,
    "host_id": None,
    "is_refused": False,
    "provider": None,
    "missing_scopes": (),
    "scopes": None,
    "required_scopes": (),
    "resource": (),
    "audience": None,
    "prompt": None,
    "login_hint": None,
    "max_age": None,
    "parameters": (),
    "expiry": None,
    "scope": None,
    "extra": None,
    "keeps_tokens": False,
    "reads_store": False,
    "pause": 0.0,
    "may_pass": False,
    "refresh_sent_at": None,
    "unverified": None,
    "listen_address": None,
    "app_name": None,
    "success_page": None,
}
"""Fields that the first traces do not have. They are written only if they do not have their default."""
ADDED_TO_OPTIONS: Final = ("redirect_uri",)
"""As `ADDED`, for fields of `LoginOptions` whose name other records have too. Their default is None."""
LATER_FIELDS: Final[dict[type[Record], tuple[str, ...]]] = {
    LoginFailure: ("allowed_workspaces",),
    CallbackReceived: CallbackReceived._fields,
}
"""Fields that version 1 of the format does not have. They follow from the options, and from the request."""
_FIRST_FIELDS: Final = (
    *("issuer", "authorization_endpoint", "token_endpoint", "client_id", "scopes", "authorization_parameters"),
    *("port", "fallback_port", "callback_path", "promises_iss", "uses_nonce", "id_token_policy"),
    *("claims_namespace", "workspace_parameter", "exchanges_api_key", "no_entitlement_marker", "platform_url"),
    *("help_url", "revocation_endpoint", "revocation_encoding", "device_code"),
)
"""The fields of a provider in the first traces, in their order. They are always written."""
_OLD_NAMES: Final = {"encoding": "revocation_encoding"}


def written_members(provider: Provider) -> Iterator[tuple[str, object]]:
    """Return the members of a provider in a trace, with their values. Later ones are left out if they are as usual."""
    values = provider.values()
    dialect: Dialect = values.pop("dialect")
    values |= {_OLD_NAMES.get(name, name): value for name, value in dialect.values().items()}
    for name in _FIRST_FIELDS:
        yield name, values.pop(name)
    defaults = Provider._defaults | Dialect._defaults  # noqa: SLF001 - records of ours
    usual = {**defaults, **_usual(dialect.encoding)}
    for name, value in values.items():
        if value != usual[name]:
            yield name, value


def read_members(members: dict[str, Any]) -> dict[str, Any]:
    """Return the members of a provider as its record has them, with the dialect in a record of its own.

    Args:
        members: The members of a trace, as JSON.
    """
    given = {**_usual(members.get("revocation_encoding")), **members}
    names = {_OLD_NAMES.get(name, name): name for name in Dialect._fields}
    dialect = {names[name]: given.pop(name) for name in tuple(given) if name in names}
    return {**given, "dialect": {"type": "Dialect", **dialect}}


def _usual(encoding: object) -> dict[str, Any]:
    """Return what holds for a provider in the first traces, which do not have these members."""
    is_codex = encoding == Encoding.JSON
    return {
        "name": "codex" if is_codex else "openid",
        "gives_all_tokens": True,
        "stores_in_auth_json": True,
        "revokes_replaced_tokens": is_codex,
    }
