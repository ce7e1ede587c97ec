"""The letters of the exploration of a lease: each event, at once, and after 3 and 6 seconds.

A lease of 24 seconds is usable for 6, so that an answer comes in time or too late, and the patience lasts or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from loginmachine.sansio.lease.events import (
    LeaseGranted,
    LeaseRefused,
    LeaseRenewed,
    LeaseSuperseded,
    LeaseUnwanted,
    LeaseWanted,
    NoAnswer,
    WaitOver,
)
from tests.model.subject import Letter
from tests.sansio.rules import EventKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from loginmachine.sansio.lease.events import LeaseEvent

    from .worlds import World

FENCE: Final = "7"
DELAYS: Final = {"at once": 0.0, "soon": 3.0, "late": 6.0}


class Place(NamedTuple):
    """What the letters have to know."""

    now: float
    """The time of the last event."""


def _timed(name: str, make: Callable[[float], LeaseEvent]) -> Iterator[Letter]:
    for when, delay in DELAYS.items():

        def event_for(place: Place, delay: float = delay) -> LeaseEvent:
            return make(place.now + delay)

        yield Letter(f"{name} {when}", event_for, EventKind.FACT, type(make(0.0)))


def _mistake(name: str, make: Callable[[float], LeaseEvent]) -> Letter:
    return Letter(name, lambda place: make(place.now), EventKind.MISTAKE, type(make(0.0)))


def alphabet(world: World) -> tuple[Letter, ...]:
    """Return all letters."""
    return (
        Letter("wanted", lambda here: LeaseWanted(at=here.now, patience=world.patience), EventKind.FACT, LeaseWanted),
        *_timed("granted", lambda at: LeaseGranted(at=at, fence=FENCE)),
        *_timed("refused", lambda at: LeaseRefused(at=at)),
        *_timed("renewed", lambda at: LeaseRenewed(at=at)),
        *_timed("superseded", lambda at: LeaseSuperseded(at=at)),
        *_timed("no answer", lambda at: NoAnswer(at=at)),
        *_timed("wait over", lambda at: WaitOver(at=at)),
        *_timed("unwanted", lambda at: LeaseUnwanted(at=at)),
        _mistake("wanted with no patience", lambda at: LeaseWanted(at=at, patience=-1.0)),
        _mistake("granted without a fence", lambda at: LeaseGranted(at=at, fence="")),
        _mistake("unwanted before the last event", lambda at: LeaseUnwanted(at=at - 1)),
        _mistake("unwanted at no time", lambda at: LeaseUnwanted(at=at * float("nan"))),
    )
