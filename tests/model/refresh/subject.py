"""The machine of a refresh, for the exploration and the mutants."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

from loginmachine import RefreshMachine, Secret
from loginmachine.sansio.base.text import clean_text
from loginmachine.sansio.refresh import effects
from loginmachine.sansio.refresh import interpret as interpret_module
from loginmachine.sansio.refresh import interpret_response as response_module
from loginmachine.sansio.refresh import machine as machine_module
from loginmachine.sansio.refresh.events import RefreshEvent
from loginmachine.sansio.refresh.states import REFRESH_FINAL_STATES, RefreshState
from loginmachine.sansio.refresh.table import REFRESH_ROWS
from tests.model.subject import Letter, Move, Subject
from tests.sansio.refresh.one_use_samples import FORGED
from tests.sansio.refresh.rules import RefreshLedger, checked, start, step_of

from .alphabet import alphabet
from .host import Books
from .worlds import WORLDS, World

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from loginmachine import Credentials
    from loginmachine.sansio.refresh.machine import RefreshSnapshot

_EQUIVALENT: Final[Mapping[str, str]] = {}
# Together these worlds take every row. The number of open requests means nothing for a refresh.
_SMALL: Final = {
    "an attempt a moment ago": 2,
    "new tokens in memory": 2,
    "a provider with keys": 2,
    "a refresh token that works once": 1,
}


class Refresh(Subject):
    """A refresh. It is compared as it is: nothing of its state is left out before the end."""

    name = "refresh"
    module = machine_module
    states = RefreshState
    rows = REFRESH_ROWS
    events = RefreshEvent
    final = REFRESH_FINAL_STATES
    succeeded = RefreshState.SUCCEEDED
    folders = ("refresh",)
    equivalent = _EQUIVALENT
    worlds = WORLDS
    small = _SMALL
    small_honest = ("a refusal in memory",)

    def conditions(self) -> AbstractContextManager[object]:
        """Let a refresh try to take the lock twice, or four times without a valid token, instead of 16 or 280 times."""
        stack = ExitStack()
        patience, longest = 2 * effects.LOCK_SLICE, 4 * effects.LOCK_SLICE
        stack.enter_context(mock.patch.multiple(effects, PATIENCE=patience, LONGEST_WAIT=longest))
        # The same messages come thousands of times, and to search them for secrets takes most of the time.
        for module in (interpret_module, response_module):
            stack.enter_context(mock.patch.object(module, "clean_text", cache(clean_text)))
        return stack

    def start(self, world: World) -> tuple[RefreshMachine, RefreshLedger, Books]:
        machine = RefreshMachine(world.provider, world.memory, environment_key=world.environment_key)
        return machine, start(world.memory), Books()

    def restore(self, world: World, snapshot: RefreshSnapshot) -> RefreshMachine:
        return RefreshMachine.restore(world.provider, snapshot, environment_key=world.environment_key)

    def alphabet(self, world: World, most: int) -> tuple[Letter, ...]:  # noqa: ARG002
        return alphabet(world)

    def place(self, world: World, most: int, snapshot: Any, in_use: frozenset[int]) -> None:
        """Return nothing: the letters of a refresh always make the same events."""

    def check(self, move: Move) -> RefreshLedger:
        return checked(step_of(move.machine, move.event, move.actions, move.before, move.ledger))

    def key_of(self, snapshot: RefreshSnapshot) -> tuple[object, ...]:
        if self.is_over(snapshot):
            # The machine ignores every event.
            return ("over", snapshot.data["_state"])
        return tuple(snapshot.data.values())

    def is_doomed(self, world: World, snapshot: RefreshSnapshot) -> bool:  # noqa: ARG002
        """Return whether the new tokens wait for the keys, and have a wrong signature."""
        refreshed: Credentials | None = snapshot.data["refreshed"]
        new = refreshed.unverified if refreshed is not None else None
        return new is not None and new.tokens is not None and new.tokens.id_token == Secret(FORGED)

    def is_over(self, snapshot: RefreshSnapshot) -> bool:
        return snapshot.data["outcome"] is not None


REFRESH: Final = Refresh()
