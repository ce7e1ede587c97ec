"""Access tokens for programs with threads: always valid, and concurrent callers share one refresh."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from ...sansio.base.secret import Secret
from ...sansio.refresh.events import AccessTokenWanted
from ...sansio.refresh.outcome import RefreshMemory, RefreshSuccess
from ..errors import RefreshFailed
from ..shared.authorization import TokenAuth, authorize, check_target, is_rejected, refuse_proxies
from ..shared.bodies import RequestBody
from ..shared.session import BaseSession, StoreAccess, refresh_error
from ..waiting import CHECK_INTERVAL, wait_for
from .refresh import Refresh

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    import httpx

    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider
    from ...sansio.refresh.outcome import RefreshOutcome
    from ...sansio.sign_out.outcome import SignOutResult
    from ..stores.protocols import SessionStore


_NOW: Final = "now"
"""The only key of `_running`."""


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
        provider: The provider that issued them. By default the one that the credentials record; those of an older
            ``auth.json`` are from ChatGPT.
        environment_key: An API key to use when nothing is stored.
        on_warning: Called with one line of text when refreshed tokens could not be stored, or when the sign-in has
            ended and its last access token is used until it expires. By default the text is logged.

    Raises:
        EndpointError: The environment names an endpoint that cannot be used.
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
        self._running: dict[str, Refresh] = {}
        """The current refresh, if there is one. There is no lock, because an interrupt could leave it taken. The
        `setdefault` and `pop` of a dictionary cannot be interrupted."""
        self.auth = SessionAuth(self)
        """For ``httpx.Client(auth=...)``."""

    @property
    def _current(self) -> Refresh | None:
        """The refresh that callers share."""
        return self._running.get(_NOW)

    def after_fork(self) -> None:
        """Forget the current refresh in the child of a fork. It runs in a thread that only the parent has."""
        self._running = {}

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

    def sign_out(self) -> SignOutResult:
        """Sign the person out as `sign_out` does. A refresh that is under way ends first (5 seconds at most).

        Afterwards this session raises `SignInRequired` in every thread and task, until the next sign-in. If it has an
        `environment_key`, it gives that.

        Returns:
            What was removed, and whether the issuer confirmed that the tokens are revoked.

        Raises:
            StoreError: The credentials cannot be removed. Nothing is revoked then.
            ProviderMismatch: They are from another provider than this session's. Nothing is removed or revoked then.
        """
        from .sign_out import sign_out_session  # noqa: PLC0415 - most programs do not need it

        result = sign_out_session(self._store, self._provider, self._overrides, self._memory)
        self._memory = RefreshMemory()
        return result

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
        refresh = Refresh(machine, StoreAccess(self._store), wanted, self._on_warning)
        if refresh.check_store():
            self._show_warnings(refresh)
            return machine.outcome
        current = self._running.setdefault(_NOW, refresh)
        is_leader = current is refresh
        caller = object()
        try:
            current.callers.add(caller)
            if is_leader:
                self._start(current)
            while not wait_for(current.done, CHECK_INTERVAL):
                if not current.is_claimed:
                    # Its leader was interrupted before the thread was there.
                    self._start(current)
        finally:
            current.callers.discard(caller)
        return current.result_for(wanted, is_leader=is_leader)

    def _start(self, refresh: Refresh) -> None:
        # Never daemonic: the end of the program would stop it between the response and the store.
        thread = threading.Thread(target=self._run, args=(refresh,), name="loginmachine-refresh", daemon=False)
        try:
            thread.start()
        except RuntimeError:
            # The system has no thread left, or the program is ending.
            self._run(refresh, is_caller=True)

    def _run(self, refresh: Refresh, *, is_caller: bool = False) -> None:
        """Run a refresh, if no other thread does.

        Args:
            refresh: The refresh.
            is_caller: Whether this is the thread of a caller, which may be interrupted.
        """
        runner = object()
        try:
            # If the memory is another one, a refresh has ended since this one looked at the store.
            if refresh.claim(runner) and refresh.memory_before is self._memory:
                refresh.run()
        except BaseException as crash:
            # The callers must not wait for ever.
            if refresh.claim(runner):
                refresh.crash = crash
            if is_caller and not isinstance(crash, Exception):
                raise
        finally:
            if refresh.claim(runner):
                try:
                    self._end(refresh)
                except BaseException:
                    self._end(refresh)
                    raise

    def _end(self, refresh: Refresh) -> None:
        """Keep what a refresh has learnt, and wake its callers. Doing it twice does no harm."""
        if refresh.memory_before is self._memory:
            self._memory = refresh.machine.memory
        if self._current is refresh:
            self._running.pop(_NOW, None)
        refresh.done.set()


class SessionAuth(TokenAuth):
    """Puts a session's token into every request of an `httpx.Client`, and tries again with another after a 401.

    A streamed body is not read into memory. A request whose body cannot be read again, from a generator for example,
    is sent once: the program gets the 401, and its next request has the new token. A redirect to another origin carries
    no token, because httpx removes it. Plain http is allowed to this machine only, and not through a proxy.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    def sync_auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with a token, and again with another if the token was rejected.

        Raises:
            SignInRequired: As for `Session.access_token`.
            RefreshFailed: As for `Session.access_token`.
            InsecureRequest: The request is neither ``https`` nor for this machine, or it is plain http and the client
                has a proxy for it. It was not sent.
        """
        check_target(request.url)
        refuse_proxies(request)
        body = RequestBody(request)
        token = Secret(self._session.access_token())
        authorize(request, token)
        response = yield request
        if not is_rejected(response, token):
            return
        can_repeat = body.rewind()
        try:
            another = Secret(self._session.renew(token.reveal()))
        except RefreshFailed:
            if can_repeat:
                raise
            return
        if can_repeat and another != token:
            authorize(request, another)
            yield request

    async def async_auth_flow(self, request: httpx.Request) -> AsyncGenerator[httpx.Request, httpx.Response]:
        """Refuse, because the session would block the event loop.

        Raises:
            TypeError: Always.
        """
        raise TypeError(
            "this session is for httpx.Client: with httpx.AsyncClient and trio use a TrioSession; with asyncio use "
            "httpx.Client in a thread (asyncio.to_thread)"
        )
        yield request
