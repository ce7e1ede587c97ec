"""The trio driver: performs a `LoginMachine`'s actions in tasks of its own.

One task owns the machine and reads one inbox. All other tasks (the listener, the workers, the caller) post events to
the inbox.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NoReturn, Self

import trio

from ...sansio.login import events
from ...sansio.model.options import LoginMethod
from ..shared.handle import LEFT, LoginHandle, login_store_of
from ..shared.hosts import TRIO, check_host
from .owner import Owner
from .threads import in_thread_or_here

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.options import LoginOptions
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

    The block may be cancelled from outside at any point. The login is then cancelled and cleaned up, which takes at
    most as long as sending the last pages, and `trio.Cancelled` propagates.

    Args:
        options: The options of the login: its provider, time limit, ports.
        store: Where the credentials are saved. Called in a worker thread.
        on_progress: Called with each phase, in the login's task. An exception from it is logged, and the login
            continues. After another `BaseException`, such as `SystemExit`, the login is cancelled, unless its
            credentials are being stored already; `wait` or the end of the block then raises that exception.
        record: Called with each line of the login's trace, which is safe to share (docs/replay.md). None for no trace.
            An exception from it ends the trace. Another `BaseException` has the same effect as one from `on_progress`.
        method: How the person signs in: in a browser that calls back to this machine, or with a device code on any
            machine.

    Returns:
        The login, an asynchronous context manager. Entering it raises `LoginFailed` if the callback port cannot be
        bound, if the provider issues no device code, or if the store holds the credentials of another provider;
        `TrustError` or `ProxyError` if the configured certificate bundle or proxy is unusable; and `StoreError` if the
        store already knows that credentials cannot be saved.

    Raises:
        ValueError: The method is a device code, and the provider has none.
        RuntimeError: Raised on entering: trio does not run. With asyncio use `asyncio_open_login`.
    """
    return make_login(options, store=store, on_progress=on_progress, record=record, method=method)


class Canceller:
    """A handle that can only cancel its login. Safe to use from any thread and from a signal handler."""

    def __init__(self, post: Callable[[events.Event], None]) -> None:
        self._post = post
        self._token = trio.lowlevel.current_trio_token()

    def cancel(self, reason: str = "cancelled by the caller") -> None:
        """End the login, unless its credentials are being stored already.

        Args:
            reason: Why, for the outcome's message.
        """
        # When trio's run has finished, the login has ended too.
        with contextlib.suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._post, events.CancelRequested(reason=reason))


class TrioLogin(LoginHandle):
    """A login that runs while its ``async with`` block does."""

    _not_running = "the login is not running: use it in an async with statement"
    _owner: Owner

    def __init__(
        self,
        options: LoginOptions,
        *,
        store: CredentialStore,
        on_progress: Callable[[LoginPhase], None] | None,
        record: Callable[[str], object] | None,
        method: LoginMethod,
    ) -> None:
        super().__init__(options, method)
        self._store = login_store_of(store, options.provider)
        self._owner = Owner(options, store=self._store, on_progress=on_progress, record=record, method=method)
        self._block: AbstractAsyncContextManager[None] | None = None

    def paste(self, text: str) -> None:
        """Finish the login with the address that the person's browser ended on, for example on another machine.

        Returns at once. A wrong address is reported as the phase `PasteRefused`, and the login continues. For tasks of
        the same run, not for other threads.

        Args:
            text: The address as it was pasted.

        Raises:
            RuntimeError: The login has not been entered, or has a device code instead.
        """
        if self._owner.auth_url is None:
            raise RuntimeError(self._why_not())
        self._owner.post(events.CallbackPasted(text=text))

    def canceller(self) -> Canceller:
        """Return a handle for other threads and signal handlers, which can only cancel."""
        return Canceller(self._owner.post)

    async def wait(self) -> Credentials:
        """Wait until the login ends. May be called any number of times, by any number of tasks.

        Returns:
            The credentials, which are stored.

        Raises:
            LoginFailed: Or one of its subclasses `LoginCancelled` and `LoginTimedOut`. Its ``__cause__`` is what the
                store raised, if that is no `Exception`.
            RuntimeError: The login has not been entered.
            BaseException: What `on_progress` or `record` raised, if that is no `Exception`.
        """
        if not self._entered:
            raise RuntimeError(self._not_running)
        await self._owner.finished.wait()
        self._raise_passed_on()
        if self._owner.outcome is None:
            raise RuntimeError("the login driver has failed; this is a bug in it")
        return self._credentials(self._owner.outcome)

    async def __aenter__(self) -> Self:
        check_host(TRIO, "login")
        if hasattr(self._store, "check") or hasattr(self._store, "load"):
            # In a thread, because a keyring may ask the person to unlock it.
            limiter = trio.CapacityLimiter(1)
            await in_thread_or_here(limiter, self._check_store, self._store, abandon_on_cancel=True)
        self._check_before_entering()
        self._block = self._open()
        await self._block.__aenter__()
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        assert self._block is not None
        return await self._block.__aexit__(exc_type, exc, traceback)

    def __enter__(self) -> NoReturn:
        raise TypeError("open_login is for trio: use it in an async with statement, or use start_login")

    def __exit__(self, *_: object) -> None:
        """Python looks for this method before it calls `__enter__`."""

    @contextlib.asynccontextmanager
    async def _open(self) -> AsyncIterator[None]:
        """Run the owner's task around the caller's block."""
        raised: BaseException | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._owner.run)
            try:
                await self._owner.ready.wait()
                if not self._is_ready():
                    await self.wait()
                yield
            except BaseException as caught:  # noqa: BLE001 - raised again below: the nursery would wrap it in a group
                raised = caught
            if raised is not None:
                self._owner.abandon_revocation()
            if not self._owner.finished.is_set():
                self.cancel(LEFT)
            interrupted = await self._owner.join()
        if interrupted is not None:
            raise interrupted
        if raised is not None:
            raise raised
        if not self._has_passed_on:
            self._raise_passed_on()


make_login: Callable[..., TrioLogin] = TrioLogin
"""Makes the logins of `open_login`. `loginmachine.testing.playing` puts another function here."""
