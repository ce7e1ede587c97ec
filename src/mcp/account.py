"""The account of a protected resource: its tokens, and the sign-in that gives new ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio.to_thread

from ..drivers.errors import SignInRequired
from ..drivers.shared.hosts import TRIO, running_host
from ..sansio.accounts.stored import key_of
from ..sansio.base.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..drivers.accounts.account_store import AccountStore
    from ..drivers.asyncio.session import AsyncioSession
    from ..drivers.trio.session import TrioSession
    from ..sansio.login.progress import LoginPhase
    from ..sansio.model.credentials import Credentials
    from ..sansio.model.options import LoginOptions


class ResourceAccount:
    """The stored account of a resource. The functions that take long run in threads.

    Args:
        resource: The URL of the resource.
        store: Where the accounts are.
        on_login: Called with the login when the person can sign in.
        on_progress: Called with each phase of a sign-in.
    """

    def __init__(
        self,
        resource: str,
        store: AccountStore,
        on_login: Callable[[Any], object] | None,
        on_progress: Callable[[LoginPhase], None] | None,
    ) -> None:
        self._resource = resource
        self._store = store
        self._on_login = on_login
        self._on_progress = on_progress
        self._key: str | None = None
        """The entry of the account; None if none was found yet."""
        self._sessions: dict[str, AsyncioSession | TrioSession] = {}
        """The session of each kind of event loop."""

    async def token(self) -> Secret | None:
        """Return a token, refreshed if it was due; None if the person has to sign in."""
        try:
            session = await self._session()
            return None if session is None else Secret(await session.access_token())
        except SignInRequired:
            return None

    async def renewed(self, refused: Secret) -> Secret:
        """Return another token than one that was refused.

        Raises:
            SignInRequired: Only a sign-in helps.
            RefreshFailed: There is none at the moment.
        """
        session = await self._session()
        assert session is not None
        return Secret(await session.renew(refused.reveal()))

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


def _open_login(options: LoginOptions, **arguments: Any) -> Any:  # noqa: ANN401 - the login of the event loop
    if running_host() is TRIO:
        from ..drivers.trio.login import open_login  # noqa: PLC0415 - as above

        return open_login(options, **arguments)
    from ..drivers.asyncio.login import asyncio_open_login  # noqa: PLC0415 - as above

    return asyncio_open_login(options, **arguments)
