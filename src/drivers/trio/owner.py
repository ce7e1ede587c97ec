"""The task that owns a login's machine. All other tasks post events to its inbox."""

from __future__ import annotations

import contextlib
import math
import threading
from typing import TYPE_CHECKING, assert_never

import trio

from ...sansio.callback.responses import Response
from ...sansio.login import actions, events
from ...sansio.login.progress import DeviceCodeShown, Listening
from ...sansio.oauth.revocation import NOT_AWAITED, read_revocation
from ..callback.listeners import open_listeners, port_of
from ..callback.previous_login import cancel_previous
from ..errors import NO_THREAD
from ..logging import warn
from ..shared.callback_reports import CallbackReports, report
from ..shared.handle import LoginOwner, new_machine
from ..shared.token_events import token_event
from ..stores.protocols import save
from ..system.browser import open_url
from .threads import in_thread_or_here

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar, TypeVarTuple

    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.options import LoginMethod, LoginOptions
    from ...sansio.server.registration import Registration
    from ..stores.protocols import CredentialStore
    from .callback_server import CallbackServer
    from .http_client import HttpClient

    Result = TypeVar("Result")
    Other = TypeVar("Other")
    Arguments = TypeVarTuple("Arguments")


class Owner(LoginOwner):
    """Performs the machine's actions, and posts their results as events."""

    def __init__(
        self,
        options: LoginOptions,
        *,
        store: CredentialStore,
        on_progress: Callable[[LoginPhase], None] | None,
        record: Callable[[str], object] | None,
        method: LoginMethod,
    ) -> None:
        self.ready = trio.Event()
        """Set when the port is bound, when the device code is issued, or when the login has ended."""
        self.finished = trio.Event()
        self._ended = trio.Event()
        self._options = options
        self._method = method
        self._store = store
        self._on_progress = on_progress
        self._sender, self._inbox = trio.open_memory_channel[events.Event](math.inf)
        self._machine = new_machine(options, record, "trio", self._pass_on)
        self._callbacks = CallbackReports(self._machine, self._report)
        self._timers: dict[actions.Timer, float] = {}
        """When each timer runs out."""
        self._server: CallbackServer | None = None
        self._closed = False
        self._exchanges: dict[int, trio.CancelScope] = {}
        self._client: HttpClient | None = None
        self._nursery: trio.Nursery | None = None
        self._limiter = trio.CapacityLimiter(math.inf)
        """Of its own, so that this login's threads and those of the program do not wait for each other."""
        self._revocation = trio.CancelScope()
        """Around the revocation, which is abandoned when the program wants to go on."""
        self._closing = threading.Event()
        """Set when workers should stop what can be stopped."""

    def post(self, event: events.Event) -> None:
        """Put an event into the inbox. Never blocks; for tasks, not for other threads."""
        if isinstance(event, events.CancelRequested):
            self.abandon_revocation()
        self._sender.send_nowait(event)

    def abandon_revocation(self) -> None:
        """Stop waiting for the revocation, if one is running."""
        self._revocation.cancel()

    async def run(self) -> None:
        """Run the login until every action is performed and every task has ended."""
        # Shielded: a cancellation from outside ends the caller's block, and leaving the block cancels the login.
        with trio.CancelScope(shield=True):
            try:
                await self._run_tasks()
            finally:
                self.finished.set()
                self.ready.set()
                self._ended.set()

    async def _run_tasks(self) -> None:
        try:
            async with trio.open_nursery() as self._nursery:
                try:
                    self.post(self.started or events.Started(method=self._method))
                    while not self._closed:
                        event = await self._next_event()
                        self._callbacks.note(event)
                        for action in self._machine.handle(event):
                            self._perform(action)
                finally:
                    self._release()
        finally:
            # Here, because an interrupt between two requests leaves the connection open.
            if self._client is not None:
                await self._client.aclose()

    async def join(self) -> KeyboardInterrupt | None:
        """Wait until every action is performed and every task has ended. A cancellation does not end the wait.

        Returns:
            A `KeyboardInterrupt` that came during the wait. It is not raised at once, because that would leave tasks
            behind.
        """
        interrupted: KeyboardInterrupt | None = None
        while not self._ended.is_set():
            try:
                with trio.CancelScope(shield=True):
                    await self._ended.wait()
            except KeyboardInterrupt as caught:
                interrupted = caught
                self.abandon_revocation()
        return interrupted

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
                self._server.respond(request_id, Response(status=status, headers=headers, body=body))
            case actions.SendTokenRequest(exchange_id=exchange_id):
                self._exchanges[exchange_id] = trio.CancelScope()
                self._spawn(self._exchange, action)
            case actions.AbortTokenRequest(exchange_id=exchange_id):
                self._exchanges[exchange_id].cancel()
            case actions.SaveCredentials(credentials=credentials):
                self._spawn(self._save, credentials)
            case actions.SaveRegistration(registration=registration):
                self._spawn(self._save_registration, registration)
            case actions.ReportProgress(phase=phase):
                self._report(phase)
            case actions.Finish(outcome=outcome):
                self.outcome = outcome
                self.finished.set()
                self.ready.set()
            case actions.RevokeToken():
                self._spawn(self._revoke, action)
            case actions.CloseListener():
                self._closed = True
            case _:
                assert_never(action)

    def _bind(self, port: int) -> None:
        try:
            from .callback_server import CallbackServer  # noqa: PLC0415 - h11
        except (ImportError, OSError) as error:
            # No descriptor is left to load it.
            message = getattr(error, "strerror", None) or type(error).__name__
            self.post(events.BindFailed(kind=events.BindProblem.OTHER, message=message))
            return
        listeners = open_listeners(port, self._options.redirect_host, self._options.listen_address)
        if isinstance(listeners, events.BindFailed):
            self.post(listeners)
            return
        self.port = port_of(listeners)
        self._server = CallbackServer(listeners, self.post, self._machine.asks_for_sender)
        self._spawn(self._server.serve)
        self.post(events.Bound(port=self.port))

    def _report(self, phase: LoginPhase) -> None:
        report(phase, self._on_progress, self._pass_on)
        if isinstance(phase, DeviceCodeShown):
            self.device_code = self._machine.device_code
            self.ready.set()
        if isinstance(phase, Listening):
            self.auth_url = phase.url
            self.ready.set()
            self._spawn(self._preload)

    def _spawn(self, work: Callable[..., Awaitable[object]], *args: object) -> None:
        assert self._nursery is not None
        self._nursery.start_soon(work, *args)

    def _release(self) -> None:
        """Close everything. The nursery waits for every task."""
        self._closing.set()
        if self._server is not None:
            self._server.close()

    async def _in_thread(
        self, work: Callable[[*Arguments], Result], *args: *Arguments, otherwise: Other
    ) -> Result | Other:
        """Do work that may block in a thread. If the system has no thread left, return ``otherwise``."""
        try:
            return await trio.to_thread.run_sync(work, *args, limiter=self._limiter)
        except RuntimeError:
            return otherwise

    # Workers: each posts its result

    async def _preload(self) -> None:
        """Load httpx, and make the TLS context, while the person is in the browser."""

        def load() -> None:
            # What cannot be loaded now, for want of a descriptor perhaps, is loaded when it is needed.
            with contextlib.suppress(Exception):
                from ..http.client import client_settings, warm_up  # noqa: PLC0415
                from ..shared.preloading import load_for_callback  # noqa: PLC0415
                from . import http_client  # noqa: F401, PLC0415 - for the effect of loading it

                load_for_callback()
                client_settings(self._options.provider.token_endpoint or self._options.provider.origin)
                warm_up()

        # In a thread, because loading takes some 30 ms, in which no other task could run.
        await self._in_thread(load, otherwise=None)

    async def _cancel_previous(self, port: int) -> None:
        accepted = await self._in_thread(cancel_previous, port, otherwise=False)
        self.post(events.PreviousCancelled(accepted=accepted))

    async def _open_browser(self, url: str) -> None:
        problem = await self._in_thread(open_url, url, self._closing, otherwise=NO_THREAD)
        self.post(events.BrowserOpened() if problem is None else events.BrowserFailed(message=problem))

    async def _save(self, credentials: Credentials) -> None:
        # A code works once, so that these credentials cannot be requested again.
        self.post(await in_thread_or_here(self._limiter, save, self._store, credentials, self._keep_error))

    async def _save_registration(self, registration: Registration) -> None:
        from ..shared.registrations import save_registration  # noqa: PLC0415 - few logins register a client

        self.post(await in_thread_or_here(self._limiter, save_registration, self._store, registration))

    async def _exchange(self, request: actions.SendTokenRequest) -> None:
        from .http_client import HttpClient  # noqa: PLC0415

        if self._client is None:
            self._client = HttpClient(self._limiter)
        with self._exchanges[request.exchange_id]:
            self.post(token_event(request.exchange_id, await self._client.send(request)))

    async def _revoke(self, request: actions.RevokeToken) -> None:
        from .http_client import send  # noqa: PLC0415

        problem = read_revocation(request, NOT_AWAITED)
        with self._revocation:
            problem = read_revocation(request, await send(request, self._limiter))
        if problem:
            warn(f"the tokens of the previous sign-in could not be revoked: {problem}")
