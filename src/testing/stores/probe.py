"""The store under test, and calls of it in other threads."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from ...drivers.errors import StoreBusy
from .samples import CANARY

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from ...drivers.stores.protocols import SessionStore
    from ...sansio.model.credentials import Credentials

Result = TypeVar("Result")

SOON: Final = 0.05
"""Seconds to wait for a lock that another thread holds."""
MOMENT: Final = 0.1
"""Seconds in which a call that does not wait for a lock has usually ended."""


class NotHeldError(Exception):
    """A property does not hold. The message says what was found."""


def expect(holds: object, found: str) -> None:
    """Raise `NotHeldError` with a message, unless a condition is true."""
    if not holds:
        raise NotHeldError(found)


class Call(Generic[Result]):
    """A call in a thread of its own.

    Args:
        work: What to call.
        patience: Seconds after which a call counts as one that never returns.
    """

    def __init__(self, work: Callable[[], Result], patience: float) -> None:
        self._work = work
        self._patience = patience
        self._results: list[Result] = []
        self._error: BaseException | None = None
        # A store that never returns must not keep the program from ending.
        self._thread = threading.Thread(target=self._run, name="loginmachine-check-store", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - raised where the result is wanted
            self._error = error

    @property
    def has_ended(self) -> bool:
        """Whether the call has returned or raised."""
        return not self._thread.is_alive()

    def has_succeeded_within(self, seconds: float) -> bool:
        """Return whether the call has returned, without an exception, within so many seconds."""
        self._thread.join(seconds)
        return self.has_ended and self._error is None

    def result(self) -> Result:
        """Wait for the call, and return its result or raise its exception."""
        self._thread.join(self._patience)
        expect(self.has_ended, f"a call has not returned within {self._patience:g} seconds")
        if self._error is not None:
            raise self._error
        return self._results[0]


class Probe:
    """The store under test.

    Args:
        store: The store.
        reopen: Returns another object for the same place; None if there is none.
        spoil: Puts bytes in place of the stored credentials; None if that cannot be tested.
        patience: See `Call`.
    """

    def __init__(
        self,
        store: SessionStore,
        reopen: Callable[[], SessionStore] | None,
        spoil: Callable[[bytes], object] | None,
        patience: float,
    ) -> None:
        self.store = store
        self._reopen = reopen
        self._spoil = spoil
        self.patience = patience

    def reopen(self) -> SessionStore:
        """Return another object for the same place."""
        assert self._reopen is not None
        return self._reopen()

    def spoil(self, content: bytes) -> None:
        """Put bytes in place of the stored credentials."""
        assert self._spoil is not None
        self._spoil(content)

    def start(self, work: Callable[[], Result]) -> Call[Result]:
        """Start a call in a thread of its own."""
        return Call(work, self.patience)

    def in_thread(self, work: Callable[[], Result]) -> Result:
        """Call in a thread of its own, and wait for the result."""
        return self.start(work).result()

    def in_transaction_save(self, credentials: Credentials) -> Credentials | None:
        """Save credentials in a transaction."""
        with self.store.transaction() as transaction:
            return transaction.save(credentials)

    def expect_busy(self, block: Callable[[], AbstractContextManager[object]], found: str) -> None:
        """Check that a block cannot be entered by another thread now: that has to raise `StoreBusy`.

        Args:
            block: Returns the block, with `SOON` as its ``timeout``.
            found: What to say if it is entered.
        """

        def enter() -> bool:
            with contextlib.suppress(StoreBusy), block():
                return False
            return True

        expect(self.in_thread(enter), found)


def shown_by(error: BaseException) -> str:
    """Return what an exception and all that led to it show: texts, arguments and attributes."""
    parts: list[str] = []
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        each = left.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            parts.append(f"{each} {each!r} {each.args!r} {vars(each)!r}")
            left += [each.__cause__, each.__context__]
    return "\n".join(parts)


def expect_no_secret(text: str, where: str) -> None:
    """Check that a text holds no secret of a sample."""
    expect(CANARY not in text, f"{where} shows a secret")
