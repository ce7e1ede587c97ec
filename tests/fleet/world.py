"""A fleet in virtual time: workers with `LeaseMachine`, a server, a provider, and what can go wrong.

A schedule is drawn from a seed: when each worker wants a token, how fast its clock runs, how long each message takes,
which are lost, who is paused or cut off for how long, and who is killed. Each worker does what `RedisStore` and a
session do.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from typing import TYPE_CHECKING, Final, NamedTuple

from loginmachine.sansio.lease.state import LeaseTimes
from tests.sansio.rules import BrokenRuleError

from .server import Server

if TYPE_CHECKING:
    from collections.abc import Callable

    from .worker import Worker

WORKERS: Final = 1000
WINDOW: Final = 600.0
"""Seconds in which the workers come."""
LIFETIME: Final = (200.0, 500.0)
"""Seconds after which an access token is due, at least and at most."""
LATEST: Final = WINDOW + 900.0
"""Seconds after which every worker must have ended."""
TIMES: Final = LeaseTimes()
SAFE: Final = 0.3 * TIMES.length
"""Seconds for which a program may be paused or cut off while its request is under way, at the least."""


class Plan(NamedTuple):
    """The faults of a schedule: probabilities for each message or step."""

    is_bounded: bool
    """While a request is under way, nobody is killed, and the one pause or cut is at most `SAFE` long. At most two
    messages in a row are lost."""
    lost: float = 0.0
    slow: float = 0.0
    """Messages that take longer than the time-out."""
    paused: float = 0.0
    cut: float = 0.0
    """Workers that cannot reach the server for a while."""
    killed: float = 0.0
    drift: float = 0.0
    """How much faster or slower the clocks run at most."""


def plan_for(chance: random.Random, *, is_bounded: bool) -> Plan:
    rates = (0.0, 0.02, 0.1, 0.3)
    return Plan(
        is_bounded,
        lost=chance.choice(rates),
        slow=chance.choice(rates),
        paused=chance.choice(rates),
        cut=chance.choice(rates),
        killed=chance.choice((0.0, 0.02, 0.1)),
        drift=chance.choice((0.0, 0.1, 0.24)),
    )


class Sent(NamedTuple):
    """A refresh token on its way to the provider."""

    worker: Worker
    faults: int
    """How many faults the worker had before."""


class World:
    """One schedule.

    Args:
        seed: What everything is drawn from.
        is_bounded: Whether the faults are those under which no refresh token is sent twice.
        worker: The class of the workers.
        workers: How many there are.
    """

    def __init__(self, seed: int, worker: type[Worker], *, is_bounded: bool, workers: int = WORKERS) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.plan = plan_for(self.chance, is_bounded=is_bounded)
        self.now = 0.0
        self.server = Server(version=1, value=0)
        self.due = [self.chance.uniform(0, WINDOW / 2)]
        """For each token, when it is due."""
        self.parents: list[int] = [-1]
        """For each token, the one whose refresh token was exchanged for it."""
        self.sent: dict[int, list[Sent]] = {}
        self.replaced: set[int] = set()
        """Tokens whose successor was stored."""
        self.holders: set[Worker] = set()
        self.results: Counter[str] = Counter()
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self._worker = worker
        for _ in range(workers):
            self.at(self.chance.uniform(0, WINDOW), self._visit)

    def at(self, delay: float, work: Callable[[], None]) -> None:
        """Do something later."""
        self._count += 1
        heapq.heappush(self._queue, (self.now + delay, self._count, work))

    def _visit(self) -> None:
        """Let a worker look at the store. Most find a token that is not due."""
        if self.now < self.due[self.server.value]:
            self.results["current"] += 1
        else:
            self._worker(self).refresh()

    def run(self) -> World:
        """Run the schedule to its end.

        Raises:
            BrokenRuleError: A rule is broken.
        """
        while self._queue:
            self.now, _, work = heapq.heappop(self._queue)
            self.server.now = self.now
            work()
        self.check(self.now < LATEST, "a worker waited too long")
        return self

    def check(self, holds: bool, what: str) -> None:  # noqa: FBT001
        if not holds:
            raise BrokenRuleError(f"seed {self.seed}, {self.plan}, after {self.now:.3f} s: {what}")

    def happens(self, probability: float) -> bool:
        """Draw a fault. There are none after the window, so that the fleet must come to an end."""
        return probability > 0 and self.now < WINDOW and self.chance.random() < probability

    # The provider

    def exchange(self, worker: Worker, token: int, faults: int) -> int:
        """Take a refresh token, and return the number of the new tokens."""
        uses = self.sent.setdefault(token, [])
        for earlier in uses:
            self.check(not self.plan.is_bounded, "a refresh token was sent twice")
            # The earlier one looked dead, or this one was paused between the check and the request.
            had_faults = earlier.worker.faults > earlier.faults or worker.faults > faults
            self.check(had_faults, "a refresh token was sent twice for no reason")
        uses.append(Sent(worker, faults))
        self.parents.append(token)
        self.due.append(self.now + self.chance.uniform(*LIFETIME))
        return len(self.parents) - 1

    # The server

    def write(self, version: int, fence: int, value: int) -> str:
        """Let the server replace the tokens, and check what it stores."""
        old = self.server.value
        done = self.server.write(version, fence, value)
        if done == "written":
            self.check(self.parents[value] == old, "tokens were stored that do not follow the stored ones")
            self.check(old not in self.replaced, "two refreshes with the same refresh token were stored")
            self.replaced.add(old)
        return done

    def held_by(self, worker: Worker) -> None:
        """Note that a worker has a valid lease."""
        self.holders = {each for each in self.holders if each.is_holder}
        self.holders.add(worker)
        self.check(len(self.holders) == 1, "two workers have a valid lease")
