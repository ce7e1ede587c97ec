"""Web hosts for the tests: `WebLogins` and its twins with the same methods, and a person's browser."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import httpx
import trio

from loginmachine import AsyncioWebLogins, LoginOptions, MemoryMarks, Provider, SealingKeys, TrioWebLogins, WebLogins
from loginmachine.demo.openid.clients import Client

if TYPE_CHECKING:
    from loginmachine import CredentialStore, LoginSuccess, PendingLogin
    from loginmachine.demo.openid.provider import OpenIdProvider

APP = "https://app.example/auth/callback"
APP_CLIENT = Client(
    client_id="app",
    client_secret="canary-client-secret",
    token_endpoint_auth_method="client_secret_basic",
    redirect_uris=(APP,),
)
KEY = bytes(range(32))


def options_at(provider: OpenIdProvider, **changes: Any) -> LoginOptions:
    """Return the options of a web host at this provider."""
    client = Provider.openid(
        provider.issuer,
        client_id=APP_CLIENT.client_id,
        client_secret=APP_CLIENT.client_secret,
    )
    return LoginOptions(provider=client, redirect_uri=APP, **changes)


class Host(Protocol):
    """One replica of a web host."""

    def begin(self, options: LoginOptions | None = None) -> PendingLogin: ...

    def finish(self, sealed: bytes, query: str | bytes, *, store: CredentialStore | None = None) -> LoginSuccess: ...


def threaded_host(options: LoginOptions, **changes: Any) -> Host:
    return WebLogins(options, **{"keys": SealingKeys(KEY), "marks": MemoryMarks(), **changes})


class TrioHost:
    """A replica with trio. Its methods can be called outside of trio."""

    def __init__(self, options: LoginOptions, **changes: Any) -> None:
        self._logins = TrioWebLogins(options, **{"keys": SealingKeys(KEY), "marks": MemoryMarks(), **changes})

    def begin(self, options: LoginOptions | None = None) -> PendingLogin:
        return trio.run(self._logins.begin, options)

    def finish(self, sealed: bytes, query: str | bytes, *, store: CredentialStore | None = None) -> LoginSuccess:
        async def run() -> LoginSuccess:
            return await self._logins.finish(sealed, query, store=store)

        return trio.run(run)


class AsyncioHost:
    """A replica with asyncio. Its methods can be called outside of it."""

    def __init__(self, options: LoginOptions, **changes: Any) -> None:
        self._logins = AsyncioWebLogins(options, **{"keys": SealingKeys(KEY), "marks": MemoryMarks(), **changes})

    def begin(self, options: LoginOptions | None = None) -> PendingLogin:
        return asyncio.run(self._logins.begin(options))

    def finish(self, sealed: bytes, query: str | bytes, *, store: CredentialStore | None = None) -> LoginSuccess:
        return asyncio.run(self._logins.finish(sealed, query, store=store))


HOSTS = {"threads": threaded_host, "trio": TrioHost, "asyncio": AsyncioHost}


def sign_in(url: str, *, decision: str = "sign-in") -> str:
    """Sign in at the provider as a person does, and return the query of the callback, which is not sent anywhere."""
    with httpx.Client(trust_env=False) as http:
        page = http.get(url)
        token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
        assert token is not None, page.text
        fields = {"csrf_token": token[1], "email": "ada@example.com", "password": "x", "decision": decision}
        answer = http.post(page.request.url, data=fields)
    target = answer.headers["location"]
    assert target.startswith(f"{APP}?")
    return urlsplit(target).query
