"""The command's login with the asyncio driver."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from ...drivers.asyncio.login import asyncio_open_login
from ...drivers.errors import LoginFailed
from ..signals import CancelOnSignal
from .cancellation import Cancellation

if TYPE_CHECKING:
    from ..commands.login_view import LoginView
    from ..options import LoginSettings


def sign_in(settings: LoginSettings, view: LoginView) -> int | None:
    """Run the login to its end.

    Returns:
        The first signal that arrived during the login; None if there was none.

    Raises:
        TrustError: The CA bundle cannot be used; nothing was started.
        ProxyError: The proxy cannot be used; nothing was started.
    """
    cancellation = Cancellation()
    # Around `asyncio.run` too, where a KeyboardInterrupt could strike inside asyncio itself.
    with CancelOnSignal(cancellation.cancel, owns_process=settings.owns_process) as signals:
        asyncio.run(_sign_in(settings, view, cancellation))
    return signals.received


async def _sign_in(settings: LoginSettings, view: LoginView, cancellation: Cancellation) -> None:
    login = asyncio_open_login(
        settings.options,
        store=settings.store,
        on_progress=view.on_progress,
        record=settings.record,
        method=settings.method,
    )
    loop = asyncio.get_running_loop()

    def paste(text: str) -> None:
        # Called in the thread that reads the terminal. The loop may be closed by then.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(login.paste, text)

    cancellation.begin(login.canceller().cancel)
    try:
        async with login:
            view.start_waiting(paste)
            with contextlib.suppress(LoginFailed):
                await login.wait()
            # Show the outcome now: leaving the block first waits until the browser has its last page.
            view.finish(login.outcome)
    except LoginFailed:
        # The login could not start: no callback port, or no device code.
        view.finish(login.outcome)
