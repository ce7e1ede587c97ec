"""A login can be saved as a snapshot, compared, and restored."""

from __future__ import annotations

import copy

import pytest

from loginmachine.sansio import LoginMachine
from loginmachine.sansio.login.events import ClientGone, CredentialsSaved, ResponseSent
from loginmachine.sansio.login.state import LoginData

from .. import samples
from ..samples import OPTIONS, PATHS, SECRETS, callback, machine_in
from .test_machine import EVENTS, seen


def restored(login: LoginMachine) -> LoginMachine:
    return LoginMachine.restore(OPTIONS, SECRETS, login.snapshot())


GIVEN_AGAIN = {"secrets"}
"""What the host passes when it restores a snapshot. The options are in it, because discovery completes the provider."""


def test_every_field_of_a_login_is_in_its_snapshot() -> None:
    """`out` is empty between two events."""
    assert set(machine_in("idle").snapshot().data) == set(LoginData.__slots__) - GIVEN_AGAIN - {"out"}


@pytest.mark.parametrize("state", PATHS)
def test_a_restored_login_is_the_same_in_every_field(state: str) -> None:
    original = machine_in(state)
    copied = restored(original)
    for name in LoginData.__slots__:
        assert getattr(copied._login, name) == getattr(original._login, name), name


@pytest.mark.parametrize("state", PATHS)
def test_the_same_events_give_the_same_snapshot(state: str) -> None:
    assert machine_in(state).snapshot() == machine_in(state).snapshot()
    assert machine_in(state).snapshot() == restored(machine_in(state)).snapshot()


def test_different_states_have_different_snapshots() -> None:
    snapshots = [machine_in(state).snapshot() for state in PATHS]
    assert all(snapshots.count(snapshot) == 1 for snapshot in snapshots)


@pytest.mark.parametrize("state", PATHS)
def test_a_restored_login_goes_on_as_the_original_would(state: str) -> None:
    for name, event in EVENTS.items():
        original = machine_in(state)
        copied = restored(original)
        assert (copied.state, copied.outcome) == (original.state, original.outcome)
        assert (copied.auth_url, copied.port) == (original.auth_url, original.port)
        assert seen(copied, event) == seen(original, event), name
        assert copied.snapshot() == original.snapshot(), name


def test_restoring_does_not_alias() -> None:
    original = machine_in("succeeded")
    snapshot = original.snapshot()
    one, other = (LoginMachine.restore(OPTIONS, SECRETS, snapshot) for _ in range(2))
    one.handle(ResponseSent(request_id=1))
    one.handle(callback(request_id=2))
    assert original.snapshot() == other.snapshot() == snapshot == machine_in("succeeded").snapshot()
    assert one.snapshot() != snapshot


def test_a_snapshot_stays_as_it_was_taken() -> None:
    login = machine_in("saving_credentials")
    before = login.snapshot()
    samples.drive(login, callback(request_id=2), CredentialsSaved(), ClientGone(request_id=2))
    assert before == machine_in("saving_credentials").snapshot()


@pytest.mark.parametrize("state", ["idle", "binding", "awaiting_callback", "exchanging_code", "saving_credentials"])
def test_a_login_continued_from_a_snapshot_gives_the_same_actions(state: str) -> None:
    original = machine_in(state)
    copied = restored(original)
    rest = (*PATHS["succeeded"][len(PATHS[state]) :], samples.LINGER)
    assert samples.drive(copied, *rest) == samples.drive(original, *rest)
    assert copied.outcome == original.outcome is not None


def test_a_deep_copy_of_a_login_is_another_login() -> None:
    original = machine_in("succeeded")
    copied = copy.deepcopy(original)
    copied.handle(samples.LINGER)
    assert original.snapshot() == machine_in("succeeded").snapshot()


def test_a_snapshot_shows_nothing() -> None:
    assert repr(machine_in("succeeded").snapshot()) == "Snapshot()"
