"""The task that owns a login's machine, and the workers that do what takes time.

One inbox; everything else (the listener, workers, the caller) posts events to it.
"""

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
from ..stores.protocols import save
from ..system.browser import open_url
from ..traces.recording import new_machine

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar, TypeVarTuple

    from ...sansio.login.outcome import LoginOutcome
    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.options import LoginMethod, LoginOptions
    from ...sansio.oauth.device_code import DeviceCode
    from ..stores.protocols import CredentialStore
    from .callback_server import CallbackServer
    from .http_client import TokenClient

    Result = TypeVar("Result")
    Other = TypeVar("Other")
    Arguments = TypeVarTuple("Arguments")


class Owner:
    """Performs the machine's actions, and tells it what came of them."""

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
        """The port is bound, the device code is there, or the login is over already."""
        self.finished = trio.Event()
        self.outcome: LoginOutcome | None = None
        self.auth_url: str | None = None
        self.port: int | None = None
        self.device_code: DeviceCode | None = None
        self._ended = trio.Event()
        self._options = options
        self._method = method
        self._store = store
        self._on_progress = on_progress
        self._sender, self._inbox = trio.open_memory_channel[events.Event](math.inf)
        self._machine = new_machine(options, record)
        self._timers: dict[actions.Timer, float] = {}
        """When each timer is up."""
        self._server: CallbackServer | None = None
        self._closed = False
        self._exchanges: dict[int, trio.CancelScope] = {}
        self._client: TokenClient | None = None
        self._nursery: trio.Nursery | None = None
        self._limiter = trio.CapacityLimiter(math.inf)
        """Our threads neither wait for those of the host and of other logins, nor keep them waiting."""
        self._revocation = trio.CancelScope()
        """Around what is given up in a hurry."""
        self._closing = threading.Event()
        """Whatever can be given up should be."""

    def post(self, event: events.Event) -> None:
        """Put an event into the inbox. Never blocks; for tasks, not for other threads."""
        if isinstance(event, events.CancelRequested):
            self.hurry()
        self._sender.send_nowait(event)

    def hurry(self) -> None:
        """Give up what nobody's result depends on."""
        self._revocation.cancel()

    async def run(self) -> None:
        """Run the login until everything is performed, closed and ended."""
        # Shielded: whoever cancels from outside leaves the block, which cancels the login in its own way.
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
                    self.post(events.Started(method=self._method))
                    while not self._closed:
                        event = await self._next_event()
                        for action in self._machine.handle(event):
                            self._perform(action)
                finally:
                    self._release()
        finally:
            # Also after an interrupt, which leaves the connection open between two requests.
            if self._client is not None:
                await self._client.aclose()

    async def join(self) -> KeyboardInterrupt | None:
        """Wait until everything is performed, closed and ended, whoever cancels.

        Returns:
            An interrupt that came meanwhile: raised at once, it would have left tasks behind.
        """
        interrupted: KeyboardInterrupt | None = None
        while not self._ended.is_set():
            try:
                with trio.CancelScope(shield=True):
                    await self._ended.wait()
            except KeyboardInterrupt as caught:
                interrupted = caught
                self.hurry()
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
        from .callback_server import CallbackServer  # noqa: PLC0415 - h11

        listeners = open_listeners(port, self._options.redirect_host)
        if isinstance(listeners, events.BindFailed):
            self.post(listeners)
            return
        self.port = port_of(listeners)
        self._server = CallbackServer(listeners, self.post)
        self._spawn(self._server.serve)
        self.post(events.Bound(port=self.port))

    def _report(self, phase: LoginPhase) -> None:
        try:
            if self._on_progress is not None:
                self._on_progress(phase)
        except Exception as error:  # noqa: BLE001 - the observer's trouble is not the login's
            warn(f"the progress observer raised {type(error).__name__} in phase {phase.name}")
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
        """Close everything. The owner's nursery waits for every task."""
        self._closing.set()
        if self._server is not None:
            self._server.close()

    async def _in_thread(
        self, work: Callable[[*Arguments], Result], *args: *Arguments, otherwise: Other
    ) -> Result | Other:
        """Do in a thread what may block. If the system has none left, say what is to be made of that."""
        try:
            return await trio.to_thread.run_sync(work, *args, limiter=self._limiter)
        except RuntimeError:
            return otherwise

    # Workers: each posts what came of it

    async def _preload(self) -> None:
        """Load httpx, and make the TLS context, while the person is in the browser."""

        def load() -> None:
            # (In a thread: loading takes some 30 ms, in which the whole program would stand still.) What fails now, for
            # want of a descriptor perhaps, may work when it is needed: `send` will tell.
            with contextlib.suppress(Exception):
                import html  # noqa: F401, PLC0415 - for the effect of loading it

                from ..http.client import client_settings, rehearse  # noqa: PLC0415
                from . import http_client as trio_token_client  # noqa: F401, PLC0415 - as above

                client_settings(self._options.provider.token_endpoint)
                rehearse()

        await self._in_thread(load, otherwise=None)

    async def _cancel_previous(self, port: int) -> None:
        accepted = await self._in_thread(cancel_previous, port, otherwise=False)
        self.post(events.PreviousCancelled(accepted=accepted))

    async def _open_browser(self, url: str) -> None:
        problem = await self._in_thread(open_url, url, self._closing, otherwise=NO_THREAD)
        self.post(events.BrowserOpened() if problem is None else events.BrowserFailed(message=problem))

    async def _save(self, credentials: Credentials) -> None:
        failed = events.SaveFailed(message=NO_THREAD)
        self.post(await self._in_thread(save, self._store, credentials, otherwise=failed))

    async def _exchange(self, request: actions.SendTokenRequest) -> None:
        from .http_client import TokenClient  # noqa: PLC0415

        if self._client is None:
            self._client = TokenClient(self._limiter)
        with self._exchanges[request.exchange_id]:
            self.post(await self._client.send(request))

    async def _revoke(self, order: actions.RevokeToken) -> None:
        from .http_client import send  # noqa: PLC0415

        problem = read_revocation(order, NOT_AWAITED)
        with self._revocation:
            problem = read_revocation(
                order, await send(actions.SendTokenRequest(exchange_id=0, **order.values()), self._limiter)
            )
        if problem:
            warn(f"the tokens of the sign-in before could not be revoked: {problem}")
