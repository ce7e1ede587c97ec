"""The rules of a refresh (docs/design/invariants.md), over random stories of sessions and random events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from loginmachine import Credentials, RefreshFailure, RefreshMachine, RefreshSuccess, Secret, UnexpectedEvent
from loginmachine.sansio.login.actions import SaveCredentials, SendTokenRequest
from loginmachine.sansio.login.events import CredentialsSaved, SaveFailed, TokenRequestFailed, TokenResponseReceived
from loginmachine.sansio.refresh.actions import Deliver, LoadCredentials, ReleaseLock, RememberRefusal, TakeLock, Warn
from loginmachine.sansio.refresh.events import CredentialsLoaded, LoadFailed, LockBusy, LockFailed, LockTaken
from loginmachine.sansio.refresh.outcome import RefreshMemory

from ..rules import check_refused
from ..samples import NOW
from .rules import FINAL, RefreshLedger, checked, start, step_of
from .samples import (
    API_KEY_ONLY,
    CANARIES,
    FORCED,
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
    rejected,
    stored,
    unanswered,
)

if TYPE_CHECKING:
    from loginmachine.sansio.refresh.actions import RefreshAction
    from loginmachine.sansio.refresh.events import RefreshEvent
    from loginmachine.sansio.refresh.outcome import Refusal

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
    st.builds(loaded, st.sampled_from(HOLDINGS), moments),
    st.builds(LoadFailed, failed_at=moments, message=st.text(max_size=5)),
)
locks = st.one_of(st.just(LockTaken()), st.just(LockBusy()), st.builds(LockFailed, message=st.text(max_size=5)))
saves = st.one_of(st.just(CredentialsSaved()), st.builds(SaveFailed, message=st.text(max_size=5)))
wishes = st.sampled_from([WANTED, FORCED, rejected(OLD), rejected(OVER)])
Script = tuple["RefreshEvent", list["RefreshEvent"], list["RefreshEvent"], "RefreshEvent", "RefreshEvent"]
scripts = st.tuples(
    wishes, st.lists(reads, min_size=1, max_size=8), st.lists(locks, max_size=6), st.sampled_from(ANSWERS), saves
)


class CheckedRefresh:
    """A refresh that checks every event it takes, and can be replaced by a copy that is restored from its snapshot."""

    def __init__(self, memory: RefreshMemory | None) -> None:
        self.machine = machine(memory)
        self.ledger: RefreshLedger = start(memory)

    def take(self, event: RefreshEvent, *, honest: bool) -> list[RefreshAction]:
        """Handle one event, and check the step. Only an event that is not honest may be refused."""
        before, state = self.machine.snapshot(), self.machine.state
        try:
            actions = self.machine.handle(event)
        except UnexpectedEvent:
            assert not honest, f"{event} in {state} is no mistake"
            check_refused(state, before, self.machine.snapshot(), FINAL)
            return []
        self.ledger = checked(step_of(self.machine, event, actions, state, self.ledger))
        return actions

    def restore(self) -> None:
        """Go on with a copy. It has the same state."""
        original = self.machine
        self.machine = RefreshMachine.restore(PROVIDER, original.snapshot())
        assert self.machine.snapshot() == original.snapshot()
        assert (self.machine.state, self.machine.outcome) == (original.state, original.outcome)


class Host:
    """Answers the actions of a refresh from a script, then in the best way, and remembers the actions."""

    def __init__(self, memory: RefreshMemory | None, script: Script, refusal: Refusal | None = None) -> None:
        self.refresh = CheckedRefresh(memory)
        self.refusal = refusal
        self.wanted, self.reads, self.locks, self.answer, self.save = script
        self.actions: list[RefreshAction] = []
        self.locked = False

    def run(self) -> None:
        event: RefreshEvent | None = self.wanted
        while event is not None:
            actions = self.refresh.take(event, honest=True)
            event = None
            for action in actions:
                assert not any(isinstance(done, Deliver) for done in self.actions), "an action after the end"
                self.actions.append(action)
                assert event is None, "two actions that wait for an event"
                event = self.perform(action)
        assert not self.locked, "the lock was kept"
        assert isinstance(self.actions[-1], Deliver)
        assert self.actions[-1].outcome == self.refresh.machine.outcome

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
                assert self.refusal is None or self.refusal.digest != self.refresh.machine._refresh.digest()
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
        memory = host.refresh.machine.memory
        assert host.count(SendTokenRequest) <= 1
        assert host.count(SaveCredentials) <= 1
        assert host.count(Deliver) == 1
        outcome = host.refresh.machine.outcome
        assert (host.refresh.machine.state == "succeeded") == isinstance(outcome, RefreshSuccess)
        assert (host.refresh.machine.state == "failed") == isinstance(outcome, RefreshFailure)
        for saved in (action for action in host.actions if isinstance(action, SaveCredentials)):
            # What was refreshed is in the store, or in the memory until it is.
            assert isinstance(host.save, CredentialsSaved) or memory.unsaved == saved.credentials
        if isinstance(outcome, RefreshSuccess):
            assert outcome.token.reveal()
        shown = f"{host.actions} {host.refresh.machine!r} {host.refresh.machine._refresh!r} {outcome!r} {memory!r}"
        assert [canary for canary in CANARIES if canary in shown] == []


@settings(max_examples=200, deadline=None)
@given(st.lists(scripts, min_size=2, max_size=4))
def test_a_refused_refresh_token_is_sent_by_no_session(stories: list[Script]) -> None:
    """Every story is that of another session: only the store connects them."""
    refusal = None
    for story in stories:
        host = Host(None, story, refusal)
        host.run()
        outcome = host.refresh.machine.outcome
        assert isinstance(outcome, (RefreshSuccess, RefreshFailure))
        assert (host.refusal != refusal) == (host.count(RememberRefusal) == 1)
        refusal = host.refusal


events = st.one_of(wishes, reads, locks, st.sampled_from(ANSWERS), saves)
memories = st.sampled_from(
    [None, RefreshMemory(unsaved=NEW_CREDENTIALS, replaces=Secret("canary-old-refresh")), RefreshMemory(tried_at=NOW)]
)


@settings(max_examples=300, deadline=None)
@given(memories, wishes, st.lists(events, max_size=30))
def test_a_confused_host_gets_only_unexpected_event(
    memory: RefreshMemory | None, wish: RefreshEvent, garbage: list[RefreshEvent]
) -> None:
    refresh = CheckedRefresh(memory)
    refresh.take(wish, honest=True)
    for event in garbage:
        refresh.take(event, honest=False)


@settings(max_examples=300, deadline=None)
@given(memories, wishes, st.lists(st.tuples(events, st.booleans()), max_size=30))
def test_a_restored_refresh_goes_on_as_the_original_would(
    memory: RefreshMemory | None, wish: RefreshEvent, moves: list[tuple[RefreshEvent, bool]]
) -> None:
    """At random points the copy is replaced by another one, restored from its snapshot."""
    original, copied = CheckedRefresh(memory), CheckedRefresh(memory)
    for event, restores in [(wish, True), *moves]:
        assert original.take(event, honest=False) == copied.take(event, honest=False)
        if restores:
            copied.restore()
        assert copied.machine.snapshot() == original.machine.snapshot()
        assert copied.machine.memory == original.machine.memory


def test_the_random_stories_reach_every_outcome() -> None:
    """Show that the test above checks something."""

    def ending(*script: Any) -> str:
        host = Host(None, script)
        host.run()
        outcome = host.refresh.machine.outcome
        return str(outcome.delivery if isinstance(outcome, RefreshSuccess) else getattr(outcome, "category", None))

    old, theirs = loaded(stored()), loaded(THEIR_CREDENTIALS)
    assert ending(WANTED, [old], [], answered(), CredentialsSaved()) == "refreshed"
    assert ending(WANTED, [old], [LockBusy()], answered(), SaveFailed(message="no")) == "refreshed"
    assert ending(WANTED, [old, theirs], [LockBusy()], answered(), CredentialsSaved()) == "adopted"
    over, gone = loaded(stored(OVER)), answered(400, error="invalid_grant")
    assert ending(WANTED, [over], [], gone, CredentialsSaved()) == "refresh_token_rejected"
    assert ending(WANTED, [old], [], gone, CredentialsSaved()) == "kept"
