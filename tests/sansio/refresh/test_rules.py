"""Each rule of a refresh can fail: a doctored step breaks it, and only it."""

from __future__ import annotations

from typing import Any

import pytest

from loginmachine import RefreshFailure, RefreshFailureCategory, RefreshSuccess, Secret
from loginmachine.sansio.login.events import CredentialsSaved, SaveFailed
from loginmachine.sansio.refresh.actions import Deliver, RememberRefusal, Warn
from loginmachine.sansio.refresh.events import LockFailed, LockTaken
from loginmachine.sansio.refresh.outcome import Delivery, RefreshMemory, Refusal
from loginmachine.sansio.refresh.states import RefreshState

from ..rules import BrokenRuleError
from ..samples import NOW
from .rules import RULES, RefreshLedger, RefreshStep, checked
from .samples import (
    FORCED,
    LOAD,
    NEW,
    NEW_CREDENTIALS,
    OLD,
    OVER,
    RELEASE,
    SAVE,
    TAKE,
    THEIR_CREDENTIALS,
    WANTED,
    loaded,
    rejected,
    send,
    stored,
)

S = RefreshState
ENDPOINT = "https://auth.openai.com/oauth/token"
FAILURE = RefreshFailure(category=RefreshFailureCategory.STORE_UNAVAILABLE, message="no")
FAILED = Deliver(outcome=FAILURE)
OLD_TOKEN = Secret("canary-old-refresh")
READ = RefreshLedger(wanted=WANTED, first=Secret(OLD), store=stored())
LOCKED = READ._replace(locked=True)
SENT = LOCKED._replace(requests=1, sent_for=OLD_TOKEN)
SAVING = SENT._replace(saves=1)


def success(credentials: Any = NEW_CREDENTIALS, how: Delivery = Delivery.REFRESHED, **changes: Any) -> Deliver:
    token = credentials.tokens.access_token
    return Deliver(outcome=RefreshSuccess(credentials=credentials, token=token, delivery=how, **changes))


def step(*actions: Any, **changes: Any) -> RefreshStep:
    """Return a step, by default one in which the store is read."""
    outcomes = [action.outcome for action in actions if isinstance(action, Deliver)]
    usual: dict[str, Any] = {
        "event": WANTED,
        "actions": list(actions or (LOAD,)),
        "before": S.IDLE,
        "after": S.READING,
        "outcome": outcomes[0] if outcomes else None,
        "memory": RefreshMemory(),
        "digest": "",
        "endpoint": "",
        "known": RefreshLedger(),
    }
    return RefreshStep(**{**usual, **changes})


def failing(*actions: Any, **changes: Any) -> RefreshStep:
    """The store cannot be locked."""
    usual = {"event": LockFailed(message="no"), "before": S.LOCKING, "after": S.FAILED, "known": READ}
    return step(*(actions or (FAILED,)), **{**usual, **changes})


def sending(*actions: Any, **changes: Any) -> RefreshStep:
    """The store is read under the lock, and the refresh token is sent."""
    usual = {
        "event": loaded(stored()),
        "before": S.READING_AGAIN,
        "after": S.EXCHANGING_REFRESH_TOKEN,
        "known": LOCKED,
        "digest": "digest",
        "endpoint": ENDPOINT,
    }
    return step(*(actions or (send(),)), **{**usual, **changes})


def saving(*actions: Any, **changes: Any) -> RefreshStep:
    """The store is unchanged, and the new tokens are saved."""
    usual = {
        "event": loaded(stored()),
        "before": S.READING_BEFORE_SAVING,
        "after": S.SAVING_CREDENTIALS,
        "known": SENT,
    }
    return step(*(actions or (SAVE,)), **{**usual, **changes})


def saved(*actions: Any, **changes: Any) -> RefreshStep:
    """The new tokens are saved."""
    usual = {
        "event": CredentialsSaved(),
        "before": S.SAVING_CREDENTIALS,
        "after": S.SUCCEEDED,
        "known": SAVING,
    }
    return step(*(actions or (RELEASE, success())), **{**usual, **changes})


def keeping(*actions: Any, **changes: Any) -> RefreshStep:
    """The store cannot be locked, and the old token is delivered."""
    usual = {"event": LockFailed(message="no"), "before": S.LOCKING, "after": S.SUCCEEDED, "known": READ}
    return step(*(actions or (success(stored(), Delivery.KEPT),)), **{**usual, **changes})


UNSAVED = RefreshMemory(unsaved=NEW_CREDENTIALS, replaces=OLD_TOKEN)
NOT_STORED = success(is_stored=False)

