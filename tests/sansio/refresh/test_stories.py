"""Refreshes that succeed: when they are due, and what happens when several programs refresh."""

from __future__ import annotations

import pytest

from loginmachine import Credentials, Secret
from loginmachine.sansio.login.actions import SaveCredentials
from loginmachine.sansio.login.events import CredentialsSaved, SaveFailed
from loginmachine.sansio.refresh.actions import Deliver, Warn
from loginmachine.sansio.refresh.events import LockBusy, LockTaken
from loginmachine.sansio.refresh.outcome import RefreshMemory, RefreshSuccess

from ..playbook import AnyAction, Playbook
from ..samples import ID_CLAIMS, ID_TOKEN, NOW, jwt
from .samples import (
    API_KEY_ONLY,
    DAY,
    FORCED,
    LOAD,
    NEW,
    NEW_CREDENTIALS,
    NOW_TEXT,
    OLD,
    OPAQUE,
    OVER,
    RELEASE,
    SAVE,
    TAKE,
    THEIR_CREDENTIALS,
    THEIRS,
    WANTED,
    access,
    answered,
    delivered,
    failure_of,
    loaded,
    machine,
    rejected,
    send,
    stored,
    tell,
)

# When a refresh is due


@pytest.mark.parametrize(
    ("token", "last_refresh", "is_due"),
    [
        (access(301, "x"), "2020-01-01T00:00:00Z", False),
        (access(300, "x"), "2026-11-18T10:00:00Z", True),
        (access(301, "x"), "2026-11-18T10:00:00Z", False),
        # A tenth of a short life: it began 2,700 s before its end, or 60 s ago.
        (access(270, "x"), "2026-11-18T10:26:10Z", True),
        (access(271, "x"), "2026-11-18T10:26:11Z", False),
        (access(300, "x"), "2026-11-18T11:05:40Z", False),
        (access(-DAY, "x"), "2026-11-18T11:05:40Z", True),
        (access(300, "x"), None, True),
        # By our clock they end, but this machine received them less than a minute ago. Its clock may be wrong.
        (access(300, "x"), "2026-11-18T11:05:41Z", False),
        (access(-DAY, "x"), "2026-11-18T11:05:41Z", False),
        (access(-DAY, "x"), NOW_TEXT, False),
        # Received in the future: by another machine, or before our clock was set.
        (access(-DAY, "x"), "2026-11-18T11:06:41Z", True),
        (access(DAY, "x"), None, False),
        (access(None, "x"), "2026-11-10T11:06:39Z", True),
        (access(None, "x"), "2026-11-10T11:06:41Z", False),
        (access(None, "x"), "2026-12-24T00:00:00Z", False),
        (access(None, "x"), None, False),
        (access(None, "x"), "yesterday", False),
        (OPAQUE, "2026-11-01T00:00:00Z", True),
        (OPAQUE, "2026-11-17T00:00:00Z", False),
        (jwt({"exp": "soon"}), "2026-11-17T00:00:00Z", False),
        (jwt({"exp": True}), "2026-11-17T00:00:00Z", False),
    ],
)
def test_when_tokens_are_due(token: str, last_refresh: str | None, *, is_due: bool) -> None:
    credentials = stored(token, last_refresh=last_refresh)
    action = TAKE if is_due else delivered(credentials)
    assert Playbook(machine()) >> WANTED << LOAD >> loaded(credentials) << action


def test_a_refresh_from_beginning_to_end() -> None:
    assert (
        Playbook(machine())
        >> WANTED
        << LOAD
        >> loaded(stored())
        << TAKE
        >> LockTaken()
        << LOAD
        >> loaded(stored())
        << send()
        >> answered()
        << LOAD
        >> loaded(stored())
        << SAVE
        >> CredentialsSaved()
        << RELEASE
        << delivered(NEW_CREDENTIALS, "refreshed")
    )


