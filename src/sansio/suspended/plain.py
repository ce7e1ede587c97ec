"""A login as a plain structure of a version of its own, with every field checked on the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..base.records import Record
from ..callback.responses import PageKind
from ..login.actions import Timer
from ..login.interpretation import UnverifiedTokens
from ..login.machine import LoginMachine, Snapshot
from ..login.outcome import LoginCancellation, LoginFailure, LoginSuccess
from ..login.states import FINAL_STATES, LoginState
from ..model.account import Account, KnownAccount
from ..model.credentials import Credentials
from ..model.options import LoginOptions, LoginSecrets
from ..oauth.device_code import DeviceCode, DeviceGrant
from ..oauth.keys import KeySet
from ..server.registration import Registration
from .values import Place, PlainError, read_fields, reader_of, write

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..base.secret import Secret
    from ..base.strict_json import JsonObject

VERSION: Final = 1
"""The version of the structure. Another one is refused. A change that gives a field another meaning, or that version 1
has no value for, needs a new version."""

FIELDS: Final[Mapping[str, Any]] = {
    "_state": LoginState,
    "account": Account | None,
    "asked_previous": bool,
    "attempt": int,
    "auth_url": str | None,
    "browser_waited": bool,
    "closed": bool,
    "code": str,
    "code_waited": float,
    "credentials": Credentials | None,
    "device_code": DeviceCode | None,
    "device_grant": DeviceGrant | None,
    "exchange_id": int | None,
    "exchanges": int,
    "gone_reported": bool,
    "has_start_page": bool,
    "https_reported": bool,
    "is_listening": bool,
    "keys": KeySet | None,
    "keys_id": int | None,
    "known_account": KnownAccount | None,
    "metadata_address": int,
    "mismatch_reported": bool,
    "other_user_reported": bool,
    "outcome": LoginSuccess | LoginFailure | LoginCancellation | None,
    "pages": dict[int, PageKind],
    "poll_interval": float,
    "poll_troubles": int,
    "port": int,
    "redirects": int,
    "registration": Registration | None,
    "request_uri": str,
    "successes": int,
    "timers": frozenset[Timer],
    "timers_used": frozenset[Timer],
    "unverified": UnverifiedTokens | None,
    "waiting": tuple[int, ...],
    "wants_device_code": bool,
}
"""What a login knows, beside its options and secrets, with its types."""
_ADDED: Final = {"registration": None}
"""Fields that the first structures of this version do not have."""


class Origin(Record):
    """What a suspended login belongs to. Under any other it is refused."""

    issuer: str
    """The provider: its issuer, or its token endpoint if it has none. That of a resource is known by the resource."""
    client_id: str
    """The OAuth client; empty for one that the provider issues to this installation."""
    redirect_uri: str
    """The host's own redirect URI; empty for a listener on loopback."""


def origin_of(options: LoginOptions) -> Origin:
    """Return what a login with these options belongs to: the same at its start, and when the provider is completed."""
    provider = options.provider
    issues_clients = provider.registration is not None or provider.dialect.issues_clients
    return Origin(
        issuer=provider.protected_resource or provider.origin,
        client_id="" if issues_clients else provider.client_id,
        redirect_uri=options.redirect_uri or "",
    )


def to_plain(secrets: LoginSecrets, snapshot: Snapshot) -> JsonObject:
    """Return a login as a JSON object. It holds every secret of the login, but no client secret of the host's own.

    Args:
        secrets: The secrets of the login.
        snapshot: What its `snapshot` has returned, in any state.
    """
    data = dict(snapshot.data)
    options: LoginOptions = data.pop("options")
    held = _held(options)
    return {
        "version": VERSION,
        "secrets": write(secrets, held),
        "options": write(options, held),
        "login": {name: write(value, held) for name, value in data.items()},
    }


def from_plain(options: LoginOptions, plain: JsonObject) -> LoginMachine:
    """Return a login that goes on from where it was suspended.

    Args:
        options: The options of the host, for the same provider, client and redirect URI as those of the login. Only
            their client secret is used: the login keeps the options with which it began.
        plain: What `to_plain` has returned.

    Raises:
        PlainError: It is of another version, belongs to another provider, client or redirect URI, or has a field that
            is missing, unknown, of the wrong type or out of its range.
    """
    if type(plain.get("version")) is not int or plain["version"] != VERSION:
        raise PlainError(f"it is of another version than {VERSION}")
    if plain.keys() != {"version", "secrets", "options", "login"}:
        raise PlainError("it has not the members that it must have")
    held = _held(options)
    own: LoginOptions = reader_of(LoginOptions)(plain["options"], Place("options", held))
    if origin_of(own) != origin_of(options):
        raise PlainError("it belongs to another provider, client or redirect URI")
    secrets: LoginSecrets = reader_of(LoginSecrets)(plain["secrets"], Place("secrets", held))
    login = plain["login"]
    if not isinstance(login, dict):
        raise PlainError("login is not an object")
    data: dict[str, Any] = {**_ADDED, **read_fields(login, Place("login", held), FIELDS, dict, _ADDED)}
    problem = _problem_of(data)
    if not problem:
        try:
            return LoginMachine.restore(own, secrets, Snapshot(data={**data, "options": own}))
        except ValueError as error:
            problem = str(error)
    del data, login, plain, secrets
    raise PlainError(problem)


def _held(options: LoginOptions) -> Secret | None:
    """Return the client secret that the host has in its options. The one of a registered client is the login's own."""
    return options.provider.client_secret if options.provider.registration is None else None


def _problem_of(data: Mapping[str, Any]) -> str:
    """Return which fields contradict each other, or are out of their range; empty if none are."""
    state, last = data["_state"], data["exchanges"]
    counted = ("attempt", "exchanges", "poll_troubles", "redirects", "successes", "code_waited", "poll_interval")
    for name in counted:
        if data[name] < 0:
            return f"login.{name} is less than 0"
    rules = {
        "login.port is not a port": 0 <= data["port"] <= 65535,
        "login.metadata_address is neither 0, 1 nor 2": data["metadata_address"] in (0, 1, 2),
        "login.exchange_id is not the last request": data["exchange_id"] in (None, last or None),
        "login.keys_id is not the outstanding request": data["keys_id"] in (None, data["exchange_id"]),
        "login.timers has a timer that was never started": data["timers"] <= data["timers_used"],
        "login.outcome does not fit the state": (data["outcome"] is not None) == (state in FINAL_STATES),
        "login.closed does not fit the state": not data["closed"] or state in FINAL_STATES,
        "login.auth_url is missing": state is not LoginState.AWAITING_CALLBACK or data["auth_url"] is not None,
        "login.device_code is missing": (
            state is not LoginState.POLLING_DEVICE_CODE or data["device_code"] is not None
        ),
        "login.unverified is missing": state is not LoginState.FETCHING_KEYS or data["unverified"] is not None,
        "login.credentials are missing": (
            state not in (LoginState.EXCHANGING_API_KEY, LoginState.SAVING_CREDENTIALS, LoginState.SUCCEEDED)
            or None not in (data["credentials"], data["account"])
        ),
    }
    return next((words for words, holds in rules.items() if not holds), "")
