"""The threaded driver: performs a `LoginMachine`'s actions with blocking calls in threads.

One thread owns the machine and reads one inbox. All other threads (the listener, the workers, the caller) post events
to the inbox.
"""

from __future__ import annotations

from ...sansio.login import events
from ...sansio.model.options import LoginMethod
from ..shared.handle import LoginHandle, login_store_of
from ..waiting import wait_for
from .owner import Owner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import NoReturn, Self

    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.options import LoginOptions
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

    In a program with an event loop this blocks the loop: call it in a thread there, or use the login of that loop.

    Args:
        options: The options of the login: its provider, time limit, ports.
        store: Where the credentials are saved. Called in a worker thread.
        on_progress: Called with each phase, in a thread of the login. An exception from it is logged, and the login
            continues. After another `BaseException`, such as `SystemExit`, the login is cancelled, unless its
            credentials are being stored already; `wait` or the end of the block then raises that exception.
        record: Called with each line of the login's trace, which is safe to share (docs/replay.md). None for no trace.
            An exception from it ends the trace. Another `BaseException` has the same effect as one from `on_progress`.
        method: How the person signs in: in a browser that calls back to this machine, or with a device code on any
            machine.

    Returns:
        The login, a context manager. Entering it raises `LoginFailed` if the callback port cannot be bound or the
        provider issues no device code, or if the store holds the credentials of another provider; `TrustError` or
        `ProxyError` if the configured certificate bundle or proxy is unusable; `StoreError` if the store already knows
        that credentials cannot be saved; and `RuntimeError` if the system has no thread left.

    Raises:
        ValueError: The method is a device code, and the provider has none.
    """
    return make_login(options, store=store, on_progress=on_progress, record=record, method=method)


class Canceller:
    """A handle that can only cancel its login. Safe to use from any thread and from a signal handler."""

    def __init__(self, post: Callable[[events.Event], None]) -> None:
        self._post = post

    def cancel(self, reason: str = "cancelled by the caller") -> None:
        """End the login, unless its credentials are being stored already.

        Args:
            reason: Why, for the outcome's message.
        """
        self._post(events.CancelRequested(reason=reason))


class ThreadedLogin(LoginHandle):
    """A login that runs while its ``with`` block does."""

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

    def paste(self, text: str) -> None:
        """Finish the login with the address that the person's browser ended on, for example on another machine.

        Returns at once. A wrong address is reported as the phase `PasteRefused`, and the login continues. Safe to use
        from any thread.

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

    def wait(self, timeout: float | None = None) -> Credentials:
        """Wait until the login ends. May be called any number of times.

        Args:
            timeout: Seconds to wait at most. The login continues afterwards. None for no limit but the login's own.

        Returns:
            The credentials, which are stored.

        Raises:
            LoginFailed: Or one of its subclasses `LoginCancelled` and `LoginTimedOut`. Its ``__cause__`` is what the
                store raised, if that is no `Exception`.
            TimeoutError: The login is still running after `timeout` seconds.
            RuntimeError: The login has not been entered.
            BaseException: What `on_progress` or `record` raised, if that is no `Exception`.
        """
        if not self._entered:
            raise RuntimeError(self._not_running)
        if not self._owner.finished.is_set():
            self._owner.inbox.use(self)
            self._owner.preload()
        if not wait_for(self._owner.finished, timeout):
            raise TimeoutError("the login is still running")
        self._raise_passed_on()
        if self._owner.background.error is not None:
            raise self._owner.background.error
        if self._owner.crash is not None:
            raise RuntimeError("the login driver has failed; this is a bug in it") from self._owner.crash
        assert self._owner.outcome is not None
        return self._credentials(self._owner.outcome)

    # An exception of a signal handler may be raised at any line. `give_up` is one call that cannot be interrupted; once
    # it is done, the login ends even if a second exception ends the wait for it.

    def __enter__(self) -> Self:
        self._check_store(self._store)
        self._check_before_entering()
        try:
            self._owner.inbox.use(self)
            self._owner.background.start()
            wait_for(self._owner.ready)
            if not self._is_ready():
                self.wait()
            return self  # noqa: TRY300 - an interrupt of this line counts too
        except BaseException:
            self._owner.give_up()
            self._owner.background.wait()
            raise

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if exc_type is not None:
                self._owner.abandon_revocation()
            if not self._owner.finished.is_set():
                self._owner.give_up()
            self._owner.background.wait()
        except BaseException:
            # An interrupt. If it came during the wait, the wait is over, and this is too late and harmless.
            self._owner.give_up()
            self._owner.abandon_revocation()
            self._owner.background.wait()
            raise
        if exc_type is None and not self._has_passed_on:
            self._raise_passed_on()

    async def __aenter__(self) -> NoReturn:
        from ..shared.hosts import running_host  # noqa: PLC0415 - for the error only

        host = running_host()
        raise TypeError(
            f"start_login is for threads: use it in a with statement, or with {host.word} use {host.login} in an async "
            "with statement"
        )

    async def __aexit__(self, *_: object) -> None:
        """Python looks for this method before it calls `__aenter__`."""


make_login: Callable[..., ThreadedLogin] = ThreadedLogin
"""Makes the logins of `start_login`. `loginmachine.testing.playing` puts another function here."""
