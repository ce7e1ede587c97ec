"""Access tokens for programs with threads: always valid, and concurrent callers share one refresh."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, assert_never

from ...sansio.base.secret import Secret
from ...sansio.login import actions
from ...sansio.refresh import actions as refresh_actions
from ...sansio.refresh.events import AccessTokenWanted
from ...sansio.refresh.outcome import RefreshSuccess
from ..shared.session import (
    BaseRefresh,
    BaseSession,
    StoreAccess,
    TokenAuth,
    authorize,
    check_target,
    is_rejected,
    refresh_error,
)
from ..shared.token_events import token_event
from ..waiting import Flag, wait_for
from .http_client import send

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    import httpx

    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider
    from ...sansio.refresh import RefreshMachine
    from ...sansio.refresh.events import RefreshEvent
    from ...sansio.refresh.outcome import RefreshOutcome
    from ..stores.protocols import SessionStore


class Session(BaseSession):
    """Gives access tokens from a store, and refreshes them when they are due. Any number of threads may use it.

        session = Session(FileStore(home))
        with httpx.Client(auth=session.auth) as client:
            client.get("https://api.example/...")

    Each call reads the store: a new sign-in, a sign-out, or a refresh by another process takes effect at once. A
    refresh runs in a thread of its own. It continues if the threads that wait for it are interrupted, because the
    provider may have replaced the refresh token already. The program waits for it at its end.

    Args:
        store: Where the credentials are.
        provider: The provider that issued them, ChatGPT by default.
        environment_key: An API key to use when nothing is stored.
        on_warning: Called with one line of text when refreshed tokens could not be stored. By default the text is
            logged.
    """

    def __init__(
        self,
        store: SessionStore,
        provider: Provider | None = None,
        *,
        environment_key: str | None = None,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(store, provider, environment_key, on_warning)
        self._lock = threading.Lock()
        """For `_memory` and `_current`. Only held for a moment."""
        self._current: _Refresh | None = None
        self.auth = SessionAuth(self)
        """For ``httpx.Client(auth=...)``."""

    def access_token(self) -> str:
        """Return what to send to the API now: a valid access token, or the API key if there is one instead.

        Raises:
            SignInRequired: Only a new sign-in helps.
            RefreshFailed: There is no token for another reason, and a later call may succeed.
        """
        return self._obtain(AccessTokenWanted()).token.reveal()

    def credentials(self) -> Credentials:
        """Return the credentials that `access_token` takes its token from.

        Raises:
            SignInRequired: As for `access_token`.
            RefreshFailed: As for `access_token`.
        """
        return self._obtain(AccessTokenWanted()).credentials

    def refresh(self, *, force: bool = False) -> RefreshSuccess:
        """Refresh the tokens if they are due.

        Args:
            force: Refresh them even if they are not due. An API key is never refreshed.

        Returns:
            The credentials, and what was done.

        Raises:
            SignInRequired: As for `access_token`.
            RefreshFailed: As for `access_token`.
        """
        return self._obtain(AccessTokenWanted(forced=force))

    def renew(self, rejected: str) -> str:
        """Return another token than one that an API rejected with status 401.

        Args:
            rejected: The rejected token.

        Returns:
            A new token. An API key is returned again, because it cannot be refreshed.

        Raises:
            SignInRequired: As for `access_token`.
            RefreshFailed: As for `access_token`.
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
        """Look at the store. If a refresh is due, run it, or wait for the current one.

        Returns:
            The outcome. None if it is not for this caller, who must try again.
        """
        memory = self._memory
        machine = self._new_machine(memory)
        refresh = _Refresh(machine, StoreAccess(self._store), wanted, self._on_warning)
        if refresh.check_store():
            return machine.outcome
        with self._lock:
            if self._memory is not memory:
                # Another refresh has ended meanwhile.
                return None
            is_leader = self._current is None
            current = self._current = self._current or refresh
            current.waiting += 1
        try:
            if is_leader:
                self._start(current)
            wait_for(current.done)
        finally:
            with self._lock:
                current.waiting -= 1
        return current.result_for(wanted, is_leader=is_leader)

    def _start(self, refresh: _Refresh) -> None:
        # Never daemonic: the end of the program would stop it between the response and the store.
        thread = threading.Thread(target=self._run, args=(refresh,), name="loginmachine-refresh", daemon=False)
        try:
            thread.start()
        except RuntimeError:
            # The system has no thread left, or the program is ending.
            self._run(refresh)

    def _run(self, refresh: _Refresh) -> None:
        try:
            refresh.run()
        except BaseException as crash:  # noqa: BLE001 - the callers must not wait for ever
            refresh.crash = crash
        finally:
            with self._lock:
                self._memory = refresh.machine.memory
                self._current = None
            refresh.done.set()


class _Refresh(BaseRefresh):
    def __init__(
        self, machine: RefreshMachine, access: StoreAccess, wanted: AccessTokenWanted, on_warning: Callable[[str], None]
    ) -> None:
        super().__init__(machine, access, wanted, on_warning)
        self.done = Flag()

    def check_store(self) -> bool:
        """Load the credentials. Return True if no refresh is needed."""
        self.machine.handle(self.wanted)
        self._actions = self.machine.handle(self._access.load())
        return self.machine.outcome is not None

    def run(self) -> None:
        """Perform the remaining actions."""
        try:
            while self._actions:
                action = self._actions.pop(0)
                if self._can_stop_before(action):
                    return
                event = self._perform(action)
                if event is not None:
                    self._actions += self.machine.handle(event)
        finally:
            self._access.release_lock()

    def _perform(self, action: refresh_actions.RefreshAction) -> RefreshEvent | None:
        match action:
            case refresh_actions.LoadCredentials():
                return self._access.load()
            case refresh_actions.TakeLock(timeout=timeout):
                return self._access.take_lock(timeout)
            case actions.SendTokenRequest():
                return token_event(action.exchange_id, send(action))
            case actions.SaveCredentials(credentials=credentials):
                return self._access.save(credentials)
            case refresh_actions.ReleaseLock():
                self._access.release_lock()
            case refresh_actions.Warn(message=message):
                self._warn(message)
            case refresh_actions.Deliver():
                # The last action. The callers wake when the lock is released.
                pass
            case _:
                assert_never(action)
        return None


class SessionAuth(TokenAuth):
    """Puts a session's token into every request of an `httpx.Client`, and tries again with another after a 401.

    The body of a request is read into memory, so that it can be sent again. A redirect to another origin carries no
    token, because httpx removes it. Plain http is allowed to this machine only.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token, and again with another if the token was rejected.

        Raises:
            SignInRequired: As for `Session.access_token`.
            RefreshFailed: As for `Session.access_token`.
            InsecureRequest: The request is neither ``https`` nor for this machine. It was not sent.
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
        """Refuse, because the session would block the event loop.

        Raises:
            TypeError: Always.
        """
        raise TypeError("this session is for httpx.Client; use a TrioSession for httpx.AsyncClient")
        yield request
