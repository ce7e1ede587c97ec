"""The proof within small bounds. `make proof` is the whole of it; docs/proof.md says what it means.

The rules of docs/design/invariants.md are held against every step while the graph is made: to make it is to check them.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, get_args

import pytest

from loginmachine.sansio import Credentials, LoginState, Secret, Tokens
from loginmachine.sansio.login.effects import (
    back_off,
    cancel,
    exchange_code,
    join_wait,
    redirect,
    report_browser_opened,
    save,
    succeed,
)
from loginmachine.sansio.login.events import Event
from loginmachine.sansio.login.interpretation import AcceptedCallback, CheckedTokens, SavedCredentials
from loginmachine.sansio.login.states import FINAL_STATES, Trigger
from loginmachine.sansio.login.table import ROWS, Row
from loginmachine.sansio.model.account import Account

from .__main__ import report
from .alphabet import Place, alphabet
from .explorer import CELLS, Graph, explore
from .mutants import Mutant, changed_table, running
from .proofs import differing_twins, endings, hopeless, stuck
from .worlds import WORLDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from loginmachine.sansio.login.interpretation import FromRequest, Problem
    from loginmachine.sansio.login.state import LoginData

    Effect = Callable[[LoginData, Any], None]

S, T = LoginState, Trigger
BY_NAME = {world.name: world for world in WORLDS}
ROOMY = ("device codes, else the browser", "a strict provider, one workspace", "nothing but the callback")
"""The worlds that hold all of the table: there, two requests may be open at once."""
HONEST = ("a strict provider, one workspace", "nothing but the callback")
"""An honest host's books make for many more states: `make proof` has them for every world."""

each_world = pytest.mark.parametrize("name", BY_NAME)
each_world_and_host = pytest.mark.parametrize(
    ("name", "honest"), [*((name, False) for name in BY_NAME), *((name, True) for name in HONEST)]
)


@cache
def explored(name: str, honest: bool, /) -> Graph:  # noqa: FBT001 - by name and by position would be cached twice
    return explore(BY_NAME[name], 2 if name in ROOMY and not honest else 1, honest=honest)


@each_world_and_host
def test_the_rules_hold_on_every_step_and_an_end_is_within_reach(name: str, honest: bool) -> None:  # noqa: FBT001
    graph = explored(name, honest)
    print(report(graph))
    assert {node.state for node in graph.nodes.values()} >= set(FINAL_STATES)
    assert [graph.story(node.key) for node in stuck(graph)] == []


@each_world_and_host
def test_until_the_outcome_a_login_can_still_succeed(name: str, honest: bool) -> None:  # noqa: FBT001
    graph = explored(name, honest)
    assert [graph.story(node.key) for node in hopeless(graph)] == []


@pytest.mark.parametrize("name", HONEST)
def test_answers_alone_end_a_login_unless_it_may_wait_for_ever(name: str) -> None:
    """Whatever the answers are, and in whatever order they come. Nobody has to cancel, and no browser to come."""
    may_wait = {S.IDLE} if BY_NAME[name].options.deadline else {S.IDLE, S.AWAITING_CALLBACK}
    assert {node.state for node in endings(explored(name, True)).waiting} == may_wait


def test_logins_that_are_taken_for_the_same_act_alike() -> None:
    graph = explored("one workspace", False)
    assert len(graph.twins) > 100
    assert differing_twins(graph) == []


def test_every_row_is_taken_in_every_state_that_it_starts_from() -> None:
    """A new row wants a new letter in the alphabet, or a new world."""
    taken = set().union(*(explored(name, False).cells for name in BY_NAME))
    missing = [f"{ROWS[number].trigger} [{ROWS[number].guard}] in {state}" for number, state in set(CELLS) - taken]
    assert missing == []


def test_every_event_is_in_the_alphabet() -> None:
    assert {letter.example for world in WORLDS for letter in alphabet(world, 1)} == set(get_args(Event))


@each_world
def test_letters_have_names_of_their_own_and_tell_what_they_say(name: str) -> None:
    world = BY_NAME[name]
    letters = alphabet(world, 2)
    here = Place(world=world, port=1455, code="", exchanges=1, free=1, open=frozenset({2}))
    assert len({letter.name for letter in letters}) == len(letters)
    assert all(type(letter.tell(here)) is letter.example for letter in letters)


