"""The thread that owns a login's machine, and the workers that do what may block.

One inbox; everything else (the listener, workers, the caller) posts events to it.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time

from ...sansio.base.http import TransportProblem
from ...sansio.callback.responses import Response
from ...sansio.login import actions, events
from ...sansio.login.progress import DeviceCodeShown, Listening
from ..callback.listeners import open_listeners, port_of
from ..errors import NO_THREAD
from ..logging import warn
from ..traces.recording import new_machine
from ..waiting import SLICE
from .callback_server import CallbackServer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.login.outcome import LoginOutcome
    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.options import LoginMethod, LoginOptions
    from ...sansio.oauth.device_code import DeviceCode
    from ..http.client import BlockingTokenClient
    from ..stores.protocols import CredentialStore
    from .revocation import Revocation

_ABANDON_AFTER = 1.0
"""Seconds to wait for an aborted token request. Name resolution and connecting cannot be interrupted: such a thread
ends by itself within the request's time-out, and sends nothing any more."""


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
        self.ready = threading.Event()
        """The port is bound, the device code is there, or the login is over already."""
        self.finished = threading.Event()
        self.outcome: LoginOutcome | None = None
        self.crash: BaseException | None = None
        self.auth_url: str | None = None
        self.port: int | None = None
        self.device_code: DeviceCode | None = None
        self._options = options
        self._method = method
        self._store = store
        self._on_progress = on_progress
        self._inbox: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
        self._machine = new_machine(options, record)
        self._thread = threading.Thread(target=self._run, name="loginmachine-owner")
        self._timers: dict[actions.Timer | int, float] = {}
        """When each timer, and the time for each token request, is up."""
        self._server: CallbackServer | None = None
        self._closed = False
        self._workers: list[threading.Thread] = []
        self._closing = threading.Event()
        """Whatever can be given up should be."""
        self._lock = threading.Lock()
        """For what the caller's thread also touches: the list of workers, and the token client."""
        self._preloaded = False
        self._client: BlockingTokenClient | None = None
        self._revocation: Revocation | None = None
        self._hurried = False
        """Nobody wants to wait for what changes nothing any more."""
        self._aborted: list[BlockingTokenClient] = []
        """Those that are still to be closed, when their threads have ended."""

    # For any thread

    def post(self, event: events.Event) -> None:
        """Put an event into the inbox. Never blocks; safe in a signal handler."""
        if isinstance(event, events.CancelRequested):
            self.hurry()
        self._inbox.put(event)

    def hurry(self) -> None:
        """Give up what nobody's result depends on. Never blocks; safe in a signal handler."""
        self._hurried = True

    def start(self) -> None:
        """Begin the login."""
        self._thread.start()

    def join(self) -> None:
        """Wait until everything is performed, closed and ended.

        Raises:
            KeyboardInterrupt: It came meanwhile. Leaving at once would have left threads behind.
        """
        interrupted: KeyboardInterrupt | None = None
        while self._thread.is_alive():
            try:
                self._thread.join(SLICE)
            except KeyboardInterrupt as caught:
                interrupted = caught
                self.hurry()
        if interrupted is not None:
            raise interrupted

    def preload(self) -> None:
        """Load h11 and httpx, and make the TLS context, while the person is in the browser."""
        with self._lock:
            if self._preloaded or self._closing.is_set():
                return
            self._preloaded = True
            self._spawn(self._load)

    # The thread itself

    def _run(self) -> None:
        try:
            self.post(events.Started(method=self._method))
            while not self._closed:
                event = self._next_event()
                for action in self._machine.handle(event):
                    self._perform(action)
        except BaseException as crash:  # noqa: BLE001 - the caller must not wait for ever
            self.crash = crash
        finally:
            try:
                self._release()
            finally:
                self.finished.set()
                self.ready.set()

    def _next_event(self) -> events.Event:
        while True:
            due = min(self._timers, key=self._timers.__getitem__, default=None)
            remaining = None if due is None else self._timers[due] - time.monotonic()
            if due is not None and remaining is not None and remaining <= 0:
                del self._timers[due]
                return self._time_is_up(due)
            with contextlib.suppress(queue.Empty):
                # (A lock cannot wait for longer than some weeks.)
                return self._inbox.get(timeout=None if remaining is None else min(remaining, threading.TIMEOUT_MAX))

    def _time_is_up(self, due: actions.Timer | int) -> events.Event:
        if isinstance(due, actions.Timer):
            return events.TimerFired(timer=due)
        from ..http.client import timeout_event  # noqa: PLC0415 - it is loaded by now

        # (If the answer came in time, nobody waits for either of these any more.)
        self._abort()
        return timeout_event(due)

    def _perform(self, action: actions.Action) -> None:  # noqa: C901, PLR0912 - one arm an action
        match action:
            case actions.Bind(port=port):
                self._bind(port)
            case actions.CancelPrevious(port=port):
                self._spawn(self._cancel_previous, port, otherwise=events.PreviousCancelled(accepted=False))
            case actions.StartTimer(timer=timer, seconds=seconds):
                self._timers[timer] = time.monotonic() + seconds
            case actions.StopTimer(timer=timer):
                self._timers.pop(timer, None)
            case actions.OpenBrowser(url=url):
                self._spawn(self._open_browser, url, otherwise=events.BrowserFailed(message=NO_THREAD))
            case actions.Respond(request_id=request_id, status=status, headers=headers, body=body):
                assert self._server is not None
                self._server.respond(request_id, Response(status=status, headers=headers, body=body))
            case actions.SendTokenRequest():
                self._send_token_request(action)
            case actions.AbortTokenRequest(exchange_id=exchange_id):
                self._timers.pop(exchange_id, None)
                self._abort()
            case actions.SaveCredentials(credentials=credentials):
                self._spawn(self._save, credentials, otherwise=events.SaveFailed(message=NO_THREAD))
            case actions.ReportProgress(phase=phase):
                self._report(phase)
            case actions.Finish(outcome=outcome):
                self.outcome = outcome
                self.finished.set()
                self.ready.set()
            case actions.RevokeToken():
                self._revoke(action)
            case actions.CloseListener():
                self._closed = True
            case _:
                from typing import assert_never  # noqa: PLC0415

                assert_never(action)

    def _bind(self, port: int) -> None:
        listeners = open_listeners(port, self._options.redirect_host)
        if isinstance(listeners, events.BindFailed):
            self.post(listeners)
            return
        self.port = port_of(listeners)
        try:
            self._server = CallbackServer(listeners, self.post)
        except (OSError, RuntimeError) as error:
            for listener in listeners:
                listener.close()
            message = error.strerror if isinstance(error, OSError) and error.strerror else NO_THREAD
            self.post(events.BindFailed(kind=events.BindProblem.OTHER, message=message))
            return
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

    def _send_token_request(self, request: actions.SendTokenRequest) -> None:
        # There is one at a time; the time for the one before would end this one.
        self._timers.pop(request.exchange_id - 1, None)
        self._timers[request.exchange_id] = time.monotonic() + request.timeout
        # The client is made here: an abort that comes before the thread runs must find it.
        client = self._token_client()
        # Daemonic only for the case that `_ABANDON_AFTER` describes.
        args = (client, request)
        worker = threading.Thread(target=self._exchange, args=args, name="loginmachine-token", daemon=True)
        if not self._start_worker(worker):
            kind = TransportProblem.REQUEST
            self.post(events.TokenRequestFailed(exchange_id=request.exchange_id, kind=kind, message=NO_THREAD))

    def _abort(self) -> None:
        """End the token request: there is one at a time. A client that was aborted sends none any more."""
        with self._lock:
            client, self._client = self._client, None
            if client is not None:
                self._aborted.append(client)
        if client is not None:
            client.abort()

    def _spawn(self, work: Callable[..., None], *args: object, otherwise: events.Event | None = None) -> None:
        """Do work in a thread. If the system has none left, say what is to be made of that."""
        worker = threading.Thread(target=work, args=args, name=f"loginmachine-{work.__name__.strip('_')}")
        if not self._start_worker(worker) and otherwise is not None:
            self.post(otherwise)

    def _start_worker(self, worker: threading.Thread) -> bool:
        try:
            worker.start()
        except RuntimeError:
            return False
        # In place, because the caller's thread may start one at the same time, and clear the same ones away.
        for ended in [other for other in self._workers if not other.is_alive()]:
            with contextlib.suppress(ValueError):
                self._workers.remove(ended)
        self._workers.append(worker)
        return True

    def _revoke(self, order: actions.RevokeToken) -> None:
        from .revocation import Revocation  # noqa: PLC0415 - few logins replace another

        # (A system without threads is no reason for trouble now.)
        with contextlib.suppress(RuntimeError):
            self._revocation = Revocation(order)

    def _release(self) -> None:
        """Close everything and wait for every thread."""
        self._closing.set()
        if self._server is not None:
            self._server.close()
        self._abort()
        with self._lock:
            workers = list(self._workers)
        for worker in workers:
            worker.join(_ABANDON_AFTER if worker.daemon else None)
        # A worker may have made one more.
        self._abort()
        for client in self._aborted:
            client.close()
        if self._revocation is not None:
            problem = self._revocation.finish(lambda: self._hurried)
            if problem:
                warn(f"the tokens of the sign-in before could not be revoked: {problem}")

    # Workers: each posts what came of it

    def _load(self) -> None:
        # For the effect of loading them: whatever is loaded later keeps the browser waiting. What fails now, for want
        # of a descriptor perhaps, may work when it is needed.
        with contextlib.suppress(Exception):
            import html  # noqa: F401, PLC0415

            from ..callback import http11  # noqa: F401, PLC0415
            from ..stores import protocols as store  # noqa: F401, PLC0415

            self._token_client().prepare(self._options.provider.token_endpoint)

    def _token_client(self) -> BlockingTokenClient:
        from ..http.client import BlockingTokenClient  # noqa: PLC0415

        with self._lock:
            if self._client is None:
                self._client = BlockingTokenClient()
            return self._client

    def _cancel_previous(self, port: int) -> None:
        from ..callback.previous_login import cancel_previous  # noqa: PLC0415 - needed only when the port is taken

        self.post(events.PreviousCancelled(accepted=cancel_previous(port)))

    def _open_browser(self, url: str) -> None:
        from ..system.browser import open_url  # noqa: PLC0415 - the URL is printed first

        problem = open_url(url, self._closing)
        self.post(events.BrowserOpened() if problem is None else events.BrowserFailed(message=problem))

    def _save(self, credentials: Credentials) -> None:
        from ..stores.protocols import save  # noqa: PLC0415 - files are needed at the end only

        self.post(save(self._store, credentials))

    def _exchange(self, client: BlockingTokenClient, request: actions.SendTokenRequest) -> None:
        self.post(client.send(request))
