"""The command's login with the threaded driver."""

from __future__ import annotations

import contextlib

from ...drivers.errors import LoginFailed
from ...drivers.threaded.login import start_login
from ..signals import CancelOnSignal

TYPE_CHECKING = False
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
    login = start_login(
        settings.options,
        store=settings.store,
        on_progress=view.on_progress,
        record=settings.record,
        method=settings.method,
    )
    with CancelOnSignal(login.canceller().cancel, owns_process=settings.owns_process) as signals:
        try:
            with login:
                view.start_waiting(login.paste)
                with contextlib.suppress(LoginFailed):
                    login.wait()
                # Show the outcome now: leaving the block first waits until the browser has its last page.
                view.finish(login.outcome)
        except LoginFailed:
            # The login could not start: no callback port, or no device code.
            view.finish(login.outcome)
    return signals.received
