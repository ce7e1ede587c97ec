"""The test of a store: every property, one after the other."""

from __future__ import annotations

import contextlib
import inspect
import logging
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from ...drivers.stores.protocols import SessionStore
from .contents import CONTENTS
from .locking import LOCKING, SHARED
from .probe import Call, NotHeldError, Probe, expect_no_secret
from .unreadable import UNREADABLE
from .versions import SHARED_VERSIONS, VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Property = Callable[[Probe], None]

Store = TypeVar("Store", bound=SessionStore)


class StoreCheckFailed(AssertionError):  # noqa: N818 - it reads like `LoginFailed`
    """A store lacks a property that sessions rely on. The text names the property, and says what was found."""

    def __init__(self, name: str, rule: str, found: str) -> None:
        super().__init__(f"{name}: {rule} Found: {found}")
        self.property = name
        """The name of the property. docs/stores.md lists them."""

    def __reduce__(self) -> tuple[type[AssertionError], tuple[str]]:
        return AssertionError, (str(self),)


def check_store(
    factory: Callable[[], Store],
    *,
    reopen: Callable[[Store], SessionStore] | None = None,
    spoil: Callable[[Store, bytes], object] | None = None,
    patience: float = 30.0,
) -> None:
    """Test a store: every property that a login, a session and a sign-out rely on (docs/stores.md has the list).

    What the store holds is removed. The test takes about a second for a store on the disk, and uses threads.

    Args:
        factory: Returns a store, for each property anew. It may be for the same place every time.
        reopen: Returns another object for the place of a store, as another process has it. Without it, the properties
            of two objects are not tested: leave it out only if no place can be shared, as with `MemoryStore`.
        spoil: Puts bytes (ASCII) in place of the credentials that a store holds, behind its back. Without it, the
            properties of content that cannot be read are not tested.
        patience: Seconds, above 0, after which a call of the store counts as one that never returns.

    Raises:
        StoreCheckFailed: A property does not hold. This is an `AssertionError`; the properties after it are not tested.
    """
    properties: list[Property] = [*CONTENTS, *LOCKING, *VERSIONS]
    properties += [*SHARED, *SHARED_VERSIONS] if reopen else ()
    properties += UNREADABLE if spoil else ()
    for check in properties:
        store = factory()
        again = partial(reopen, store) if reopen else None
        probe = Probe(store, again, partial(spoil, store) if spoil else None, patience)
        found, cause = _found(check, probe)
        if found:
            raise StoreCheckFailed(check.__name__, inspect.getdoc(check) or "", found) from cause


def _found(check: Property, probe: Probe) -> tuple[str, BaseException | None]:
    """Test one property, and return what was found and what raised it; nothing if the property holds."""

    def work() -> None:
        probe.store.remove()
        try:
            check(probe)
        finally:
            with contextlib.suppress(Exception):
                probe.store.remove()

    with _logged() as records:
        try:
            # In a thread, because a store that hangs must not hang the test. The calls inside have less time.
            Call(work, 2 * probe.patience).result()
            expect_no_secret("\n".join(map(_text_of, records)), "the log")
        except NotHeldError as error:
            return str(error), None
        except Exception as error:  # noqa: BLE001 - whatever a store raises
            return f"the store raised {type(error).__name__}", error
    return "", None


@contextlib.contextmanager
def _logged() -> Iterator[list[logging.LogRecord]]:
    """Collect what is logged, at every level."""
    records: list[logging.LogRecord] = []
    handler = _Collector(records)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield records
    finally:
        root.setLevel(level)
        root.removeHandler(handler)


class _Collector(logging.Handler):
    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self._records = records

    def emit(self, record: logging.LogRecord) -> None:
        self._records.append(record)


def _text_of(record: logging.LogRecord) -> str:
    return logging.Formatter("%(message)s").format(record)
