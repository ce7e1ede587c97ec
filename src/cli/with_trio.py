"""The command's login, driven by trio."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import trio

from ..drivers.errors import LoginFailed
from ..drivers.trio import open_login
from .interrupts import Interrupts

if TYPE_CHECKING:
    from .login import Command


def sign_in(command: Command) -> int | None:
    """Run the login to its end.

    Returns:
        The signal that came meanwhile, if one did.

    Raises:
        TrustError: Nothing was started.
    """
    return trio.run(_sign_in, command)


async def _sign_in(command: Command) -> int | None:
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

    with Interrupts(login.canceller().cancel, for_good=command.ends_the_process) as interrupts:
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
    return interrupts.received
