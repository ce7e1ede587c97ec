"""The scripts of `loginmachine.drivers.fleet.scripts` once more, in Python and in virtual time.

A test compares them with the real ones on a real server.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Server:
    """A server with one login."""

    now: float = 0.0
    version: int = 0
    value: int = 0
    fence: int = 0
    ends_at: float = 0.0
    """When the lease ends."""

    def take(self, length: float) -> int | None:
        if self.now < self.ends_at:
            return None
        self.fence += 1
        self.ends_at = self.now + length
        return self.fence

    def renew(self, length: float, fence: int) -> bool:
        if self.fence != fence:
            return False
        self.ends_at = self.now + length
        return True

    def give_back(self, fence: int) -> None:
        if self.fence == fence:
            self.ends_at = self.now

    def read(self) -> tuple[int, int]:
        return self.version, self.value

    def write(self, version: int, fence: int | None, value: int) -> str:
        if fence is not None and self.fence != fence:
            return "stale"
        if self.version != version:
            return "changed"
        self.version += 1
        self.value = value
        return "written"
