"""What the drivers log while the command runs, told like everything else.

Python's own way to show a warning that nobody handles writes to standard error at once: into the line that shows the
waiting, and without an end if the other side of a pipe does not read.
"""

from __future__ import annotations

import contextlib
import logging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Teller(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(record.getMessage())


@contextlib.contextmanager
def told_with(tell: Callable[[str], None]) -> Iterator[None]:
    """Hand the drivers' warnings to somebody while the block runs.

    Args:
        tell: Takes each, in one line without an end. Called from any thread.
    """
    logger = logging.getLogger("loginmachine")
    teller = _Teller(tell)
    logger.addHandler(teller)
    try:
        yield
    finally:
        logger.removeHandler(teller)
