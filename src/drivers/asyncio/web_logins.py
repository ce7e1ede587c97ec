"""The sign-ins of a web host, with asyncio. Any number of tasks may use one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from ...sansio.login import actions, events
from ..shared.hosts import ASYNCIO, check_host
from ..shared.token_events import token_event
from ..stores.protocols import save
from ..suspended.web_logins import BaseWebLogins, PendingLogin, WebLoginRun, arrival, saved
from .http_client import send
from .threads import in_thread_or_here

if TYPE_CHECKING:
    from ...sansio.login.outcome import LoginSuccess
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.options import LoginOptions
    from ..stores.protocols import CredentialStore
    from ..suspended.web_logins import Work


class AsyncioWebLogins(BaseWebLogins):
    """Signs people in through a web host's own server, with asyncio. `WebLogins` is the same with threads.

    Args:
        options: The options of the logins, with a redirect URI and a deadline.
        keys: The keys of the host. All replicas have the same ones.
        marks: Where the host notes which logins were resumed. All replicas share it. It is used in a worker thread.
        clock: Returns the time in seconds since 1970.

    Raises:
        ValueError: The options have no redirect URI, or no deadline.
    """

    async def begin(self, options: LoginOptions | None = None) -> PendingLogin:
        """Begin a login. The first one reads the provider's metadata, if its endpoints are there.

        Args:
            options: Options for this login only, such as a login hint. They have the same provider, client and redirect
                URI as the others. None for the usual options.

        Returns:
            The address for the browser, and the suspended login.

        Raises:
            LoginFailed: The provider's metadata cannot be used, or the provider takes no pushed request.
            ValueError: The options are for something else, or have no deadline.
            RuntimeError: asyncio does not run here.
        """
        check_host(ASYNCIO, "web_logins")
        machine, secrets = self._new_machine(options)
        run = WebLoginRun(machine)
        await self._perform(run, run.take(events.Started()), None)
        return self._suspended(run, secrets)

    async def finish(self, sealed: bytes, query: str | bytes, *, store: CredentialStore | None = None) -> LoginSuccess:
        """Finish a login: exchange the code of its callback for tokens, and check them.

        A login is resumed once. A callback that does not belong to it changes nothing: the right one may still come.
        A cancellation after the login was resumed ends it: the person has to sign in again.

        Args:
            sealed: The suspended login of the browser that sent the callback. Take it from that browser's own session,
                never from the query: otherwise a stranger could sign the person in with an account of theirs.
            query: The raw query of the callback.
            store: Where the credentials are saved, in a worker thread; None to return them only. What was stored there
                before is not revoked, because another sign-in of the person may still use it.

        Returns:
            The credentials and the account.

        Raises:
            SuspendedLoginRefused: The bytes are refused, or the login was resumed before. Nothing was sent.
            LoginFailed: The login has failed. Or the callback does not belong to it (the category
                ``callback_state_mismatch``): nothing was sent then, and the login can still be finished.
            StoreError: The marks cannot be used. Nothing was sent.
            RuntimeError: asyncio does not run here.
        """
        check_host(ASYNCIO, "web_logins")
        opened = self._open(sealed)
        run = WebLoginRun(opened.machine)
        work = run.take(arrival(query))
        run.check_accepted()
        await in_thread_or_here(self._claim, opened)
        await self._perform(run, work, store)
        return run.success()

    async def _perform(self, run: WebLoginRun, work: Work | None, store: CredentialStore | None) -> None:
        """Do what a login asks for, until it waits for the browser or has ended."""
        while work is not None:
            match work:
                case actions.SendTokenRequest():
                    work = run.take(token_event(work.exchange_id, await send(work)))
                case actions.SaveCredentials(credentials=credentials):
                    work = run.take(await self._save(run, store, credentials))
                case _:
                    assert_never(work)

    async def _save(self, run: WebLoginRun, store: CredentialStore | None, credentials: Credentials) -> events.Event:
        if store is None:
            return events.CredentialsSaved()
        # A code works once, so that these credentials cannot be requested again.
        return saved(await in_thread_or_here(save, store, credentials, run.keep_error))
