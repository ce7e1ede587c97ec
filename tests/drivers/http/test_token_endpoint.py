"""A token endpoint that is broken or hostile, over real TCP and TLS: whole logins, with each driver."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from loginmachine import (
    IdTokenPolicy,
    LoginFailed,
    LoginMethod,
    LoginOptions,
    MemoryStore,
    Provider,
    ProxyError,
    Secret,
    asyncio_open_login,
    open_login,
    start_login,
)

from ..conformance.drivers import DRIVERS, Play
from ..replies import raw_reply
from ..scripted_server import OK, Peer, ScriptedServer, sends
from ..support import (
    API_KEY,
    CANARIES,
    CODE,
    NAMESPACE,
    PATIENCE,
    TOKENS,
    Browser,
    Progress,
    Reply,
    free_port,
    jwt,
    reset,
)
from ..trio.support import no_idle_threads  # noqa: F401 - a fixture for all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    import trustme

MIB = 1024 * 1024
GOOD = json.dumps(TOKENS).encode()
KEY = json.dumps({"access_token": API_KEY}).encode()

CONNECT, REQUEST, TIMEOUT = "token_exchange_connect", "token_exchange_request", "token_exchange_timeout"
REJECTED, MALFORMED, INVALID = "token_endpoint_rejected", "token_response_malformed", "id_token_invalid"
PAGES = {TIMEOUT: 504}
"""The status of the page for some categories. For all others it is 502."""

THREE = ("threads", "trio", "asyncio")
each_driver = pytest.mark.parametrize("driver", THREE)


def in_turn(names: Iterable[str]) -> pytest.MarkDecorator:
    """Run each case with one driver, alternating. The core decides these cases, so one driver is enough."""
    return pytest.mark.parametrize(("name", "driver"), [(name, THREE[n % 3]) for n, name in enumerate(names)])


class Ending(NamedTuple):
    """The result of a login."""

    trouble: BaseException | None
    page: Reply
    store: MemoryStore


def sign_in(driver: str, options: LoginOptions) -> Ending:
    """Sign in, with a person who brings the code."""
    store, pages = MemoryStore(), []

    def visit(play: Play) -> None:
        browser = Browser(play.auth_url)
        pages.append(browser.callback())
        if pages[0].status == 302:
            pages.append(browser.follow())

    play = Play(options, store, Progress(), visit)
    DRIVERS[driver](play)
    assert (play.credentials is None) == (play.trouble is not None)
    return Ending(play.trouble, pages[-1], store)


def options(url: str, **changes: Any) -> LoginOptions:
    provider = Provider.codex(issuer=url).__replace__(**{"port": 0, "fallback_port": None, **changes})
    return LoginOptions(provider=provider, open_browser=False, deadline=60.0)


def fails(driver: str, url: str, **changes: Any) -> tuple[str, str]:
    """Sign in, and check that the login fails at the token endpoint. Return the category and the message."""
    ending = sign_in(driver, options(url, **changes))
    assert isinstance(ending.trouble, LoginFailed)
    assert ending.trouble.__context__ is None
    assert ending.store.credentials is None
    assert ending.trouble.step == "exchange_token"
    assert ending.page.status == PAGES.get(ending.trouble.category, 502)
    for canary in CANARIES:
        assert canary not in str(ending.trouble)
        assert canary.encode() not in ending.page.body
    return ending.trouble.category, ending.trouble.message


def succeeds(driver: str, url: str, **changes: Any) -> None:
    ending = sign_in(driver, options(url, **changes))
    assert ending.trouble is None
    assert ending.page.status == 200
    assert ending.store.credentials is not None
    assert ending.store.credentials.tokens is not None
    assert ending.store.credentials.tokens.refresh_token == Secret(TOKENS["refresh_token"])


def issuing(first: bytes) -> Callable[[Peer], None]:
    """Return a script that answers the code with this response, and the API-key exchange with a key."""

    def script(peer: Peer) -> None:
        _, body = peer.read_request()
        peer.send(raw_reply(KEY) if b"token-exchange" in body else first)

    return script


# What breaks


def drips(start: bytes, drip: bytes = b"x") -> Callable[[Peer], None]:
    """Send bytes every few milliseconds, without an end."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(start)
        while not peer.server.reached.wait(0.005):
            peer.send(drip)

    return script