def test_members_missing_in_the_response_stay_as_they_are() -> None:
    refresh = machine()
    tell(refresh, WANTED, loaded(stored()), LockTaken(), loaded(stored()), answered(access_token=NEW))
    expected = stored(NEW, last_refresh=NOW_TEXT)
    assert Playbook(refresh) >> loaded(stored()) << SaveCredentials(credentials=expected)


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_empty_are_as_good_as_missing(nothing: str | None) -> None:
    refresh = machine()
    id_token = jwt({**ID_CLAIMS, "iat": 1}, "canary-newer-id-token")
    answer = answered(access_token=NEW, refresh_token=nothing, id_token=id_token)
    tell(refresh, WANTED, loaded(stored()), LockTaken(), loaded(stored()), answer, loaded(stored()), CredentialsSaved())
    assert isinstance(refresh.outcome, RefreshSuccess)
    assert refresh.outcome.credentials == stored(NEW, id_token=id_token, last_refresh=NOW_TEXT)


def test_an_unreadable_id_token_does_not_replace_a_readable_one() -> None:
    refresh = machine()
    answer = answered(access_token=NEW, refresh_token="canary-new-refresh", id_token="no.jwt")
    tell(refresh, WANTED, loaded(stored()), LockTaken(), loaded(stored()), answer, loaded(stored()), CredentialsSaved())
    assert isinstance(refresh.outcome, RefreshSuccess)
    assert refresh.outcome.credentials == NEW_CREDENTIALS


def test_an_empty_id_token_is_none() -> None:
    refresh = machine()
    answer = answered(access_token=NEW, refresh_token="canary-new-refresh", id_token="")
    tell(refresh, WANTED, loaded(stored()), LockTaken(), loaded(stored()), answer, loaded(stored()), CredentialsSaved())
    assert isinstance(refresh.outcome, RefreshSuccess)
    assert refresh.outcome.credentials == NEW_CREDENTIALS


def test_where_the_old_id_token_says_nothing_either_the_new_one_is_taken() -> None:
    before = stored(id_token="old")
    refresh = machine()
    answer = answered(access_token=NEW, id_token="new")
    tell(refresh, WANTED, loaded(before), LockTaken(), loaded(before), answer, loaded(before), CredentialsSaved())
    assert isinstance(refresh.outcome, RefreshSuccess)
    assert refresh.outcome.credentials == stored(NEW, id_token="new", last_refresh=NOW_TEXT)


def test_a_response_with_nothing_new_keeps_a_valid_token() -> None:
    """It was not received now, so its age stays. The next attempt is made after a while."""
    refresh = machine()
    same = stored(OLD)
    answer = answered(token_type="Bearer")
    tell(refresh, WANTED, loaded(stored()), LockTaken(), loaded(stored()), answer, loaded(stored()), CredentialsSaved())
    assert isinstance(refresh.outcome, RefreshSuccess)
    assert refresh.outcome.credentials == same
    soon, later = machine(refresh.memory), machine(refresh.memory)
    why = "the last try was a moment ago"
    assert Playbook(soon) >> WANTED << LOAD >> loaded(same, NOW + 29) << delivered(same, "kept", message=why)
    assert Playbook(later) >> WANTED << LOAD >> loaded(same, NOW + 30) << TAKE


def test_a_token_that_was_not_renewed_is_not_used_after_its_end() -> None:
    refresh = machine()
    short = stored(access(5, "short"))
    answer = answered(refresh_token="canary-new-refresh")
    tell(refresh, WANTED, loaded(short), LockTaken(), loaded(short), answer, loaded(short), CredentialsSaved())
    assert isinstance(refresh.outcome, RefreshSuccess)
    kept = refresh.outcome.credentials
    assert kept == stored(access(5, "short"), "canary-new-refresh")
    for memory in (refresh.memory, None):
        assert Playbook(machine(memory)) >> WANTED << LOAD >> loaded(kept, NOW + 6) << TAKE


def test_a_token_without_an_expiry_that_was_not_renewed_is_as_good_as_new() -> None:
    refresh = machine()
    before = stored(OPAQUE, last_refresh="2026-11-01T00:00:00Z")
    tell(refresh, WANTED, loaded(before), LockTaken(), loaded(before), answered(token_type="Bearer"), loaded(before))
    tell(refresh, CredentialsSaved())
    assert isinstance(refresh.outcome, RefreshSuccess)
    assert refresh.outcome.credentials == stored(OPAQUE, last_refresh=NOW_TEXT)


# A token that an API has rejected


def test_a_rejected_token_is_refreshed_even_if_it_is_still_valid() -> None:
    credentials = stored(THEIRS)
    assert (
        Playbook(machine())
        >> rejected(THEIRS)
        << LOAD
        >> loaded(credentials)
        << TAKE
        >> LockTaken()
        << LOAD
        >> loaded(credentials)
        << send()
    )


