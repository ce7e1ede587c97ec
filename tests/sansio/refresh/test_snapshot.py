"""A refresh can be saved as a snapshot, compared, and restored."""

from __future__ import annotations

import pytest

from loginmachine import RefreshMachine, UnexpectedEvent
from loginmachine.sansio.login.events import CredentialsSaved
from loginmachine.sansio.refresh.state import RefreshData

from .samples import EVENTS, PATHS, PROVIDER, loaded, machine, machine_in, stored, tell

GIVEN_AGAIN = {"named_provider", "environment_key"}
"""What the host names when it restores a snapshot."""


def test_every_field_of_a_refresh_is_in_its_snapshot() -> None:
    """`out` is empty between two events."""
    assert set(machine().snapshot().data) == set(RefreshData.__slots__) - GIVEN_AGAIN - {"out"}


@pytest.mark.parametrize("state", PATHS)
def test_a_restored_refresh_is_the_same_in_every_field(state: str) -> None:
    original = machine_in(state)
    copied = RefreshMachine.restore(PROVIDER, original.snapshot(), environment_key="sk-1")
    for name in set(RefreshData.__slots__) - GIVEN_AGAIN:
        assert getattr(copied._refresh, name) == getattr(original._refresh, name), name
    assert (copied._refresh.named_provider, copied._refresh.environment_key) == (PROVIDER, "sk-1")


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", ["reading_again", "exchanging_refresh_token", "saving_credentials"])
def test_a_restored_refresh_leaves_the_original_alone(state: str, event: str) -> None:
    original = machine_in(state)
    before = original.snapshot()
    copied = RefreshMachine.restore(PROVIDER, before)
    try:
        copied.handle(EVENTS[event])
    except UnexpectedEvent:
        assert copied.snapshot() == before
    assert original.snapshot() == before == machine_in(state).snapshot()


def test_a_refresh_continued_from_a_snapshot_gives_the_same_actions() -> None:
    original = machine_in("reading_before_saving")
    copied = RefreshMachine.restore(PROVIDER, original.snapshot())
    rest = (loaded(stored()), CredentialsSaved())
    assert tell(copied, *rest) == tell(original, *rest)
    assert copied.outcome == original.outcome is not None


def test_a_snapshot_shows_nothing() -> None:
    assert repr(machine_in("succeeded").snapshot()) == "RefreshSnapshot()"
