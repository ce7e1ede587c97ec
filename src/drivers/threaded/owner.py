"""The thread that owns a login's machine. All other threads post events to its inbox."""

from __future__ import annotations

import contextlib
import functools
import threading
import time

from ...sansio.base.http import HttpRequestFailed, TransportProblem
from ...sansio.callback.responses import Response
from ...sansio.login import actions, events
from ...sansio.login.progress import DeviceCodeShown, Listening
from ..callback.listeners import open_listeners, port_of
from ..errors import NO_THREAD
from ..logging import warn
from ..shared.callback_reports import CallbackReports, report
from ..shared.handle import LEFT, LoginOwner, new_machine
from ..shared.token_events import token_event
from ..waiting import Flag
from .background import Background
from .callback_server import start_server
from .inbox import Inbox
from .workers import Workers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from ...sansio.login.progress import LoginPhase
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.options import LoginMethod, LoginOptions
    from ...sansio.server.registration import Registration
    from ..stores.protocols import CredentialStore
    from .callback_server import CallbackServer
    from .http_client import HttpClient
    from .revocation import Revocation


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
        self.ready = Flag()
        """Set when the port is bound, when the device code is issued, or when the login has ended."""
        self.finished = Flag()
        self.crash: Exception | None = None
        self._options = options
        self._method = method
        self._store = store
        self._on_progress = on_progress
        self.inbox: Final = Inbox(self._time_is_up, lambda: self.post(events.CancelRequested(reason=LEFT)))
        self._timers: Final = self.inbox.timers
        self.give_up: Final = functools.partial(self.inbox.put, events.CancelRequested(reason=LEFT))
        """Cancel the login, because its block is left. One call, which no signal handler can interrupt."""
        self.background: Final = Background(self._run, "loginmachine-owner", self._wake)
        self._machine = new_machine(options, record, "threaded", self._pass_on)
        self._callbacks = CallbackReports(self._machine, self._report)
        self._server: CallbackServer | None = None
        self._closed = False
        self._workers = Workers(self.post, self.inbox.put)
        self._closing = threading.Event()
        """Set when workers should stop what can be stopped."""
        self._lock = threading.Lock()
        """For the HTTP client, which a worker or the owner makes."""
        self._preloaded = False
        self._client: HttpClient | None = None
        self._aborted: list[HttpClient] = []
        """Aborted clients, which are closed when their threads have ended."""
        self._revocation: Revocation | None = None
        self._revocation_abandoned = False

    # For any thread. No lock is taken here, because an exception of a signal handler could leave it taken.

    def post(self, event: events.Event) -> None:
        """Put an event into the inbox. Never blocks; safe in a signal handler."""
        if isinstance(event, events.CancelRequested):
            self.abandon_revocation()
        self.inbox.put(event)

    def abandon_revocation(self) -> None:
        """Stop waiting for the revocation, if one is running. Never blocks; safe in a signal handler."""
        self._revocation_abandoned = True

    def preload(self) -> None:
        """Load h11 and httpx, and make the TLS context, while the person is in the browser."""
        self.inbox.put(self._start_preloading)

    # The owner's thread

    def _run(self) -> None:
        for part in (self._perform_all, self._release):
            try:
                part()
            except Exception as crash:  # noqa: BLE001 - the caller must not wait for ever
                self.crash = self.crash or crash
            except BaseException as error:  # noqa: BLE001 - as above
                self.passed_on = self.passed_on or error
        self._wake()

    def _wake(self) -> None:
        self.finished.set()
        self.ready.set()

    def _perform_all(self) -> None:
        self.post(self.started or events.Started(method=self._method))
        while not self._closed:
            event = self.inbox.next_event()
            self._callbacks.note(event)
            for action in self._machine.handle(event):
                self._perform(action)

    def _time_is_up(self, due: actions.Timer | int) -> events.Event:
        if isinstance(due, actions.Timer):
            return events.TimerFired(timer=due)
        failed = self._http_client().timed_out()
        self._abort()
        return token_event(due, failed)

    def _start_preloading(self) -> None:
        if not self._preloaded:
            self._preloaded = True
            self._workers.start(self._load)

    def _perform(self, action: actions.Action) -> None:  # noqa: C901, PLR0912 - one arm an action
        match action:
            case actions.Bind(port=port):
                self._bind(port)
            case actions.CancelPrevious(port=port):
                self._workers.start(self._cancel_previous, port, otherwise=events.PreviousCancelled(accepted=False))
            case actions.StartTimer(timer=timer, seconds=seconds):
                self._timers[timer] = time.monotonic() + seconds
            case actions.StopTimer(timer=timer):
                self._timers.pop(timer, None)
            case actions.OpenBrowser(url=url):
                self._workers.start(self._open_browser, url, otherwise=events.BrowserFailed(message=NO_THREAD))
            case actions.Respond(request_id=request_id, status=status, headers=headers, body=body):
                assert self._server is not None
                self._server.respond(request_id, Response(status=status, headers=headers, body=body))
            case actions.SendTokenRequest():
                self._send_token_request(action)
            case actions.AbortTokenRequest(exchange_id=exchange_id):
                self._timers.pop(exchange_id, None)
                self._abort()
            case actions.SaveCredentials(credentials=credentials):
                # A code works once, so that these credentials cannot be requested again.
                self._workers.start(self._save, credentials, or_here=True)
            case actions.SaveRegistration(registration=registration):
                failed = events.RegistrationSaveFailed(message=NO_THREAD)
                self._workers.start(self._save_registration, registration, otherwise=failed)
            case actions.ReportProgress(phase=phase):
                self._report(phase)
            case actions.Finish(outcome=outcome):
                self.outcome = outcome
                self._wake()
            case actions.RevokeToken():
                self._revoke(action)
            case actions.CloseListener():
                self._closed = True
            case _:
                from typing import assert_never  # noqa: PLC0415

                assert_never(action)

    def _bind(self, port: int) -> None:
        listeners = open_listeners(port, self._options.redirect_host, self._options.listen_address)
        if isinstance(listeners, events.BindFailed):
            self.post(listeners)
            return
        self.port = port_of(listeners)
        self._server = start_server(listeners, self.post, self._machine.asks_for_sender)

    def _report(self, phase: LoginPhase) -> None:
        report(phase, self._on_progress, self._pass_on)
        if isinstance(phase, DeviceCodeShown):
            self.device_code = self._machine.device_code
            self.ready.set()
        if isinstance(phase, Listening):
            self.auth_url = phase.url
            self.ready.set()

    def _send_token_request(self, request: actions.SendTokenRequest) -> None:
        # There is one at a time. The time limit of the one before must not end this one.
        self._timers.pop(request.exchange_id - 1, None)
        self._timers[request.exchange_id] = time.monotonic() + request.timeout
        # The client is made here, so that an abort finds it even before the thread runs.
        failed = token_event(request.exchange_id, HttpRequestFailed(kind=TransportProblem.REQUEST, message=NO_THREAD))
        self._workers.start(self._exchange, self._http_client(), request, otherwise=failed, can_abandon=True)

    def _abort(self) -> None:
        """End the current token request, if there is one. Its client sends no other."""
        with self._lock:
            client, self._client = self._client, None
            if client is not None:
                self._aborted.append(client)
        if client is not None:
            client.abort()

    def _revoke(self, request: actions.RevokeToken) -> None:
        from .revocation import Revocation  # noqa: PLC0415 - few logins replace another

        # Without a thread for it, the tokens stay valid. The login is not affected.
        with contextlib.suppress(RuntimeError):
            self._revocation = Revocation(request)

    def _release(self) -> None:
        """Close everything and wait for every thread."""
        self._closing.set()
        if self._server is not None:
            self._server.close()
        self._abort()
        self._workers.join()
        # A worker may have made another client.
        self._abort()
        for client in self._aborted:
            client.close()
        if self._revocation is not None:
            problem = self._revocation.finish(lambda: self._revocation_abandoned or self.background.is_interrupted)
            if problem:
                warn(f"the tokens of the previous sign-in could not be revoked: {problem}")

    # Workers: each posts its result

    def _load(self) -> None:
        # A module that is loaded later makes the browser wait. What cannot be loaded now, for want of a descriptor
        # perhaps, is loaded when it is needed.
        with contextlib.suppress(Exception):
            from ..shared.preloading import load_for_callback  # noqa: PLC0415

            load_for_callback()
            self._http_client().prepare(self._options.provider.token_endpoint or self._options.provider.origin)

    def _http_client(self) -> HttpClient:
        from .http_client import HttpClient  # noqa: PLC0415

        with self._lock:
            if self._client is None:
                self._client = HttpClient()
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

        self.post(save(self._store, credentials, self._keep_error))

    def _save_registration(self, registration: Registration) -> None:
        from ..shared.registrations import save_registration  # noqa: PLC0415 - few logins register a client

        self.post(save_registration(self._store, registration))

    def _exchange(self, client: HttpClient, request: actions.SendTokenRequest) -> None:
        self.post(token_event(request.exchange_id, client.send(request)))
