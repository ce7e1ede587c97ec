"""The machine of a login, for the exploration and the mutants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from loginmachine import SealingKeys
from loginmachine.drivers import open_sealed, seal_login
from loginmachine.sansio import LoginMachine
from loginmachine.sansio.login import machine as machine_module
from loginmachine.sansio.login.actions import Respond, Timer
from loginmachine.sansio.login.events import Event
from loginmachine.sansio.login.states import FINAL_STATES, LoginState
from loginmachine.sansio.login.table import ROWS
from tests.model.subject import Letter, Move, Subject
from tests.sansio.rules import Ledger, Step, checked
from tests.sansio.samples import CANARIES, NOW, SECRETS

from .abstraction import is_capped, key_of
from .alphabet import Place, alphabet
from .host import Books
from .worlds import WORLDS, World

if TYPE_CHECKING:
    from collections.abc import Iterable

    from loginmachine.sansio.login.machine import Snapshot

KEYS: Final = SealingKeys(bytes(range(32)))
_EQUIVALENT: Final = {
    "port_taken [may_cancel_previous] in binding: asked after [may_bind_again]": (
        "the first guard holds only before the holder was asked to go, the second only after"
    ),
    "metadata_received [wants_device_code] in discovering: asked after [must_push_as_found]": (
        "a login with a redirect URI of the host's own has no device code"
    ),
    **{
        f"{trigger} in {state}: does {effect}": "they differ for redirects and success pages: here are none"
        for trigger, effect in (("page_sent", "note_client_gone"), ("client_gone", "note_page_sent"))
        for state in ("failed", "cancelled")
    },
}
# Three worlds hold all of the table for the default provider: there, two requests may be open at once. In the largest
# worlds none may, because only the steps before the callback are their own: the callback is pasted.
_SMALL: Final = {
    **{world.name: 1 for world in WORLDS},
    "device codes, else the browser": 2,
    "a strict provider, one workspace": 2,
    "nothing but the callback": 2,
    "a resource that names its provider": 0,
    "metadata, a client, a pushed request": 0,
    "metadata, else the browser": 0,
    "keys and an API key": 0,
}


class Login(Subject):
    """A login."""

    name = "login"
    module = machine_module
    states = LoginState
    rows = ROWS
    events = Event
    final = FINAL_STATES
    succeeded = LoginState.SUCCEEDED
    folders = ("callback", "login", "oauth")
    equivalent = _EQUIVALENT
    worlds = WORLDS
    small = _SMALL
    # The records of an honest host multiply the states: only `make proof` explores every world with one.
    small_honest = ("a strict provider, one workspace", "nothing but the callback")

    def start(self, world: World) -> tuple[LoginMachine, Ledger, Books]:
        return LoginMachine(world.options, SECRETS), Ledger(), Books()

    def restore(self, world: World, snapshot: Snapshot) -> LoginMachine:
        return LoginMachine.restore(world.options, SECRETS, snapshot)

    def suspended(self, world: World, snapshot: Snapshot) -> Snapshot:
        """Seal a login in any state, open it again, and check that it is equal."""
        login = LoginMachine.restore(world.options, SECRETS, snapshot)
        sealed = seal_login(login, SECRETS, KEYS, expires_at=NOW + 1)
        opened = open_sealed(sealed, world.options, KEYS, now=NOW)
        assert not [canary for canary in CANARIES if canary.encode() in sealed]
        back = opened.machine.snapshot()
        assert back == snapshot, "the login that was suspended is not the one that came back"
        return back

    def alphabet(self, world: World, most: int) -> tuple[Letter, ...]:
        return alphabet(world, most + world.has_late_requests)

    def place(self, world: World, most: int, snapshot: Snapshot, in_use: frozenset[int]) -> Place:
        data = snapshot.data
        taken = frozenset((*data["waiting"], *data["pages"])) | in_use
        is_late = world.has_late_requests and data["outcome"] is not None
        free = next((number for number in range(1, most + 1 + is_late) if number not in taken), None)
        return Place(
            world=world, port=data["port"], code=data["code"], exchanges=data["exchanges"], free=free, open=taken
        )

    def check(self, move: Move) -> Ledger:
        return checked(
            Step(
                options=move.world.options,
                kind=move.kind,
                event=move.event,
                actions=move.actions,
                before=move.before,
                after=move.machine.state,
                outcome=move.machine.outcome,
                known=move.ledger,
            )
        )

    def key_of(self, snapshot: Snapshot) -> tuple[object, ...]:
        return key_of(snapshot)

    def is_over(self, snapshot: Snapshot) -> bool:
        closed: bool = snapshot.data["closed"]
        return closed

    def most(self, world: World, most: int) -> int:
        return min(most, 1) if world.has_keys else most

    def is_doomed(self, world: World, snapshot: Snapshot) -> bool:
        """Return whether tokens wait for the keys that will not pass the checks."""
        waiting = snapshot.data["unverified"]
        return waiting is not None and waiting.response.body != world.tokens()

    def is_twin(self, one: Snapshot, other: Snapshot) -> bool:
        """Return whether two logins with the same open requests count as equal."""
        return (
            one != other
            and not is_capped(one)
            and set(one.data["waiting"]) == set(other.data["waiting"])
            and one.data["pages"] == other.data["pages"]
        )

    def difference(self, world: World, one: Snapshot, other: Snapshot) -> object | None:
        """Return which fields differ, in the worlds with so many pairs that comparing all would take minutes."""
        if not world.has_keys:
            return None
        return frozenset(name for name, value in one.data.items() if value != other.data[name])

    def acts(self, actions: Iterable[Any]) -> object:
        answers = [(action.request_id, action.status) for action in actions if isinstance(action, Respond)]
        return ([type(action) for action in actions], answers)

    def postpones(self, ledger: Ledger) -> bool:
        return Timer.CODE_REQUEST in ledger.running

    def expires(self, ledger: Ledger) -> bool:
        """Return whether the timer of a device code runs. In the end it stops all polls."""
        return Timer.DEVICE_CODE_EXPIRY in ledger.running

    def may_wait(self, world: World) -> set[str]:
        """Return the states of a login that can wait for ever: for its callback, without a deadline."""
        return {"idle"} if world.options.deadline else {"idle", LoginState.AWAITING_CALLBACK}


LOGIN: Final = Login()
