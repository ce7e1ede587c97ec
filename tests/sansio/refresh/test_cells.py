"""Every cell of the table: what each meaning leads to in each state, what is done, and what is remembered.

`make mutants` changes each cell in every way. The expectations are written by hand; nothing is taken from the table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loginmachine import RefreshFailure, RefreshSuccess
from loginmachine.sansio.login.events import CredentialsSaved, SaveFailed
from loginmachine.sansio.model.provenance import Provenance
from loginmachine.sansio.refresh.actions import Deliver
from loginmachine.sansio.refresh.events import LoadFailed, LockBusy, LockFailed, LockTaken
from loginmachine.sansio.refresh.failures import RefreshFailureCategory
from loginmachine.sansio.refresh.outcome import RefreshMemory, Refusal, digest_of

from ..samples import NOW
from .samples import (
    API_KEY_ONLY,
    DAY,
    NEW,
    NEW_CREDENTIALS,
    OLD,
    OTHER_ACCOUNT,
    OVER,
    PROVIDER,
    THEIR_CREDENTIALS,
    WANTED,
    access,
    answered,
    loaded,
    machine,
    stored,
    tell,
    unanswered,
)

if TYPE_CHECKING:
    from loginmachine import Credentials, RefreshMachine
    from loginmachine.sansio.refresh.actions import RefreshAction
    from loginmachine.sansio.refresh.events import CredentialsLoaded, RefreshEvent

GONE = answered(400, error="invalid_grant")
UNREADABLE = LoadFailed(failed_at=NOW, message="input/output error")
NEWER = stored(auth_mode="newer")
FRESH = stored(access(DAY, "fresh"))
"""The refresh token of `OLD`, with an access token that is not due."""
HOPELESS = stored(OVER, "")
FOREIGN = stored().__replace__(
    tokens=stored().tokens.__replace__(  # type: ignore[union-attr]
        provenance=Provenance(issuer="https://id.example", client_id="client-1")
    )
)
WITH_UNSAVED = RefreshMemory(unsaved=NEW_CREDENTIALS, replaces=stored().tokens.refresh_token)  # type: ignore[union-attr]
"""New tokens that could not be stored."""
TRIED = RefreshMemory(tried_at=NOW - 1)


def refused(credentials: Credentials) -> CredentialsLoaded:
    """What is read from a store that remembers that this refresh token was refused."""
    refusal = Refusal(digest=digest_of(credentials, PROVIDER), category=RefreshFailureCategory.REFRESH_TOKEN_REJECTED)
    return loaded(credentials).__replace__(refusal=refusal)


def in_state(state: str, held: Credentials, memory: RefreshMemory | None = None, busy: int = 1) -> RefreshMachine:
    """Return a refresh in a state. The store held these credentials so far, and the lock was busy so many times."""
    refresh = machine(memory)
    waiting: tuple[RefreshEvent, ...] = (LockBusy(), loaded(held)) * (busy - 1)
    again = (WANTED, loaded(held), LockTaken())
    paths: dict[str, tuple[RefreshEvent, ...]] = {
        "reading": (WANTED,),
        "locking": (WANTED, loaded(held)),
        "reading_while_waiting": (WANTED, loaded(held), *waiting, LockBusy()),
        "reading_again": again,
        "exchanging_refresh_token": (*again, loaded(held)),
        "reading_before_saving": (*again, loaded(held), answered()),
        "reading_after_refusal": (*again, loaded(held), GONE),
        "saving_credentials": (*again, loaded(held), answered(), loaded(held)),
    }
    tell(refresh, *paths[state])
    assert refresh.state == state
    return refresh


def told(action: RefreshAction) -> str:
    """Return an action in a few words: the type, and how the refresh ended."""
    if not isinstance(action, Deliver):
        return type(action).__name__
    if isinstance(action.outcome, RefreshFailure):
        return str(action.outcome.category)
    ended = ", ended" if action.outcome.failure else ""
    return f"{action.outcome.delivery}{'' if action.outcome.is_stored else ', not stored'}{ended}"


def remembered(refresh: RefreshMachine) -> str:
    """Return the fields of the memory that are set, without the times that belong to them."""
    memory = refresh.memory
    fields = ("unsaved", "received", "tried_at", "refused")
    return " ".join(field for field in fields if getattr(memory, field) is not None)


def check(refresh: RefreshMachine, event: RefreshEvent, ending: str, memory: str) -> None:
    """Check what an event leads to.

    Args:
        refresh: The refresh.
        event: The event.
        ending: The actions in the words of `told`.
        memory: The fields of the memory that are set then.
    """
    actions = tell(refresh, event)
    assert (" > ".join(map(told, actions)), remembered(refresh)) == (ending, memory)
    if isinstance(actions[-1], Deliver):
        succeeded = isinstance(refresh.outcome, RefreshSuccess)
        assert refresh.state == ("succeeded" if succeeded else "failed")


BEFORE = ("reading", "reading_while_waiting", "reading_again")
"""The states in which the store is read before a refresh token is sent."""


@pytest.mark.parametrize("state", BEFORE)
@pytest.mark.parametrize(
    ("event", "ending", "memory"),
    [
        (loaded(API_KEY_ONLY), "current", ""),
        (loaded(None), "not_signed_in", ""),
        (UNREADABLE, "credentials_unreadable", ""),
        (loaded(NEWER), "credentials_unsupported", ""),
        (loaded(FOREIGN), "provider_mismatch", ""),
        (loaded(HOPELESS), "refresh_token_missing", ""),
        (refused(stored(OVER)), "refresh_token_rejected", ""),
        (refused(stored(OLD)), "Warn > kept, ended", "refused"),
    ],
)
def test_what_ends_a_refresh_before_a_request(state: str, event: RefreshEvent, ending: str, memory: str) -> None:
    """Under the lock, the lock is released first."""
    release = "ReleaseLock > " if state == "reading_again" else ""
    warning, _, end = ending.rpartition(" > ")
    words = f"{warning} > {release}{end}" if warning else f"{release}{end}"
    check(in_state(state, stored(OLD)), event, words, memory)


def test_tokens_that_are_not_due_are_delivered() -> None:
    check(in_state("reading", stored()), loaded(FRESH), "current", "")


def test_soon_after_a_failed_attempt_a_valid_token_is_kept() -> None:
    check(in_state("reading", stored(), TRIED), loaded(stored()), "kept", "tried_at")
    refresh = in_state("reading", stored(), TRIED)
    tell(refresh, loaded(stored()))
    assert refresh.memory == TRIED


@pytest.mark.parametrize("memory", [None, WITH_UNSAVED])
def test_a_refresh_that_is_due_takes_the_lock(memory: RefreshMemory | None) -> None:
    refresh = in_state("reading", stored(), memory)
    check(refresh, loaded(stored()), "TakeLock", "unsaved" if memory else "")
    assert refresh.state == "locking"
    check(refresh, LockBusy(), "LoadCredentials", "unsaved" if memory else "")
    assert refresh.state == "reading_while_waiting"
    check(refresh, loaded(stored()), "TakeLock", "unsaved" if memory else "")
    assert refresh.state == "locking"
    check(refresh, LockTaken(), "LoadCredentials", "unsaved" if memory else "")
    assert refresh.state == "reading_again"
    check(
        refresh,
        loaded(stored()),
        "SaveCredentials" if memory else "SendTokenRequest",
        "unsaved" if memory else "",
    )
    assert refresh.state == ("saving_credentials" if memory else "exchanging_refresh_token")


@pytest.mark.parametrize(
    ("held", "memory", "ending", "remembers"),
    [
        (OLD, None, "kept", "tried_at"),
        (OVER, None, "store_unavailable", ""),
        (OLD, WITH_UNSAVED, "kept", "unsaved tried_at"),
    ],
)
def test_a_lock_that_cannot_be_taken(held: str, memory: RefreshMemory | None, ending: str, remembers: str) -> None:
    check(in_state("locking", stored(held), memory), LockFailed(message="read-only"), ending, remembers)


@pytest.mark.parametrize("state", ["reading_while_waiting", "reading_again"])
def test_tokens_of_another_session_are_adopted(state: str) -> None:
    release = "ReleaseLock > " if state == "reading_again" else ""
    check(in_state(state, stored(OVER)), loaded(THEIR_CREDENTIALS), f"{release}adopted", "received")


@pytest.mark.parametrize(
    ("held", "memory", "busy", "ending", "remembers"),
    [
        (OLD, None, 15, "TakeLock", ""),
        (OLD, None, 16, "kept", "tried_at"),
        (OVER, None, 16, "TakeLock", ""),
        (OVER, None, 279, "TakeLock", ""),
        (OVER, None, 280, "store_busy", ""),
        (OLD, WITH_UNSAVED, 15, "TakeLock", "unsaved"),
        (OLD, WITH_UNSAVED, 16, "kept", "unsaved tried_at"),
    ],
)
def test_how_long_a_refresh_waits_for_the_lock(
    held: str, memory: RefreshMemory | None, busy: int, ending: str, remembers: str
) -> None:
    refresh = in_state("reading_while_waiting", stored(held), memory, busy)
    check(refresh, loaded(stored(held)), ending, remembers)


# The response


@pytest.mark.parametrize(
    ("event", "with_a_valid_token", "without"),
    [
        (unanswered(), ("kept", "tried_at"), ("refresh_unavailable", "")),
        (answered(503, error="busy"), ("kept", "tried_at"), ("refresh_unavailable", "")),
        (answered(access_token=5), ("kept", "tried_at"), ("refresh_response_malformed", "")),
        (answered(401, error="invalid_client"), ("kept", "tried_at"), ("client_refused", "")),
    ],
)
def test_a_response_without_tokens(
    event: RefreshEvent, with_a_valid_token: tuple[str, str], without: tuple[str, str]
) -> None:
    for held, (ending, memory) in ((OLD, with_a_valid_token), (OVER, without)):
        check(in_state("exchanging_refresh_token", stored(held)), event, f"ReleaseLock > {ending}", memory)


def test_tokens_of_another_account() -> None:
    event = answered(access_token=NEW, id_token=OTHER_ACCOUNT)
    lasting = "Warn > RememberRefusal > ReleaseLock > kept, ended"
    check(in_state("exchanging_refresh_token", stored(OLD)), event, lasting, "refused")
    ended = "RememberRefusal > ReleaseLock > account_changed"
    check(in_state("exchanging_refresh_token", stored(OVER)), event, ended, "refused")


@pytest.mark.parametrize("event", [answered(), GONE])
def test_after_the_response_the_store_is_read_once_more(event: RefreshEvent) -> None:
    refresh = in_state("exchanging_refresh_token", stored())
    check(refresh, event, "LoadCredentials", "")
    assert refresh.state == ("reading_after_refusal" if event is GONE else "reading_before_saving")


@pytest.mark.parametrize("state", ["reading_before_saving", "reading_after_refusal"])
@pytest.mark.parametrize(
    ("event", "ending", "memory"),
    [
        (loaded(THEIR_CREDENTIALS), "adopted", "received"),
        (loaded(API_KEY_ONLY), "adopted", ""),
        (loaded(None), "not_signed_in", ""),
        (loaded(NEWER.__replace__(tokens=THEIR_CREDENTIALS.tokens)), "credentials_unsupported", ""),
        (loaded(stored(OVER, "canary-their-refresh")), "refresh_unavailable", ""),
    ],
)
def test_other_credentials_that_were_stored_meanwhile(
    state: str, event: RefreshEvent, ending: str, memory: str
) -> None:
    check(in_state(state, stored(OLD)), event, f"ReleaseLock > {ending}", memory)


@pytest.mark.parametrize("state", ["reading_before_saving", "reading_after_refusal"])
def test_tokens_of_another_provider_that_were_stored_meanwhile(state: str) -> None:
    assert FOREIGN.tokens is not None
    theirs = FOREIGN.tokens.__replace__(refresh_token=THEIR_CREDENTIALS.tokens.refresh_token)  # type: ignore[union-attr]
    event = loaded(FOREIGN.__replace__(tokens=theirs))
    check(in_state(state, stored(OLD)), event, "ReleaseLock > provider_mismatch", "")


@pytest.mark.parametrize("read", ["unchanged", "unreadable"])
def test_a_refusal_stays_one_if_the_store_holds_nothing_else(read: str) -> None:
    for held, ending in ((OLD, "Warn > RememberRefusal > ReleaseLock > kept, ended"), (OVER, "")):
        event = loaded(stored(held)) if read == "unchanged" else UNREADABLE
        words = ending or "RememberRefusal > ReleaseLock > refresh_token_rejected"
        check(in_state("reading_after_refusal", stored(held)), event, words, "refused")


# New tokens

NOT_STORED = "Warn > ReleaseLock > refreshed, not stored"


@pytest.mark.parametrize(
    ("state", "event", "ending", "memory"),
    [
        ("reading_before_saving", loaded(stored()), "SaveCredentials", ""),
        (
            "reading_before_saving",
            UNREADABLE,
            NOT_STORED,
            "unsaved received tried_at",
        ),
        ("saving_credentials", CredentialsSaved(), "ReleaseLock > refreshed", "received"),
        (
            "saving_credentials",
            SaveFailed(message="disk full"),
            NOT_STORED,
            "unsaved received tried_at",
        ),
    ],
)
def test_new_tokens_are_stored_or_remembered(state: str, event: Any, ending: str, memory: str) -> None:
    refresh = in_state(state, stored())
    check(refresh, event, ending, memory)
    assert refresh.outcome is not None or refresh.state == "saving_credentials"
