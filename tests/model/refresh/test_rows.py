"""Which row of the table the exploration notes, for an event that changes what a guard reads."""

from __future__ import annotations

import pytest

from loginmachine import RefreshMachine
from loginmachine.sansio.refresh.effects import fail, keep
from tests.model.explorer import watching
from tests.sansio.refresh.one_use_samples import loaded, stored
from tests.sansio.refresh.samples import FORCED

from .subject import REFRESH


@pytest.mark.parametrize(("ends", "effect"), [(3600.0, keep), (-60.0, fail)])
def test_the_guard_reads_the_credentials_of_the_event(ends: float, effect: object) -> None:
    machine = RefreshMachine(None)
    machine.handle(FORCED)
    with watching(REFRESH) as watch:
        machine.handle(loaded(stored(ends, extra="1795000100")))
    assert watch.taken is not None
    assert REFRESH.rows[watch.taken].effect is effect