def test_a_rejected_token_that_is_no_longer_stored_starts_no_refresh() -> None:
    assert Playbook(machine()) >> rejected(OLD) << LOAD >> loaded(THEIR_CREDENTIALS) << delivered(THEIR_CREDENTIALS)


def test_a_forced_refresh_uses_what_is_stored_at_that_moment() -> None:
    assert (
        Playbook(machine())
        >> FORCED
        << LOAD
        >> loaded(THEIR_CREDENTIALS)
        << TAKE
        >> LockTaken()
        << LOAD
        >> loaded(THEIR_CREDENTIALS)
        << send("canary-their-refresh")
    )


@pytest.mark.parametrize("wanted", [WANTED, FORCED, rejected("sk-canary-key")])
def test_an_api_key_is_delivered_as_it_is(wanted: object) -> None:
    refresh = machine()
    assert Playbook(refresh) >> wanted << LOAD >> loaded(API_KEY_ONLY) << delivered(API_KEY_ONLY, token="sk-canary-key")  # type: ignore[operator]


def test_the_api_key_of_an_enterprise_account_comes_before_its_tokens() -> None:
    id_token = jwt({"https://api.openai.com/auth": {"chatgpt_plan_type": "enterprise"}})
    both = stored(OVER, id_token=id_token, auth_mode=None, api_key=Secret("sk-1"))
    assert Playbook(machine()) >> WANTED << LOAD >> loaded(both) << delivered(both, token="sk-1")


def test_the_key_in_the_environment_is_delivered_when_nothing_is_stored() -> None:
    refresh = machine(environment_key=" sk-environment\n")
    expected = Credentials(auth_mode="apikey", api_key=Secret("sk-environment"))
    assert Playbook(refresh) >> WANTED << LOAD >> loaded(None) << delivered(expected, token="sk-environment")


# Other programs refresh too


def test_tokens_that_another_process_refreshed_are_adopted() -> None:
    assert (
        Playbook(machine())
        >> WANTED
        << LOAD
        >> loaded(stored(OVER))
        << TAKE
        >> LockTaken()
        << LOAD
        >> loaded(THEIR_CREDENTIALS)
        << RELEASE
        << delivered(THEIR_CREDENTIALS, "adopted")
    )


def test_tokens_of_another_process_are_adopted_even_if_they_expire_soon() -> None:
    short = stored(access(20, "short"), "canary-their-refresh")
    refresh = machine()
    tell(refresh, WANTED, loaded(stored(OVER)), LockTaken())
    assert Playbook(refresh) >> loaded(short) << RELEASE << delivered(short, "adopted")


def test_expired_tokens_of_another_process_are_refreshed() -> None:
    refresh = machine()
    tell(refresh, WANTED, loaded(stored(OVER)), LockTaken())
    assert (
        Playbook(refresh) >> loaded(stored(access(-1, "dead"), "canary-their-refresh")) << send("canary-their-refresh")
    )


def test_new_tokens_are_adopted_while_waiting_for_the_lock() -> None:
    assert (
        Playbook(machine())
        >> WANTED
        << LOAD
        >> loaded(stored(OVER))
        << TAKE
        >> LockBusy()
        << LOAD
        >> loaded(stored(OVER), NOW + 1)
        << TAKE
        >> LockBusy()
        << LOAD
        >> loaded(THEIR_CREDENTIALS, NOW + 2)
        << delivered(THEIR_CREDENTIALS, "adopted")
    )


def waits(credentials: Credentials, wanted: object = WANTED) -> tuple[int, RefreshSuccess | None, object]:
    """Return how often a lock is requested that another program never releases, and the outcome."""
    refresh = machine()
    actions = tell(refresh, wanted, loaded(credentials))  # type: ignore[arg-type]
    times = 0
    while actions[-1] == TAKE:
        times += 1
        actions = tell(refresh, LockBusy(), loaded(credentials))
    outcome = refresh.outcome
    return times, outcome if isinstance(outcome, RefreshSuccess) else None, refresh


def test_the_wait_for_the_lock_is_short_while_the_old_token_is_valid() -> None:
    times, outcome, _ = waits(stored(OLD))
    assert times * 0.25 == 4.0
    assert outcome is not None
    assert (outcome.token.reveal(), outcome.delivery) == (OLD, "kept")


