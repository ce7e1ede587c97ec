"""The threaded driver: performs a `LoginMachine`'s actions with blocking calls in threads.

One thread owns the machine and reads one inbox; everything else (the listener, workers, the caller) posts events to it.
"""

from __future__ import annotations

from ...sansio.login import events
from ...sansio.login.outcome import LoginSuccess
from ...sansio.model.options import LoginMethod
from ..errors import error_for
from ..http.tls import check_bundle
from ..waiting import wait_for
from .owner import Owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from ...sansio.login.outcome import LoginOutcome
    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.options import LoginOptions
    from ...sansio.oauth.device_code import DeviceCode
    from ..stores.protocols import CredentialStore


def start_login(
    options: LoginOptions,
    *,
    store: CredentialStore,
    on_progress: Callable[[LoginPhase], None] | None = None,
    record: Callable[[str], object] | None = None,
    method: LoginMethod = LoginMethod.BROWSER,
) -> ThreadedLogin:
    """Sign a person in, with threads.

        with start_login(options, store=FileStore(home)) as login:
            print(login.auth_url)
            credentials = login.wait()

    Args:
        options: What to do.
        store: Where the credentials go.
        on_progress: Called in a thread of the login with each phase. What it raises is logged and does no harm.
        record: Takes each line of the login's trace, which is safe to share (docs/replay.md); None for no trace.
        method: How the person signs in: in a browser that comes back to this machine, or anywhere with a device code.

    Returns:
        The login, to be entered. Entering raises `LoginFailed` if the callback port or the device code cannot be had,
        and `TrustError` if the configured certificate bundle is unusable.

    Raises:
        ValueError: A device code is wanted of a provider that has none.
    """
    return ThreadedLogin(options, store=store, on_progress=on_progress, record=record, method=method)


class Canceller:
    """A handle that can only cancel. Safe to use from any thread and from a signal handler."""

    def __init__(self, post: Callable[[events.Event], None]) -> None:
        self._post = post

    def cancel(self, reason: str = "cancelled by the caller") -> None:
        """End the login, unless its credentials are being stored already."""
        self._post(events.CancelRequested(reason=reason))


class ThreadedLogin:
    """A login that runs while its ``with`` block does."""

    def __init__(
        self,
        options: LoginOptions,
        *,
        store: CredentialStore,
        on_progress: Callable[[LoginPhase], None] | None,
        record: Callable[[str], object] | None,
        method: LoginMethod,
    ) -> None:
        options.check_method(method)
        self._options = options
        self._owner = Owner(options, store=store, on_progress=on_progress, record=record, method=method)
        self._entered = False

    @property
    def auth_url(self) -> str:
        """The authorization request, for the person's browser. Holds this login's ``state``: show it to nobody else.

        Raises:
            RuntimeError: The login has not been entered, or has a device code instead.
        """
        if self._owner.auth_url is None:
            raise RuntimeError(self._why_not())
        return self._owner.auth_url

    @property
    def port(self) -> int:
        """The callback port.

        Raises:
            RuntimeError: The login has not been entered, or has a device code instead.
        """
        if self._owner.port is None:
            raise RuntimeError(self._why_not())
        return self._owner.port

    @property
    def device_code(self) -> DeviceCode:
        """The code that the person enters, and where. For the person only: show it to nobody else.

        Raises:
            RuntimeError: The login has not been entered, or goes through the browser.
        """
        if self._owner.device_code is None:
            raise RuntimeError(self._why_not())
        return self._owner.device_code

    @property
    def outcome(self) -> LoginOutcome | None:
        """How it ended, account included; None until it has."""
        return self._owner.outcome

    def paste(self, text: str) -> None:
        """Hand in the address on which the person's browser ended, on another machine perhaps.

        Returns at once. The right one finishes the login; what is wrong with another is reported as a `PasteRefused`,
        and the login goes on. Safe to use from any thread.

        Raises:
            RuntimeError: The login has not been entered, or has a device code instead.
        """
        if self._owner.auth_url is None:
            raise RuntimeError(self._why_not())
        self._owner.post(events.CallbackPasted(text=text))

    def cancel(self, reason: str = "cancelled by the caller") -> None:
        """End the login, unless its credentials are being stored already. Returns at once; `wait` tells what came."""
        self._owner.post(events.CancelRequested(reason=reason))

    def canceller(self) -> Canceller:
        """A handle for others, that can only cancel."""
        return Canceller(self._owner.post)

    def wait(self, timeout: float | None = None) -> Credentials:
        """Wait for the outcome. May be called any number of times.

        Args:
            timeout: Seconds to wait at most; the login goes on afterwards. None for no limit but the login's own.

        Returns:
            The credentials, which are stored.

        Raises:
            LoginFailed: Or one of its subclasses `LoginCancelled` and `LoginTimedOut`.
            TimeoutError: Nothing is decided yet.
        """
        if not self._entered:
            raise RuntimeError("the login is not running: use it in a with statement")
        if not self._owner.finished.is_set():
            self._owner.preload()
        if not wait_for(self._owner.finished, timeout):
            raise TimeoutError("the login is still going on")
        if self._owner.crash is not None:
            raise RuntimeError("the login driver has failed; this is a bug in it") from self._owner.crash
        assert self._owner.outcome is not None
        failed = error_for(self._owner.outcome)
        if failed is not None:
            raise failed
        assert isinstance(self._owner.outcome, LoginSuccess)
        return self._owner.outcome.credentials

    def _why_not(self) -> str:
        if self._owner.device_code is not None:
            return "this login has a device code, and no address to come back to"
        if self._owner.auth_url is not None:
            return "this login goes through the browser, and has no device code"
        return "the login is not running: use it in a with statement"

    def __enter__(self) -> Self:
        if self._options.provider.token_endpoint.startswith("https:"):
            check_bundle()
        if self._entered:
            raise RuntimeError("a login can be entered only once")
        self._entered = True
        self._owner.start()
        try:
            wait_for(self._owner.ready)
            if self._owner.auth_url is None and self._owner.device_code is None:
                self.wait()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if exc_type is not None:
            self._owner.hurry()
        self._close()

    def _close(self) -> None:
        """Cancel what is not decided, perform what is left, and wait for every thread."""
        if not self._owner.finished.is_set():
            self.cancel("the program left before the sign-in was over")
        self._owner.join()
