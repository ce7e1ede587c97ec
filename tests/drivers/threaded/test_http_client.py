"""The HTTP client of the threaded driver: its requests, its responses, and its failures."""

from __future__ import annotations

import gzip
import ssl
import time
from typing import TYPE_CHECKING

import pytest

from loginmachine.drivers.errors import TrustError
from loginmachine.drivers.http.client import client_settings
from loginmachine.drivers.threaded.http_client import HttpClient
from loginmachine.sansio.base.http import HttpRequest, HttpRequestFailed, HttpResponse, TransportProblem

from ..scripted_server import OK, Peer, ScriptedServer, sends
from ..support import PATIENCE, free_port, trust_only

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import trustme

FORM = (("code", "canary code/&="), ("code_verifier", "canary-verifier"), ("empty", ""))
BODY = b"code=canary+code%2F%26%3D&code_verifier=canary-verifier&empty="
MIB = 1024 * 1024


def send(url: str, *, timeout: float = PATIENCE) -> HttpResponse | HttpRequestFailed:
    client = HttpClient()
    try:
        return client.send(HttpRequest(url=url, form=FORM, timeout=timeout))
    finally:
        client.close()


def answer_to(script: Callable[[Peer], None]) -> HttpResponse:
    with ScriptedServer(script) as server:
        event = send(f"{server.url}/oauth/token")
    assert isinstance(event, HttpResponse)
    return event


def failed(kind: TransportProblem, message: str) -> HttpRequestFailed:
    return HttpRequestFailed(kind=kind, message=message)


def test_the_request_that_is_sent() -> None:
    with ScriptedServer(sends(OK % (2, b"{}"))) as server:
        send(f"{server.url}/oauth/token")
        ((head, body),) = server.requests
    request_line, *lines = head.decode().strip().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert request_line == "POST /oauth/token HTTP/1.1"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert headers["accept"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert headers["content-length"] == str(len(BODY))
    assert headers.keys().isdisjoint({"authorization", "cookie"})
    assert body == BODY


def test_the_response_that_is_returned() -> None:
    before = time.time()
    event = answer_to(sends(b"HTTP/1.1 418 Teapot\r\nX-One: a\r\nx-one: b\r\nContent-Length: 3\r\n\r\n\xff\x00{"))
    assert (event.status, event.body) == (418, b"\xff\x00{")
    assert event.headers == ((b"X-One", b"a"), (b"x-one", b"b"), (b"Content-Length", b"3"))
    assert before <= event.received_at <= time.time()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(status: int) -> None:
    with ScriptedServer(sends(OK % (2, b"{}"))) as stranger:
        location = f"Location: {stranger.url}/oauth/token".encode()
        event = answer_to(sends(b"HTTP/1.1 %d Go\r\n%b\r\nContent-Length: 0\r\n\r\n" % (status, location)))
        assert event.status == status
        assert stranger.accepted == 0


def test_gzip_is_not_decoded() -> None:
    packed = gzip.compress(b"{}" * 1000)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    assert answer_to(sends(head % len(packed) + packed)).body == packed


def test_an_answer_of_1_mib_is_read_whole() -> None:
    assert answer_to(sends(OK % (MIB, b"x" * MIB))).body == b"x" * MIB


@pytest.mark.parametrize("length", [b"Content-Length: 99999999999", b"Connection: close"])
def test_an_endless_answer_is_read_up_to_one_byte_more(length: bytes) -> None:
    def endless(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n\r\n")
        # Ends when the client leaves.
        while True:
            peer.send(b"x" * 65536)

    assert answer_to(endless).body == b"x" * (MIB + 1)


def test_a_port_without_a_listener() -> None:
    event = send(f"http://127.0.0.1:{free_port()}/oauth/token")
    assert event == failed(TransportProblem.CONNECT, "no connection: Connection refused")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="closed at once"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="head cut short"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}", id="body cut short"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", id="chunks cut short"),
        pytest.param(b"SSH-2.0-canary\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"canary" * 40_000 + b"\r\n\r\n", id="endless head"),
    ],
)
def test_an_answer_that_is_broken(answer: bytes) -> None:
    with ScriptedServer(sends(answer)) as server:
        event = send(f"{server.url}/oauth/token")
    assert event == failed(TransportProblem.REQUEST, "the answer is not HTTP, or it is incomplete")