@pytest.mark.parametrize(("credentials", "wanted"), [(stored(OVER), WANTED), (stored(OLD), rejected(OLD))])
def test_without_a_token_the_wait_is_as_long_as_a_request_may_take(credentials: Credentials, wanted: object) -> None:
    times, outcome, refresh = waits(credentials, wanted)
    assert times * 0.25 == 70.0
    assert outcome is None
    assert failure_of(refresh) == ("store_busy", "another session was renewing the tokens all the time", False)  # type: ignore[arg-type]


def test_a_token_that_ends_during_the_wait_prolongs_it() -> None:
    refresh = machine()
    tell(refresh, WANTED, loaded(stored(OLD)))
    for _ in range(16):
        actions = tell(refresh, LockBusy(), loaded(stored(OLD), NOW + 61))
    assert actions[-1] == TAKE


def test_a_sign_in_during_the_request_is_adopted_and_not_overwritten() -> None:
    refresh = machine()
    tell(refresh, WANTED, loaded(stored()), LockTaken(), loaded(stored()), answered())
    assert Playbook(refresh) >> loaded(THEIR_CREDENTIALS) << RELEASE << delivered(THEIR_CREDENTIALS, "adopted")


def test_a_change_to_an_api_key_during_the_request_is_adopted() -> None:
    refresh = machine()
    tell(refresh, WANTED, loaded(stored()), LockTaken())
    assert Playbook(refresh) >> loaded(API_KEY_ONLY) << RELEASE << delivered(API_KEY_ONLY, token="sk-canary-key")


def test_a_sign_out_during_the_request_is_respected() -> None:
    refresh = machine()
    tell(refresh, WANTED, loaded(stored()), LockTaken(), loaded(stored()), answered())
    assert Playbook(refresh) >> loaded(None) << RELEASE << AnyAction(Deliver)
    assert failure_of(refresh) == ("not_signed_in", "nothing is stored", True)


def test_after_a_sign_out_the_key_in_the_environment_is_delivered() -> None:
    refresh = machine(environment_key="sk-environment")
    tell(refresh, WANTED, loaded(stored()), LockTaken(), loaded(stored()), answered())
    expected = Credentials(auth_mode="apikey", api_key=Secret("sk-environment"))
    assert Playbook(refresh) >> loaded(None) << RELEASE << delivered(expected, "adopted", "sk-environment")


# Tokens that cannot be stored


def unsaved() -> RefreshMemory:
    """Return the memory of a refresh that could not store its tokens."""
    refresh = machine()
    tell(refresh, WANTED, loaded(stored()), LockTaken(), loaded(stored()), answered(), loaded(stored()))
    assert (
        Playbook(refresh)
        >> SaveFailed(message="disk full")
        << Warn(message="the new tokens could not be stored, and are lost when this program ends: disk full")
        << RELEASE
        << delivered(NEW_CREDENTIALS, "refreshed", is_stored=False)
    )
    return refresh.memory


def test_tokens_that_could_not_be_stored_are_delivered_and_stored_later() -> None:
    memory = unsaved()
    soon = machine(memory)
    assert Playbook(soon) >> WANTED << LOAD >> loaded(stored(), NOW + 29) << delivered(NEW_CREDENTIALS)
    later = machine(soon.memory)
    assert (
        Playbook(later)
        >> WANTED
        << LOAD
        >> loaded(stored(), NOW + 31)
        << TAKE
        >> LockTaken()
        << LOAD
        >> loaded(stored(), NOW + 31)
        << SAVE
        >> CredentialsSaved()
        << RELEASE
        << delivered(NEW_CREDENTIALS)
    )
    assert later.memory.unsaved is None
    assert later.memory.replaces is None


def test_storing_later_may_fail_again() -> None:
    later = machine(unsaved())
    tell(later, WANTED, loaded(stored(), NOW + 31), LockTaken(), loaded(stored(), NOW + 31))
    not_stored = delivered(NEW_CREDENTIALS, is_stored=False)
    assert Playbook(later) >> SaveFailed(message="disk full") << AnyAction(Warn) << RELEASE << not_stored
    assert (later.memory.unsaved, later.memory.tried_at) == (NEW_CREDENTIALS, NOW + 31)


