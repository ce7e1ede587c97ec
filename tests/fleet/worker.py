"""One program of the simulated fleet: `LeaseMachine`, with the steps of `RedisStore` and of a session around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from loginmachine.sansio.lease import LeaseMachine
from loginmachine.sansio.lease import actions as a
from loginmachine.sansio.lease import events as e
from loginmachine.sansio.lease.states import LeaseState
from loginmachine.sansio.refresh.effects import LONGEST_WAIT

from .world import SAFE, TIMES, WORKERS, World

if TYPE_CHECKING:
    from collections.abc import Callable

POLL: Final = 8.0
"""Seconds between two questions of a worker that waits for the lease."""
SLICE: Final = 8.0
"""Seconds for which a worker waits for the lease before it reads again. (A session waits a fraction of that.)"""
PATIENCE: Final = 5.0
"""Seconds for which a command is tried again, and in which a lost lease must be taken again."""
LATER: Final = 31.0
"""Seconds after which tokens that could not be stored are tried again."""
SAVES: Final = 3
"""How often tokens that could not be stored are tried again."""
_BEFORE: Final = (LeaseState.TAKING, LeaseState.RENEWING)
_WAITS: Final = (LeaseState.WAITING, LeaseState.HELD)


def schedule(seed: int, *, is_bounded: bool, workers: int = WORKERS) -> World:
    """Run the schedule of a seed.

    Raises:
        BrokenRuleError: A rule is broken.
    """
    return World(seed, Worker, is_bounded=is_bounded, workers=workers).run()


class Worker:
    """A program that has found a token that is due."""

    def __init__(self, world: World) -> None:
        drift = world.plan.drift
        self.world = world
        self.rate = world.chance.uniform(1 - drift, 1 + drift) if drift else 1.0
        self.result = ""
        self.faults = 0
        """How often it was killed, paused or cut off, or a message was lost or slow."""
        self.machine = LeaseMachine(TIMES)
        self._then: Callable[[], None] | None = None
        """What to do when the lease is valid."""
        self._resumes_at = self._cut_until = self._gives_up_at = self._patient_until = 0.0
        self._lost = 0
        """How many messages in a row were lost."""
        self._is_under_way = self._had_its_pause = False
        self._unwanted = -1
        """The tokens to replace."""
        self._new = -1
        """The tokens that the provider gave."""
        self._saves = 0

    @property
    def clock(self) -> float:
        return self.rate * self.world.now

    @property
    def is_holder(self) -> bool:
        """Whether it would use the refresh token now, if it were not paused."""
        return self.result == "" and self.machine.is_valid(self.clock)

    # Faults

    def step(self, delay: float, work: Callable[[], None]) -> None:
        """Do something later, on this worker: a pause or its death may come first."""

        def begin() -> None:
            world, plan = self.world, self.world.plan
            if self.result:
                return
            if world.happens(plan.killed) and not (plan.is_bounded and self._is_under_way):
                self.faults += 1
                self._finish("killed")
                return
            if world.happens(plan.paused):
                self._resumes_at = max(self._resumes_at, world.now + self._trouble())
            if world.happens(plan.cut):
                self._cut_until = max(self._cut_until, world.now + self._trouble())
            resume()

        def resume() -> None:
            left = self._resumes_at - self.world.now
            if left > 0:
                # In the order in which they came.
                self.world.at(left, resume)
            elif not self.result:
                work()

        self.world.at(delay, begin)

    def _trouble(self) -> float:
        """Return how long a pause or a cut lasts, in seconds."""
        plan, chance = self.world.plan, self.world.chance
        if plan.is_bounded and self._is_under_way:
            if self._had_its_pause:
                return 0.0
            self._had_its_pause = True
            self.faults += 1
            return chance.uniform(0, SAFE)
        self.faults += 1
        return chance.uniform(0, 4 * TIMES.length)

    def _loses(self) -> bool:
        """Draw whether a message from or to the server is lost."""
        world, plan = self.world, self.world.plan
        lost = world.now < self._cut_until or world.happens(plan.lost)
        if lost and plan.is_bounded and self._is_under_way and world.now >= self._cut_until and self._lost == 2:
            lost = False
        self._lost = self._lost + 1 if lost else 0
        self.faults += lost
        return lost

    def _delay(self) -> float:
        world, plan = self.world, self.world.plan
        if not (plan.is_bounded and self._is_under_way) and world.happens(plan.slow):
            self.faults += 1
            return world.chance.uniform(0, 3 * TIMES.length)
        return world.chance.uniform(0.001, 0.05)

    def ask(self, command: Callable[[], object], answer: Callable[[object], None], silence: Callable[[], None]) -> None:
        """Send a message to the server. One of the two functions is called, once."""
        world, open_ = self.world, [True]

        def once(work: Callable[[], None]) -> None:
            if open_[0]:
                open_[0] = False
                work()

        def arrive() -> None:
            result = command()
            if not self._loses():
                self.step(self._delay(), lambda: once(lambda: answer(result)))

        if not self._loses():
            world.at(self._delay(), arrive)
        self.step(TIMES.timeout / self.rate, lambda: once(silence))

    def persist(self, command: Callable[[], object], answer: Callable[[object], None]) -> None:
        """Send a message again while there is no answer, for some seconds."""
        deadline = self.clock + (PATIENCE if self._new < 0 else TIMES.length)

        def again() -> None:
            if self.clock >= deadline:
                self._fail()
            else:
                self.ask(command, answer, again)

        self.ask(command, answer, again)

    # The lease

    def _take(self, patience: float) -> None:
        self.machine = LeaseMachine(TIMES)
        self._handle(e.LeaseWanted(at=self.clock, patience=patience))

    def _ensure(self, then: Callable[[], None]) -> None:
        """Go on when the lease is valid: renew it if it may have ended, take it again if another worker has it."""
        if self.machine.is_valid(self.clock):
            then()
            return
        self._then = then
        if self.machine.is_over:
            self._take(PATIENCE)
        elif self.machine.state is LeaseState.HELD:
            self._handle(e.WaitOver(at=self.clock))

    def _again(self, then: Callable[[], None]) -> None:
        """Try to reach the server again, if new tokens have come."""
        self._then = None
        if self._new >= 0 and self.clock < self._patient_until:
            self.step(0.05, lambda: self._ensure(then))
        else:
            self._fail()

    def _handle(self, event: e.LeaseEvent) -> None:
        for action in self.machine.handle(event):
            self._perform(action, self.machine)
        state, is_valid = self.machine.state, self.machine.is_valid(self.clock)
        if is_valid and isinstance(event, (e.LeaseGranted, e.LeaseRenewed)):
            self.world.held_by(self)
        if self._then is None:
            return
        if state is LeaseState.HELD and is_valid:
            then, self._then = self._then, None
            then()
        elif state is LeaseState.LOST:
            self._take(PATIENCE)
        elif state is LeaseState.BUSY:
            self._look_again()
        elif state is LeaseState.UNREACHABLE or (state is LeaseState.HELD and isinstance(event, e.NoAnswer)):
            self._again(self._then)

    def _perform(self, action: a.LeaseAction, machine: LeaseMachine) -> None:
        server, length = self.world.server, TIMES.length

        def silence() -> None:
            self._later(machine, _BEFORE, lambda: e.NoAnswer(at=self.clock))

        def taken(fence: object) -> None:
            refused, granted = e.LeaseRefused(at=self.clock), e.LeaseGranted(at=self.clock, fence=str(fence))
            self._later(machine, (LeaseState.TAKING,), lambda: refused if fence is None else granted)

        def renewed(is_ours: object) -> None:
            yes, no = e.LeaseRenewed(at=self.clock), e.LeaseSuperseded(at=self.clock)
            self._later(machine, (LeaseState.RENEWING,), lambda: yes if is_ours else no)

        match action:
            case a.TakeLease():
                self.ask(lambda: server.take(length), taken, silence)
            case a.RenewLease(fence=fence):
                self.ask(lambda: server.renew(length, int(fence)), renewed, silence)
            case a.ReturnLease(fence=fence):
                if not self._loses():
                    self.world.at(self._delay(), lambda: server.give_back(int(fence)))
            case a.Wait(seconds=seconds):
                self._wait(machine, seconds)

    def _wait(self, machine: LeaseMachine, seconds: float) -> None:
        if machine.state is LeaseState.WAITING:
            # To ask a hundred times as often costs computing only.
            seconds = POLL
        self.step(seconds / self.rate, lambda: self._later(machine, _WAITS, lambda: e.WaitOver(at=self.clock)))

    def _later(self, machine: LeaseMachine, states: tuple[LeaseState, ...], event: Callable[[], e.LeaseEvent]) -> None:
        """Handle an event, if the machine still waits for it."""
        if self.machine is machine and machine.state in states:
            self._handle(event())

    # The refresh

    def refresh(self) -> None:
        """Begin. The store was just read."""
        self._unwanted = self.world.server.value
        self._gives_up_at = self.clock + LONGEST_WAIT
        self._then = self._read_locked
        self._take(SLICE)

    def _look_again(self) -> None:
        if self._new >= 0:
            self._fail()
        elif self.world.server.value != self._unwanted:
            self._finish("adopted")
        elif self.clock >= self._gives_up_at:
            self._finish("gave up")
        else:
            self._take(SLICE)

    def _read_locked(self) -> None:
        """Read under the lease, which must be valid after that, too."""

        def found(content: object) -> None:
            if not self.machine.is_valid(self.clock):
                self._ensure(self._read_locked)
            elif isinstance(content, tuple) and content[1] != self._unwanted:
                self._finish("adopted")
            else:
                self._send()

        self.persist(self.world.server.read, found)

    def _send(self) -> None:
        world, token = self.world, self._unwanted
        # A cut that goes on is a reason, too.
        faults = self.faults - (self._cut_until > world.now)
        world.check(self.machine.is_valid(self.clock), "the refresh token is sent without a valid lease")
        self._is_under_way = True
        self._lost = 0
        if world.plan.is_bounded:
            self._cut_until = min(self._cut_until, world.now + SAFE)
            self._had_its_pause = self._cut_until > world.now

        def arrive() -> None:
            new = world.exchange(self, token, faults)
            if not world.plan.is_bounded and world.happens(world.plan.lost / 10):
                self.faults += 1
                self.step(60, lambda: self._finish("no answer of the provider"))
            else:
                slow = world.chance.random() < 0.1
                self.step(world.chance.uniform(0.05, 50 if slow else 1), lambda: self._receive(new))

        # The program may be paused between the check and the request.
        self.step(world.chance.uniform(0, 0.01), lambda: world.at(world.chance.uniform(0.01, 0.2), arrive))

    def _receive(self, new: int) -> None:
        self._new = new
        self._store()

    def _store(self) -> None:
        self._patient_until = self.clock + TIMES.length
        self._ensure(self._save)

    def _save(self) -> None:
        """Store the new tokens, if the store still has those that they replace."""

        def found(content: object) -> None:
            assert isinstance(content, tuple)
            version, value = content
            if value == self._new:
                # The answer to an earlier write was lost.
                self._finish("stored")
            elif value != self._unwanted:
                self._finish("adopted, and dropped its own")
            elif not self.machine.fence:
                self._fail()
            else:
                fence = int(self.machine.fence)
                self.persist(lambda: self.world.write(version, fence, self._new), saved)

        def saved(done: object) -> None:
            if done == "written":
                self._finish("stored")
            else:
                self._fail()

        self.persist(self.world.server.read, found)

    def _fail(self) -> None:
        """Give up for now. New tokens stay in memory, and are stored later."""
        if self._new < 0:
            self._finish("failed")
            return
        self._saves += 1
        if self._saves > SAVES:
            self._finish("kept its tokens")
            return
        # The lease is kept: others would send the old refresh token.
        self._then = None
        self.step(LATER / self.rate, self._store)

    def _give_back(self) -> None:
        self._then = None
        for action in self.machine.handle(e.LeaseUnwanted(at=self.clock)):
            self._perform(action, self.machine)

    def _finish(self, result: str) -> None:
        if result != "killed":
            self._give_back()
        self._is_under_way = False
        self.result = result
        self.world.results[result] += 1
