"""A refresh token that was refused for good: the access token lasts to its end, and the store remembers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import Credentials, Provider, RefreshFailure, RefreshMachine, RefreshSuccess
from loginmachine.sansio.refresh.actions import Deliver, RememberRefusal, Warn
from loginmachine.sansio.refresh.events import LoadFailed, LockBusy, LockTaken
from loginmachine.sansio.refresh.failures import RefreshFailureCategory
from loginmachine.sansio.refresh.outcome import Refusal, digest_of

from ..playbook import AnyAction, Playbook
from ..samples import NOW
from .samples import (
    FORCED,
    LOAD,
    NOW_TEXT,
    OLD,
    OVER,
    PROVIDER,
    RELEASE,
    TAKE,
    THEIR_CREDENTIALS,
    WANTED,
    access,
    answered,
    delivered,
    failure_of,
    loaded,
    machine,
    rejected,
    stored,
    tell,
)

if TYPE_CHECKING:
    from loginmachine.sansio.refresh.events import CredentialsLoaded, RefreshEvent

GONE = answered(400, error="invalid_grant", error_description="gone")
WHY = "https://auth.openai.com/oauth/token: status 400: invalid_grant: gone"
BEFORE = "the provider has refused this refresh token before, and it was not sent again"
ENDED = "the sign-in has ended, and its last access token is used until it expires: "
REJECTED = RefreshFailureCategory.REFRESH_TOKEN_REJECTED


def refusal_of(credentials: Credentials, category: RefreshFailureCategory = REJECTED) -> Refusal:
    """What the store remembers of a refused refresh token."""
    return Refusal(digest=digest_of(credentials, PROVIDER), category=category)


def remembering(credentials: Credentials, refusal: Refusal | None = None, at: float = NOW) -> CredentialsLoaded:
    """What is read from a store that remembers a refusal, by default of its own refresh token."""
    return loaded(credentials, at).__replace__(refusal=refusal or refusal_of(credentials))


def refused(wanted: Any = WANTED, access_token: str = OLD) -> RefreshMachine:
    """A refresh with a refresh token that was refused; the store is read once more."""
    refresh = machine()
    credentials = stored(access_token)
    tell(refresh, wanted, loaded(credentials), LockTaken(), loaded(credentials), GONE)
    return refresh


def success(refresh: RefreshMachine) -> RefreshSuccess:
    assert isinstance(refresh.outcome, RefreshSuccess)
    return refresh.outcome


# The access token has minutes left


@pytest.mark.parametrize("read", [loaded(stored()), LoadFailed(failed_at=NOW, message="input/output error")])
def test_the_access_token_is_delivered_as_long_as_it_lasts(read: RefreshEvent) -> None:
    refresh = refused()
    assert (
        Playbook(refresh)
        >> read
        << Warn(message=ENDED + WHY)
        << RememberRefusal(refusal=refusal_of(stored()))
        << RELEASE
        << AnyAction(Deliver)
    )
    outcome = success(refresh)
    assert (outcome.token.reveal(), outcome.delivery, outcome.message) == (OLD, "kept", WHY)
    assert outcome.failure == RefreshFailure(category=REJECTED, message=WHY, trigger=outcome.failure.trigger)  # type: ignore[union-attr]


@pytest.mark.parametrize("wanted", [FORCED, rejected(OLD)])
def test_a_token_that_is_not_wanted_is_not_delivered(wanted: Any) -> None:
    refresh = refused(wanted)
    assert Playbook(refresh) >> loaded(stored()) << AnyAction(RememberRefusal) << RELEASE << AnyAction(Deliver)
    assert failure_of(refresh) == ("refresh_token_rejected", WHY, True)


def test_a_token_that_ended_meanwhile_is_not_delivered() -> None:
    refresh = refused()
    tell(refresh, loaded(stored(), NOW + 61))
    assert failure_of(refresh)[0] == "refresh_token_rejected"


def test_a_session_warns_once_and_sends_the_token_once() -> None:
    first = refused()
    tell(first, loaded(stored()))
    again = machine(first.memory)
    assert Playbook(again) >> WANTED << LOAD >> loaded(stored(), NOW + 40) << AnyAction(Deliver)
    assert success(again) == success(first)
    over = machine(again.memory)
    tell(over, WANTED, loaded(stored(), NOW + 61))
    assert failure_of(over) == ("refresh_token_rejected", WHY, True)


# The store remembers it


def test_another_session_warns_and_does_not_send_it() -> None:
    refresh = machine()
    assert (
        Playbook(refresh)
        >> WANTED
        << LOAD
        >> remembering(stored())
        << Warn(message=ENDED + BEFORE)
        << AnyAction(Deliver)
    )
    outcome = success(refresh)
    assert (outcome.token.reveal(), outcome.delivery, outcome.message) == (OLD, "kept", BEFORE)
    again = machine(refresh.memory)
    assert Playbook(again) >> WANTED << LOAD >> remembering(stored()) << AnyAction(Deliver)


@pytest.mark.parametrize(("wanted", "token"), [(WANTED, OVER), (FORCED, OLD), (rejected(OLD), OLD)])
def test_another_session_fails_without_a_request(wanted: Any, token: str) -> None:
    refresh = machine()
    assert Playbook(refresh) >> wanted << LOAD >> remembering(stored(token)) << AnyAction(Deliver)
    assert failure_of(refresh) == ("refresh_token_rejected", BEFORE, True)


def test_the_category_is_remembered() -> None:
    refresh = machine()
    credentials = stored(OVER)
    refusal = refusal_of(credentials, RefreshFailureCategory.ACCOUNT_CHANGED)
    tell(refresh, WANTED, remembering(credentials, refusal))
    assert failure_of(refresh) == ("account_changed", BEFORE, True)


def test_a_token_that_is_not_due_is_delivered_as_usual() -> None:
    credentials = stored(access(3600, "x"))
    assert Playbook(machine()) >> WANTED << LOAD >> remembering(credentials) << delivered(credentials)


def test_a_session_that_waits_for_the_lock_sees_the_refusal() -> None:
    """The holder of the lock was refused."""
    refresh = machine()
    tell(refresh, WANTED, loaded(stored(OVER)))
    assert Playbook(refresh) >> LockBusy() << LOAD >> remembering(stored(OVER)) << AnyAction(Deliver)
    assert failure_of(refresh)[0] == "refresh_token_rejected"
    refresh = machine()
    tell(refresh, WANTED, loaded(stored(OVER)), LockTaken())
    assert Playbook(refresh) >> remembering(stored(OVER)) << RELEASE << AnyAction(Deliver)
    assert failure_of(refresh)[0] == "refresh_token_rejected"


@pytest.mark.parametrize(
    "refusal",
    [
        refusal_of(THEIR_CREDENTIALS),
        # The same refresh token, issued once more by a new sign-in.
        refusal_of(stored(OVER, last_refresh=NOW_TEXT)),
        refusal_of(stored(OVER, last_refresh=None)),
        # Another provider refused it, or this provider for another client.
        Refusal(digest=digest_of(stored(OVER), Provider.codex(issuer="https://id.example")), category=REJECTED),
        Refusal(digest=digest_of(stored(OVER), Provider.codex(client_id="client-2")), category=REJECTED),
        Refusal(digest="", category=REJECTED),
    ],
)
def test_the_refusal_of_another_token_means_nothing(refusal: Refusal) -> None:
    assert Playbook(machine()) >> WANTED << LOAD >> remembering(stored(OVER), refusal) << TAKE


def test_a_new_sign_in_with_the_same_refresh_token_is_used() -> None:
    """Some providers issue one refresh token for each person."""
    first = refused(access_token=OVER)
    tell(first, loaded(stored(OVER)))
    later = stored(OVER, last_refresh="2026-11-20T00:00:00Z")
    assert Playbook(machine(first.memory)) >> WANTED << LOAD >> loaded(later) << TAKE


def test_a_digest_does_not_hold_the_token() -> None:
    refusal = refusal_of(stored())
    assert len(refusal.digest) == 64
    assert "canary" not in repr(refusal)
    assert len({digest_of(each, PROVIDER) for each in (stored(), stored(OVER), THEIR_CREDENTIALS)}) == 2
