"""Access tokens for programs with threads: always one that lasts, and one refresh whoever asks how often."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, assert_never

import httpx

from ...sansio.base.secret import Secret
from ...sansio.login import actions
from ...sansio.model.provider import Provider
from ...sansio.refresh import RefreshMachine
from ...sansio.refresh import actions as refresh_actions
from ...sansio.refresh.events import AccessTokenWanted
from ...sansio.refresh.outcome import RefreshMemory, RefreshSuccess
from ..http.client import BlockingTokenClient, timeout_event
from ..logging import warn
from ..shared.session import StoreAccess, answers, authorize, check_target, is_rejected, refresh_error
from ..waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    from ...sansio.login.events import TokenRequestFailed, TokenResponseReceived
    from ...sansio.model.credentials import Credentials
    from ...sansio.refresh.events import RefreshEvent
    from ...sansio.refresh.outcome import RefreshOutcome
    from ..stores.protocols import SessionStore


class Session:
    """Access tokens out of a store, renewed when they are due. Any number of threads may use one session.

        session = Session(FileStore(home))
        with httpx.Client(auth=session.auth) as client:
            client.get("https://api.example/...")

    The store is read each time: a new sign-in, a sign-out, and what another process has renewed count at once. A
    refresh that was begun goes on in a thread of its own whatever becomes of the threads that wait for it, because the
    provider may have replaced the refresh token already; the program's end waits for it.

    Args:
        store: Where the credentials are.
        provider: Who gave them, and renews them; ChatGPT by default.
        environment_key: An API key to be used when nothing is stored.
        on_warning: Told, in one line, when renewed tokens could not be stored. By default a log record.
    """

    def __init__(
        self,
        store: SessionStore,
        provider: Provider | None = None,
        *,
        environment_key: str | None = None,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        self._store = store
        self._provider = provider or Provider.chatgpt()
        self._environment_key = environment_key
        self._warn = on_warning or warn
        self._lock = threading.Lock()
        """For the two below; never held for longer than a moment."""
        self._memory = RefreshMemory()
        self._flight: _Flight | None = None
        self.auth = SessionAuth(self)
        """For ``httpx.Client(auth=...)``."""

    def __repr__(self) -> str:
        return f"<Session of {type(self._store).__name__}>"

    def access_token(self) -> str:
        """What to send to the API now: an access token that lasts, or the API key where that applies.

        Raises:
            SignInRequired: Nobody is signed in, or not any more.
            RefreshFailed: There is no token for another reason, which may pass.
        """
        return self._obtain(AccessTokenWanted()).token.reveal()

    def credentials(self) -> Credentials:
        """The credentials of which `access_token` gives the token.

        Raises:
            SignInRequired: As there.
            RefreshFailed: As there.
        """
        return self._obtain(AccessTokenWanted()).credentials

    def refresh(self, *, force: bool = False) -> RefreshSuccess:
        """Renew the tokens if that is due.

        Args:
            force: Renew them whether or not it is due. (An API key is never renewed.)

        Returns:
            The credentials, and what was done.

        Raises:
            SignInRequired: As there.
            RefreshFailed: As there.
        """
        return self._obtain(AccessTokenWanted(forced=force))

    def renew(self, rejected: str) -> str:
        """Another token than one that an API has answered with 401.

        Returns:
            A new one; the same, if it is an API key.

        Raises:
            SignInRequired: As there.
            RefreshFailed: As there.
        """
        return self._obtain(AccessTokenWanted(rejected=Secret(rejected))).token.reveal()

    def _obtain(self, wanted: AccessTokenWanted) -> RefreshSuccess:
        outcome = None
        while outcome is None:
            outcome = self._attempt(wanted)
        if isinstance(outcome, RefreshSuccess):
            return outcome
        raise refresh_error(outcome)

    def _attempt(self, wanted: AccessTokenWanted) -> RefreshOutcome | None:
        """Look at the store; if something is to be done, do it or join whoever does. None if that answers nothing."""
        memory = self._memory
        machine = RefreshMachine(self._provider, memory, environment_key=self._environment_key)
        flight = _Flight(machine, StoreAccess(self._store), wanted, self._warn)
        if flight.begin():
            return machine.outcome
        with self._lock:
            if self._memory is not memory:
                # Another refresh has ended meanwhile.
                return None
            leads = self._flight is None
            current = self._flight = self._flight or flight
            current.waiting += 1
        try:
            if leads:
                self._start(current)
            wait_for(current.done)
        finally:
            with self._lock:
                current.waiting -= 1
        if current.crash:
            raise RuntimeError(f"the session has failed with {current.crash}; this is a bug in it")
        outcome = current.machine.outcome
        return outcome if leads or (outcome is not None and answers(outcome, current.wanted, wanted)) else None

    def _start(self, flight: _Flight) -> None:
        # Never daemonic, whoever asks: the program's end would cut it off between the answer and the store.
        thread = threading.Thread(target=self._fly, args=(flight,), name="loginmachine-refresh", daemon=False)
        try:
            thread.start()
        except RuntimeError:
            # The system has no thread left, or the program is ending.
            self._fly(flight)

    def _fly(self, flight: _Flight) -> None:
        try:
            flight.finish()
        except BaseException as crash:  # noqa: BLE001 - whoever waits must not wait for ever
            flight.crash = type(crash).__name__
        finally:
            with self._lock:
                self._memory = flight.machine.memory
                self._flight = None
            flight.done.set()


class _Flight:
    """One refresh under way, and whoever waits for it."""

    def __init__(
        self, machine: RefreshMachine, access: StoreAccess, wanted: AccessTokenWanted, on_warning: Callable[[str], None]
    ) -> None:
        self.machine = machine
        self.wanted = wanted
        self.waiting = 0
        """How many threads want to know how it ends."""
        self.done = threading.Event()
        self.crash = ""
        self._access = access
        self._warn = on_warning
        self._orders: list[refresh_actions.RefreshAction] = []

    def begin(self) -> bool:
        """Look at the store. True if there is nothing else to be done."""
        self.machine.handle(self.wanted)
        self._orders = self.machine.handle(self._access.load())
        return self.machine.outcome is not None

    def finish(self) -> None:
        """Do the rest. Given up, as long as nothing was sent, when nobody waits any more."""
        try:
            while self._orders:
                order = self._orders.pop(0)
                if not self.waiting and isinstance(order, (refresh_actions.TakeLock, actions.SendTokenRequest)):
                    return
                event = self._perform(order)
                if event is not None:
                    self._orders += self.machine.handle(event)
        finally:
            self._access.release()

    def _perform(self, order: refresh_actions.RefreshAction) -> RefreshEvent | None:
        match order:
            case refresh_actions.LoadCredentials():
                return self._access.load()
            case refresh_actions.TakeLock(timeout=timeout):
                return self._access.take(timeout)
            case actions.SendTokenRequest():
                return _send(order)
            case actions.SaveCredentials(credentials=credentials):
                return self._access.save(credentials)
            case refresh_actions.ReleaseLock():
                self._access.release()
            case refresh_actions.Warn(message=message):
                # An observer's trouble is not the session's.
                with contextlib.suppress(Exception):
                    self._warn(message)
            case refresh_actions.Deliver():
                # It is the last, and whoever waits is told when the lock is free.
                pass
            case _:
                assert_never(order)
        return None


def _send(request: actions.SendTokenRequest) -> TokenResponseReceived | TokenRequestFailed:
    """Send a request and read the answer, all within its ``timeout``."""
    client = BlockingTokenClient()
    is_late = threading.Event()

    def give_up() -> None:
        is_late.set()
        client.abort()

    timer = threading.Timer(request.timeout, give_up)
    timer.daemon = True
    try:
        # (Without a thread for it, the time-outs of each step are all there is.)
        with contextlib.suppress(RuntimeError):
            timer.start()
        answer = client.send(request)
    finally:
        timer.cancel()
        client.close()
    return timeout_event(request.exchange_id) if is_late.is_set() else answer


class SessionAuth(httpx.Auth):
    """A session's token on every request of an `httpx.Client`, and one more try with another token after a 401.

    The body of a request is read into memory, so that it can be sent again. A token goes to no redirect of another
    origin (httpx takes it off), and over plain http to this machine only.
    """

    requires_request_body = True

    def __init__(self, session: Session) -> None:
        self._session = session

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token, and again with another if that was rejected.

        Raises:
            SignInRequired: As `Session.access_token`.
            RefreshFailed: As there.
            InsecureRequest: The request is neither ``https`` nor for this machine; it was not sent.
        """
        check_target(request.url)
        request.read()
        token = Secret(self._session.access_token())
        authorize(request, token)
        response = yield request
        if not is_rejected(response, token):
            return
        another = Secret(self._session.renew(token.reveal()))
        if another != token:
            authorize(request, another)
            yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Refuse: it would block the event loop.

        Raises:
            TypeError: Always.
        """
        raise TypeError("this session is for httpx.Client; take a TrioSession for httpx.AsyncClient")
        yield request
