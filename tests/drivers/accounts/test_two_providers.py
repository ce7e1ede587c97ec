"""Logins, sessions and sign-outs with accounts of two providers, and Codex's: none gets what another has issued."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

import httpx
import pytest

from loginmachine import (
    AccountStore,
    AsyncioSession,
    ClientAuthentication,
    Credentials,
    FileStore,
    LoginOptions,
    Provider,
    Secret,
    Session,
    Tokens,
    TrioSession,
    asyncio_open_login,
    asyncio_sign_out,
    open_login,
    sign_out,
    start_login,
    trio_sign_out,
)
from loginmachine.demo.openid.provider import OpenIdProvider
from loginmachine.drivers.accounts.client_secrets import secret_from_file

from ..trio.support import no_idle_threads, run
from .samples import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from loginmachine import StoredAccount
    from loginmachine.drivers.accounts.entries import AccountEntry

__all__ = ["no_idle_threads"]
CODEX: Final = Credentials(
    auth_mode="chatgpt",
    tokens=Tokens(
        id_token=Secret("codex-id"), access_token=Secret("codex-access"), refresh_token=Secret("codex-refresh")
    ),
)


def visit(url: str) -> None:
    """Open a URL as a browser does. The provider grants every request at once."""
    with httpx.Client(trust_env=False, verify=False, follow_redirects=True, timeout=10) as browser:
        assert browser.get(url).status_code == 200


class WithThreads:
    """What a program does, with threads."""

    def login(self, store: AccountStore, provider: Provider) -> None:
        options = LoginOptions(provider=provider, open_browser=False)
        with start_login(options, store=store.login_store(provider)) as login:
            visit(login.auth_url)
            login.wait()

    def refresh(self, entry: AccountEntry, *, force: bool = True) -> Secret:
        return Session(entry).refresh(force=force).token

    def sign_out(self, entry: AccountEntry) -> bool | None:
        return sign_out(entry).is_revoked


class WithTrio:
    """The same, with trio."""

    def login(self, store: AccountStore, provider: Provider) -> None:
        async def main() -> None:
            import trio

            options = LoginOptions(provider=provider, open_browser=False)
            async with open_login(options, store=store.login_store(provider)) as login:
                await trio.to_thread.run_sync(visit, login.auth_url)
                await login.wait()

        run(main)

    def refresh(self, entry: AccountEntry, *, force: bool = True) -> Secret:
        found: list[Secret] = []

        async def main() -> None:
            found.append((await TrioSession(entry).refresh(force=force)).token)

        run(main)
        return found[0]

    def sign_out(self, entry: AccountEntry) -> bool | None:
        found: list[bool | None] = []

        async def main() -> None:
            found.append((await trio_sign_out(entry)).is_revoked)

        run(main)
        return found[0]


class WithAsyncio:
    """The same, with asyncio."""

    def login(self, store: AccountStore, provider: Provider) -> None:
        async def main() -> None:
            options = LoginOptions(provider=provider, open_browser=False)
            async with asyncio_open_login(options, store=store.login_store(provider)) as login:
                await asyncio.to_thread(visit, login.auth_url)
                await login.wait()

        asyncio.run(main())

    def refresh(self, entry: AccountEntry, *, force: bool = True) -> Secret:
        return asyncio.run(AsyncioSession(entry).refresh(force=force)).token

    def sign_out(self, entry: AccountEntry) -> bool | None:
        return asyncio.run(asyncio_sign_out(entry)).is_revoked


@pytest.fixture(params=[WithThreads, WithTrio, WithAsyncio])
def program(request: pytest.FixtureRequest) -> WithThreads | WithTrio | WithAsyncio:
    made: WithThreads | WithTrio | WithAsyncio = request.param()
    return made


@pytest.fixture
def servers() -> Iterator[tuple[OpenIdProvider, OpenIdProvider]]:
    with OpenIdProvider() as one, OpenIdProvider() as two:
        one.switches.consent = two.switches.consent = "automatic"
        yield one, two


def provider_of(server: OpenIdProvider, **fields: object) -> Provider:
    issuer = server.issuer
    known = {
        "client_id": server.client.client_id,
        "authorization_endpoint": f"{issuer}/openid/authorize",
        "token_endpoint": f"{issuer}/token",
        "revocation_endpoint": f"{issuer}/revoke",
    }
    metadata = httpx.get(f"{issuer}/.well-known/openid-configuration", trust_env=False, verify=False).json()
    known |= {name: metadata[name] for name in known if name in metadata}
    return Provider.openid(issuer, **{**known, **fields})  # type: ignore[arg-type]


def secrets_of(entry: AccountEntry) -> list[str]:
    """Return the tokens of an entry."""
    credentials = entry.load()
    assert credentials is not None
    return [secret for secret in credentials.secrets() if secret]


def account_at(store: AccountStore, server: OpenIdProvider) -> StoredAccount:
    (account,) = store.accounts(issuer=server.issuer)
    return account


def test_each_gets_what_it_has_issued(
    program: WithThreads | WithTrio | WithAsyncio, servers: tuple[OpenIdProvider, OpenIdProvider], tmp_path: Path
) -> None:
    one, two = servers
    home = tmp_path / "codex"
    FileStore(home).save(CODEX)
    before = {path.name: path.read_bytes() for path in home.iterdir()}
    (tmp_path / "secret").write_text(two.confidential_client.client_secret or "")
    store = opened(tmp_path / "accounts")
    # The second client is confidential, and its secret stays in a file.
    second = provider_of(
        two,
        client_id=two.confidential_client.client_id,
        client_secret=secret_from_file(tmp_path / "secret"),
        token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_BASIC,
    )
    program.login(store, provider_of(one))
    program.login(store, second)
    accounts = {server: account_at(store, server) for server in servers}
    issued = {server: set(secrets_of(store.open(accounts[server]))) for server in servers}
    assert not issued[one] & issued[two]
    for server in servers:
        # By the endpoints that the entry records. No provider is named.
        token = program.refresh(store.open(accounts[server]))
        assert server.is_active(token.reveal())
        assert token.reveal() not in issued[server]
        issued[server] |= set(secrets_of(store.open(accounts[server])))
    # Signing out at one keeps the other.
    assert program.sign_out(store.open(accounts[two])) is True
    assert [account.key for account in store.accounts()] == [accounts[one].key]
    assert one.is_active(program.refresh(store.open(accounts[one])).reveal())
    for server, other in ((one, two), (two, one)):
        assert server.requests_to("token")
        for request in server.requests:
            assert not any(request.contains(secret) for secret in (*issued[other], "codex-access", "codex-refresh"))
    assert {path.name: path.read_bytes() for path in home.iterdir()} == before


def test_a_second_login_revokes_nothing(
    program: WithThreads | WithTrio | WithAsyncio, servers: tuple[OpenIdProvider, OpenIdProvider], tmp_path: Path
) -> None:
    one, _ = servers
    store = opened(tmp_path)
    program.login(store, provider_of(one))
    old = secrets_of(store.open(account_at(store, one)))
    program.login(store, provider_of(one))
    assert one.requests_to("revocation") == ()
    assert account_at(store, one).is_default
    assert not set(old) & set(secrets_of(store.open(account_at(store, one))))


def test_two_people_at_one_provider(
    program: WithThreads | WithTrio | WithAsyncio, servers: tuple[OpenIdProvider, OpenIdProvider], tmp_path: Path
) -> None:
    one, _ = servers
    store = opened(tmp_path)
    for email in ("ada@example.com", "bob@example.com"):
        one.switches.email = email
        program.login(store, provider_of(one))
    assert [account.email for account in store.accounts()] == ["bob@example.com", "ada@example.com"]
    ada, bob = store.find("ada@example.com"), store.find("bob@example.com")
    kept = secrets_of(store.open(bob))
    program.refresh(store.open(ada))
    assert secrets_of(store.open(bob)) == kept
    assert program.sign_out(store.open(ada)) is True
    assert secrets_of(store.open(bob)) == kept
    assert one.is_active(program.refresh(store.open(bob)).reveal())


def test_without_the_client_secret_no_refresh_token_is_sent(
    program: WithThreads | WithTrio | WithAsyncio, servers: tuple[OpenIdProvider, OpenIdProvider], tmp_path: Path
) -> None:
    one, _ = servers
    path = tmp_path / "secret"
    path.write_text(one.confidential_client.client_secret or "")
    warnings: list[str] = []
    store = opened(tmp_path / "accounts", warnings)
    program.login(
        store,
        provider_of(
            one,
            client_id=one.confidential_client.client_id,
            client_secret=secret_from_file(path),
            token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_BASIC,
        ),
    )
    path.unlink()
    account = account_at(store, one)
    entry = store.open(account)
    stored = entry.load()
    assert stored is not None
    assert stored.tokens is not None
    # The token is due, and still valid for a minute.
    due = stored.tokens.__replace__(expiry=time.time() + 60)
    entry.save(stored.__replace__(tokens=due, last_refresh="2026-01-01T00:00:00Z"))
    asked = len(one.requests_to("token"))
    # It is given, and nothing is sent.
    assert program.refresh(entry, force=False) == due.access_token
    assert len(one.requests_to("token")) == asked
    assert program.sign_out(store.open(account)) is False
    assert store.accounts() == []
    assert warnings == [
        f"the tokens may stay valid: the client secret cannot be read from {path}: No such file or directory"
    ]
