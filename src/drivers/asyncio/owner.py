"""The task that owns a login's machine. All other tasks post events to its inbox."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, assert_never

from ...sansio.callback.responses import Response
from ...sansio.login import actions, events
from ...sansio.login.progress import DeviceCodeShown, Listening
from ...sansio.oauth.revocation import NOT_AWAITED, read_revocation
from ..callback.listeners import open_listeners, port_of
from ..callback.previous_login import cancel_previous
from ..errors import NO_THREAD
from ..logging import warn
from ..shared.callback_reports import CallbackReports, report
from ..shared.handle import LEFT, LoginOwner, new_machine
from ..shared.token_events import token_event
from ..stores.protocols import save
from ..system.browser import open_url
from .tasks import CancelScope, finished, hide, move_on_after, start_shielded
from .threads import NoThread, in_thread, in_thread_or_here

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Any, TypeVar, TypeVarTuple

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
        self.ready = asyncio.Event()
        """Set when the port is bound, when the device code is issued, or when the login has ended."""
        self.finished = asyncio.Event()
        self._options = options
        self._method = method
        self._store = store
        self._on_progress = on_progress
        self._inbox: asyncio.Queue[events.Event] = asyncio.Queue()
        self._machine = new_machine(options, record, "asyncio", self._pass_on)
        self._callbacks = CallbackReports(self._machine, self._report)
        self._timers: dict[actions.Timer, float] = {}
        """When each timer runs out."""
        self._server: CallbackServer | None = None
        self._closed = False
        self._exchanges: dict[int, CancelScope] = {}
        self._client: HttpClient | None = None
        self._tasks: asyncio.TaskGroup | None = None
        self._revocation = CancelScope()
        """Around the revocation, which is abandoned when the program wants to go on."""
        self._closing = threading.Event()
        """Set when workers should stop what can be stopped."""

    def post(self, event: events.Event) -> None:
        """Put an event into the inbox. Never blocks; for tasks, not for other threads."""
        if isinstance(event, events.CancelRequested):
            self.abandon_revocation()
        self._inbox.put_nowait(event)

    def abandon_revocation(self) -> None:
        """Stop waiting for the revocation, if one is running."""
        self._revocation.cancel()

    async def run(self) -> None:
        """Run the login until every action is performed and every task has ended."""
        # Shielded: a cancellation from outside, as at the end of the event loop, cancels the login.
        tasks = start_shielded(self._run_tasks())
        try:
            await finished(tasks, lambda: self.post(events.CancelRequested(reason=LEFT)))
            crash = tasks.exception()
            if isinstance(crash, Exception):
                raise crash
            # An interrupt goes to the caller's task.
            self.passed_on = self.passed_on or crash
        finally:
            self.finished.set()
            self.ready.set()

    async def _run_tasks(self) -> None:
        try:
            async with asyncio.TaskGroup() as self._tasks:
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

    async def _next_event(self) -> events.Event:
        due = min(self._timers, key=self._timers.__getitem__, default=None)
        if due is None:
            return await self._inbox.get()
        async with move_on_after(self._timers[due] - _now()):
            return await self._inbox.get()
        del self._timers[due]
        return events.TimerFired(timer=due)

    def _perform(self, action: actions.Action) -> None:  # noqa: C901, PLR0912 - one arm an action
        match action:
            case actions.Bind(port=port):
                self._bind(port)
            case actions.CancelPrevious(port=port):
                self._spawn(self._cancel_previous, port)
            case actions.StartTimer(timer=timer, seconds=seconds):
                self._timers[timer] = _now() + seconds
            case actions.StopTimer(timer=timer):
                self._timers.pop(timer, None)
            case actions.OpenBrowser(url=url):
                self._spawn(self._open_browser, url)
            case actions.Respond(request_id=request_id, status=status, headers=headers, body=body):
                assert self._server is not None
                self._server.respond(request_id, Response(status=status, headers=headers, body=body))
            case actions.SendTokenRequest(exchange_id=exchange_id):
                self._exchanges[exchange_id] = CancelScope()
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

    def _spawn(self, work: Callable[..., Coroutine[Any, Any, object]], *args: object) -> None:
        assert self._tasks is not None
        hide(self._tasks.create_task(work(*args)))

    def _release(self) -> None:
        """Close everything. The group of tasks waits for every task."""
        self._closing.set()
        if self._server is not None:
            self._server.close()

    async def _in_thread(
        self, work: Callable[[*Arguments], Result], *args: *Arguments, otherwise: Other
    ) -> Result | Other:
        """Do work that may block in a thread. If the system has no thread left, return ``otherwise``."""
        try:
            return await in_thread(work, *args)
        except NoThread:
            return otherwise

    # Workers: each posts its result

    async def _preload(self) -> None:
        """Load httpx, and make the TLS context, while the person is in the browser."""

        def load() -> None:
            # What cannot be loaded now, for want of a descriptor perhaps, is loaded when it is needed.
            with contextlib.suppress(Exception):
                from ..http.client import client_settings, warm_up  # noqa: PLC0415
                from ..shared.preloading import load_for_callback  # noqa: PLC0415
                from . import http_client  # noqa: PLC0415

                load_for_callback()
                http_client.load_backend()
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
        self.post(await in_thread_or_here(save, self._store, credentials, self._keep_error))

    async def _save_registration(self, registration: Registration) -> None:
        from ..shared.registrations import save_registration  # noqa: PLC0415 - few logins register a client

        self.post(await in_thread_or_here(save_registration, self._store, registration))

    async def _exchange(self, request: actions.SendTokenRequest) -> None:
        from .http_client import HttpClient  # noqa: PLC0415

        if self._client is None:
            self._client = HttpClient()
        async with self._exchanges[request.exchange_id]:
            self.post(token_event(request.exchange_id, await self._client.send(request)))

    async def _revoke(self, request: actions.RevokeToken) -> None:
        from .http_client import send  # noqa: PLC0415

        problem = read_revocation(request, NOT_AWAITED)
        async with self._revocation:
            problem = read_revocation(request, await send(request))
        if problem:
            warn(f"the tokens of the previous sign-in could not be revoked: {problem}")


def _now() -> float:
    return asyncio.get_running_loop().time()
