"""What takes the lines of the traces of logins: the program's own function, and those of tests that record logins."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Write: TypeAlias = "Callable[[str], object]"
"""Takes a line of a trace."""

_begin: list[Callable[[], Write]] = []
"""For each block, what begins a trace."""


def with_recorders(record: Write | None) -> Write | None:
    """Return what takes the lines of a new login: the program's own function, and those of the blocks.

    Args:
        record: The program's own; None if it has none.
    """
    writes = [begin() for begin in _begin] + ([] if record is None else [record])
    if len(writes) < 2:
        return writes[0] if writes else None

    def write(line: str) -> None:
        for each in writes:
            each(line)

    return write


@contextlib.contextmanager
def recorders(begin: Callable[[], Write]) -> Iterator[None]:
    """Record the logins of a block that ask `with_recorders`.

    Args:
        begin: Called for each login. Returns what takes the lines of its trace.
    """
    _begin.append(begin)
    try:
        yield
    finally:
        _begin.remove(begin)
