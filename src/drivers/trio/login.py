"""The trio driver: performs a `LoginMachine`'s actions in tasks of its own.

One task owns the machine and reads one inbox; everything else (the listener, workers, the caller) posts events to it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Self

import trio

from ...sansio.login import events
from ...sansio.login.outcome import LoginSuccess
from ...sansio.model.options import LoginMethod
from ..errors import error_for
from ..http.tls import check_bundle
from .owner import Owner

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from ...sansio.login.outcome import LoginOutcome
    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.options import LoginOptions
    from ...sansio.oauth.device_code import DeviceCode
    from ..stores.protocols import CredentialStore


def open_login(
    options: LoginOptions,
    *,
    store: CredentialStore,
    on_progress: Callable[[LoginPhase], None] | None = None,
    record: Callable[[str], object] | None = None,
    method: LoginMethod = LoginMethod.BROWSER,
) -> TrioLogin:
    """Sign a person in, with trio.

        async with open_login(options, store=FileStore(home)) as login:
            print(login.auth_url)
            credentials = await login.wait()

    Cancellation from outside works at any point: the login is cancelled and cleaned up, in at most the time that the
    last pages take, and `trio.Cancelled` goes on.

    Args:
        options: What to do.
        store: Where the credentials go; called in a worker thread.
        on_progress: Called in the login's task with each phase. What it raises is logged and does no harm.
        record: Takes each line of the login's trace, which is safe to share (docs/replay.md); None for no trace.
        method: How the person signs in: in a browser that comes back to this machine, or anywhere with a device code.

    Returns:
        The login, to be entered. Entering raises `LoginFailed` if the callback port or the device code cannot be had,
        and `TrustError` if the configured certificate bundle is unusable.

    Raises:
        ValueError: A device code is wanted of a provider that has none.
    """
    return TrioLogin(options, store=store, on_progress=on_progress, record=record, method=method)


class Canceller:
    """A handle that can only cancel. Safe to use from any thread and from a signal handler."""

    def __init__(self, post: Callable[[events.Event], None]) -> None:
        self._post = post
        self._token = trio.lowlevel.current_trio_token()

    def cancel(self, reason: str = "cancelled by the caller") -> None:
        """End the login, unless its credentials are being stored already."""
        # After the end of the program's run the login is over too.
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._post, events.CancelRequested(reason=reason))


class TrioLogin:
    """A login that runs while its ``async with`` block does."""

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
        self._block: AbstractAsyncContextManager[None] | None = None

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
        and the login goes on. For tasks of the same run, not for other threads.

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

    async def wait(self) -> Credentials:
        """Wait for the outcome. May be called any number of times, by any number of tasks.

        Returns:
            The credentials, which are stored.

        Raises:
            LoginFailed: Or one of its subclasses `LoginCancelled` and `LoginTimedOut`.
        """
        if self._block is None:
            raise RuntimeError("the login is not running: use it in an async with statement")
        await self._owner.finished.wait()
        if self._owner.outcome is None:
            raise RuntimeError("the login driver has failed; this is a bug in it")
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
        return "the login is not running: use it in an async with statement"

    async def __aenter__(self) -> Self:
        if self._options.provider.token_endpoint.startswith("https:"):
            check_bundle()
        if self._block is not None:
            raise RuntimeError("a login can be entered only once")
        self._block = self._open()
        await self._block.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        assert self._block is not None
        return await self._block.__aexit__(exc_type, exc, traceback)

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        """Run the owner's task around the caller's block."""
        raised: BaseException | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._owner.run)
            try:
                await self._owner.ready.wait()
                if self._owner.auth_url is None and self._owner.device_code is None:
                    await self.wait()
                yield
            except BaseException as caught:  # noqa: BLE001 - raised again below: the nursery would wrap it in a group
                raised = caught
            if raised is not None:
                self._owner.hurry()
            if not self._owner.finished.is_set():
                self.cancel("the program left before the sign-in was over")
            interrupted = await self._owner.join()
        if interrupted is not None:
            raise interrupted
        if raised is not None:
            raise raised