def test_an_endpoint_that_is_silent() -> None:
    with ScriptedServer(Peer.wait_for_end) as server:
        event = send(f"{server.url}/oauth/token", timeout=0.05)
    assert event == failed(TransportProblem.TIMEOUT, "no answer in time")


# TLS


@pytest.mark.parametrize("variable", ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"])
def test_a_private_authority_that_is_configured(
    variable: str,
    authority: trustme.CA,
    server_tls: ssl.SSLContext,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trust_only(authority, tmp_path, monkeypatch, variable)
    with ScriptedServer(sends(OK % (2, b"{}")), tls=server_tls) as server:
        event = send(f"{server.url}/oauth/token")
    assert isinstance(event, HttpResponse)


def test_an_unknown_authority(server_tls: ssl.SSLContext) -> None:
    with ScriptedServer(sends(OK % (2, b"{}")), tls=server_tls) as server:
        event = send(f"{server.url}/oauth/token")
        assert server.requests == []
    words = (
        "no connection: the certificate is not trusted (unable to get local issuer certificate); CODEX_CA_CERTIFICATE"
    )
    assert isinstance(event, HttpRequestFailed)
    assert (event.kind, event.message.startswith(words)) == (TransportProblem.CONNECT, True)


def test_a_certificate_for_another_host(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trust_only(authority, tmp_path, monkeypatch, "SSL_CERT_FILE")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("provider.example").configure_cert(tls)
    with ScriptedServer(sends(OK % (2, b"{}")), tls=tls) as server:
        event = send(f"{server.url}/oauth/token")
        assert server.requests == []
    assert isinstance(event, HttpRequestFailed)
    assert event.kind is TransportProblem.CONNECT
    assert event.message.startswith("no connection: the certificate is not trusted (IP address mismatch")


def test_a_server_without_tls() -> None:
    def plain(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        peer.wait_for_end()

    with ScriptedServer(plain) as server:
        event = send(f"https://127.0.0.1:{server.port}/oauth/token")
    assert event == failed(TransportProblem.CONNECT, "no connection: the TLS handshake failed")


def test_an_unusable_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing"))
    url = f"https://127.0.0.1:{free_port()}/oauth/token"
    with pytest.raises(TrustError):
        client_settings(url)
    words = f"the certificate bundle that SSL_CERT_FILE names, {tmp_path / 'missing'}, cannot be used: "
    assert send(url) == failed(TransportProblem.CONNECT, f"{words}No such file or directory")
    HttpClient().prepare(url)


# Proxies


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_proxy_for_this_machine(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(sends(OK % (2, b"{}"))) as server, ScriptedServer(sends(b"")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        assert isinstance(send(f"http://{host}:{server.port}/oauth/token"), HttpResponse)
        assert proxy.accepted == 0


def test_a_proxy_for_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(sends(b"HTTP/1.1 403 canary\r\n\r\n")) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:canary@127.0.0.1:{proxy.port}")
        event = send("https://provider.invalid/oauth/token")
        ((head, body),) = proxy.requests
    assert head.startswith(b"CONNECT provider.invalid:443 HTTP/1.1\r\n")
    assert body == b""
    words = f"the proxy {proxy.url} (HTTPS_PROXY) refused the connection with status 403"
    assert event == failed(TransportProblem.CONNECT, words)


@pytest.mark.parametrize("proxy", ["canary://127.0.0.1:1", "http://127.0.0.1:canary"])
def test_proxy_settings_that_cannot_be_used(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    event = send("https://provider.invalid/oauth/token")
    assert isinstance(event, HttpRequestFailed)
    assert event.kind is TransportProblem.CONNECT
    assert event.message.startswith("the proxy that HTTPS_PROXY names cannot be used: it")
    assert "canary" not in event.message
    # Another endpoint of the same client may need no proxy.
    client = HttpClient()
    with ScriptedServer(sends(OK % (2, b"{}"))) as server:
        for url in ("https://provider.invalid/", f"{server.url}/"):
            answer = client.send(HttpRequest(url=url, form=FORM, timeout=PATIENCE))
        client.close()
    assert isinstance(answer, HttpResponse)
