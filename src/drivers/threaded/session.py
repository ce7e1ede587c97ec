"""Access tokens for programs with threads: always valid, and concurrent callers share one refresh."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from ...sansio.base.secret import Secret
from ...sansio.refresh.events import AccessTokenWanted
from ...sansio.refresh.outcome import RefreshMemory, RefreshSuccess
from ..shared.accounts import session_store_of
from ..shared.session import BaseSession, refresh_error
from ..shared.store_access import StoreAccess
from ..waiting import CHECK_INTERVAL, Flag, wait_for
from .refresh import Refresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.accounts.stored import StoredAccount
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider
    from ...sansio.refresh.outcome import RefreshOutcome
    from ...sansio.sign_out.outcome import SignOutResult
    from ..shared.accounts import Accounts
    from ..stores.protocols import SessionStore
    from .session_auth import SessionAuth


_NOW: Final = "now"
"""The only key of `_running` and `_looking`."""
LONGEST_LOOK: Final = 0.05
"""Seconds that a thread waits while another reads the store, before it reads it too."""


class Session(BaseSession):
    """Gives access tokens from a store, and refreshes them when they are due. Any number of threads may use it.

        session = Session(FileStore(home))
        with httpx.Client(auth=session.auth) as client:
            client.get("https://api.example/...")

    A call answers from memory while the store is unchanged. A new sign-in, a sign-out, or a refresh by another process
    takes effect at once; in a store that tells no version (`VersionedStore`, the keyring) after a second at most.

    When a token is due, it is refreshed in the background, and callers get the old one as long as it lasts for 30
    seconds. If that fails, it is tried again after 30 seconds, later more. Only without such a token do callers wait. A
    refresh runs in a thread of its own. It continues if the threads that wait for it are interrupted, because the
    provider may have replaced the refresh token already. The program waits for it at its end.

    Args:
        store: Where the credentials are, for example ``AccountStore("my_program")``.
        provider: The provider that issued them. By default the one that the credentials record; those of an older
            ``auth.json`` are from Codex's provider.
        account: The account, if the store has many (`AccountStore`): its e-mail address, subject, client or key. By
            default the one that is the default now.
        environment_key: An API key to use when nothing is stored.
        on_warning: Called with one line of text when refreshed tokens could not be stored, when a refresh in the
            background failed for the first time, or when the sign-in has ended and its last access token is used until
            it expires. By default the text is logged.

    Raises:
        EndpointError: The environment names an endpoint that cannot be used.
        AccountNotFound: No account fits.
        AmbiguousAccount: Several fit, or none is the default.
        StoreError: The accounts cannot be read.
        ValueError: An account is named, and the store has one only.
    """

    def __init__(
        self,
        store: SessionStore | Accounts,
        provider: Provider | None = None,
        *,
        account: StoredAccount | str | None = None,
        environment_key: str | None = None,
        on_warning: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(session_store_of(store, account), provider, environment_key, on_warning)
        self._running: dict[str, Refresh] = {}
        """The current refresh, if there is one. There is no lock, because an interrupt could leave it taken. The
        `setdefault` and `pop` of a dictionary cannot be interrupted."""
        self._looking: dict[str, Flag] = {}
        """Set when the thread that reads the store has read it."""
        self._auth: SessionAuth | None = None

    @property
    def _current(self) -> Refresh | None:
        """The refresh that callers share."""
        return self._running.get(_NOW)

    @property
    def auth(self) -> SessionAuth:
        """For ``httpx.Client(auth=...)``."""
        if self._auth is None:
            from .session_auth import SessionAuth  # noqa: PLC0415 - httpx takes long to load

            self._auth = SessionAuth(self)
        return self._auth

    def after_fork(self) -> None:
        """Forget the current refresh in the child of a fork. It runs in a thread that only the parent has."""
        self._running, self._looking = {}, {}

    def access_token(self) -> str:
        """Return what to send to the API now: a valid access token, or the API key if there is one instead.

        Raises:
            SignInRequired: Only a new sign-in helps.
            RefreshFailed: There is no token for another reason, and a later call may succeed.
        """
        return (self._recalled() or self._obtain(AccessTokenWanted(), waits=False)).token.reveal()

    def credentials(self) -> Credentials:
        """Return the credentials that `access_token` takes its token from.

        Raises:
            SignInRequired: As for `access_token`.
            RefreshFailed: As for `access_token`.
        """
        return (self._recalled() or self._obtain(AccessTokenWanted(), waits=False)).credentials

    def refresh(self, *, force: bool = False) -> RefreshSuccess:
        """Refresh the tokens if they are due, and wait for that.

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
        from .signing_out import sign_out_session  # noqa: PLC0415 - most programs do not need it

        result = sign_out_session(self._store, self._provider, self._overrides, self._memory)
        self._memory = RefreshMemory()
        self._looks.forget()
        return result

    def _recalled(self) -> RefreshSuccess | None:
        """Return a token without reading the store, or after another thread has read it."""
        known = self._recall()
        looking = None if known else self._looking.get(_NOW)
        if looking is None:
            return known
        if not wait_for(looking, LONGEST_LOOK):
            # The thread that was to read it may have been interrupted.
            self._looking.pop(_NOW, None)
        return self._recall()

    def _obtain(self, wanted: AccessTokenWanted, *, waits: bool = True) -> RefreshSuccess:
        outcome = None
        while outcome is None:
            outcome = self._attempt(wanted, waits=waits)
        if isinstance(outcome, RefreshSuccess):
            return outcome
        raise refresh_error(outcome)

    def _new_refresh(self, wanted: AccessTokenWanted) -> Refresh:
        access = StoreAccess(self._store, self._looks)
        return Refresh(self._new_machine(self._memory), access, wanted, self._on_warning)

    def _attempt(self, wanted: AccessTokenWanted, *, waits: bool) -> RefreshOutcome | None:
        """Look at the store. If a refresh is due, run it, or wait for the current one.

        Args:
            wanted: What the caller wants.
            waits: Whether the caller waits for a refresh that is due, although the token is valid.

        Returns:
            The outcome. None if it is not for this caller, who must try again.
        """
        refresh = self._new_refresh(wanted)
        looking = Flag()
        try:
            self._looking.setdefault(_NOW, looking)
            refresh.check_store()
            outcome = self._looked(refresh, waits=waits)
        finally:
            if self._looking.get(_NOW) is looking:
                self._looking.pop(_NOW, None)
            looking.set()
        if outcome is not None:
            return outcome
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

    def _refresh_early(self, token: Secret) -> None:
        if self._running or not self._early.may_try(token):
            return
        refresh = self._new_refresh(AccessTokenWanted())
        refresh.early = token
        if self._running.setdefault(_NOW, refresh) is refresh:
            self._start(refresh)

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
                self._learn(refresh)
                self._look_again(refresh)
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

    def _look_again(self, refresh: Refresh) -> None:
        """Read the store once for all callers that come after a refresh."""
        if isinstance(refresh.machine.outcome, RefreshSuccess):
            look = self._new_refresh(AccessTokenWanted())
            look.check_store()
            self._looked(look, waits=True)

    def _end(self, refresh: Refresh) -> None:
        """Keep what a refresh has learnt, and wake its callers. Doing it twice does no harm."""
        self._learn(refresh)
        self._note_early(refresh)
        if self._current is refresh:
            self._running.pop(_NOW, None)
        refresh.done.set()
