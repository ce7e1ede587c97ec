"""Every event in every state, and the rules that always hold for a refresh."""

from __future__ import annotations

import copy
import gc
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loginmachine import Credentials, RefreshFailure, RefreshMachine, RefreshSuccess, UnexpectedEvent
from loginmachine.sansio.login.actions import SaveCredentials, SendTokenRequest
from loginmachine.sansio.login.events import CredentialsSaved, SaveFailed, TokenRequestFailed, TokenResponseReceived
from loginmachine.sansio.refresh.actions import Deliver, LoadCredentials, ReleaseLock, RememberRefusal, TakeLock, Warn
from loginmachine.sansio.refresh.events import CredentialsLoaded, LoadFailed, LockBusy, LockFailed, LockTaken
from loginmachine.sansio.refresh.state import RefreshData

from ..samples import NOW, everything_in
from .samples import (
    API_KEY_ONLY,
    CANARIES,
    EVENTS,
    FORCED,
    NEW,
    NEW_CREDENTIALS,
    OLD,
    OTHER_ACCOUNT,
    OVER,
    PATHS,
    THEIR_CREDENTIALS,
    WANTED,
    access,
    answered,
    loaded,
    machine,
    machine_in,
    rejected,
    stored,
    tell,
    unanswered,
)

if TYPE_CHECKING:
    from loginmachine.sansio.refresh.actions import RefreshAction
    from loginmachine.sansio.refresh.events import RefreshEvent
    from loginmachine.sansio.refresh.outcome import RefreshMemory, Refusal

READ = {"loaded", "load_failed"}
LEGAL: dict[str, set[str]] = {
    "idle": {"wanted"},
    "reading": READ,
    "locking": {"lock_taken", "lock_busy", "lock_failed"},
    "reading_while_waiting": READ,
    "reading_again": READ,
    "exchanging_refresh_token": {"answered", "unanswered"},
    "reading_before_saving": READ,
    "reading_after_refusal": READ,
    "saving_credentials": {"saved", "save_failed"},
}


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", LEGAL)
def test_every_event_in_every_state(state: str, event: str) -> None:
    refresh = machine_in(state)
    if event in LEGAL[state]:
        assert refresh.handle(EVENTS[event])
        assert refresh.state != state
        return
    before = everything_of(refresh)
    with pytest.raises(UnexpectedEvent, match=f"{type(EVENTS[event]).__name__} makes no sense in state {state}$"):
        refresh.handle(EVENTS[event])
    assert everything_of(refresh) == before


def everything_of(refresh: RefreshMachine) -> list[object]:
    return [copy.copy(getattr(refresh._refresh, name)) for name in RefreshData.__slots__]


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_after_the_outcome_every_event_is_ignored(state: str, event: str) -> None:
    refresh = machine_in(state)
    outcome = refresh.outcome
    assert refresh.handle(EVENTS[event]) == []
    assert (refresh.state, refresh.outcome) == (state, outcome)


@pytest.mark.parametrize(
    ("state", "event"),
    [
        ("reading", loaded(None, at=-1.0)),
        ("reading", loaded(None, at=float("nan"))),
        ("exchanging_refresh_token", answered(at=1e12)),
        ("exchanging_refresh_token", answered().__replace__(exchange_id=2)),
        ("exchanging_refresh_token", unanswered().__replace__(exchange_id=0)),
    ],
)
def test_impossible_times_and_answers_are_unexpected(state: str, event: Any) -> None:
    refresh = machine_in(state)
    with pytest.raises(UnexpectedEvent):
        refresh.handle(event)
    assert refresh.state == state


# Random stories

