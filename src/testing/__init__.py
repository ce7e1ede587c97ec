"""Tests for programs that use this package. They need no test framework.

Play logins, without a network, a browser and real time (docs/testing.md):
    `played` returns a login that ends as one of `OUTCOMES`, as a trace, or as `steps` say. In a block of `playing`,
    every login does that which the program starts.
Test what a program adds:
    `check_store` tests a store of the program's own (docs/stores.md).
Test a recorded login:
    `assert_replays` checks that today's machine does what was recorded (docs/replay.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .logins import steps
    from .logins.login import PlayedLogin
    from .logins.outcomes import OUTCOMES
    from .logins.playing import Playing, PlayLogin, played, playing
    from .logins.threaded import PlayedThreadedLogin
    from .logins.trio import PlayedTrioLogin
    from .replays import ReplayDiffers, assert_replays
    from .stores.check import StoreCheckFailed, check_store

__all__ = [
    "OUTCOMES",
    "PlayLogin",
    "PlayedLogin",
    "PlayedThreadedLogin",
    "PlayedTrioLogin",
    "Playing",
    "ReplayDiffers",
    "StoreCheckFailed",
    "assert_replays",
    "check_store",
    "played",
    "playing",
    "steps",
]

_HOMES = {
    "logins.login": ("PlayedLogin",),
    "logins.outcomes": ("OUTCOMES",),
    "logins.playing": ("PlayLogin", "Playing", "played", "playing"),
    "logins.threaded": ("PlayedThreadedLogin",),
    "logins.trio": ("PlayedTrioLogin",),
    "logins": ("steps",),
    "replays": ("ReplayDiffers", "assert_replays"),
    "stores.check": ("StoreCheckFailed", "check_store"),
}


def __getattr__(name: str) -> object:
    """Load a public name from its module (PEP 562)."""
    from ..sansio.base.public import load  # noqa: PLC0415 - the first name needs it, not the package

    return load(__name__, _HOMES, name)


def __dir__() -> list[str]:
    """Return the public names, loaded or not."""
    return sorted(__all__)
