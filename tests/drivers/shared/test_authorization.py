"""A session's token and the proxies of the program's httpx client: a token for this machine never passes one."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from loginmachine import InsecureRequest

from ..scripted_server import OK, Peer, ScriptedServer, sends
from ..support import free_port
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all
from .session_drivers import SESSION_DRIVERS, Driver, Fetch, InThreads
from .session_support import LASTING, mark_of, signed_in, token_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Connect = Callable[[str], dict[str, Any]]

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
NAMES = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")


def answer_all(peer: Peer) -> None:
    """Answer each request of a connection, which stays open."""
    while peer.read_request() != (b"", b""):
        peer.send(ANSWER)


@pytest.fixture(params=SESSION_DRIVERS, ids=lambda driver: driver.session.__name__)
def driver(request: pytest.FixtureRequest) -> Driver:
    driver: Driver = request.param
    return driver


@pytest.fixture
def auth(driver: Driver, tmp_path: Path) -> Any:
    return driver.session(signed_in(tmp_path, LASTING)).auth


@pytest.fixture
def api() -> Iterator[ScriptedServer]:
    """Run an API on this machine, with connections that stay open."""
    with ScriptedServer(answer_all) as server:
        yield server


@pytest.fixture
def proxy() -> Iterator[ScriptedServer]:
    with ScriptedServer(sends(OK % (2, b"{}"))) as server:
        yield server


@pytest.fixture(params=NAMES)
def configured_proxy(
    request: pytest.FixtureRequest, proxy: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> ScriptedServer:
    """Run a proxy that a variable of the environment names."""
    monkeypatch.setenv(request.param, proxy.url)
    return proxy


def transport(driver: Driver, url: str) -> Any:
    return (httpx.HTTPTransport if isinstance(driver, InThreads) else httpx.AsyncHTTPTransport)(proxy=url)


def check_refused(driver: Driver, auth: Any, api: ScriptedServer, host: str, **options: Any) -> None:
    with pytest.raises(InsecureRequest, match=r"must not pass one; add .* to NO_PROXY, or .*trust_env=False") as caught:
        driver.fetch(auth, Fetch(f"http://{host}:{api.port}/", "POST", (b"canary",)), **options)
    assert "canary" not in str(caught.value)
    assert api.accepted == 0


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "[::1]"])
def test_a_proxy_in_the_environment_gets_no_token(
    host: str, driver: Driver, auth: Any, api: ScriptedServer, configured_proxy: ScriptedServer
) -> None:
    check_refused(driver, auth, api, host, trust_env=True)
    assert configured_proxy.requests == []


@pytest.mark.parametrize("is_mounted", [False, True])
def test_a_proxy_of_the_client_gets_no_token(
    is_mounted: bool, driver: Driver, auth: Any, api: ScriptedServer, proxy: ScriptedServer  # noqa: FBT001
) -> None:  # fmt: skip
    options = {"mounts": {"http://": transport(driver, proxy.url)}} if is_mounted else {"proxy": proxy.url}
    check_refused(driver, auth, api, "localhost", **options)
    assert proxy.requests == []


def test_a_proxy_that_cannot_be_reached(driver: Driver, auth: Any, api: ScriptedServer) -> None:
    check_refused(driver, auth, api, "127.0.0.1", proxy=f"http://127.0.0.1:{free_port()}")


def test_a_connection_to_a_proxy_that_is_open_already(
    driver: Driver, auth: Any, api: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(answer_all) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        check_refused_on_second(driver, auth, api, trust_env=True)
        assert len(proxy.requests) == 1
        assert b"uthorization" not in proxy.requests[0][0]


def check_refused_on_second(driver: Driver, auth: Any, api: ScriptedServer, **options: Any) -> None:
    """Send a request without a token, which opens a connection, then one with a token."""
    once = OnSecond(auth)
    with pytest.raises(InsecureRequest):
        driver.fetch(once, *[Fetch(f"http://localhost:{api.port}/")] * 2, **options)
    assert once.requests == 2


class OnSecond(httpx.Auth):
    """Authenticates every request but the first."""

    requires_request_body = True

    def __init__(self, auth: httpx.Auth) -> None:
        self.requests = 0
        self._auth = auth

    def sync_auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        self.requests += 1
        if self.requests == 1:
            yield request
        else:
            yield from self._auth.sync_auth_flow(request)

    async def async_auth_flow(self, request: httpx.Request) -> Any:
        self.requests += 1
        if self.requests == 1:
            yield request
        else:
            async with contextlib.aclosing(self._auth.async_auth_flow(request)) as flow:
                async for one in flow:
                    yield one


def socks(peer: Peer) -> None:
    """Act as a SOCKS5 proxy and as the server behind it."""
    peer.connection.recv(3)
    peer.send(b"\x05\x00")
    peer.connection.recv(256)
    peer.send(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
    answer_all(peer)


@pytest.mark.parametrize("second", [False, True])
def test_a_socks_proxy_gets_no_token(second: bool, driver: Driver, auth: Any, api: ScriptedServer) -> None:  # noqa: FBT001
    with ScriptedServer(socks) as proxy:
        url = f"socks5://127.0.0.1:{proxy.port}"
        if second:
            check_refused_on_second(driver, auth, api, proxy=url)
        else:
            check_refused(driver, auth, api, "localhost", proxy=url)
        assert len(proxy.requests) == second


# What goes on without a proxy


@pytest.mark.parametrize(
    ("no_proxy", "options"),
    [
        ("localhost", {"trust_env": True}),
        ("*", {"trust_env": True}),
        (None, {"trust_env": False}),
        (None, {"trust_env": True, "mounts": {"all://localhost": None}}),
    ],
)
def test_a_client_without_a_proxy_for_this_machine(
    no_proxy: str | None, options: dict[str, Any], driver: Driver, configured_proxy: ScriptedServer, tmp_path: Path
) -> None:
    auth = driver.session(signed_in(tmp_path, LASTING)).auth
    with ScriptedServer(answer_all) as api, pytest.MonkeyPatch.context() as environment:
        if no_proxy is not None:
            environment.setenv("no_proxy", no_proxy)
        responses = driver.fetch(auth, *[Fetch(f"http://localhost:{api.port}/")] * 2, **options)
    assert [response.status_code for response in responses] == [200, 200]
    assert [b"canary-old" in head for head, _ in api.requests] == [True, True]
    assert (api.accepted, configured_proxy.accepted) == (1, 0)


def test_a_proxy_with_tls_to_the_api_is_used(driver: Driver, auth: Any, proxy: ScriptedServer) -> None:
    with pytest.raises(httpx.ProxyError):
        driver.fetch(auth, Fetch("https://localhost:1/"), proxy=refusing_url(proxy))
    assert [head.partition(b"\r\n")[0] for head, _ in proxy.requests] == [b"CONNECT localhost:1 HTTP/1.1"]
    assert b"canary" not in proxy.requests[0][0]


def refusing_url(proxy: ScriptedServer) -> str:
    proxy._script = sends(b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")
    return proxy.url


def test_a_redirect_through_a_proxy_without_the_token(
    driver: Driver, auth: Any, proxy: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = sends(b"HTTP/1.1 302 Found\r\nLocation: http://api.example/\r\nContent-Length: 0\r\n\r\n")
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "localhost")
    with ScriptedServer(moved) as api:
        (response,) = driver.fetch(auth, Fetch(f"http://localhost:{api.port}/"), trust_env=True)
    assert response.status_code == 200
    ((head, _),) = proxy.requests
    assert head.startswith(b"GET http://api.example/ HTTP/1.1\r\n")
    assert b"uthorization" not in head


def test_a_rejected_token_is_renewed_over_a_new_connection(driver: Driver, tmp_path: Path, endpoint: Any) -> None:
    session = driver.session(signed_in(tmp_path, LASTING), endpoint.provider)
    (response,) = driver.fetch(session.auth, Fetch(endpoint.api), headers={"Connection": "close"})
    assert response.status_code == 200
    assert mark_of(token_of(session._store.load())) == "new-1"


def test_the_programs_own_trace_hook_is_called(driver: Driver, auth: Any, api: ScriptedServer) -> None:
    seen: list[str] = []

    async def hook_async(event: str, _: object) -> None:
        seen.append(event)

    hook = seen.append if isinstance(driver, InThreads) else None
    extensions = {"trace": (lambda event, _: hook(event)) if hook else hook_async}
    driver.fetch(WithExtensions(auth, extensions), Fetch(f"http://127.0.0.1:{api.port}/"))
    assert "http11.send_request_headers.started" in seen


class WithExtensions(httpx.Auth):
    """Adds extensions to a request, as an argument of the request does."""

    def __init__(self, auth: httpx.Auth, extensions: dict[str, Any]) -> None:
        self._auth = auth
        self._extensions = extensions

    def sync_auth_flow(self, request: httpx.Request) -> Any:
        request.extensions = {**request.extensions, **self._extensions}
        return self._auth.sync_auth_flow(request)

    def async_auth_flow(self, request: httpx.Request) -> Any:
        request.extensions = {**request.extensions, **self._extensions}
        return self._auth.async_auth_flow(request)
