"""Tokens that are revoked before they are removed, with several tries."""

from __future__ import annotations

from typing import Any

import pytest

from loginmachine.sansio import Secret
from loginmachine.sansio.oauth.revocation import may_pass
from loginmachine.sansio.refresh.actions import LoadCredentials
from loginmachine.sansio.refresh.events import CredentialsLoaded, LoadFailed
from loginmachine.sansio.sign_out import SignOutMachine
from loginmachine.sansio.sign_out.actions import EndSignOut, RemoveCredentials, ReportRemoval, RevokeTokens
from loginmachine.sansio.sign_out.events import CredentialsRemoved, RemovalFailed, RevocationEnded, SignOutWanted
from loginmachine.sansio.sign_out.outcome import SignOutFailure, SignOutResult

from ..chatgpt_samples import ISSUED
from ..refresh.one_use_samples import COMPLETE, stored, waiting
from ..samples import NOW, answer, no_answer

PROVIDER = COMPLETE.__replace__(revocation_endpoint="https://id.example/revoke")
SIGNED_IN = stored(provider=PROVIDER)
WANTED = SignOutWanted(reads_store=True)
FORM = (("token", "canary-old-refresh"), ("token_type_hint", "refresh_token"), ("client_id", ISSUED))
PASSING = RevocationEnded(problem="status 503", may_pass=True)


def loaded(credentials: Any) -> CredentialsLoaded:
    return CredentialsLoaded(credentials=credentials, loaded_at=NOW)


def begun(credentials: Any = SIGNED_IN, wanted: SignOutWanted = WANTED) -> tuple[SignOutMachine, list[Any]]:
    machine = SignOutMachine(None)
    assert machine.handle(wanted) == [LoadCredentials()]
    return machine, machine.handle(loaded(credentials))


def result_of(machine: SignOutMachine) -> SignOutResult:
    assert isinstance(machine.outcome, SignOutResult)
    return machine.outcome


def test_the_refresh_token_is_revoked_and_then_removed() -> None:
    machine, (request,) = begun()
    assert isinstance(request, RevokeTokens)
    assert (request.url, request.form, request.pause) == ("https://id.example/revoke", FORM, 0.0)
    assert machine.handle(RevocationEnded(problem="")) == [RemoveCredentials()]
    report, end = machine.handle(CredentialsRemoved(removed=SIGNED_IN))
    assert report == ReportRemoval(was_signed_in=True)
    assert isinstance(end, EndSignOut)
    assert (result_of(machine).is_revoked, result_of(machine).problem) == (True, "")


def test_a_passing_problem_is_tried_three_times_within_three_seconds() -> None:
    machine, (request,) = begun()
    tries = [request]
    while isinstance(tries[-1], RevokeTokens):
        tries += machine.handle(PASSING)
    assert tries[-1] == RemoveCredentials()
    assert [(each.pause, each.form) for each in tries[:-1]] == [(0.0, FORM), (0.2, FORM), (0.4, FORM)]
    assert sum(each.pause + each.timeout for each in tries[:-1]) <= 3.0
    machine.handle(CredentialsRemoved(removed=SIGNED_IN))
    assert (result_of(machine).is_revoked, result_of(machine).problem) == (False, "status 503")


def test_a_later_try_may_succeed() -> None:
    machine, _ = begun()
    machine.handle(PASSING)
    assert machine.handle(RevocationEnded(problem="")) == [RemoveCredentials()]
    machine.handle(CredentialsRemoved(removed=SIGNED_IN))
    assert result_of(machine).is_revoked is True


def test_a_refusal_is_not_tried_again() -> None:
    machine, _ = begun()
    assert machine.handle(RevocationEnded(problem="status 400")) == [RemoveCredentials()]
    machine.handle(CredentialsRemoved(removed=SIGNED_IN))
    assert (result_of(machine).is_revoked, result_of(machine).problem) == (False, "status 400")


def test_tokens_that_were_stored_meanwhile_are_revoked_too() -> None:
    machine, _ = begun()
    machine.handle(RevocationEnded(problem=""))
    newer = stored(provider=PROVIDER, refresh_token=Secret("canary-new-refresh"))
    report, request = machine.handle(CredentialsRemoved(removed=newer))
    assert report == ReportRemoval(was_signed_in=True)
    assert isinstance(request, RevokeTokens)
    assert request.form[0] == ("token", "canary-new-refresh")
    machine.handle(RevocationEnded(problem="", may_pass=False))
    assert result_of(machine).is_revoked is True


def test_of_tokens_that_wait_for_the_keys_the_new_one_is_revoked() -> None:
    _, (request,) = begun(waiting(SIGNED_IN))
    assert request.form[0] == ("token", "canary-new-refresh")


def test_the_credentials_cannot_be_removed() -> None:
    machine, _ = begun()
    machine.handle(RevocationEnded(problem=""))
    machine.handle(RemovalFailed(message="read-only"))
    assert isinstance(machine.outcome, SignOutFailure)


def test_without_an_endpoint_nothing_is_confirmed() -> None:
    machine, actions = begun(stored())
    assert actions == [RemoveCredentials()]
    machine.handle(CredentialsRemoved(removed=stored()))
    assert (result_of(machine).is_revoked, result_of(machine).problem) == (
        False,
        "the provider has no endpoint that revokes tokens",
    )


def test_an_identity_has_nothing_to_revoke() -> None:
    identity = stored(provider=PROVIDER, refresh_token=None)
    machine, actions = begun(identity)
    assert actions == [RemoveCredentials()]
    machine.handle(CredentialsRemoved(removed=identity))
    assert (result_of(machine).is_revoked, result_of(machine).problem) == (None, "")


@pytest.mark.parametrize("event", [loaded(None), LoadFailed(failed_at=NOW, message="damaged")])
def test_what_cannot_be_read_is_removed(event: Any) -> None:
    machine = SignOutMachine(None)
    machine.handle(WANTED)
    assert machine.handle(event) == [RemoveCredentials()]


def test_tokens_that_are_kept_valid_are_removed_only() -> None:
    machine, actions = begun(wanted=SignOutWanted(reads_store=True, keeps_tokens=True))
    assert actions == [RemoveCredentials()]
    machine.handle(CredentialsRemoved(removed=SIGNED_IN))
    assert result_of(machine).is_revoked is None


@pytest.mark.parametrize(
    ("result", "passes"),
    [
        (answer(1, 200), False),
        (answer(1, 400), False),
        (answer(1, 500), True),
        (answer(1, 503), True),
        (no_answer(), True),
    ],
)
def test_which_results_may_pass(result: Any, passes: bool) -> None:  # noqa: FBT001 - a parameter
    assert may_pass(result) is passes
