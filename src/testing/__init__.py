"""Tests for programs that use this package. They need no test framework.

Play logins, without a network, a browser and real time (docs/testing.md):
    `played` returns a login that ends as one of `OUTCOMES`, as a trace, or as `steps` say. In a block of `playing`,
    every login does that which the program starts.
Talk to an API, with tokens that expire, are refused or fail to refresh:
    `FakeSession` with threads, `FakeTrioSession` with trio, `FakeAsyncioSession` with asyncio.
Sign in over real sockets of this machine (extra ``demo``):
    `FakeProvider` and `Browser`.
Test what a program adds:
    `check_store` tests a store of the program's own (docs/stores.md), and `check_driver` a driver
    (docs/writing-a-driver.md).
Test a recorded login:
    `assert_replays` checks that today's machine does what was recorded (docs/replay.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .drivers.check import DriverCheckFailed, check_driver
    from .drivers.trial import SignIn
    from .logins import steps
    from .logins.asyncio import PlayedAsyncioLogin
    from .logins.login import PlayedLogin
    from .logins.outcomes import OUTCOMES, possible_outcomes
    from .logins.playing import Playing, PlayLogin, played, playing
    from .logins.threaded import PlayedThreadedLogin
    from .logins.trio import PlayedTrioLogin
    from .provider import Answer, Browser, FakeProvider
    from .replays import ReplayDiffers, assert_replays
    from .sessions.asyncio import FakeAsyncioSession
    from .sessions.threaded import FakeSession
    from .sessions.trio import FakeTrioSession
    from .stores.check import StoreCheckFailed, check_store

__all__ = [
    "OUTCOMES",
    "Answer",
    "Browser",
    "DriverCheckFailed",
    "FakeAsyncioSession",
    "FakeProvider",
    "FakeSession",
    "FakeTrioSession",
    "PlayLogin",
    "PlayedAsyncioLogin",
    "PlayedLogin",
    "PlayedThreadedLogin",
    "PlayedTrioLogin",
    "Playing",
    "ReplayDiffers",
    "SignIn",
    "StoreCheckFailed",
    "assert_replays",
    "check_driver",
    "check_store",
    "played",
    "playing",
    "possible_outcomes",
    "steps",
]

_HOMES = {
    "drivers.check": ("DriverCheckFailed", "check_driver"),
    "drivers.trial": ("SignIn",),
    "logins.asyncio": ("PlayedAsyncioLogin",),
    "logins.login": ("PlayedLogin",),
    "logins.outcomes": ("OUTCOMES", "possible_outcomes"),
    "logins.playing": ("PlayLogin", "Playing", "played", "playing"),
    "logins.threaded": ("PlayedThreadedLogin",),
    "logins.trio": ("PlayedTrioLogin",),
    "logins": ("steps",),
    "provider": ("Answer", "Browser", "FakeProvider"),
    "replays": ("ReplayDiffers", "assert_replays"),
    "sessions.asyncio": ("FakeAsyncioSession",),
    "sessions.threaded": ("FakeSession",),
    "sessions.trio": ("FakeTrioSession",),
    "stores.check": ("StoreCheckFailed", "check_store"),
}


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    from ..sansio.base.public import load  # noqa: PLC0415 - the first name needs it, not the package

    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted(__all__)