HOLDINGS: list[Credentials | None] = [
    stored(),
    stored(OVER),
    NEW_CREDENTIALS,
    THEIR_CREDENTIALS,
    API_KEY_ONLY,
    None,
    stored(auth_mode="newer"),
    stored(access(None, "opaque"), last_refresh=None),
    stored(OVER, ""),
]
ANSWERS: list[TokenResponseReceived | TokenRequestFailed] = [
    answered(),
    answered(access_token=NEW),
    answered(refresh_token="canary-new-refresh"),
    answered(access_token=NEW, id_token=OTHER_ACCOUNT),
    answered(400, error="invalid_grant"),
    answered(401, error="invalid_client"),
    answered(401, error="gone"),
    answered(500, error="busy"),
    answered(access_token=5),
    unanswered(),
]
moments = st.floats(0, 200.0).map(lambda seconds: NOW + seconds)
reads = st.one_of(
    st.builds(loaded, st.sampled_from(HOLDINGS), moments), st.builds(LoadFailed, message=st.text(max_size=5))
)
locks = st.one_of(st.just(LockTaken()), st.just(LockBusy()), st.builds(LockFailed, message=st.text(max_size=5)))
saves = st.one_of(st.just(CredentialsSaved()), st.builds(SaveFailed, message=st.text(max_size=5)))
wishes = st.sampled_from([WANTED, FORCED, rejected(OLD), rejected(OVER)])
Script = tuple["RefreshEvent", list["RefreshEvent"], list["RefreshEvent"], "RefreshEvent", "RefreshEvent"]
scripts = st.tuples(
    wishes, st.lists(reads, min_size=1, max_size=8), st.lists(locks, max_size=6), st.sampled_from(ANSWERS), saves
)


class Host:
    """Answers the actions of a refresh from a script, then in the best way, and remembers the actions."""

    def __init__(self, memory: RefreshMemory | None, script: Script, refusal: Refusal | None = None) -> None:
        self.refresh = machine(memory)
        self.refusal = refusal
        self.wanted, self.reads, self.locks, self.answer, self.save = script
        self.actions: list[RefreshAction] = []
        self.locked = False

    def run(self) -> None:
        event: RefreshEvent | None = self.wanted
        while event is not None:
            actions = self.refresh.handle(event)
            event = None
            for action in actions:
                assert not any(isinstance(done, Deliver) for done in self.actions), "an action after the end"
                self.actions.append(action)
                assert event is None, "two actions that wait for an event"
                event = self.perform(action)
        assert not self.locked, "the lock was kept"
        assert isinstance(self.actions[-1], Deliver)
        assert self.actions[-1].outcome == self.refresh.outcome

    def perform(self, action: RefreshAction) -> RefreshEvent | None:
        match action:
            case LoadCredentials():
                read = self.reads.pop(0) if len(self.reads) > 1 else self.reads[0]
                return read.__replace__(refusal=self.refusal) if isinstance(read, CredentialsLoaded) else read
            case TakeLock(timeout=timeout):
                assert 0 < timeout < 1
                assert not self.locked
                event = self.locks.pop(0) if self.locks else LockTaken()
                self.locked = isinstance(event, LockTaken)
                return event
            case SendTokenRequest():
                assert self.locked
                assert self.refusal is None or self.refusal.digest != self.refresh._refresh.digest()
                return self.answer
            case SaveCredentials():
                assert self.locked
                return self.save
            case RememberRefusal(refusal=refusal):
                assert self.locked
                self.refusal = refusal
            case ReleaseLock():
                assert self.locked
                self.locked = False
            case Warn() | Deliver():
                pass
        return None

    def count(self, kind: type) -> int:
        return sum(isinstance(action, kind) for action in self.actions)


