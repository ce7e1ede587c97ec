"""Scenarios in which the caller or the host ends a login, in every way and in every state."""

from __future__ import annotations

from dataclasses import dataclass

from ..support import API_KEY, TOKENS
from .scenarios import (
    CAME,
    DONE,
    EVERY,
    EXCHANGED,
    FINISH,
    GOOD,
    KEY,
    LISTENED,
    SIGNED_IN,
    THREE,
    Ask,
    Asked,
    Cancel,
    End,
    Gets,
    Host,
    HostGoes,
    Open,
    Release,
    Says,
    Scenario,
    Step,
    Until,
)


@dataclass(frozen=True)
class _State:
    """The steps that lead to a state, and the expected end of a login that is ended there."""

    steps: tuple[Step, ...]
    after: tuple[Step, ...]
    progress: tuple[str, ...]
    ends: End | None
    answers: tuple[Says, ...] = (GOOD, KEY)
    is_held: bool = False


_OVER = (Gets("a", 410, "This sign-in is over"),)
_GONE_ON = (Release(), Gets("a"), SIGNED_IN)
_STATES = {
    "awaiting_callback": _State((), (), (*LISTENED, "cancelled"), ("wait_for_callback", "login_cancelled")),
    "exchanging_code": _State(
        (Open("a"), Asked(1)),
        _OVER,
        (*CAME, "cancelled"),
        ("exchange_token", "login_cancelled"),
        (Says(TOKENS, is_held=True),),
    ),
    "exchanging_api_key": _State(
        (Open("a"), Asked(2)),
        _OVER,
        (*EXCHANGED, "cancelled"),
        ("exchange_token", "login_cancelled"),
        (GOOD, Says({"access_token": API_KEY}, is_held=True)),
    ),
    # From here on it is too late.
    "saving_credentials": _State((Open("a"), Until("saving_credentials")), _GONE_ON, DONE, None, is_held=True),
    "succeeded": _State((Ask(), Until("succeeded")), (SIGNED_IN,), DONE, None),
    "failed": _State(
        (Ask("{path}?state={state}&error=no", 403, "provider_callback_error"), Until("failed")),
        (),
        (*LISTENED, "failed"),
        ("validate_callback", "provider_callback_error"),
    ),
}


def _troubled(way: str, state: str, *steps: Step, host: Host = "waits", drivers: tuple[str, ...] = THREE) -> Scenario:
    there = _STATES[state]
    return Scenario(
        name=f"{way} in {state}",
        steps=(*there.steps, *steps, *there.after),
        answers=there.answers,
        progress=there.progress,
        ends=there.ends,
        store="held" if there.is_held else "file",
        host=host,
        drivers=drivers,
    )


def _asks(state: str) -> Step:
    """Another login server asks for the port."""
    if _STATES[state].ends is None:
        return Ask("/cancel", 409, "can no longer be cancelled")
    return Ask("/cancel", 200, "Login cancelled")


_RUNNING = tuple(_STATES)[:-1]
TROUBLES = [
    *(_troubled("cancel", state, Cancel()) for state in _STATES),
    *(_troubled("cancel twice", state, Cancel(), Cancel()) for state in _STATES),
    *(_troubled("the host raises", state, HostGoes(), host="raises") for state in _STATES),
    *(_troubled("the host leaves", state, HostGoes(), host="leaves") for state in _STATES),
    *(
        _troubled("outer cancel", state, HostGoes(), host="is cancelled", drivers=("trio", "asyncio"))
        for state in _STATES
    ),
    *(
        _troubled("another login asks", state, _asks(state), drivers=EVERY if state == "awaiting_callback" else THREE)
        for state in _RUNNING
    ),
    Scenario(name="the host raises after a login", steps=(*FINISH, HostGoes()), host="raises", drivers=THREE),
    Scenario(name="the host leaves after a login", steps=(*FINISH, HostGoes()), host="leaves", drivers=THREE),
]
