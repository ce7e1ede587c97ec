"""The threaded driver: performs a `LoginMachine`'s actions with blocking calls in threads.

One thread owns the machine and reads one inbox; everything else (the listener, workers, the caller) posts events to it.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from typing import TYPE_CHECKING, Self, assert_never

from ..sansio import actions, events
from ..sansio.answers import Answer
from ..sansio.machine import LoginMachine
from ..sansio.options import LoginSecrets
from ..sansio.outcome import LoginSuccess
from ..sansio.progress import Listening
from .errors import StoreError, error_for
from .listeners import open_listeners, port_of
from .logs import warn
from .threaded_server import CallbackServer
from .trust import check_bundle

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ..sansio.credentials import Credentials
    from ..sansio.options import LoginOptions
    from ..sansio.outcome import LoginOutcome
    from ..sansio.progress import LoginPhase
    from .store import CredentialStore
    from .token_client import BlockingTokenClient

_ABANDON_AFTER = 1.0
"""Seconds to wait for an aborted token request. Name resolution and connecting cannot be interrupted: such a thread
ends by itself within the request's time-out, and sends nothing any more."""


def start_login(
    options: LoginOptions,
    *,
    store: CredentialStore,
    on_progress: Callable[[LoginPhase], None] | None = None,
) -> ThreadedLogin:
    """Sign a person in, with threads.

        with start_login(options, store=FileStore(home)) as login:
            print(login.auth_url)
            credentials = login.wait()

    Args:
        options: What to do.
        store: Where the credentials go.
        on_progress: Called in a thread of the login with each phase. What it raises is logged and does no harm.

    Returns:
        The login, to be entered. Entering raises `LoginFailed` if the callback port cannot be had, and `TrustError` if
        the configured certificate bundle is unusable.
    """
    return ThreadedLogin(options, store=store, on_progress=on_progress)


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
    ) -> None:
        self._options = options
        self._store = store
        self._on_progress = on_progress
        self._inbox: queue.SimpleQueue[events.Event] = queue.SimpleQueue()
        self._machine = LoginMachine(options, LoginSecrets.generate())
        self._owner = threading.Thread(target=self._run, name="loginmachine-owner")
        self._ready = threading.Event()
        """The port is bound, or the login is over already."""
        self._finished = threading.Event()
        self._entered = False
        self._outcome: LoginOutcome | None = None
        self._crash: BaseException | None = None
        self._auth_url: str | None = None
        self._port: int | None = None
        # From here on: the owner's alone.
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

    # For the caller

    @property
    def auth_url(self) -> str:
        """The authorization request, for the person's browser. Holds this login's ``state``: show it to nobody else.

        Raises:
            RuntimeError: The login has not been entered.
        """
        if self._auth_url is None:
            raise RuntimeError("the login is not running: use it in a with statement")
        return self._auth_url

    @property
    def port(self) -> int:
        """The callback port.

        Raises:
            RuntimeError: The login has not been entered.
        """
        if self._port is None:
            raise RuntimeError("the login is not running: use it in a with statement")
        return self._port

    @property
    def outcome(self) -> LoginOutcome | None:
        """How it ended, account included; None until it has."""
        return self._outcome

    def cancel(self, reason: str = "cancelled by the caller") -> None:
        """End the login, unless its credentials are being stored already. Returns at once; `wait` tells what came."""
        self._inbox.put(events.CancelRequested(reason=reason))

    def canceller(self) -> Canceller:
        """A handle for others, that can only cancel."""
        return Canceller(self._inbox.put)

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
        if not self._finished.is_set():
            self._preload()
        if not self._finished.wait(timeout):
            raise TimeoutError("the login is still going on")
        if self._crash is not None:
            raise RuntimeError("the login driver has failed; this is a bug in it") from self._crash
        assert self._outcome is not None
        failed = error_for(self._outcome)
        if failed is not None:
            raise failed
        assert isinstance(self._outcome, LoginSuccess)
        return self._outcome.credentials

    def __enter__(self) -> Self:
        if self._options.provider.token_endpoint.startswith("https:"):
            check_bundle()
        self._owner.start()
        self._entered = True
        try:
            self._ready.wait()
            if self._auth_url is None:
                self.wait()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        """Cancel what is not decided, perform what is left, and wait for every thread."""
        if not self._finished.is_set():
            self.cancel("the program left before the sign-in was over")
        interrupted: KeyboardInterrupt | None = None
        while self._owner.is_alive():
            try:
                self._owner.join()
            except KeyboardInterrupt as caught:
                # Everything is ending already; leaving now would leave threads behind.
                interrupted = caught
        if interrupted is not None:
            raise interrupted

    def _preload(self) -> None:
        """Load h11 and httpx, and make the TLS context, while the person is in the browser."""
        with self._lock:
            if self._preloaded or self._closing.is_set():
                return
            self._preloaded = True
            self._spawn(self._load)

    # The owner's thread

    def _run(self) -> None:
        try:
            self._inbox.put(events.Started())
            while not self._closed:
                event = self._next_event()
                for action in self._machine.handle(event):
                    self._perform(action)
        except BaseException as crash:  # noqa: BLE001 - the caller must not wait for ever
            self._crash = crash
        finally:
            self._release()
            self._finished.set()
            self._ready.set()

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
        from .token_client import timeout_event  # noqa: PLC0415 - it is loaded by now

        # (If the answer came in time, nobody waits for either of these any more.)
        self._abort()
        return timeout_event(due)

    def _perform(self, action: actions.Action) -> None:  # noqa: C901, PLR0912 - one arm an action
        match action:
            case actions.Bind(port=port):
                self._bind(port)
            case actions.CancelPrevious(port=port):
                self._spawn(self._cancel_previous, port)
            case actions.StartTimer(timer=timer, seconds=seconds):
                self._timers[timer] = time.monotonic() + seconds
            case actions.StopTimer(timer=timer):
                self._timers.pop(timer, None)
            case actions.OpenBrowser(url=url):
                self._spawn(self._open_browser, url)
            case actions.Respond(request_id=request_id, status=status, headers=headers, body=body):
                assert self._server is not None
                self._server.respond(request_id, Answer(status=status, headers=headers, body=body))
            case actions.SendTokenRequest():
                self._send_token_request(action)
            case actions.AbortTokenRequest(exchange_id=exchange_id):
                self._timers.pop(exchange_id, None)
                self._abort()
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
        listeners = open_listeners(port, self._options.redirect_host)
        if isinstance(listeners, events.BindFailed):
            self._inbox.put(listeners)
            return
        self._port = port_of(listeners)
        try:
            self._server = CallbackServer(listeners, self._inbox.put)
        except OSError as error:
            # No descriptor left.
            for listener in listeners:
                listener.close()
            message = error.strerror or type(error).__name__
            self._inbox.put(events.BindFailed(kind=events.BindProblem.OTHER, message=message))
            return
        self._inbox.put(events.Bound(port=self._port))

    def _report(self, phase: LoginPhase) -> None:
        try:
            if self._on_progress is not None:
                self._on_progress(phase)
        except Exception as error:  # noqa: BLE001 - the observer's trouble is not the login's
            warn(f"the progress observer raised {type(error).__name__} in phase {phase.name}")
        if isinstance(phase, Listening):
            self._auth_url = phase.url
            self._ready.set()

    def _send_token_request(self, request: actions.SendTokenRequest) -> None:
        self._timers[request.exchange_id] = time.monotonic() + request.timeout
        # Daemonic only for the case that `_ABANDON_AFTER` describes.
        worker = threading.Thread(target=self._exchange, args=(request,), name="loginmachine-token", daemon=True)
        self._workers.append(worker)
        worker.start()

    def _abort(self) -> None:
        """End the token request: there is one at a time, and none after one that was aborted."""
        if self._client is not None:
            self._client.abort()

    def _spawn(self, work: Callable[..., None], *args: object) -> None:
        worker = threading.Thread(target=work, args=args, name=f"loginmachine-{work.__name__.strip('_')}")
        self._workers.append(worker)
        worker.start()

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
        if self._client is not None:
            self._client.close()

    # Workers: each posts what came of it

    def _load(self) -> None:
        from . import http11  # noqa: F401, PLC0415 - for the effect of loading it

        self._token_client().prepare()

    def _token_client(self) -> BlockingTokenClient:
        from .token_client import BlockingTokenClient  # noqa: PLC0415

        with self._lock:
            if self._client is None:
                self._client = BlockingTokenClient(self._options.provider.token_endpoint)
            return self._client

    def _cancel_previous(self, port: int) -> None:
        from .previous import cancel_previous  # noqa: PLC0415 - needed only when the port is taken

        self._inbox.put(events.PreviousCancelled(accepted=cancel_previous(port)))

    def _open_browser(self, url: str) -> None:
        from .browser import open_url  # noqa: PLC0415 - the URL is printed first

        problem = open_url(url, self._closing)
        self._inbox.put(events.BrowserOpened() if problem is None else events.BrowserFailed(message=problem))

    def _save(self, credentials: Credentials) -> None:
        problem = ""
        try:
            self._store.save(credentials)
        except StoreError as error:
            problem = str(error)
        except Exception as error:  # noqa: BLE001 - a host's own store: its words may hold anything
            problem = f"the store raised {type(error).__name__}"
        self._inbox.put(events.SaveFailed(message=problem) if problem else events.CredentialsSaved())

    def _exchange(self, request: actions.SendTokenRequest) -> None:
        self._inbox.put(self._token_client().send(request))
