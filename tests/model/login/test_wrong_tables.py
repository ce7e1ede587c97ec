"""The rules and the proof of a login can fail: each of these tables is wrong in one place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from loginmachine.sansio import Credentials, LoginState, Secret, Tokens
from loginmachine.sansio.login.effects import (
    await_callback,
    cancel,
    exchange_code,
    join_wait,
    redirect,
    report_browser_opened,
    save,
    succeed,
)
from loginmachine.sansio.login.interpretation import AcceptedCallback, CheckedTokens, SavedCredentials
from loginmachine.sansio.login.port.effects import back_off
from loginmachine.sansio.login.server.effects import await_callback_of_client, must_register, save_registration
from loginmachine.sansio.login.server.keys import request_keys
from loginmachine.sansio.login.states import Trigger
from loginmachine.sansio.model.account import Account
from tests.model.explorer import explore
from tests.model.mutants import changed, running
from tests.model.proofs import endings
from tests.sansio.samples import NOW

from .subject import LOGIN
from .worlds import WORLDS

if TYPE_CHECKING:
    from loginmachine.sansio.login.interpretation import FromRequest, Problem, RegisteredClient, UnverifiedTokens
    from loginmachine.sansio.login.state import LoginData
    from tests.model.mutants import Mutant

S, T = LoginState, Trigger


def save_all_the_same(login: LoginData, meaning: Problem) -> None:
    tokens = Tokens(id_token=Secret("i"), access_token=Secret("a"), refresh_token=Secret("r"), account_id="acc-2")
    checked = CheckedTokens(trigger=meaning.trigger, credentials=Credentials(tokens=tokens), account=Account())
    save(login, checked)


def succeed_all_the_same(login: LoginData, meaning: Problem) -> None:
    succeed(login, SavedCredentials(trigger=meaning.trigger, replaced=None))


def exchange_again(login: LoginData, meaning: FromRequest) -> None:
    exchange_code(login, AcceptedCallback(trigger=meaning.trigger, request_id=meaning.request_id, code=login.code))


def save_unverified(login: LoginData, meaning: UnverifiedTokens) -> None:
    tokens = Credentials.from_login(meaning.tokens, account_id="acc-1", received_at=NOW, options=login.options)
    save(login, CheckedTokens(trigger=meaning.trigger, credentials=tokens, account=Account()))


def use_unstored(login: LoginData, meaning: RegisteredClient) -> None:
    save_registration(login, meaning)
    await_callback_of_client(login, meaning)


def fetch_keys_too(login: LoginData, meaning: AcceptedCallback) -> None:
    exchange_code(login, meaning)
    request_keys(login)


def change(trigger: Trigger, source: LoginState, **how: Any) -> Mutant:
    return changed(LOGIN, trigger, source, **how)


WRONG = {
    "a refused workspace is saved all the same": (
        change(T.WORKSPACE_REFUSED, S.EXCHANGING_CODE, does=save_all_the_same),
        "rule 1",
    ),
    "a final state is left": (change(T.CALLBACK_ACCEPTED, S.FAILED, leads=S.EXCHANGING_CODE), "rule 2"),
    "a favicon waits for the outcome": (
        change(T.REQUEST_REFUSED, S.AWAITING_CALLBACK, does=join_wait),
        "rule 3",
    ),
    "a client that left gets a response": (
        change(T.CLIENT_GONE, S.SAVING_CREDENTIALS, does=report_browser_opened),
        "rule 3",
    ),
    "the deadline ends nothing": (change(T.DEADLINE_PASSED, S.AWAITING_CALLBACK, does=back_off), "rule 4"),
    "what was not saved succeeds": (
        change(T.SAVE_FAILED, S.SAVING_CREDENTIALS, does=succeed_all_the_same),
        "rule 5",
    ),
    "the code is exchanged twice": (
        change(T.CALLBACK_REPEATED, S.EXCHANGING_CODE, does=exchange_again),
        "another",
    ),
    "a stranger ends the login": (change(T.CALLBACK_MISMATCHED, S.AWAITING_CALLBACK, leads=S.FAILED), "rule 4"),
    "a stranger moves the login": (
        change(T.CALLBACK_MISMATCHED, S.AWAITING_CALLBACK, leads=S.BINDING),
        "rule 8",
    ),
    "cancelled with credentials": (change(T.CANCEL_REQUESTED, S.SAVING_CREDENTIALS, does=cancel), "rule 4"),
    "an honest host is refused": (change(T.BOUND, S.BINDING, leads=S.BACKING_OFF), "UnexpectedEvent"),
    "the linger goes on": (change(T.LINGER_OVER, S.SUCCEEDED, does=redirect), "AttributeError"),
}


@pytest.mark.parametrize(("mutant", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_table_breaks_a_rule(mutant: Mutant, words: str) -> None:
    with running(LOGIN, mutant.rows), pytest.raises(AssertionError, match=words):
        explore(LOGIN, WORLDS[4], 2, honest=True)


ABOUT_PROVIDER = {
    "tokens are stored before their keys are there": (
        change(T.KEYS_NEEDED, S.EXCHANGING_CODE, leads=S.SAVING_CREDENTIALS, does=save_unverified),
        "rule keys",
    ),
    "a client is used before it is stored": (
        change(T.CLIENT_REGISTERED, S.REGISTERING, leads=S.AWAITING_CALLBACK, does=use_unstored),
        "rule registration",
    ),
    "a login goes on without a client": (
        change(T.BOUND, S.BINDING, leads=S.AWAITING_CALLBACK, does=await_callback),
        "rule client",
    ),
    "keys are fetched while the code is exchanged": (
        change(T.CALLBACK_ACCEPTED, S.AWAITING_CALLBACK, does=fetch_keys_too),
        "rule token requests",
    ),
}


@pytest.mark.parametrize(("mutant", "words"), ABOUT_PROVIDER.values(), ids=ABOUT_PROVIDER)
def test_a_wrong_table_for_a_provider_with_metadata_breaks_a_rule(mutant: Mutant, words: str) -> None:
    (world,) = [world for world in WORLDS if world.name == "metadata, a client, a pushed request"]
    rows = [row for row in mutant.rows if row.guard is not must_register or row.trigger is not T.BOUND]
    with running(LOGIN, rows if words == "rule client" else mutant.rows), pytest.raises(AssertionError, match=words):
        explore(LOGIN, world, 1, honest=True)


def test_a_login_that_cannot_end_is_found() -> None:
    """The rules hold at each step. Only the graph shows that no action waits for an answer."""
    mutant = change(T.RETRY_DUE, S.BACKING_OFF, does=report_browser_opened)
    with running(LOGIN, mutant.rows):
        graph = explore(LOGIN, WORLDS[0], 1, honest=True)
    assert {node.state for node in endings(graph).waiting} == {S.IDLE, S.BINDING}


def test_a_broken_rule_shows_the_shortest_story() -> None:
    mutant = change(T.SAVE_FAILED, S.SAVING_CREDENTIALS, does=succeed_all_the_same)
    story = "no API key: started > bound to 1455 > the callback > tokens > not saved\n"
    with running(LOGIN, mutant.rows), pytest.raises(AssertionError, match=story):
        explore(LOGIN, WORLDS[3], 1, honest=True)
