"""The log of the package, and a filter for the logs of httpx and httpcore.

A log handler that raises must not harm a login. The records of httpx and httpcore hold secrets: header values, the
location of a redirect.
"""

from __future__ import annotations

import contextlib
import logging
from contextvars import ContextVar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Final

    from ..sansio.login.progress import LoginPhase

_logger = logging.getLogger("loginmachine")
_quiet: ContextVar[bool] = ContextVar("loginmachine_quiet", default=False)
_NOISY: Final = ("httpx", *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")))


def warn(text: str) -> None:
    """Log a warning. Exceptions of log handlers are ignored."""
    with contextlib.suppress(Exception):
        _logger.warning("%s", text)


def log_callback(phase: LoginPhase) -> None:
    """Log what a callback carried, without its values, at level INFO. Ignore other phases."""
    from ..sansio.login.progress import CallbackReceived  # noqa: PLC0415 - a session has no callbacks

    if isinstance(phase, CallbackReceived):
        with contextlib.suppress(Exception):
            fields = " ".join(f"{name}={value}" for name, value in phase.values().items())
            _logger.info("%s %s", phase.name, fields)


def log_error(what: str, error: BaseException, *, hide: Iterable[str] = ()) -> None:
    """Log an exception of a part that is not ours at level DEBUG: its text, its traceback, its causes.

    Whatever looks like a token is masked in its text. Exceptions of log handlers are ignored.

    Args:
        what: What failed, in a few words.
        error: The exception.
        hide: Secrets that the text may hold.
    """
    with contextlib.suppress(Exception):
        if _logger.isEnabledFor(logging.DEBUG):
            from .error_report import report  # noqa: PLC0415 - rarely needed

            _logger.debug("%s: %s", what, report(error, hide=hide))


class _WarningHandler(logging.Handler):
    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        self._write(record.getMessage())


@contextlib.contextmanager
def forward_warnings(write: Callable[[str], None]) -> Iterator[None]:
    """Call a function with each warning of the package while the block runs.

    Without a handler, Python writes warnings to standard error at once. There they would break the line that shows the
    wait, and block if standard error is a full pipe.

    Args:
        write: Called with one line of text, without a newline. Called from any thread.
    """
    handler = _WarningHandler(write)
    _logger.addHandler(handler)
    try:
        yield
    finally:
        _logger.removeHandler(handler)


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Suppress the log records of httpx and httpcore while the block runs, in this thread or task only."""
    for name in _NOISY:
        # Adding a filter for the second time does nothing.
        logging.getLogger(name).addFilter(_is_allowed)
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


def _is_allowed(_record: logging.LogRecord) -> bool:
    return not _quiet.get()
