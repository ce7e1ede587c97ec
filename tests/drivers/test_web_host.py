"""Run examples/web_host.py as two real processes behind one address, with a real Redis server between them."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import socket
import socketserver
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from redis import Redis
from redis.exceptions import RedisError

import loginmachine
from loginmachine.demo.openid.provider import OpenIdProvider

from .support import PATIENCE, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[2] / "examples" / "web_host.py"
REDIS_SERVER = shutil.which("redis-server")
START = 30.0
"""Seconds for a program to start, on a machine with much else to do."""

pytestmark = pytest.mark.skipif(REDIS_SERVER is None, reason="redis-server is not installed")


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run a Redis server without a port, and yield its URL."""
    assert REDIS_SERVER is not None
    path = folder / "redis.sock"
    command = [REDIS_SERVER, "--port", "0", "--unixsocket", str(path), "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            assert eventually(lambda: answers(path), START)
            yield f"unix://{path}"
        finally:
            process.kill()


def answers(path: Path) -> bool:
    with contextlib.suppress(RedisError), Redis(unix_socket_path=str(path)) as client:
        return bool(client.ping())
    return False


class Balancer(socketserver.ThreadingTCPServer):
    """One address for several replicas. Each connection goes to the next one."""

    daemon_threads = False
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Forwarder)
        self.ports: itertools.cycle[int] = itertools.cycle(())

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Forwarder(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Balancer)
        with socket.create_connection(("127.0.0.1", next(self.server.ports)), PATIENCE) as replica:
            # One request and one response: both sides close the connection.
            replica.sendall(self.request.recv(65536))
            while data := replica.recv(65536):
                self.request.sendall(data)


@contextlib.contextmanager
def replica(provider: OpenIdProvider, address: str, redis_url: str, keys: str) -> Iterator[tuple[int, int]]:
    """Run a replica of the host, and yield its port and process id."""
    client = provider.confidential_client
    path = os.pathsep.join((str(Path(loginmachine.__file__).parents[1]), os.environ.get("PYTHONPATH", "")))
    environment = {**os.environ, "PYTHONPATH": path, "LOGIN_KEYS": keys, "CLIENT_SECRET": str(client.client_secret)}
    command = [sys.executable, "-W", "error", str(EXAMPLE), provider.issuer, client.client_id, address, redis_url, "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, env=environment, **pipes) as process:  # type: ignore[call-overload]
        try:
            line = process.stdout.readline()
            assert line.startswith("listening on port ")
            yield int(line.split()[-1]), process.pid
        finally:
            process.kill()


class Site(NamedTuple):
    """The host, with its replicas."""

    address: str
    replicas: set[str]
    redis_url: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run two replicas behind one address."""
    made = subprocess.run([sys.executable, str(EXAMPLE), "new-key"], capture_output=True, text=True, check=True)
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(redis_server(tmp_path_factory.mktemp("redis")))
        provider = stack.enter_context(OpenIdProvider())
        balancer = stack.enter_context(Balancer())
        thread = threading.Thread(target=balancer.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        stack.callback(thread.join)
        stack.callback(balancer.shutdown)
        # Both start at the same time.
        with ThreadPoolExecutor(2) as pool:
            runs = [replica(provider, balancer.address, url, made.stdout.strip()) for _ in range(2)]
            started = list(pool.map(stack.enter_context, runs))
        balancer.ports = itertools.cycle([port for port, _ in started])
        yield Site(balancer.address, {str(pid) for _, pid in started}, url)


class Browser(httpx.Client):
    """A browser with cookies, which opens a connection for each request."""

    def __init__(self) -> None:
        super().__init__(trust_env=False, headers={"Connection": "close"}, timeout=START)

    def sign_in(self, site: Site, decision: str = "sign-in") -> tuple[str, httpx.Response]:
        """Begin to sign in, and return the address of the callback, with the response of the replica that began."""
        begun = self.get(f"{site.address}/login")
        assert begun.status_code == 302, begun.text
        form = self.get(begun.headers["location"])
        token = re.search(r'name="csrf_token" value="([^"]+)"', form.text)
        assert token is not None
        fields = {"csrf_token": token[1], "email": "ada@example.com", "password": "x", "decision": decision}
        target = self.post(form.request.url, data=fields).headers["location"]
        assert target.startswith(f"{site.address}/auth/callback?")
        return target, begun


@pytest.fixture
def browser() -> Iterator[Browser]:
    with Browser() as browser:
        yield browser


def test_a_login_begins_at_one_replica_and_is_finished_by_the_other(site: Site, browser: Browser) -> None:
    assert browser.get(site.address).text == '<a href="/login">Sign in</a>'
    target, begun = browser.sign_in(site)
    finished = browser.get(target)
    assert (finished.status_code, finished.headers["location"]) == (302, "/")
    assert {begun.headers["X-Replica"], finished.headers["X-Replica"]} == site.replicas
    homes = [browser.get(site.address) for _ in range(2)]
    assert [home.text for home in homes] == ["You are signed in as ada@example.com."] * 2
    assert {home.headers["X-Replica"] for home in homes} == site.replicas


def test_of_two_callbacks_at_once_one_counts(site: Site, browser: Browser) -> None:
    """They reach both replicas. Reloaded later, the callback finds nothing either."""
    target, _ = browser.sign_in(site)
    with ThreadPoolExecutor(2) as pool:
        statuses = sorted(pool.map(lambda _: browser.get(target).status_code, range(2)))
    assert statuses == [302, 400]
    assert browser.get(target).status_code == 400


def test_a_copy_of_the_bytes_is_refused_by_the_mark(site: Site, browser: Browser) -> None:
    """An attacker with access to Redis puts the suspended login back. The code is not exchanged again."""
    target, _ = browser.sign_in(site)
    name = f"web:login:{browser.cookies['login']}"
    with Redis.from_url(site.redis_url) as redis:
        sealed = redis.get(name)
        assert isinstance(sealed, bytes)
        assert browser.get(target).status_code == 302
        redis.set(name, sealed)
        again = browser.get(target)
        redis.delete(name)
    assert again.status_code == 400
    assert "this login was finished before" in again.text


def test_another_browser_cannot_finish_it(site: Site, browser: Browser) -> None:
    """An attacker makes a person open the callback of the attacker's own sign-in (RFC 6749 section 10.12)."""
    target, _ = browser.sign_in(site)
    with Browser() as victim:
        assert victim.get(target).status_code == 400
        victim.sign_in(site)
        mixed = victim.get(target)
        assert mixed.status_code == 400
        assert "sign-in" in mixed.text
        assert "session" not in victim.cookies
    assert browser.get(target).status_code == 302


def test_a_person_who_refuses_reads_why(site: Site, browser: Browser) -> None:
    target, _ = browser.sign_in(site, "refuse")
    refused = browser.get(target)
    assert refused.status_code == 400
    assert "access_denied" in refused.text
    assert parse_qs(urlsplit(target).query)["state"][0] not in refused.text


def test_redis_holds_no_secret_in_clear(site: Site, browser: Browser) -> None:
    target, begun = browser.sign_in(site)
    sent = parse_qs(urlsplit(begun.headers["location"]).query)
    secrets = [sent[name][0].encode() for name in ("state", "nonce", "code_challenge")]
    with Redis.from_url(site.redis_url) as redis:
        sealed = redis.get(f"web:login:{browser.cookies['login']}")
        assert isinstance(sealed, bytes)
        assert browser.get(target).status_code == 302
        names = list(redis.scan_iter())
        held = sealed + b"".join(names) + b"".join(redis.get(name) or b"" for name in names)
    assert not [secret for secret in secrets if secret in held]
