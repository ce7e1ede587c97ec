"""Our log, and the silence of the libraries below us.

A handler that raises must not harm a login, and httpx's and httpcore's records hold what no log may: header values, a
redirect's location.
"""

from __future__ import annotations

import contextlib
import logging
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Final

_logger = logging.getLogger("loginmachine")
_quiet: ContextVar[bool] = ContextVar("loginmachine_quiet", default=False)
_NOISY: Final = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


def warn(text: str) -> None:
    """Log a warning. Whatever a handler raises ends here."""
    with contextlib.suppress(Exception):
        _logger.warning("%s", text)


class _Teller(logging.Handler):
    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(record.getMessage())


@contextlib.contextmanager
def told_with(tell: Callable[[str], None]) -> Iterator[None]:
    """Hand our warnings to somebody while the block runs.

    Python's own way to show one that nobody handles writes to standard error at once: into the line that shows the
    waiting, and without an end if the other side of a pipe does not read.

    Args:
        tell: Takes each, in one line without an end. Called from any thread.
    """
    teller = _Teller(tell)
    _logger.addHandler(teller)
    try:
        yield
    finally:
        _logger.removeHandler(teller)


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Keep the records of httpx and httpcore from every handler, in this thread or task only."""
    for name in _NOISY:
        # (Adding a filter that is there already does nothing.)
        logging.getLogger(name).addFilter(_is_allowed)
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


def _is_allowed(_record: logging.LogRecord) -> bool:
    return not _quiet.get()