@settings(max_examples=400, deadline=None)
@given(st.lists(scripts, min_size=1, max_size=3))
def test_the_rules_of_a_refresh_hold_in_random_stories(stories: list[Script]) -> None:
    memory = None
    for story in stories:
        host = Host(memory, story)
        host.run()
        memory = host.refresh.memory
        assert host.count(SendTokenRequest) <= 1
        assert host.count(SaveCredentials) <= 1
        assert host.count(Deliver) == 1
        outcome = host.refresh.outcome
        assert (host.refresh.state == "succeeded") == isinstance(outcome, RefreshSuccess)
        assert (host.refresh.state == "failed") == isinstance(outcome, RefreshFailure)
        for saved in (action for action in host.actions if isinstance(action, SaveCredentials)):
            # What was refreshed is in the store, or in the memory until it is.
            assert isinstance(host.save, CredentialsSaved) or memory.unsaved == saved.credentials
        if isinstance(outcome, RefreshSuccess):
            assert outcome.token.reveal()
        for canary in CANARIES:
            assert canary not in f"{host.actions} {host.refresh!r} {outcome!r} {memory!r} {host.refresh._refresh!r}"


@settings(max_examples=200, deadline=None)
@given(st.lists(scripts, min_size=2, max_size=4))
def test_a_refused_refresh_token_is_sent_by_no_session(stories: list[Script]) -> None:
    """Every story is that of another session: only the store connects them."""
    refusal = None
    for story in stories:
        host = Host(None, story, refusal)
        host.run()
        outcome = host.refresh.outcome
        assert isinstance(outcome, (RefreshSuccess, RefreshFailure))
        assert (host.refusal != refusal) == (host.count(RememberRefusal) == 1)
        refusal = host.refusal


def test_the_random_stories_reach_every_outcome() -> None:
    """Show that the test above checks something."""

    def ending(*script: Any) -> str:
        host = Host(None, script)
        host.run()
        outcome = host.refresh.outcome
        return str(outcome.delivery if isinstance(outcome, RefreshSuccess) else getattr(outcome, "category", None))

    old, theirs = loaded(stored()), loaded(THEIR_CREDENTIALS)
    assert ending(WANTED, [old], [], answered(), CredentialsSaved()) == "refreshed"
    assert ending(WANTED, [old], [LockBusy()], answered(), SaveFailed(message="no")) == "refreshed"
    assert ending(WANTED, [old, theirs], [LockBusy()], answered(), CredentialsSaved()) == "adopted"
    over, gone = loaded(stored(OVER)), answered(400, error="invalid_grant")
    assert ending(WANTED, [over], [], gone, CredentialsSaved()) == "refresh_token_rejected"
    assert ending(WANTED, [old], [], gone, CredentialsSaved()) == "kept"


# Secrets and memory


def test_an_unexpected_event_shows_no_secret() -> None:
    refresh = machine_in("reading_before_saving")
    with pytest.raises(UnexpectedEvent) as caught:
        refresh.handle(answered())
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert not [canary for canary in CANARIES if canary in shown]


def test_only_requests_saves_and_deliveries_hold_a_secret() -> None:
    for state in PATHS:
        for action in tell(machine(), *PATHS[state]):
            held = [canary for canary in CANARIES if canary in everything_in(action)]
            assert not held or isinstance(action, (SendTokenRequest, SaveCredentials, Deliver))
    (sent,) = [
        action for action in tell(machine(), *PATHS["exchanging_refresh_token"]) if isinstance(action, SendTokenRequest)
    ]
    assert [canary for canary in CANARIES if canary in everything_in(sent)] == ["canary-old-refresh"]


def test_refreshes_die_by_reference_count_alone() -> None:
    gc.collect()
    gc.disable()
    try:
        before = sum(isinstance(thing, RefreshData) for thing in gc.get_objects())
        for state in PATHS:
            machine_in(state)
        assert sum(isinstance(thing, RefreshData) for thing in gc.get_objects()) == before
    finally:
        gc.enable()


def test_a_failure_can_be_pickled_and_an_outcome_with_a_token_cannot() -> None:
    failure = machine_in("failed").outcome
    assert pickle.loads(pickle.dumps(failure)) == failure
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(machine_in("succeeded").outcome)


def test_the_same_events_give_the_same_actions() -> None:
    for path in PATHS.values():
        assert tell(machine(), *path) == tell(machine(), *path)
