"""When two logins are the same: what a snapshot says, without names and without what no longer matters.

A field that is not mentioned here counts as it is, so that a new one is never overlooked. Everything that is left out
or capped is an assumption; `proofs.twins_act_alike` tests it wherever two logins fall together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from loginmachine.sansio import LoginSuccess
from loginmachine.sansio.login.states import FINAL_STATES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from loginmachine.sansio.login.machine import Snapshot

CAP: Final = 2
"""How far the number of redirected browsers and that of success pages are told apart."""

_UNTIL_BOUND: Final = ("attempt", "asked_previous", "port")
"""What decides how a port is found. A letter takes the port from the login."""
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
)
"""What decides the outcome, or whether an answer is late: in a final state every answer is."""


def _is_there(value: object) -> bool:
    return bool(value)


def _credentials(value: Any) -> str:
    return "none" if value is None else "tokens" if value.api_key is None else "tokens and key"


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
    # The last one is out or not; whether there was an earlier one decides whether an answer can be late.
    "exchange_id": _is_there,
    "exchanges": lambda number: min(number, 2),
    "outcome": lambda value: type(value).__name__,
    "waiting": len,
    "pages": _kinds,
    "timers": lambda value: tuple(sorted(value)),
    "timers_used": lambda value: tuple(sorted(value)),
}


def _capped(number: int) -> int:
    return max(-CAP, min(CAP, number))


def key_of(snapshot: Snapshot) -> tuple[object, ...]:
    """The abstract state."""
    data = snapshot.data
    if data["closed"]:
        # Nothing is done any more, whatever comes.
        return ("closed", data["_state"])
    # A pause decides nothing but its own length.
    forgotten: tuple[str, ...] = ("redirects", "successes", "poll_interval")
    if data["auth_url"] is not None:
        forgotten += _UNTIL_BOUND
    if data["_state"] in FINAL_STATES:
        forgotten += _UNTIL_THE_END
    kept = tuple(
        _SIMPLER[name](value) if name in _SIMPLER else value for name, value in data.items() if name not in forgotten
    )
    return (*kept, *_pages_due(data))


def _pages_due(data: Mapping[str, Any]) -> tuple[int, ...]:
    """The listener closes when there was a success page, and as many as browsers that were redirected."""
    if not isinstance(data["outcome"], LoginSuccess):
        return ()
    return (min(data["successes"], 1), _capped(data["redirects"] - data["successes"]))


def is_capped(snapshot: Snapshot) -> bool:
    """Whether the counts are at the edge, where one more or one less is taken for the same."""
    return bool(abs(snapshot.data["redirects"] - snapshot.data["successes"]) >= CAP)
