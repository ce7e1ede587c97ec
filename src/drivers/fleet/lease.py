"""A lease on a server, held by this process: it performs the actions of a `LeaseMachine`, and renews in a thread."""

from __future__ import annotations

import math
import random
import threading
import time
from typing import TYPE_CHECKING, Final, assert_never

from ...sansio.lease import LeaseMachine
from ...sansio.lease import actions as lease_actions
from ...sansio.lease.events import (
    LeaseGranted,
    LeaseRefused,
    LeaseRenewed,
    LeaseSuperseded,
    LeaseUnwanted,
    LeaseWanted,
    NoAnswer,
    WaitOver,
)
from ...sansio.lease.states import LeaseState
from ..errors import NO_THREAD, StoreBusy, StoreError
from .errors import Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.lease.events import LeaseEvent
    from ...sansio.lease.state import LeaseTimes
    from .server import Server

_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", None)


def now() -> float:
    """Return the time in seconds, on a clock that goes on while the machine is suspended, if the system has one."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


class Lease:
    """One lease, from `take` to `give_back`.

    Args:
        server: The server.
        times: The times of the lease.
        clock: Returns the time in seconds.
    """

    def __init__(self, server: Server, times: LeaseTimes, clock: Callable[[], float] = now) -> None:
        self._server = server
        self._times = times
        self._clock = clock
        self._machine = LeaseMachine(times)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._wait = 0.0
        """Seconds that the machine wants to wait, since the last event."""
        self._keeps_until = math.inf
        """When the renewals end, on the clock."""
        self._error = StoreError("")

    @property
    def fence(self) -> str:
        """The fencing token."""
        return self._machine.fence

    @property
    def is_valid(self) -> bool:
        """Whether no other program can have the lease now."""
        return self._machine.is_valid(self._clock())

    def take(self, patience: float) -> None:
        """Take the lease, and renew it from now on.

        Args:
            patience: Seconds to wait at most for another worker.

        Raises:
            StoreBusy: Another worker had it for so long.
            StoreError: The server cannot be used, or there is no thread for the renewals.
        """
        try:
            self._take(patience)
        except Unreachable:
            # One answer may be lost.
            self._machine = LeaseMachine(self._times)
            self._take(patience)
        thread = threading.Thread(target=self._renew, name="loginmachine-lease", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self.give_back()
        else:
            self._thread = thread
        if self._thread is None:
            raise StoreError(f"the lease could not be renewed: {NO_THREAD}")

    def ensure(self, patience: float) -> None:
        """Check that no other worker can have the lease. Renew it if that is not sure, take it again if another has it.

        Args:
            patience: Seconds to wait at most for another worker.

        Raises:
            StoreBusy: Another worker had it for so long.
            Unreachable: The server does not answer.
            StoreError: The server cannot be used.
        """
        with self._lock:
            if self.is_valid:
                return
            if self._machine.state is LeaseState.HELD:
                self._run(WaitOver(at=self._clock()))
            if self._machine.is_over:
                self._machine = LeaseMachine(self._times)
                self._take(patience)
            if not self.is_valid:
                raise self._problem()

    def _take(self, patience: float) -> None:
        self._run(LeaseWanted(at=self._clock(), patience=patience))
        while self._machine.state is LeaseState.WAITING:
            # Workers that wait for the same lease do not ask all at once.
            time.sleep(self._wait * random.uniform(0.5, 1))  # noqa: S311 - no secret
            self._run(WaitOver(at=self._clock()))
        if self._machine.state is LeaseState.BUSY:
            raise StoreBusy(f"another session has been renewing the tokens for more than {patience:g} seconds")
        if self._machine.state is not LeaseState.HELD:
            raise self._problem()

    def give_back(self) -> None:
        """Stop renewing, and let others have the lease. If the server does not answer, it ends by time."""
        self.abandon()
        with self._lock:
            self._run(LeaseUnwanted(at=self._clock()))

    def abandon(self) -> None:
        """Stop renewing, and let the lease end by time."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def keep(self, seconds: float) -> None:
        """Go on renewing for some time, and let the lease end by time then.

        Args:
            seconds: How long.
        """
        self._keeps_until = self._clock() + seconds

    def forget(self) -> None:
        """Do not use the lease in this process, the child of a fork: it is of the parent."""
        self._machine = LeaseMachine(self._times)
        self._machine.handle(LeaseUnwanted(at=self._clock()))
        self._lock, self._stopped, self._thread = threading.Lock(), threading.Event(), None

    def _renew(self) -> None:
        while not self._stopped.wait(self._wait) and self._clock() < self._keeps_until:
            with self._lock:
                if self._machine.state is LeaseState.HELD:
                    self._run(WaitOver(at=self._clock()))

    def _run(self, event: LeaseEvent) -> None:
        """Handle an event, and perform actions until the machine waits or has ended."""
        actions = self._machine.handle(event)
        while actions:
            answer = self._perform(actions.pop(0))
            if answer is not None:
                actions += self._machine.handle(answer)

    def _perform(self, action: lease_actions.LeaseAction) -> LeaseEvent | None:
        try:
            match action:
                case lease_actions.TakeLease():
                    fence = self._server.take_lease(self._times.length)
                    at = self._clock()
                    return LeaseRefused(at=at) if fence is None else LeaseGranted(at=at, fence=fence)
                case lease_actions.RenewLease(fence=fence):
                    is_ours = self._server.renew_lease(fence, self._times.length)
                    at = self._clock()
                    return LeaseRenewed(at=at) if is_ours else LeaseSuperseded(at=at)
                case lease_actions.ReturnLease(fence=fence):
                    self._server.return_lease(fence)
                case lease_actions.Wait(seconds=seconds):
                    self._wait = seconds
                case _:
                    assert_never(action)
        except StoreError as error:
            self._error = error
            if not isinstance(action, lease_actions.ReturnLease):
                return NoAnswer(at=self._clock())
        return None

    def _problem(self) -> StoreError:
        """Return the last error once more, for another caller."""
        return type(self._error)(str(self._error))
