"""The account of a protected resource: its tokens, and the sign-in that gives new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio.to_thread

from ..drivers.errors import RefreshFailed, SignInRequired
from ..drivers.shared.hosts import TRIO, running_host
from ..sansio.accounts.stored import key_of
from ..sansio.base.secret import Secret
from ..sansio.refresh.failures import RefreshFailureCategory

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..drivers.accounts.account_store import AccountStore
    from ..drivers.asyncio.session import AsyncioSession
    from ..drivers.trio.session import TrioSession
    from ..sansio.login.progress import LoginPhase
    from ..sansio.model.credentials import Credentials
    from ..sansio.model.options import LoginOptions
    from ..sansio.model.provider import Provider


class ResourceAccount:
    """The stored account of a resource. The functions that take long run in threads.

    Args:
        provider: The provider of the resource, as the program has given it.
        store: Where the accounts are.
        on_login: Called with the login when the person can sign in.
        on_progress: Called with each phase of a sign-in.
    """

    def __init__(
        self,
        provider: Provider,
        store: AccountStore,
        on_login: Callable[[Any], object] | None,
        on_progress: Callable[[LoginPhase], None] | None,
    ) -> None:
        self._resource = provider.protected_resource
        self._registers = not provider.client_id
        """Whether the program has no client of its own, so that each sign-in may register one."""
        self._store = store
        self._on_login = on_login
        self._on_progress = on_progress
        self._key: str | None = None
        """The entry of the account; None if none was found yet."""
        self._sessions: dict[str, AsyncioSession | TrioSession] = {}
        """The session of each kind of event loop."""

    async def token(self) -> Secret | None:
        """Return a token, refreshed if it was due; None if the person has to sign in.

        Raises:
            RefreshFailed: There is none at the moment.
        """
        return await self._obtain(lambda session: session.access_token())

    async def renewed(self, refused: Secret) -> Secret | None:
        """Return another token than one that was refused; None if the person has to sign in.

        Raises:
            RefreshFailed: There is none at the moment.
        """
        return await self._obtain(lambda session: session.renew(refused.reveal()))

    async def _obtain(self, ask: Callable[[AsyncioSession | TrioSession], Awaitable[str]]) -> Secret | None:
        session = await self._session()
        key = self._key
        if session is None or key is None:
            return None
        try:
            return Secret(await ask(session))
        except SignInRequired:
            return None
        except RefreshFailed as error:
            is_refused = error.category is RefreshFailureCategory.CLIENT_REFUSED
            if is_refused and await anyio.to_thread.run_sync(self._forget_client, key):
                return None
            raise

    async def granted(self) -> tuple[str, ...] | None:
        """Return the scopes of the stored token; None if there is no token."""
        if self._key is None:
            return None
        credentials = await anyio.to_thread.run_sync(self._store.open(self._key).load)
        tokens = None if credentials is None else credentials.tokens
        return None if tokens is None else tokens.scope or ()

    async def sign_in(self, options: LoginOptions) -> Secret:
        """Sign the person in, and return the token.

        Raises:
            LoginFailed: The person did not sign in.
        """
        store = self._store.login_store(options.provider)
        async with _open_login(options, store=store, on_progress=self._on_progress) as login:
            if self._on_login is not None:
                self._on_login(login)
            credentials: Credentials = await login.wait()
        key = key_of(credentials)
        if key != self._key:
            self._key, self._sessions = key, {}
        tokens = credentials.tokens
        assert tokens is not None
        return tokens.access_token

    async def _session(self) -> AsyncioSession | TrioSession | None:
        if self._key is None:
            self._key = await anyio.to_thread.run_sync(self._find)
        if self._key is None:
            return None
        host = running_host()
        if host.word not in self._sessions:
            entry = self._store.open(self._key)
            if host is TRIO:
                from ..drivers.trio.session import TrioSession  # noqa: PLC0415 - programs have one kind of event loop

                self._sessions[host.word] = TrioSession(entry)
            else:
                from ..drivers.asyncio.session import AsyncioSession  # noqa: PLC0415 - as above

                self._sessions[host.word] = AsyncioSession(entry)
        return self._sessions[host.word]

    def _find(self) -> str | None:
        """Return the entry with tokens for the resource. The default account of its provider comes first."""
        for account in self._store.accounts():
            credentials = self._store.open(account).load()
            tokens = None if credentials is None else credentials.tokens
            provider = None if tokens is None else tokens.provider
            if provider is not None and provider.protected_resource == self._resource:
                return account.key
        return None

    def _forget_client(self, key: str) -> bool:
        """Forget the client of an entry, because the provider does not know it any more.

        Returns:
            Whether the program registers clients, so that a sign-in with a new one helps.
        """
        credentials = self._store.open(key).load()
        tokens = None if credentials is None else credentials.tokens
        provider = None if tokens is None else tokens.provider
        if not self._registers or provider is None:
            return False
        self._store.remove_registration(provider.origin, provider.client_id)
        return True


def _open_login(options: LoginOptions, **arguments: Any) -> Any:  # noqa: ANN401 - the login of the event loop
    if running_host() is TRIO:
        from ..drivers.trio.login import open_login  # noqa: PLC0415 - as above

        return open_login(options, **arguments)
    from ..drivers.asyncio.login import asyncio_open_login  # noqa: PLC0415 - as above

    return asyncio_open_login(options, **arguments)
