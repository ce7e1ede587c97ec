"""The proof within small bounds. `make proof` is the whole of it; docs/proof.md says what it means.

Each step is checked against the rules of docs/design/invariants.md while the graph is made.
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
"""The records of an honest host multiply the states: only `make proof` explores every world with one."""

# The first test of a world explores it: 10 seconds of computing, and several times that on a loaded machine.
pytestmark = pytest.mark.timeout(300)

each_world = pytest.mark.parametrize("name", BY_NAME)
each_world_and_host = pytest.mark.parametrize(
    ("name", "honest"), [*((name, False) for name in BY_NAME), *((name, True) for name in HONEST)]
)


@cache
def explored(name: str, honest: bool, /) -> Graph:  # noqa: FBT001 - by name and by position would be cached twice
    return explore(BY_NAME[name], 2 if name in ROOMY and not honest else 1, honest=honest)


@each_world_and_host
def test_the_rules_hold_and_an_end_can_be_reached(name: str, honest: bool) -> None:  # noqa: FBT001
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
    """With any answers, in any order, without a browser and without a cancellation."""
    may_wait = {S.IDLE} if BY_NAME[name].options.deadline else {S.IDLE, S.AWAITING_CALLBACK}
    assert {node.state for node in endings(explored(name, True)).waiting} == may_wait


def test_logins_that_count_as_equal_behave_equally() -> None:
    graph = explored("one workspace", False)
    assert len(graph.twins) > 100
    assert differing_twins(graph) == []


def test_every_row_is_taken_in_every_state_that_it_starts_from() -> None:
    """A new row needs a new letter in the alphabet, or a new world."""
    taken = set().union(*(explored(name, False).cells for name in BY_NAME))
    missing = [f"{ROWS[number].trigger} [{ROWS[number].guard}] in {state}" for number, state in set(CELLS) - taken]
    assert missing == []


def test_every_event_is_in_the_alphabet() -> None:
    assert {letter.example for world in WORLDS for letter in alphabet(world, 1)} == set(get_args(Event))


@each_world
def test_each_letter_has_its_own_name_and_type_of_event(name: str) -> None:
    world = BY_NAME[name]
    letters = alphabet(world, 2)
    here = Place(world=world, port=1455, code="", exchanges=1, free=1, open=frozenset({2}))
    assert len({letter.name for letter in letters}) == len(letters)
    assert all(type(letter.event_for(here)) is letter.example for letter in letters)


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
    """Return the table with one change: in the last row of a cell, which has no guard."""
    number, row = [(n, row) for n, row in enumerate(ROWS) if row.trigger is trigger and source in row.source][-1]
    wrong = Row(trigger, (source,), leads or row.dest, does or row.effect)
    return Mutant("changed by hand", f"{trigger} in {source}", source, changed_table(number, source, wrong))


WRONG = {
    "a refused workspace is saved all the same": (
        changed(T.WORKSPACE_REFUSED, S.EXCHANGING_CODE, does=save_all_the_same),
        "rule 1",
    ),
    "a final state is left": (changed(T.CALLBACK_ACCEPTED, S.FAILED, leads=S.EXCHANGING_CODE), "rule 2"),
    "a favicon waits for the outcome": (changed(T.REQUEST_REFUSED, S.AWAITING_CALLBACK, does=join_wait), "rule 3"),
    "a client that left gets a response": (
        changed(T.CLIENT_GONE, S.SAVING_CREDENTIALS, does=report_browser_opened),
        "rule 3",
    ),
    "the deadline ends nothing": (changed(T.DEADLINE_PASSED, S.AWAITING_CALLBACK, does=back_off), "rule 4"),
    "what was not saved succeeds": (changed(T.SAVE_FAILED, S.SAVING_CREDENTIALS, does=succeed_all_the_same), "rule 5"),
    "the code is exchanged twice": (changed(T.CALLBACK_REPEATED, S.EXCHANGING_CODE, does=exchange_again), "another"),
    "a stranger ends the login": (changed(T.CALLBACK_MISMATCHED, S.AWAITING_CALLBACK, leads=S.FAILED), "rule 4"),
    "a stranger moves the login": (changed(T.CALLBACK_MISMATCHED, S.AWAITING_CALLBACK, leads=S.BINDING), "rule 8"),
    "cancelled with credentials": (changed(T.CANCEL_REQUESTED, S.SAVING_CREDENTIALS, does=cancel), "rule 4"),
    "an honest host is refused": (changed(T.BOUND, S.BINDING, leads=S.BACKING_OFF), "UnexpectedEvent"),
    "the linger goes on": (changed(T.LINGER_OVER, S.SUCCEEDED, does=redirect), "AttributeError"),
}


@pytest.mark.parametrize(("mutant", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_table_breaks_a_rule(mutant: Mutant, words: str) -> None:
    with running(mutant.rows), pytest.raises(AssertionError, match=words):
        explore(WORLDS[4], 2, honest=True)


def test_a_login_that_cannot_end_is_found() -> None:
    """The rules hold at each step. Only the graph shows that no action waits for an answer."""
    mutant = changed(T.RETRY_DUE, S.BACKING_OFF, does=report_browser_opened)
    with running(mutant.rows):
        graph = explore(WORLDS[0], 1, honest=True)
    assert {node.state for node in endings(graph).waiting} == {S.IDLE, S.BINDING}


def test_a_broken_rule_shows_the_shortest_story() -> None:
    mutant = changed(T.SAVE_FAILED, S.SAVING_CREDENTIALS, does=succeed_all_the_same)
    story = "no API key: started > bound to 1455 > the callback > tokens > not saved\n"
    with running(mutant.rows), pytest.raises(AssertionError, match=story):
        explore(WORLDS[3], 1, honest=True)