# The rules can fail: each of these tables is wrong in one place


def save_all_the_same(login: LoginData, meaning: Problem) -> None:
    tokens = Tokens(id_token=Secret("i"), access_token=Secret("a"), refresh_token=Secret("r"), account_id="acc-2")
    checked = CheckedTokens(trigger=meaning.trigger, credentials=Credentials(tokens=tokens), account=Account())
    save(login, checked)


def succeed_all_the_same(login: LoginData, meaning: Problem) -> None:
    succeed(login, SavedCredentials(trigger=meaning.trigger, replaced=None))


def exchange_again(login: LoginData, meaning: FromRequest) -> None:
    exchange_code(login, AcceptedCallback(trigger=meaning.trigger, request_id=meaning.request_id, code=login.code))


def changed(
    trigger: Trigger, source: LoginState, *, leads: LoginState | None = None, does: Effect | None = None
) -> Mutant:
    """The table with one row changed in one state: the last one of the cell, which has no guard."""
    number, row = [(n, row) for n, row in enumerate(ROWS) if row.trigger is trigger and source in row.source][-1]
    wrong = Row(trigger, (source,), leads or row.dest, does or row.effect)
    return Mutant("changed by hand", f"{trigger} in {source}", source, changed_table(number, source, wrong))


WRONG = {
    "a refused workspace is saved all the same": (
        changed(T.WORKSPACE_REFUSED, S.EXCHANGING_CODE, does=save_all_the_same),
        "1",
    ),
    "a final state is left": (changed(T.CALLBACK_ACCEPTED, S.FAILED, leads=S.EXCHANGING_CODE), "rule_2"),
    "a favicon waits for the outcome": (changed(T.REQUEST_REFUSED, S.AWAITING_CALLBACK, does=join_wait), "rule_3"),
    "one who left is answered": (changed(T.CLIENT_GONE, S.SAVING_CREDENTIALS, does=report_browser_opened), "3: "),
    "the deadline ends nothing": (changed(T.DEADLINE_PASSED, S.AWAITING_CALLBACK, does=back_off), "rule_4"),
    "what was not saved succeeds": (changed(T.SAVE_FAILED, S.SAVING_CREDENTIALS, does=succeed_all_the_same), "rule_5"),
    "the code is exchanged twice": (changed(T.CALLBACK_REPEATED, S.EXCHANGING_CODE, does=exchange_again), "another"),
    "a stranger ends the login": (changed(T.CALLBACK_MISMATCHED, S.AWAITING_CALLBACK, leads=S.FAILED), "rule_4"),
    "a stranger moves the login": (changed(T.CALLBACK_MISMATCHED, S.AWAITING_CALLBACK, leads=S.BINDING), "rule_8"),
    "cancelled with credentials": (changed(T.CANCEL_REQUESTED, S.SAVING_CREDENTIALS, does=cancel), "rule_4"),
    "an honest host is refused": (changed(T.BOUND, S.BINDING, leads=S.BACKING_OFF), "UnexpectedEvent"),
    "the linger goes on": (changed(T.LINGER_OVER, S.SUCCEEDED, does=redirect), "AttributeError"),
}


@pytest.mark.parametrize(("mutant", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_table_is_found_out(mutant: Mutant, words: str) -> None:
    with running(mutant.rows), pytest.raises(AssertionError, match=words):
        explore(WORLDS[4], 2, honest=True)


def test_a_login_that_cannot_end_is_found_out() -> None:
    """The rules hold on each step; it is the graph that shows that the host is asked for nothing any more."""
    mutant = changed(T.RETRY_DUE, S.BACKING_OFF, does=report_browser_opened)
    with running(mutant.rows):
        graph = explore(WORLDS[0], 1, honest=True)
    assert {node.state for node in endings(graph).waiting} == {S.IDLE, S.BINDING}


def test_a_broken_rule_comes_with_the_shortest_story() -> None:
    mutant = changed(T.SAVE_FAILED, S.SAVING_CREDENTIALS, does=succeed_all_the_same)
    story = "no API key: started > bound to 1455 > the callback > tokens > not saved\n"
    with running(mutant.rows), pytest.raises(AssertionError, match=story):
        explore(WORLDS[3], 1, honest=True)
