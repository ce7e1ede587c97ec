"""A clock for a login in threads, which a test puts forward instead of waiting."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from loginmachine.drivers.threaded import inbox, owner

from ..support import eventually

if TYPE_CHECKING:
    import pytest


class Clock:
    """Takes the place of the module `time` in the code that performs a login's timers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in (inbox, owner):
            monkeypatch.setattr(module, "time", self)
        monkeypatch.setattr(inbox, "_LOOK_INTERVAL", 0.01)
        self._ahead = 0.0
        self._looks = 0

    def monotonic(self) -> float:
        """Return the time in seconds."""
        self._looks += 1
        return time.monotonic() + self._ahead

    def jump(self, seconds: float) -> None:
        """Put the clock forward, and wait until the login has seen it."""
        self._ahead, looks = self._ahead + seconds, self._looks
        assert eventually(lambda: self._looks > looks + 2)