def test_storing_later_waits_four_seconds_for_the_lock() -> None:
    later = machine(unsaved())
    actions = tell(later, WANTED, loaded(stored(), NOW + 31))
    times = 0
    while actions[-1] == TAKE:
        times += 1
        actions = tell(later, LockBusy(), loaded(stored(), NOW + 31))
    assert times * 0.25 == 4.0
    assert actions[-1] == delivered(
        NEW_CREDENTIALS, "kept", message="another session was renewing the tokens all the time"
    )


def test_tokens_in_memory_are_refreshed_with_their_own_refresh_token() -> None:
    later = machine(unsaved())
    much_later = NOW + 10 * DAY
    newest = stored(access(20 * DAY, "newest"), "canary-newest-refresh", last_refresh="2026-11-28T11:06:40.000000Z")
    answer = answered(at=much_later, access_token=access(20 * DAY, "newest"), refresh_token="canary-newest-refresh")
    assert (
        Playbook(later)
        >> WANTED
        << LOAD
        >> loaded(stored(), much_later)
        << TAKE
        >> LockTaken()
        << LOAD
        >> loaded(stored(), much_later)
        << send("canary-new-refresh")
        >> answer
        << LOAD
        >> loaded(stored(), much_later)
        << AnyAction(SaveCredentials)
        >> CredentialsSaved()
        << RELEASE
        << delivered(newest, "refreshed")
    )


def test_a_new_sign_in_replaces_tokens_that_could_not_be_stored() -> None:
    later = machine(unsaved())
    assert Playbook(later) >> WANTED << LOAD >> loaded(THEIR_CREDENTIALS) << delivered(THEIR_CREDENTIALS)
    assert later.memory.unsaved is None


def test_a_sign_out_discards_tokens_that_could_not_be_stored() -> None:
    later = machine(unsaved())
    tell(later, WANTED, loaded(None))
    assert failure_of(later)[0] == "not_signed_in"
    assert later.memory.unsaved is None


# Clocks


def test_a_token_just_received_is_not_refreshed_again_by_a_wrong_clock() -> None:
    refresh = machine()
    answer = answered(access_token=OVER, refresh_token="canary-new-refresh")
    tell(refresh, WANTED, loaded(stored()), LockTaken(), loaded(stored()), answer, loaded(stored()), CredentialsSaved())
    assert isinstance(refresh.outcome, RefreshSuccess)
    wrong = refresh.outcome.credentials
    assert wrong == stored(OVER, "canary-new-refresh", last_refresh=NOW_TEXT)
    # Other sessions and commands, which have not received it, know when this machine did.
    for memory in (refresh.memory, None):
        soon = machine(memory)
        assert Playbook(soon) >> WANTED << LOAD >> loaded(wrong, NOW + 59) << delivered(wrong)
        later = machine(memory)
        assert Playbook(later) >> WANTED << LOAD >> loaded(wrong, NOW + 60) << TAKE
        back = machine(memory)
        assert Playbook(back) >> WANTED << LOAD >> loaded(wrong, NOW - 1) << TAKE
        for wanted in (rejected(OVER), FORCED):
            assert Playbook(machine(memory)) >> wanted << LOAD >> loaded(wrong, NOW + 1) << TAKE


def test_a_new_token_of_another_session_is_adopted_by_a_wrong_clock() -> None:
    theirs = stored(access(-DAY, "their"), "canary-their-refresh", last_refresh=NOW_TEXT)
    refresh = machine()
    tell(refresh, WANTED, loaded(stored(OVER)), LockTaken())
    assert Playbook(refresh) >> loaded(theirs, NOW + 1) << RELEASE << delivered(theirs, "adopted")
    refresh = machine()
    tell(refresh, WANTED, loaded(stored(OVER)), LockTaken(), loaded(stored(OVER)), answered(400, error="invalid_grant"))
    assert Playbook(refresh) >> loaded(theirs, NOW + 1) << RELEASE << delivered(theirs, "adopted")


def test_without_a_new_id_token_the_old_one_is_kept() -> None:
    refresh = machine()
    tell(
        refresh,
        WANTED,
        loaded(stored()),
        LockTaken(),
        loaded(stored()),
        answered(),
        loaded(stored()),
        CredentialsSaved(),
    )
    assert isinstance(refresh.outcome, RefreshSuccess)
    assert refresh.outcome.credentials.tokens is not None
    assert refresh.outcome.credentials.tokens.id_token == Secret(ID_TOKEN)
