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
    from collections.abc import Iterator
    from typing import Final

_logger = logging.getLogger("loginmachine")
_quiet: ContextVar[bool] = ContextVar("loginmachine_quiet", default=False)
_NOISY: Final = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


def warn(text: str) -> None:
    """Log a warning. Whatever a handler raises ends here."""
    with contextlib.suppress(Exception):
        _logger.warning("%s", text)


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
