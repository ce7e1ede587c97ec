"""The command's login, driven by trio."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import trio

from ...drivers.errors import LoginFailed
from ...drivers.trio.login import open_login
from ..signals import Interrupts

if TYPE_CHECKING:
    from collections.abc import Callable

    from .login import Command


def sign_in(command: Command) -> int | None:
    """Run the login to its end.

    Returns:
        The signal that came meanwhile, if one did.

    Raises:
        TrustError: Nothing was started.
    """
    waiting = _Cancel()
    # Around trio too: an interrupt that is an exception could strike in the middle of trio itself.
    with Interrupts(waiting.cancel, for_good=command.ends_the_process) as interrupts:
        trio.run(_sign_in, command, waiting)
    return interrupts.received


class _Cancel:
    """Cancels a login, also one that is not there yet."""

    def __init__(self) -> None:
        self._reason: str | None = None
        self._cancel: Callable[[str], None] | None = None

    def cancel(self, reason: str) -> None:
        """Cancel it, now or soon. For a signal handler."""
        self._reason = reason
        if self._cancel is not None:
            self._cancel(reason)

    def begin(self, cancel: Callable[[str], None]) -> None:
        """The login is there."""
        self._cancel = cancel
        if self._reason is not None:
            cancel(self._reason)


async def _sign_in(command: Command, waiting: _Cancel) -> None:
    login = open_login(
        command.options,
        store=command,
        on_progress=command.on_progress,
        record=command.record,
        method=command.method,
    )
    token = trio.lowlevel.current_trio_token()

    def paste(text: str) -> None:
        # From the thread that reads the terminal.
        with contextlib.suppress(trio.RunFinishedError):
            token.run_sync_soon(login.paste, text)

    waiting.begin(login.canceller().cancel)
    try:
        async with login:
            command.start_waiting(paste)
            with contextlib.suppress(LoginFailed):
                await login.wait()
            # At once: the last pages go out after that.
            command.finish(login.outcome)
    except LoginFailed:
        # The callback port or the device code could not be had.
        command.finish(login.outcome)