def resets_after(start: bytes, *, reads: bool = True) -> Callable[[Peer], None]:
    def script(peer: Peer) -> None:
        if reads:
            peer.read_request()
        peer.send(start)
        reset(peer.connection)

    return script


def silent(peer: Peer) -> None:
    peer.read_request()
    peer.wait_for_end()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
BROKEN: dict[str, tuple[Callable[[Peer], None], str]] = {
    "reset at once": (resets_after(b"", reads=False), REQUEST),
    "reset after the request": (resets_after(b""), REQUEST),
    "reset in the head": (resets_after(b"HTTP/1.1 200"), REQUEST),
    "reset in the body": (resets_after(HEAD + b"{"), REQUEST),
    "closed after the request": (sends(b""), REQUEST),
    "head cut short": (sends(HEAD[:30]), REQUEST),
    "body cut short": (sends(HEAD + GOOD), REQUEST),
    "chunks cut short": (sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"), REQUEST),
    "body without a length, cut short": (sends(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n", GOOD[:-1]), MALFORMED),
    "a bad chunk size": (sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}"), REQUEST),
    "two lengths": (sends(raw_reply(GOOD, "200 OK", "Content-Length: 3")), REQUEST),
    "a negative length": (sends(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n" + GOOD), REQUEST),
    "another transfer coding": (sends(raw_reply(GOOD, "200 OK", "Transfer-Encoding: gzip")), REQUEST),
    "an endless head": (sends(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000), REQUEST),
    "a switch of protocols": (sends(b"HTTP/1.1 101 Go\r\nUpgrade: canary\r\n\r\n"), REQUEST),
    "another protocol": (sends(b"220 smtp.example ESMTP canary\r\n"), REQUEST),
    "silence": (silent, TIMEOUT),
    "a dripped status line": (drips(b"HTTP/1.1 200 "), TIMEOUT),
    "a dripped head": (drips(b"HTTP/1.1 200 OK\r\nX: "), TIMEOUT),
    "a dripped body": (drips(HEAD), TIMEOUT),
    "dripped chunks": (drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"), TIMEOUT),
    "interim answers for ever": (drips(b"", b"HTTP/1.1 102 Processing\r\n\r\n"), TIMEOUT),
}


@each_driver
@pytest.mark.parametrize("name", BROKEN)
def test_an_endpoint_that_breaks(name: str, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, category = BROKEN[name]
    if category == TIMEOUT:
        monkeypatch.setattr("loginmachine.sansio.oauth.token_requests.TOKEN_EXCHANGE_TIMEOUT", 0.5)
    with ScriptedServer(script) as server:
        found, words = fails(driver, server.url)
        server.reached.set()
        # No code is sent twice: the provider might revoke what the first one brought.
        assert server.accepted == 1
    assert (found, words.startswith(f"{server.url}/oauth/token: ")) == (category, True)


@each_driver
def test_a_port_without_a_listener(driver: str) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    assert fails(driver, url) == (CONNECT, f"{url}/oauth/token: no connection: Connection refused")


@each_driver
def test_300_mb_are_not_read(driver: str) -> None:
    sent = []

    def endless(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 300000000\r\n\r\n")
        for _ in range(300):
            peer.send(b" " * 1_000_000)
            sent.append(1_000_000)

    with ScriptedServer(endless) as server:
        category, words = fails(driver, server.url)
    assert (category, words) == (MALFORMED, f"{server.url}/oauth/token: the answer is larger than 1 MiB")
    # What the system's buffers took is not read.
    assert sum(sent) < 100_000_000


@each_driver
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity, gzip", "x-unknown"])
def test_a_body_that_would_inflate(driver: str, coding: str) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    with ScriptedServer(sends(raw_reply(bomb, "200 OK", f"Content-Encoding: {coding}"))) as server:
        category, words = fails(driver, server.url)
        assert b"accept-encoding: identity\r\n" in server.requests[0][0].lower()
    assert category == MALFORMED
    assert words.endswith("the answer has a content coding that was not asked for")


# What is said


def tokens(**changes: object) -> bytes:
    return json.dumps({name: value for name, value in {**TOKENS, **changes}.items() if value is not ...}).encode()


BODIES: dict[str, bytes] = {
    "empty": b"",
    "a page": b"<!doctype html><title>canary</title>",
    "cut short": GOOD[:-1],
    "something behind it": GOOD + b"{}",
    "an array": b"[" + GOOD + b"]",
    "a string": b'"canary"',
    "null": b"null",
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-32": GOOD.decode().encode("utf-32"),
    "Latin-1": GOOD[:-1] + b', "x": "\xe9"}',
    "a duplicate member": GOOD[:-1] + b', "id_token": "a.b.c"}',
    "NaN": GOOD[:-1] + b', "x": NaN}',
    "Infinity": GOOD[:-1] + b', "x": -Infinity}',
    "deep": b'{"a":' * 100_000,
    "deep arrays": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a comment": b"/* canary */" + GOOD,
    "a control character": GOOD.replace(b'"refresh_token": "', b'"refresh_token": "\n'),
    **{
        f"{name}: {what}": tokens(**{name: value})
        for name in TOKENS
        for what, value in {
            "missing": ...,
            "null": None,
            "empty": "",
            "a number": 5,
            "an object": {"canary": 1},
            "a line feed": "canary\n",
            "a lone surrogate": "canary\ud800",
            "not ASCII": "canary\u00e9",
        }.items()
    },
    "another token type": tokens(token_type="mac"),
    "a token type that is a number": tokens(token_type=1),
}


@in_turn(BODIES)
def test_a_body_that_cannot_be_used(name: str, driver: str) -> None:
    with ScriptedServer(sends(raw_reply(BODIES[name], "200 OK", "Content-Type: application/json"))) as server:
        category, words = fails(driver, server.url)
    assert category == MALFORMED
    assert "canary" not in words


@each_driver
@pytest.mark.parametrize(
    "first",
    [
        pytest.param(raw_reply(b"\xef\xbb\xbf" + GOOD), id="a byte order mark"),
        pytest.param(raw_reply(GOOD, "200 OK", "Content-Type: text/html"), id="text/html"),
        pytest.param(raw_reply(GOOD, "200 OK", "Content-Type: \xff/\xfe; charset=utf-16"), id="nonsense as its type"),
        pytest.param(
            raw_reply(tokens(expires_in="soon", token_type="BEARER", error=None)[:-1] + b', "x": 1e999}'),
            id="odd members",
        ),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + raw_reply(GOOD), id="early hints"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 20 + raw_reply(GOOD), id="continue"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\n" + GOOD, id="HTTP/1.0"),
        pytest.param(raw_reply(GOOD, "200 OK", "Content-Encoding: identity", "Set-Cookie: a=b"), id="identity"),
        pytest.param(raw_reply(GOOD, "200 OK", "Date: yesterday", "Retry-After: \x80"), id="nonsense in its fields"),
    ],
)
def test_an_odd_answer_that_is_accepted(driver: str, first: bytes) -> None:
    with ScriptedServer(issuing(first)) as server:
        succeeds(driver, server.url)


ID_TOKENS: dict[str, str] = {
    "iss": jwt({"iss": "https://evil.example"}),
    "aud": jwt({"aud": "canary"}),
    "aud in a list": jwt({"aud": ["canary"]}),
    "azp": jwt({"azp": "canary"}),
    "exp": jwt({"exp": 1_000_000_000}),
    "exp of another type": jwt({"exp": "canary"}),
    "exp without an end": jwt({"exp": 10**400}),
    "two parts": "a.b",
    "four parts": "a.b.c.d",
    "no base64": "a.b*canary.c",
    "no object": "a.W10.c",
    "too large": jwt({"x": "y" * 100_000}),
}


@in_turn(ID_TOKENS)
def test_an_id_token_that_is_refused(name: str, driver: str) -> None:
    with ScriptedServer(sends(raw_reply(tokens(id_token=ID_TOKENS[name])))) as server:
        category, words = fails(driver, server.url)
    assert category == INVALID
    assert words.startswith("the id token was refused: it")
    assert "canary" not in words


@each_driver
@pytest.mark.parametrize("claims", [{}, {"nonce": "canary"}, {"nonce": 5}])
def test_an_id_token_of_another_sign_in(driver: str, claims: dict[str, object]) -> None:
    now = {"sub": "s", "aud": "app_EMoamEEZ73f0CkXaXp7hrann", "exp": 4_000_000_000, "iat": 1}

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(raw_reply(tokens(id_token=jwt({**now, "iss": peer.server.url, NAMESPACE: {}, **claims}))))

    with ScriptedServer(script) as server:
        category, words = fails(driver, server.url, uses_nonce=True, id_token_policy=IdTokenPolicy.STRICT)
    assert (category, words) == (INVALID, "the id token was refused: it belongs to another sign-in (nonce)")


@each_driver
@pytest.mark.parametrize(
    ("status", "fields", "message"),
    [
        ("429 Slow down", ("Retry-After: 120",), "status 429 (retry after: 120)"),
        (
            "429 Slow down",
            ("Retry-After: Fri, 31 Dec 2027 23:59:59 GMT",),
            "(retry after: Fri, 31 Dec 2027 23:59:59 GMT)",
        ),
        ("429 Slow down", ("Retry-After: -1",), "(retry after: -1)"),
        ("429 Slow down", ("Retry-After: soon\x9b2J",), "(retry after: soon\ufffd2J)"),
        ("429 Slow down", (f"Retry-After: {'9' * 5000}",), f"(retry after: {'9' * 39}\u2026)"),
        ("429 Slow down", ("Retry-After: 1", "Retry-After: 2"), "(retry after: 1)"),
        ("429 Slow down", ("Retry-After:",), "status 429 (retry after: )"),
        ("429 Slow down", (), "status 429"),
        ("503 Later", ("Retry-After: 3",), "status 503, the provider has a problem (retry after: 3)"),
        ("400 Bad", ("Retry-After: 3",), "status 400"),
        ("999 What", (), "status 999"),
    ],
)
def test_a_refusal_is_not_tried_again(driver: str, status: str, fields: tuple[str, ...], message: str) -> None:
    with ScriptedServer(sends(raw_reply(b"canary", status, *fields))) as server:
        category, words = fails(driver, server.url)
        assert server.accepted == 1
    assert category == REJECTED
    assert words.endswith(message)


LOCATIONS = ("http://127.0.0.1:{}/canary", "//127.0.0.1:{}/canary", "/oauth/token?canary={}", "", "\xff{}")


@each_driver
@pytest.mark.parametrize(
    ("status", "location"),
    [(status, LOCATIONS[0]) for status in (300, 301, 302, 303, 304, 305, 308)] + [(307, where) for where in LOCATIONS],
)
def test_a_redirect_is_never_followed(driver: str, status: int, location: str) -> None:
    with ScriptedServer(sends(raw_reply(GOOD))) as stranger:
        refresh, service = f"Refresh: 0; url={stranger.url}", f'Alt-Svc: h2=":{stranger.port}"'
        fields = (f"Location: {location.format(stranger.port)}", refresh, service)
        with ScriptedServer(sends(raw_reply(GOOD, f"{status} Go", *fields))) as server:
            category, words = fails(driver, server.url)
            assert server.accepted == 1
        assert stranger.accepted == 0
    assert category == MALFORMED
    assert "canary" not in words
    assert str(stranger.port) not in words


# TLS


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file with the authority's certificate. All tests share it, because a TLS context takes 50 ms."""
    path = tmp_path_factory.mktemp("trust") / "bundle.pem"
    authority.cert_pem.write_to_path(path)
    return path


@pytest.fixture(scope="module")
def other_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file with the certificate of another authority."""
    import trustme

    path = tmp_path_factory.mktemp("trust") / "other.pem"
    trustme.CA().cert_pem.write_to_path(path)
    return path


def tls_for(authority: trustme.CA, *names: str, **more: Any) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names, **more).configure_cert(context)
    return context


@each_driver
@pytest.mark.parametrize(
    ("codex", "openssl", "is_trusted"),
    [
        ("ours", None, True),
        (None, "ours", True),
        ("ours", "other", True),
        ("other", "ours", False),
        ("", "ours", True),
        ("ours", "", True),
        ("", "", False),
        (None, None, False),
        ("other", None, False),
    ],
)
def test_the_bundle_that_each_variable_configures(  # noqa: PLR0913
    *,
    driver: str,
    codex: str | None,
    openssl: str | None,
    is_trusted: bool,
    bundle: Path,
    other_bundle: Path,
    server_tls: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    files = {"ours": str(bundle), "other": str(other_bundle), "": ""}
    for variable, value in {"CODEX_CA_CERTIFICATE": codex, "SSL_CERT_FILE": openssl}.items():
        if value is not None:
            monkeypatch.setenv(variable, files[value])
    with ScriptedServer(issuing(raw_reply(GOOD)), tls=server_tls) as server:
        if is_trusted:
            succeeds(driver, server.url)
            return
        category, words = fails(driver, server.url)
        assert server.requests == []
    assert category == CONNECT
    assert "the certificate is not trusted (unable to get local issuer certificate); CODEX_CA_CERTIFICATE" in words


@each_driver
@pytest.mark.parametrize("kind", ["expired", "another host", "another address"])
def test_a_certificate_that_is_not_valid(
    driver: str, kind: str, authority: trustme.CA, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CODEX_CA_CERTIFICATE", str(bundle))
    begin, end = datetime(2001, 1, 1, tzinfo=UTC), datetime(2002, 1, 1, tzinfo=UTC)
    tls, message = {
        "expired": (tls_for(authority, "127.0.0.1", not_before=begin, not_after=end), "certificate has expired"),
        "another host": (tls_for(authority, "evil.example"), "IP address mismatch"),
        "another address": (tls_for(authority, "127.0.0.2"), "IP address mismatch"),
    }[kind]
    with ScriptedServer(issuing(raw_reply(GOOD)), tls=tls) as server:
        category, words = fails(driver, server.url)
        assert server.requests == []
    assert category == CONNECT
    assert f"no connection: the certificate is not trusted ({message}" in words


class InspectionBox:
    """The authority of a device that inspects TLS, with certificates that RFC 5280 does not allow.

    The authority's certificate lacks the key usage, and those that it issues lack the identifier of its key.
    """

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Inspection")])
        basic = x509.BasicConstraints(ca=True, path_length=None)
        self._certificate = self._build(self._name, self._key).add_extension(basic, critical=False)
        self.pem = self._certificate.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)

    def _build(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int = 1) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        dates = sorted((now - timedelta(days=2), now + timedelta(days=days)))
        return (
            x509.CertificateBuilder(self._name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(dates[0])
            .not_valid_after(dates[1])
        )

    def tls(self, folder: Path, address: str = "127.0.0.1", *, days: int = 1) -> ssl.SSLContext:
        """Return the TLS of a server.

        Args:
            folder: For the certificate's file.
            address: The address that the certificate is for.
            days: The days from now until the certificate expires.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))])
        certificate = self._build(x509.Name([]), key, days=days).add_extension(names, critical=False)
        pem = certificate.sign(self._key, hashes.SHA256()).public_bytes(Encoding.PEM)
        path = folder / "server.pem"
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InspectionBox:
    """Return the authority of an inspection box, which is trusted."""
    box = InspectionBox()
    (tmp_path / "box.pem").write_bytes(box.pem)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "box.pem"))
    return box


@each_driver
def test_the_certificates_of_an_inspection_box(driver: str, box: InspectionBox, tmp_path: Path) -> None:
    # Python 3.13 and later check strictly what RFC 5280 asks for, which would refuse them.
    with ScriptedServer(issuing(raw_reply(GOOD)), tls=box.tls(tmp_path)) as server:
        succeeds(driver, server.url)


@each_driver
@pytest.mark.parametrize("kind", ["expired", "another address", "another authority"])
def test_the_wrong_certificates_of_an_inspection_box(
    driver: str, kind: str, box: InspectionBox, tmp_path: Path
) -> None:
    cases: dict[str, tuple[Callable[[], ssl.SSLContext], str]] = {
        "expired": (lambda: box.tls(tmp_path, days=-1), "certificate has expired"),
        "another address": (lambda: box.tls(tmp_path, "127.0.0.2"), "IP address mismatch"),
        # An authority with the same name, and another key.
        "another authority": (lambda: InspectionBox().tls(tmp_path), "certificate signature failure"),
    }
    tls, message = cases[kind]
    with ScriptedServer(issuing(raw_reply(GOOD)), tls=tls()) as server:
        category, words = fails(driver, server.url)
        assert server.requests == []
    assert category == CONNECT
    assert f"no connection: the certificate is not trusted ({message}" in words


def speaks_http(peer: Peer) -> None:
    peer.send(raw_reply(GOOD))
    peer.wait_for_end()


def resets(peer: Peer) -> None:
    peer.connection.recv(1)
    reset(peer.connection)


def refuses(peer: Peer) -> None:
    peer.connection.recv(1)
    # An alert: handshake failure.
    peer.send(b"\x15\x03\x03\x00\x02\x02\x28")
    peer.wait_for_end()


def hangs_up(_: Peer) -> None:
    pass


HANDSHAKES: dict[str, tuple[Callable[[Peer], None], str]] = {
    "stalls": (Peer.wait_for_end, TIMEOUT),
    "speaks HTTP": (speaks_http, CONNECT),
    "hangs up": (hangs_up, CONNECT),
    "resets": (resets, CONNECT),
    "refuses": (refuses, CONNECT),
}


@each_driver
@pytest.mark.parametrize("name", HANDSHAKES)
def test_a_handshake_that_fails(name: str, driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    script, category = HANDSHAKES[name]
    if category == TIMEOUT:
        monkeypatch.setattr("loginmachine.sansio.oauth.token_requests.TOKEN_EXCHANGE_TIMEOUT", 0.2)
    with ScriptedServer(script) as server:
        found, words = fails(driver, f"https://127.0.0.1:{server.port}")
        assert server.requests == []
    assert found == category
    assert words.startswith(f"https://127.0.0.1:{server.port}/oauth/token: no ")


# One connection


@each_driver
@pytest.mark.parametrize("over", ["plain HTTP", "TLS"])
def test_both_requests_go_over_one_connection(
    driver: str, over: str, server_tls: ssl.SSLContext, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second handshake would make the browser wait. The connection is closed at the end."""
    monkeypatch.setenv("CODEX_CA_CERTIFICATE", str(bundle))
    left = threading.Event()

    def script(peer: Peer) -> None:
        for body in (GOOD, KEY):
            peer.read_request()
            peer.send(OK % (len(body), body))
        if peer.read_request() == (b"", b""):
            left.set()

    with ScriptedServer(script, tls=server_tls if over == "TLS" else None) as server:
        succeeds(driver, server.url)
        assert left.wait(PATIENCE)
        assert (server.accepted, len(server.requests)) == (1, 2)


# Proxies


class Proxy:
    """A proxy for ``provider.test``, a host that exists only behind it."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.heads: list[bytes] = []
        self._tls = tls

    def tunnel(self, peer: Peer) -> None:
        """Act as the proxy, and as the provider behind it."""
        self.heads.append(peer.read_head())
        peer.send(b"HTTP/1.1 200 Connected\r\n\r\n")
        self._serve_inside(peer)

    def socks(self, peer: Peer) -> None:
        """Act as a SOCKS5 proxy with a user name and a password (RFC 1928 and 1929), and as the provider behind it."""
        assert peer.connection.recv(256) == b"\x05\x01\x02"
        peer.send(b"\x05\x02")
        assert peer.connection.recv(256) == b"\x01\x02me\x0fcanary-password"
        peer.send(b"\x01\x00")
        self.heads.append(peer.connection.recv(256))
        peer.send(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        self._serve_inside(peer)

    def _serve_inside(self, peer: Peer) -> None:
        with self._tls.wrap_socket(peer.connection, server_side=True) as inside:
            peer.server._connections.append(inside)
            issuing(raw_reply(GOOD))(Peer(inside, peer.server))

    def refuse(self, status: bytes) -> Callable[[Peer], None]:
        def script(peer: Peer) -> None:
            self.heads.append(peer.read_head())
            peer.send(b"HTTP/1.1 " + status + b"\r\nProxy-Authenticate: Basic realm=canary\r\n\r\n")
            peer.wait_for_end()

        return script


@pytest.fixture(scope="module")
def proxy_tls(authority: trustme.CA) -> ssl.SSLContext:
    return tls_for(authority, "provider.test")


@pytest.fixture
def proxy(proxy_tls: ssl.SSLContext, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Proxy:
    monkeypatch.setenv("CODEX_CA_CERTIFICATE", str(bundle))
    return Proxy(proxy_tls)


PROVIDER = "https://provider.test"
REFUSED = "refused the connection"


@each_driver
def test_a_proxy_with_a_password(
    driver: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, all_logs: pytest.LogCaptureFixture
) -> None:
    with ScriptedServer(proxy.tunnel) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:canary-password@127.0.0.1:{server.port}")
        succeeds(driver, PROVIDER)
        assert [body.count(CODE.partition("/")[0].encode()) for _, body in server.requests] == [1, 0]
    # Two exchanges, through one tunnel or two. What the proxy sees holds its password, and nothing of the login.
    for head in proxy.heads:
        assert head.startswith(b"CONNECT provider.test:443 HTTP/1.1\r\n")
        assert b"Proxy-Authorization: Basic bWU6Y2FuYXJ5LXBhc3N3b3Jk" in head
        assert b"canary-code" not in head
    assert "canary-password" not in all_logs.text
    assert "bWU6Y2FuYXJ5LXBhc3N3b3Jk" not in all_logs.text


@each_driver
@pytest.mark.parametrize("status", [b"403 canary", b"407 Proxy Authentication Required", b"502 canary", b"200 "])
def test_a_proxy_that_refuses(driver: str, status: bytes, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    if status.startswith(b"200"):
        monkeypatch.setattr("loginmachine.sansio.oauth.token_requests.TOKEN_EXCHANGE_TIMEOUT", 0.5)
    with ScriptedServer(proxy.refuse(status)) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:canary-password@127.0.0.1:{server.port}")
        category, words = fails(driver, PROVIDER)
        assert len(proxy.heads) == 1
    named = f"the proxy {server.url} (HTTPS_PROXY)"
    if status.startswith(b"200"):
        # A proxy that agrees, and says nothing more, is a handshake that stalls.
        assert (category, words.startswith(f"{PROVIDER}/oauth/token: no ")) == (TIMEOUT, True)
        assert words.endswith(f" in time through {named}")
    else:
        assert category == CONNECT
        assert words == f"{PROVIDER}/oauth/token: {named} {REFUSED} with status {status[:3].decode()}"
    assert "canary" not in words


@each_driver
@pytest.mark.parametrize("value", ["canary://me:canary@x", "http://me:canary@127.0.0.1:nope", "http://[canary"])
@pytest.mark.parametrize("method", LoginMethod)
def test_proxy_settings_that_are_invalid(
    driver: str, value: str, method: LoginMethod, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", value)
    progress = Progress()
    arguments: Any = {"store": MemoryStore(), "on_progress": progress, "method": method}

    def with_threads() -> None:
        with start_login(options(PROVIDER), **arguments):
            pytest.fail("the login began")

    async def in_loop(sign_in: Any) -> None:
        async with sign_in(options(PROVIDER), **arguments):
            pytest.fail("the login began")

    runs: dict[str, Callable[[], None]] = {
        "threads": with_threads,
        "trio": lambda: trio.run(in_loop, open_login),
        "asyncio": lambda: asyncio.run(in_loop(asyncio_open_login)),
    }
    with pytest.raises(ProxyError) as caught:
        runs[driver]()
    # Before the port is opened.
    assert progress.phases == []
    assert str(caught.value).startswith("the proxy that HTTPS_PROXY names cannot be used: it")
    assert "canary" not in str(caught.value)


@each_driver
def test_only_the_proxy_that_applies_is_used(driver: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(proxy.tunnel) as server:
        monkeypatch.setenv("https_proxy", server.url)
        monkeypatch.setenv("http_proxy", "canary://canary")
        monkeypatch.setenv("all_proxy", "socks4://canary")
        monkeypatch.setenv("no_proxy", "localhost,[::1],::1/128,fd00::/8,[,a:b:c,$x")
        succeeds(driver, PROVIDER)
    assert proxy.heads


@each_driver
@pytest.mark.parametrize("scheme", ["socks", "socks5", "socks5h"])
def test_a_socks_proxy(driver: str, scheme: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(proxy.socks) as server:
        monkeypatch.setenv("all_proxy", f"{scheme}://me:canary-password@127.0.0.1:{server.port}/")
        succeeds(driver, PROVIDER)
    assert all(head.endswith(b"\x0dprovider.test\x01\xbb") for head in proxy.heads)
    assert proxy.heads


@each_driver
def test_a_proxy_with_a_certificate_of_its_own(
    driver: str, proxy: Proxy, server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The bundle is for the proxy too. What the proxy says shows that the request has reached it.
    with ScriptedServer(proxy.refuse(b"403 canary"), tls=server_tls) as server:
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        assert fails(driver, PROVIDER)[1].endswith(f"the proxy {server.url} (HTTPS_PROXY) {REFUSED} with status 403")


@each_driver
def test_a_proxy_that_cannot_be_reached(driver: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("HTTPS_PROXY", address.replace("//", "//me:canary@"))
    category, words = fails(driver, PROVIDER)
    assert category == CONNECT
    assert words == (
        f"{PROVIDER}/oauth/token: no connection through the proxy {address} (HTTPS_PROXY): Connection refused"
    )
    assert proxy.heads == []


@each_driver
def test_no_proxy_for_this_machine(driver: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(issuing(raw_reply(GOOD))) as server, ScriptedServer(sends(b"")) as stranger:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, stranger.url)
        succeeds(driver, server.url)
        assert stranger.accepted == 0
