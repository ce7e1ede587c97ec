"""The command's login, driven by threads."""

from __future__ import annotations

import contextlib

from ...drivers.errors import LoginFailed
from ...drivers.threaded.login import start_login
from ..signals import Interrupts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .login import Command


def sign_in(command: Command) -> int | None:
    """Run the login to its end.

    Returns:
        The signal that came meanwhile, if one did.

    Raises:
        TrustError: Nothing was started.
    """
    login = start_login(
        command.options,
        store=command,
        on_progress=command.on_progress,
        record=command.record,
        method=command.method,
    )
    with Interrupts(login.canceller().cancel, for_good=command.ends_the_process) as interrupts:
        try:
            with login:
                command.start_waiting(login.paste)
                with contextlib.suppress(LoginFailed):
                    login.wait()
                # At once: the last pages go out after that.
                command.finish(login.outcome)
        except LoginFailed:
            # The callback port or the device code could not be had.
            command.finish(login.outcome)
    return interrupts.received
