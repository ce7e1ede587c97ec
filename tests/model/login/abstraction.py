"""The abstract state of a login: its snapshot, without names and without fields that no longer matter.

Two logins with the same abstract state count as equal. A field that is not mentioned here is compared as it is, so a
new field is never overlooked. That everything left out or capped does not matter is an assumption. `differing_twins` in
`proofs` tests it wherever two different logins have the same abstract state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from loginmachine.sansio import LoginSuccess
from loginmachine.sansio.login.states import FINAL_STATES, LoginState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loginmachine.sansio.login.machine import Snapshot

CAP: Final = 2
"""Up to which difference the numbers of redirected browsers and of success pages are compared."""

_UNTIL_BOUND: Final = ("attempt", "asked_previous", "port")
"""Fields that decide how a port is found. A letter takes the port from the login."""
_DISCOVERING: Final = (LoginState.IDLE, LoginState.DISCOVERING_RESOURCE, LoginState.DISCOVERING)
_UNTIL_THE_END: Final = (
    *(
        "timers_used",
        "mismatch_reported",
        "other_user_reported",
        "https_reported",
        "exchange_id",
        "exchanges",
        "credentials",
        "account",
        "code",
    ),
    *("device_code", "device_grant", "poll_troubles", "browser_waited"),
    *(
        "options",
        "wants_device_code",
        "metadata_address",
        "registration",
        "request_uri",
        "keys",
        "keys_id",
        "unverified",
    ),
)
"""Fields that decide the outcome, or whether an answer is late: in a final state every answer is late."""


def _is_there(value: object) -> bool:
    return bool(value)


def _credentials(value: Any) -> str:
    return "none" if value is None else "tokens" if value.api_key is None else "tokens and key"


def _options(value: Any) -> tuple[object, ...]:
    """Return what a login has found out about its provider."""
    provider = value.provider
    return (
        provider.issuer,
        provider.port,
        provider.needs_discovery,
        provider.client_id,
        provider.client_secret is None,
        provider.require_pushed_authorization_requests,
        provider.device_code is None,
    )


def _unverified(value: Any) -> tuple[object, ...]:
    return () if value is None else (value.tokens.secrets(), value.tokens.scope)


def _kinds(pages: dict[int, str]) -> tuple[str, ...]:
    return tuple(sorted(pages.values()))


_SIMPLER: Final[Mapping[str, Callable[[Any], object]]] = {
    "auth_url": _is_there,
    "code": _is_there,
    "credentials": _credentials,
    "account": _is_there,
    "device_code": _is_there,
    "device_grant": _is_there,
    "poll_troubles": _is_there,
    # The first pause is reported. A provider that asks for too long a pause is a letter of its own.
    "code_waited": _is_there,
    # The last request is outstanding or not. Only after an earlier one can an answer be late.
    "exchange_id": _is_there,
    "exchanges": lambda number: min(number, 2),
    "options": _options,
    "registration": lambda value: None if value is None else value.issuer,
    "request_uri": _is_there,
    "keys_id": _is_there,
    "unverified": _unverified,
    "outcome": lambda value: type(value).__name__,
    "waiting": len,
    "pages": _kinds,
    "timers": lambda value: tuple(sorted(value)),
    "timers_used": lambda value: tuple(sorted(value)),
}


def _capped(number: int) -> int:
    return max(-CAP, min(CAP, number))


def key_of(snapshot: Snapshot) -> tuple[object, ...]:
    """Return the abstract state."""
    data = snapshot.data
    if data["closed"]:
        # The login ignores every event.
        return ("closed", data["_state"])
    # The interval decides nothing but the length of a pause.
    forgotten: tuple[str, ...] = ("redirects", "successes", "poll_interval")
    if data["_state"] is not LoginState.REQUESTING_DEVICE_CODE:
        forgotten += ("code_waited",)
    if data["_state"] not in _DISCOVERING:
        forgotten += ("metadata_address",)
    if data["auth_url"] is not None:
        forgotten += _UNTIL_BOUND
    if data["_state"] in FINAL_STATES:
        forgotten += _UNTIL_THE_END
    kept = tuple(
        _SIMPLER[name](value) if name in _SIMPLER else value for name, value in data.items() if name not in forgotten
    )
    return (*kept, *_pages_due(data))


def _pages_due(data: Mapping[str, Any]) -> tuple[int, ...]:
    """Return what decides when the listener closes: after a success page for each browser that was redirected."""
    if not isinstance(data["outcome"], LoginSuccess):
        return ()
    return (min(data["successes"], 1), _capped(data["redirects"] - data["successes"]))


def is_capped(snapshot: Snapshot) -> bool:
    """Return whether the counts are at the cap, where different counts are equal."""
    return bool(abs(snapshot.data["redirects"] - snapshot.data["successes"]) >= CAP)
