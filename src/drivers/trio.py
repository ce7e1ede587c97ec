"""The trio driver: performs a `LoginMachine`'s actions in tasks of its own.

One task owns the machine and reads one inbox; everything else (the listener, workers, the caller) posts events to it.
"""

from __future__ import annotations

import contextlib
import math
import threading
from typing import TYPE_CHECKING, Self, assert_never

import trio

from ..sansio import actions, events
from ..sansio.answers import Answer
from ..sansio.machine import LoginMachine
from ..sansio.options import LoginSecrets
from ..sansio.outcome import LoginSuccess
from ..sansio.progress import Listening
from .browser import open_url
from .errors import StoreError, TrustError, error_for
from .listeners import open_listeners, port_of
from .logs import warn
from .previous import cancel_previous
from .trust import check_bundle

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType

    from ..sansio.credentials import Credentials
    from ..sansio.options import LoginOptions
    from ..sansio.outcome import LoginOutcome
    from ..sansio.progress import LoginPhase
    from .store import CredentialStore
    from .trio_server import CallbackServer


def open_login(
    options: LoginOptions,
    *,
    store: CredentialStore,
    on_progress: Callable[[LoginPhase], None] | None = None,
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

    Returns:
        The login, to be entered. Entering raises `LoginFailed` if the callback port cannot be had, and `TrustError` if
        the configured certificate bundle is unusable.
    """
    return TrioLogin(options, store=store, on_progress=on_progress)


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
    ) -> None:
        self._options = options
        self._store = store
        self._on_progress = on_progress
        self._sender, self._inbox = trio.open_memory_channel[events.Event](math.inf)
        self._machine = LoginMachine(options, LoginSecrets.generate())
        self._block: AbstractAsyncContextManager[None] | None = None
        self._ready = trio.Event()
        """The port is bound, or the login is over already."""
        self._finished = trio.Event()
        self._outcome: LoginOutcome | None = None
        self._auth_url: str | None = None
        self._port: int | None = None
        # From here on: the owner's alone.
        self._timers: dict[actions.Timer, float] = {}
        """When each timer is up."""
        self._server: CallbackServer | None = None
        self._closed = False
        self._exchanges: dict[int, trio.CancelScope] = {}
        self._nursery: trio.Nursery | None = None
        self._closing = threading.Event()
        """Whatever can be given up should be."""

    # For the caller

    @property
    def auth_url(self) -> str:
        """The authorization request, for the person's browser. Holds this login's ``state``: show it to nobody else.

        Raises:
            RuntimeError: The login has not been entered.
        """
        if self._auth_url is None:
            raise RuntimeError("the login is not running: use it in an async with statement")
        return self._auth_url

    @property
    def port(self) -> int:
        """The callback port.

        Raises:
            RuntimeError: The login has not been entered.
        """
        if self._port is None:
            raise RuntimeError("the login is not running: use it in an async with statement")
        return self._port

    @property
    def outcome(self) -> LoginOutcome | None:
        """How it ended, account included; None until it has."""
        return self._outcome

    def cancel(self, reason: str = "cancelled by the caller") -> None:
        """End the login, unless its credentials are being stored already. Returns at once; `wait` tells what came."""
        self._post(events.CancelRequested(reason=reason))

    def canceller(self) -> Canceller:
        """A handle for others, that can only cancel."""
        return Canceller(self._post)

    async def wait(self) -> Credentials:
        """Wait for the outcome. May be called any number of times, by any number of tasks.

        Returns:
            The credentials, which are stored.

        Raises:
            LoginFailed: Or one of its subclasses `LoginCancelled` and `LoginTimedOut`.
        """
        if self._block is None:
            raise RuntimeError("the login is not running: use it in an async with statement")
        await self._finished.wait()
        if self._outcome is None:
            raise RuntimeError("the login driver has failed; this is a bug in it")
        failed = error_for(self._outcome)
        if failed is not None:
            raise failed
        assert isinstance(self._outcome, LoginSuccess)
        return self._outcome.credentials

    async def __aenter__(self) -> Self:
        if self._options.provider.token_endpoint.startswith("https:"):
            check_bundle()
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
            nursery.start_soon(self._run)
            try:
                await self._ready.wait()
                if self._auth_url is None:
                    await self.wait()
                yield
            except BaseException as caught:  # noqa: BLE001 - raised again below: the nursery would wrap it in a group
                raised = caught
            if not self._finished.is_set():
                self.cancel("the program left before the sign-in was over")
            # The nursery waits until everything is performed.
        if raised is not None:
            raise raised

    # The owner's task

    async def _run(self) -> None:
        # Shielded: whoever cancels from outside leaves the block, which cancels the login in its own way.
        with trio.CancelScope(shield=True):
            try:
                async with trio.open_nursery() as self._nursery:
                    self._post(events.Started())
                    while not self._closed:
                        event = await self._next_event()
                        for action in self._machine.handle(event):
                            self._perform(action)
                    self._release()
            finally:
                self._finished.set()
                self._ready.set()

    def _post(self, event: events.Event) -> None:
        self._sender.send_nowait(event)

    async def _next_event(self) -> events.Event:
        due = min(self._timers, key=self._timers.__getitem__, default=None)
        deadline = math.inf if due is None else self._timers[due]
        with trio.move_on_at(deadline):
            return await self._inbox.receive()
        assert due is not None
        del self._timers[due]
        return events.TimerFired(timer=due)

    def _perform(self, action: actions.Action) -> None:  # noqa: C901, PLR0912 - one arm an action
        match action:
            case actions.Bind(port=port):
                self._bind(port)
            case actions.CancelPrevious(port=port):
                self._spawn(self._cancel_previous, port)
            case actions.StartTimer(timer=timer, seconds=seconds):
                self._timers[timer] = trio.current_time() + seconds
            case actions.StopTimer(timer=timer):
                self._timers.pop(timer, None)
            case actions.OpenBrowser(url=url):
                self._spawn(self._open_browser, url)
            case actions.Respond(request_id=request_id, status=status, headers=headers, body=body):
                assert self._server is not None
                self._server.respond(request_id, Answer(status=status, headers=headers, body=body))
            case actions.SendTokenRequest(exchange_id=exchange_id):
                self._exchanges[exchange_id] = trio.CancelScope()
                self._spawn(self._exchange, action)
            case actions.AbortTokenRequest(exchange_id=exchange_id):
                self._exchanges[exchange_id].cancel()
            case actions.SaveCredentials(credentials=credentials):
                self._spawn(self._save, credentials)
            case actions.ReportProgress(phase=phase):
                self._report(phase)
            case actions.Finish(outcome=outcome):
                self._outcome = outcome
                self._finished.set()
                self._ready.set()
            case actions.CloseListener():
                self._closed = True
            case _:
                assert_never(action)

    def _bind(self, port: int) -> None:
        from .trio_server import CallbackServer  # noqa: PLC0415 - h11

        listeners = open_listeners(port, self._options.redirect_host)
        if isinstance(listeners, events.BindFailed):
            self._post(listeners)
            return
        self._port = port_of(listeners)
        self._server = CallbackServer(listeners, self._post)
        self._spawn(self._server.serve)
        self._post(events.Bound(port=self._port))

    def _report(self, phase: LoginPhase) -> None:
        try:
            if self._on_progress is not None:
                self._on_progress(phase)
        except Exception as error:  # noqa: BLE001 - the observer's trouble is not the login's
            warn(f"the progress observer raised {type(error).__name__} in phase {phase.name}")
        if isinstance(phase, Listening):
            self._auth_url = phase.url
            self._ready.set()
            self._spawn(self._preload)

    def _spawn(self, work: Callable[..., Awaitable[object]], *args: object) -> None:
        assert self._nursery is not None
        self._nursery.start_soon(work, *args)

    def _release(self) -> None:
        """Close everything. The owner's nursery waits for every task."""
        self._closing.set()
        if self._server is not None:
            self._server.close()

    # Workers: each posts what came of it

    async def _preload(self) -> None:
        """Load httpx, and make the TLS context, while the person is in the browser."""

        def load() -> None:
            from .token_client import client_settings  # noqa: PLC0415

            with contextlib.suppress(TrustError):
                client_settings(self._options.provider.token_endpoint)

        await trio.to_thread.run_sync(load)

    async def _cancel_previous(self, port: int) -> None:
        self._post(events.PreviousCancelled(accepted=await trio.to_thread.run_sync(cancel_previous, port)))

    async def _open_browser(self, url: str) -> None:
        problem = await trio.to_thread.run_sync(open_url, url, self._closing)
        self._post(events.BrowserOpened() if problem is None else events.BrowserFailed(message=problem))

    async def _save(self, credentials: Credentials) -> None:
        problem = ""
        try:
            await trio.to_thread.run_sync(self._store.save, credentials)
        except StoreError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - a host's own store: its words may hold anything
            problem = f"the store raised {type(error).__name__}"
        self._post(events.SaveFailed(message=problem) if problem else events.CredentialsSaved())

    async def _exchange(self, request: actions.SendTokenRequest) -> None:
        from .trio_token_client import send  # noqa: PLC0415

        with self._exchanges[request.exchange_id]:
            self._post(await send(request))
