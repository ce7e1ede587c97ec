"""`ResourceAuth` with the official SDK, against real servers. The person's browser is scripted."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, Literal

import anyio
import httpx
import httpx2
import pytest
from mcp.client.session import ClientSession
from mcp.client.streamable_http import streamable_http_client

from loginmachine import (
    AccountStore,
    ClientMetadata,
    InsecureRequest,
    LoginFailed,
    LoginOptions,
    Provider,
    RefreshFailed,
)
from loginmachine.mcp import ResourceAuth

from ..drivers.support import PATIENCE
from .servers import KINDS, ProtectedServer, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Person:
    """Opens each address that a login shows, as a browser does."""

    def __init__(self) -> None:
        self.logins: list[str] = []

    def __call__(self, login: Any) -> None:
        self.logins.append(login.auth_url)
        threading.Thread(target=self._open, args=(login.auth_url,), daemon=True).start()

    @staticmethod
    def _open(url: str) -> None:
        with httpx.Client(trust_env=False, follow_redirects=True, timeout=30) as browser:
            browser.get(url)

    def scopes(self) -> list[str]:
        """Return the scopes that each login asked for."""
        return [dict(httpx.URL(url).params)["scope"] for url in self.logins]


@pytest.fixture(params=list(KINDS))
def server(request: pytest.FixtureRequest) -> Iterator[ProtectedServer]:
    with serving(request.param) as running:
        yield running


def auth_for(server: ProtectedServer, folder: Path, person: Person, **fields: Any) -> ResourceAuth:
    provider = Provider.for_resource(server.url, registration=ClientMetadata(client_name="A program"), **fields)
    options = LoginOptions(provider=provider, open_browser=False)
    return ResourceAuth(options, store=AccountStore(folder=folder), on_login=person)


async def add(server: ProtectedServer, auth: ResourceAuth, a: int = 1, b: int = 2) -> int:
    """Call the tool of the server with a session of the SDK, and return the sum."""
    async with (
        httpx2.AsyncClient(auth=auth, trust_env=False, timeout=30) as client,
        streamable_http_client(server.url, http_client=client) as streams,
        ClientSession(*streams[:2]) as session,
    ):
        await session.initialize()
        result = await session.call_tool("add", {"a": a, "b": b})
        assert result.structured_content is not None
        return int(result.structured_content["result"])


@pytest.fixture
def one_server() -> Iterator[ProtectedServer]:
    """For what does not depend on the kind of server."""
    with serving("FastMCP") as running:
        yield running


async def statuses(auth: ResourceAuth, urls: list[str]) -> list[int | str]:
    """Send requests at the same time, and return the status or the exception of each."""
    found: list[int | str] = [""] * len(urls)
    async with httpx2.AsyncClient(auth=auth, trust_env=False, timeout=30) as client, anyio.create_task_group() as group:

        async def ask(number: int) -> None:
            try:
                found[number] = (await client.get(urls[number], headers={"Accept": "text/plain"})).status_code
            except LoginFailed as error:
                found[number] = type(error).__name__

        for number in range(len(urls)):
            group.start_soon(ask, number)
    return found


def test_a_session_of_the_sdk_signs_in_once(server: ProtectedServer, tmp_path: Path) -> None:
    person = Person()
    auth = auth_for(server, tmp_path, person)
    assert asyncio.run(add(server, auth)) == 3
    # The next program finds the tokens and the client.
    assert asyncio.run(add(server, auth_for(server, tmp_path, person), 3, 4)) == 7
    assert len(person.logins) == 1
    assert server.asked("/register") == 1


def test_a_refused_token_is_refreshed(server: ProtectedServer, tmp_path: Path) -> None:
    person = Person()
    auth = auth_for(server, tmp_path, person)
    assert asyncio.run(add(server, auth)) == 3
    server.expire_tokens()
    assert asyncio.run(add(server, auth)) == 3
    assert len(person.logins) == 1
    assert len(server.provider.access_tokens) == 1


def test_without_a_refresh_the_person_signs_in_again(server: ProtectedServer, tmp_path: Path) -> None:
    person = Person()
    auth = auth_for(server, tmp_path, person)
    assert asyncio.run(add(server, auth)) == 3
    server.revoke_all()
    assert asyncio.run(add(server, auth)) == 3
    assert len(person.logins) == 2
    assert server.asked("/register") == 1


def test_a_client_that_the_server_has_forgotten_is_registered_again(server: ProtectedServer, tmp_path: Path) -> None:
    person = Person()
    auth = auth_for(server, tmp_path, person)
    assert asyncio.run(add(server, auth)) == 3
    server.restart()
    # At the same time, so that nobody forgets the client that another has just registered.
    assert asyncio.run(statuses(auth, [server.url] * 3)) == [406] * 3
    assert asyncio.run(add(server, auth_for(server, tmp_path, person))) == 3
    assert len(person.logins) == 2
    assert server.asked("/register") == 2


def test_a_client_of_the_program_is_never_registered(one_server: ProtectedServer, tmp_path: Path) -> None:
    person = Person()
    asyncio.run(add(one_server, auth_for(one_server, tmp_path, person)))
    client = next(iter(one_server.provider.clients.values()))
    options = LoginOptions(
        provider=Provider.for_resource(one_server.url, client_id=client.client_id or ""), open_browser=False
    )
    auth = ResourceAuth(options, store=AccountStore(folder=tmp_path), on_login=person)
    one_server.restart()

    async def send() -> None:
        async with httpx2.AsyncClient(auth=auth, trust_env=False, timeout=30) as client:
            await client.get(one_server.url)

    with pytest.raises(RefreshFailed, match="does not accept this program's client"):
        asyncio.run(send())
    assert len(person.logins) == 1


def test_a_wider_scope_is_asked_for_once(server: ProtectedServer, tmp_path: Path) -> None:
    person = Person()
    auth = auth_for(server, tmp_path, person, scopes=("read",))
    assert asyncio.run(add(server, auth)) == 3
    server.needed = "write"
    assert asyncio.run(add(server, auth)) == 3
    assert person.scopes() == ["read", "read write"]
    assert asyncio.run(add(server, auth_for(server, tmp_path, person))) == 3
    assert len(person.logins) == 2


def test_a_scope_that_is_never_granted_leads_to_no_loop(one_server: ProtectedServer, tmp_path: Path) -> None:
    person = Person()
    auth = auth_for(one_server, tmp_path, person, scopes=("read",))
    # No token has this scope, although it is granted each time.
    one_server.needed = "read write"
    assert asyncio.run(statuses(auth, [one_server.url])) == [403]
    assert person.scopes() == ["read", "read write"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_requests_at_the_same_time_share_a_sign_in(
    one_server: ProtectedServer, tmp_path: Path, backend: Literal["asyncio", "trio"]
) -> None:
    person = Person()
    auth = auth_for(one_server, tmp_path, person)
    for _ in range(2):
        assert anyio.run(statuses, auth, [one_server.url] * 5, backend=backend) == [406] * 5
    assert len(person.logins) == 1


def test_event_loops_share_a_sign_in(one_server: ProtectedServer, tmp_path: Path) -> None:
    """One after the other, and each in a thread of its own."""
    person = Person()
    auth = auth_for(one_server, tmp_path, person)
    found: list[Any] = []

    def ask(backend: str) -> None:
        found.append(anyio.run(statuses, auth, [one_server.url] * 3, backend=backend))

    ask("asyncio")
    one_server.revoke_all()
    ask("trio")
    one_server.revoke_all()
    threads = [threading.Thread(target=ask, args=(backend,), daemon=True) for backend in ("asyncio", "asyncio", "trio")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert found == [[406] * 3] * 5
    assert len(person.logins) == 3


def test_a_person_who_declines_is_asked_once(one_server: ProtectedServer, tmp_path: Path) -> None:
    person = Person()
    auth = auth_for(one_server, tmp_path, person)
    one_server.provider.declines = True
    assert asyncio.run(statuses(auth, [one_server.url] * 5)) == ["LoginFailed"] * 5
    assert len(person.logins) == 1
    # A later request asks again.
    one_server.provider.declines = False
    assert asyncio.run(statuses(auth, [one_server.url])) == [406]
    assert len(person.logins) == 2


def test_a_program_can_cancel_the_sign_in(one_server: ProtectedServer, tmp_path: Path) -> None:
    auth = auth_for(one_server, tmp_path, lambda login: login.cancel("the program ends"))  # type: ignore[arg-type]
    assert asyncio.run(statuses(auth, [one_server.url])) == ["LoginCancelled"]


def test_another_resource_of_the_origin_gets_no_token(one_server: ProtectedServer, tmp_path: Path) -> None:
    person = Person()
    auth = auth_for(one_server, tmp_path, person)
    # Neither a sign-in nor a token: the second path only begins like the first.
    urls = [f"{one_server.origin}/register", f"{one_server.url}2"]
    assert asyncio.run(statuses(auth, urls)) == [405, 404]
    assert person.logins == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_server_behind_a_redirect_cannot_ask_for_a_sign_in(tmp_path: Path, status: int) -> None:
    """It could name an authorization server of its own."""
    challenge = 'Bearer error="insufficient_scope", resource_metadata="https://evil.example/metadata"'

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "api.example":
            return httpx2.Response(307, headers={"Location": "https://evil.example/mcp"})
        return httpx2.Response(status, headers={"WWW-Authenticate": challenge})

    async def send(auth: ResourceAuth) -> int:
        transport = httpx2.MockTransport(answer)
        async with httpx2.AsyncClient(auth=auth, transport=transport, follow_redirects=True) as client:
            return (await client.get("https://api.example/mcp")).status_code

    options = LoginOptions(provider=Provider.for_resource("https://api.example/mcp"), open_browser=False)
    assert asyncio.run(send(ResourceAuth(options, store=AccountStore(folder=tmp_path)))) == status


def test_a_token_follows_no_redirect_out_of_the_resource(one_server: ProtectedServer, tmp_path: Path) -> None:
    auth = auth_for(one_server, tmp_path, Person())
    assert asyncio.run(statuses(auth, [one_server.url])) == [406]

    async def send(place: str) -> int:
        one_server.moved_to = place
        async with httpx2.AsyncClient(auth=auth, trust_env=False, timeout=30, follow_redirects=True) as client:
            return (await client.get(one_server.url)).status_code

    # Below the resource, and at another origin, which gets no token.
    assert asyncio.run(send(f"{one_server.url}/below")) == 404
    assert asyncio.run(send(f"{one_server.origin.replace('127.0.0.1', 'localhost')}/elsewhere")) == 404
    for place in ("/elsewhere", f"{one_server.url}/%2e%2e/elsewhere"):
        with pytest.raises(InsecureRequest, match="leads out of the protected resource"):
            asyncio.run(send(place))
    assert one_server.asked("/elsewhere") == 1


def test_a_stream_is_sent_once(one_server: ProtectedServer, tmp_path: Path) -> None:
    """It cannot be sent again. The person signs in all the same, for the next request."""

    async def body() -> Any:
        yield b"{}"

    async def send(auth: ResourceAuth) -> list[int]:
        async with httpx2.AsyncClient(auth=auth, trust_env=False, timeout=30) as client:
            first = await client.post(one_server.url, content=body())
            second = await client.post(one_server.url, content=body())
            return [first.status_code, second.status_code]

    person = Person()
    assert asyncio.run(send(auth_for(one_server, tmp_path, person))) == [401, 400]
    assert len(person.logins) == 1


def test_what_it_is_not_for(tmp_path: Path) -> None:
    store = AccountStore(folder=tmp_path)
    with pytest.raises(ValueError, match=r"Provider\.for_resource"):
        ResourceAuth(LoginOptions(provider=Provider.openid("https://id.example", client_id="c")), store=store)
    options = LoginOptions(provider=Provider.for_resource("https://api.example/mcp"))
    auth = ResourceAuth(options, store=store)
    with httpx2.Client(auth=auth) as client, pytest.raises(TypeError, match=r"httpx2\.AsyncClient"):
        client.get("https://api.example/mcp")
