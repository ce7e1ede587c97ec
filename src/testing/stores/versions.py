"""Properties of a store that tells its version (`VersionedStore`)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from ...drivers.shared.recall import READ_AGAIN, SETTLED
from ...drivers.stores.protocols import StoreVersion, VersionedStore
from .probe import expect
from .samples import KEY, ONE, TWO

if TYPE_CHECKING:
    from collections.abc import Callable

    from .probe import Probe

_PAUSE: Final = 0.02
"""Seconds between two looks at a version."""


def each_change_makes_another_version(probe: Probe) -> None:
    """`version`, if the store has it, never fails, and is another one after each change."""
    if isinstance(probe.store, VersionedStore):
        version = probe.store.version
        _check_change(version, "save to an empty store", lambda: probe.store.save(ONE))
        _check_change(version, "save", lambda: probe.store.save(TWO))
        _check_change(version, "save in a transaction", lambda: probe.in_transaction_save(KEY))
        _check_change(version, "remove", probe.store.remove)


def each_change_makes_another_version_elsewhere(probe: Probe) -> None:
    """Another object for the same place tells another version too, after a second at most."""
    other = probe.reopen()
    if isinstance(other, VersionedStore):
        _check_change(other.version, "save", lambda: probe.store.save(ONE), within=1.5 * READ_AGAIN)


def _check_change(
    version: Callable[[], StoreVersion], what: str, change: Callable[[], object], within: float = 0.0
) -> None:
    # A session does not rely on the version of a newer change.
    time.sleep(2 * SETTLED)
    before = version()
    expect(isinstance(before, StoreVersion), f"version returned no StoreVersion, but {type(before).__name__}")
    change()
    deadline = time.monotonic() + within
    while version().content == before.content:
        expect(time.monotonic() < deadline, f"the version after {what} is the one of before")
        time.sleep(_PAUSE)


VERSIONS = (each_change_makes_another_version,)
SHARED_VERSIONS = (each_change_makes_another_version_elsewhere,)