GOOD = {
    "the store is read": step(),
    "a failure": failing(),
    "the lock is taken": step(LOAD, event=LockTaken(), before=S.LOCKING, after=S.READING_AGAIN, known=READ),
    "a refresh token is sent": sending(),
    "new tokens are saved": saving(),
    "new tokens are saved late": saving(
        before=S.READING_AGAIN, memory=UNSAVED, known=LOCKED._replace(unsaved=NEW_CREDENTIALS, replaces=OLD_TOKEN)
    ),
    "a success": saved(),
    "new tokens that are not saved": saved(RELEASE, NOT_STORED, event=SaveFailed(message="full"), memory=UNSAVED),
    "the old token is kept": keeping(),
    "a token is over by our clock, and new": keeping(
        success(stored(OVER), Delivery.ADOPTED),
        memory=RefreshMemory(received=Secret(OVER), received_at=NOW - 59),
    ),
    "the rejected token is issued again": saved(known=SAVING._replace(wanted=rejected(NEW), received=NEW)),
    "after the end": failing(actions=[], before=S.FAILED, outcome=FAILURE, known=READ._replace(ends=1)),
}

REFUSAL = RememberRefusal(refusal=Refusal(digest="digest", category=FAILURE.category))
BROKEN: dict[str, tuple[str, RefreshStep]] = {
    "an action after the end": ("R1", failing(actions=[LOAD], before=S.FAILED, known=READ._replace(ends=1))),
    "no Deliver": ("R1", failing(actions=[], outcome=FAILURE)),
    "two of them": ("R1", failing(FAILED, FAILED)),
    "Deliver is not the last": ("R1", failing(FAILED, Warn(message="w"))),
    "another outcome than the machine's": ("R1", failing(outcome=FAILURE.__replace__(message="other"))),
    "a failure that succeeds": ("R1", failing(after=S.SUCCEEDED)),
    "an outcome before the end": ("R1", step(outcome=FAILURE)),
    "a final state is left": ("R1", step(before=S.FAILED)),
    "nothing to wait for": ("R2", step(actions=[])),
    "two answers": ("R2", step(LOAD, LOAD)),
    "an answer after the outcome": ("R2", failing(LOAD, FAILED)),
    "the lock is kept": ("R3", saved(success())),
    "the lock is released early": ("R3", step(RELEASE, LOAD, known=LOCKED)),
    "the lock is released, and not held": ("R3", failing(RELEASE, FAILED)),
    "the lock is taken twice": ("R3", step(TAKE, after=S.LOCKING, known=LOCKED)),
    "sent without the lock": ("R4", sending(known=READ)),
    "saved without the lock": ("R4", saving(known=SENT._replace(locked=False))),
    "a refusal without the lock": ("R4", failing(REFUSAL, FAILED)),
    "sent twice": ("R5", sending(known=LOCKED._replace(requests=1))),
    "sent to another server": ("R5", sending(endpoint="https://id.example/token")),
    "another token is sent": ("R5", sending(send("canary-their-refresh"))),
    "a refused token is sent": ("R5", sending(memory=RefreshMemory(refused="digest"))),
    "a token is sent that another session was refused": (
        "R5",
        sending(
            event=loaded(stored()).__replace__(refusal=Refusal(digest="digest", category=FAILURE.category)),
        ),
    ),
    "saved twice": ("R6", saving(known=SENT._replace(saves=1))),
    "another sign-in is overwritten": ("R6", saving(event=loaded(THEIR_CREDENTIALS))),
    "saved after a sign-out": ("R6", saving(event=loaded(None))),
    "tokens that were not saved are forgotten": ("R7", saved(RELEASE, NOT_STORED, event=SaveFailed(message="full"))),
    "tokens that were not saved count as stored": (
        "R7",
        saved(event=SaveFailed(message="full"), memory=UNSAVED),
    ),
    "tokens in memory are dropped": (
        "R7",
        failing(known=READ._replace(unsaved=NEW_CREDENTIALS, replaces=OLD_TOKEN)),
    ),
    "a rejected token": ("R8", keeping(known=READ._replace(wanted=rejected(OLD)))),
    "the old token of a forced refresh": ("R8", keeping(known=READ._replace(wanted=FORCED))),
    "a token that has ended": ("R9", keeping(success(stored(OVER), Delivery.KEPT))),
    "a token that was new a minute ago": (
        "R9",
        keeping(
            success(stored(OVER), Delivery.KEPT),
            memory=RefreshMemory(received=Secret(OVER), received_at=NOW - 60),
        ),
    ),
    "a token in a warning": ("R10", failing(Warn(message="canary-old-refresh"), FAILED)),
}


@pytest.mark.parametrize("good", GOOD.values(), ids=GOOD)
def test_a_good_step_breaks_no_rule(good: RefreshStep) -> None:
    checked(good)


@pytest.mark.parametrize(("rule", "broken"), BROKEN.values(), ids=BROKEN)
def test_each_rule_can_fail(rule: str, broken: RefreshStep) -> None:
    with pytest.raises(BrokenRuleError, match=rf"^rule {rule}: "):
        checked(broken)


def test_every_rule_is_broken_once() -> None:
    numbers = {str(rule.__doc__).partition(":")[0] for rule in RULES}
    assert {rule for rule, _ in BROKEN.values()} == numbers
    assert len(numbers) == len(RULES)
