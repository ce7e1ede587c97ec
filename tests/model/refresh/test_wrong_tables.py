"""The rules and the proof of a refresh can fail: each of these tables is wrong in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.sansio.login.actions import SendTokenRequest
from loginmachine.sansio.refresh.actions import RememberRefusal, TakeLock, Warn
from loginmachine.sansio.refresh.effects import adopt, deliver, exchange, fail, keep_for_now, load, save
from loginmachine.sansio.refresh.outcome import Delivery, Refusal
from loginmachine.sansio.refresh.states import RefreshState, RefreshTrigger
from tests.model.explorer import explore
from tests.model.mutants import changed, running
from tests.model.proofs import endings

from .subject import REFRESH
from .worlds import WORLDS

if TYPE_CHECKING:
    from loginmachine.sansio.refresh.interpretation import Problem, StoreRead
    from loginmachine.sansio.refresh.state import RefreshData
    from tests.model.mutants import Mutant

S, T = RefreshState, RefreshTrigger


def load_twice(refresh: RefreshData, meaning: StoreRead) -> None:
    load(refresh, meaning)
    load(refresh, meaning)


def deliver_the_old_one(refresh: RefreshData, _: Any) -> None:
    refresh.deliver(refresh.credentials, Delivery.KEPT)


def load_and_go_on_waiting(refresh: RefreshData, meaning: Any) -> None:
    refresh.waited = 0.0
    load(refresh, meaning)
    refresh.out[:] = [TakeLock(timeout=0.25)]


def keep_the_lock(refresh: RefreshData, meaning: Any) -> None:
    refresh.locked = False
    deliver(refresh, meaning)


def forget_the_new_tokens(refresh: RefreshData, _: Problem) -> None:
    refresh.deliver(refresh.refreshed, Delivery.REFRESHED, is_stored=False)


def ask_another_server(refresh: RefreshData, meaning: StoreRead) -> None:
    exchange(refresh, meaning)
    (request,) = refresh.out
    assert isinstance(request, SendTokenRequest)
    refresh.out = [request.__replace__(url="https://evil.example/token")]


def save_all_the_same(refresh: RefreshData, meaning: StoreRead) -> None:
    save(refresh, meaning)


def warn_with_a_token(refresh: RefreshData, meaning: StoreRead) -> None:
    assert meaning.credentials is not None
    refresh.out.append(Warn(message=meaning.credentials.secrets()[-1]))
    adopt(refresh, meaning)


def remember_without_the_lock(refresh: RefreshData, meaning: Problem) -> None:
    failure = refresh.failure_of(meaning)
    refresh.out.append(RememberRefusal(refusal=Refusal(digest="", category=failure.category)))
    fail(refresh, meaning)


def change(trigger: RefreshTrigger, source: RefreshState, **how: Any) -> Mutant:
    return changed(REFRESH, trigger, source, **how)


WRONG = {
    "a success in the wrong state": (change(T.CREDENTIALS_CURRENT, S.READING, leads=S.FAILED), "rule R1"),
    "nothing is asked": (change(T.LOCK_TAKEN, S.LOCKING, leads=S.SUCCEEDED), "rule R1"),
    "two answers are waited for": (
        change(T.REFRESH_DUE, S.READING, does=load_twice),
        "rule R2",
    ),
    "the lock is kept": (change(T.CREDENTIALS_CURRENT, S.READING_AGAIN, does=keep_the_lock), "rule R3"),
    "the lock is taken twice": (
        change(T.REFRESH_DUE, S.READING_AGAIN, leads=S.LOCKING, does=load_and_go_on_waiting),
        "rule R3",
    ),
    "a token is sent without the lock": (
        change(T.REFRESH_DUE, S.READING, leads=S.EXCHANGING_REFRESH_TOKEN, does=exchange),
        "rule R4",
    ),
    "a refusal is remembered without the lock": (
        change(T.REFRESH_HOPELESS, S.READING, does=remember_without_the_lock),
        "rule R4",
    ),
    "a token is sent to another server": (change(T.REFRESH_DUE, S.READING_AGAIN, does=ask_another_server), "rule R5"),
    "a refused token is sent": (
        change(T.REFRESH_HOPELESS, S.READING_AGAIN, leads=S.EXCHANGING_REFRESH_TOKEN, does=exchange),
        # (Where there is no refresh token at all, the effect itself notices.)
        "rule R5|AssertionError",
    ),
    "another sign-in is overwritten": (
        change(T.CREDENTIALS_RENEWED, S.READING_BEFORE_SAVING, leads=S.SAVING_CREDENTIALS, does=save_all_the_same),
        "rule R6",
    ),
    "new tokens are lost": (change(T.SAVE_FAILED, S.SAVING_CREDENTIALS, does=forget_the_new_tokens), "rule R7"),
    "a token that is not wanted is delivered": (
        change(T.LOCK_FAILED, S.LOCKING, leads=S.SUCCEEDED, does=deliver_the_old_one),
        "rule R[89]",
    ),
    "a token that has ended is delivered": (
        change(T.REFRESH_UNAVAILABLE, S.EXCHANGING_REFRESH_TOKEN, leads=S.SUCCEEDED, does=keep_for_now),
        "rule R[89]",
    ),
    "a warning holds a token": (change(T.CREDENTIALS_RENEWED, S.READING_AGAIN, does=warn_with_a_token), "rule R10"),
    "an honest host is refused": (
        change(T.LOCK_TAKEN, S.LOCKING, leads=S.LOCKING),
        "UnexpectedEvent",
    ),
}


@pytest.mark.parametrize(("mutant", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_table_breaks_a_rule(mutant: Mutant, words: str) -> None:
    with running(REFRESH, mutant.rows), pytest.raises(AssertionError, match=words):
        explore(REFRESH, WORLDS[0], 1, honest=True)


def test_a_refresh_that_cannot_end_is_found() -> None:
    """The rules hold at each step. Only the graph shows that a refresh can wait for the lock for ever."""

    def wait_for_ever(refresh: RefreshData, _: Any) -> None:
        refresh.out.append(TakeLock(timeout=0.25))

    mutant = change(T.REFRESH_DUE, S.READING_WHILE_WAITING, leads=S.LOCKING, does=wait_for_ever)
    with running(REFRESH, mutant.rows):
        graph = explore(REFRESH, WORLDS[4], 1, honest=True)
    with pytest.raises(AssertionError, match="answers alone can keep a machine going for ever"):
        endings(graph)
