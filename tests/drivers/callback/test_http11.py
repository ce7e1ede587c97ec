"""HTTP on one callback connection, without a socket. The same bytes have the same answer, however they are cut."""

from __future__ import annotations

import itertools
import logging
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loginmachine.drivers.callback.http11 import CallbackConnection, Request
from loginmachine.sansio import LoginSecrets
from loginmachine.sansio.callback.responses import Response, redirect_to_success, refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

SECRETS = LoginSecrets(state="s", code_verifier="v", success_key="key")
HOST = b"Host: 127.0.0.1:1455\r\n"
GET = b"GET /a?b=c HTTP/1.1\r\n"
OWN = (b"host", b"127.0.0.1:1455")
GOOD = ("GET", (OWN,))
"""The method and header fields of an accepted request."""


def head(size: int) -> bytes:
    """Return a request head of this many bytes."""
    start = GET + HOST + b"X-Filler: "
    return start + b"f" * (size - len(start) - 4) + b"\r\n\r\n"


def target(size: int) -> bytes:
    """Return a request with a target of this many bytes."""
    return b"GET /" + b"t" * (size - 1) + b" HTTP/1.1\r\n" + HOST + b"\r\n"


def lines(count: int) -> bytes:
    """Return a request with this many header lines."""
    return GET + HOST + b"X: y\r\n" * (count - 1) + b"\r\n"


def fields(*more: bytes, request_line: bytes = GET) -> bytes:
    return request_line + HOST + b"".join(field + b"\r\n" for field in more) + b"\r\n"


CASES: dict[str, tuple[bytes, object]] = {
    "GET": (fields(), GOOD),
    "HEAD": (fields(request_line=b"HEAD /a HTTP/1.1\r\n"), ("HEAD", (OWN,))),
    "OPTIONS": (fields(request_line=b"OPTIONS * HTTP/1.1\r\n"), ("OPTIONS", (OWN,))),
    "HTTP/1.0": (b"GET /a HTTP/1.0\r\n" + HOST + b"\r\n", GOOD),
    "HTTP/1.0 without Host": (b"GET /a HTTP/1.0\r\n\r\n", ("GET", ())),
    "HTTP/1.2": (b"GET /a HTTP/1.2\r\n" + HOST + b"\r\n", 505),
    "HTTP/2.0": (b"GET /a HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    "HTTP/0.9": (b"GET /a\r\n\r\n", 400),
    "lower-case version": (b"GET /a http/1.1\r\n" + HOST + b"\r\n", 400),
    "h2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "TLS hello": (bytes.fromhex("16030100f8010000f40303") + b"\x00" * 32, 400),
    "leading CRLF": (b"\r\n" + fields(), 400),
    "leading space": (b" " + fields(), 400),
    "bare LF": (b"GET /a HTTP/1.1\nHost: 127.0.0.1:1455\n\n", GOOD),
    "two spaces": (b"GET  /a HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "no Host": (GET + b"\r\n", 400),
    "two Hosts": (fields(b"Host: 127.0.0.1:1455"), 400),
    # The machine refuses it (docs/design/listener.md).
    "empty Host": (GET + b"Host:\r\n\r\n", ("GET", ((b"host", b""),))),
    "folded field": (fields(b"X: a", b"  b"), ("GET", (OWN, (b"x", b"a b")))),
    "folded first field": (GET + b"  X: a\r\n" + HOST + b"\r\n", 400),
    "space before colon": (fields(b"X : a"), 400),
    "NUL in a name": (fields(b"X\x00: a"), 400),
    "NUL in a value": (fields(b"X: a\x00"), 400),
    "NUL in the target": (b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "8-bit target": (b"GET /\xe9 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "target of 8,192": (target(8192), GOOD),
    "target of 8,193": (target(8193), 414),
    "endless request line": (b"GET /" + b"t" * 20_000, 414),
    "head of 16 KiB": (head(16 * 1024), ("GET", (OWN, (b"x-filler", b"f" * 16_327)))),
    "head of 16 KiB + 1": (head(16 * 1024 + 1), 431),
    "endless head": (fields(b"X-Filler: " + b"f" * 20_000)[:-4], 431),
    "100 header lines": (lines(100), ("GET", (OWN, *[(b"x", b"y")] * 99))),
    "101 header lines": (lines(101), 431),
    "Content-Length 0": (fields(b"Content-Length: 0"), ("GET", (OWN, (b"content-length", b"0")))),
    "Content-Length 00": (fields(b"Content-Length: 00"), ("GET", (OWN, (b"content-length", b"00")))),
    "Content-Length 5": (fields(b"Content-Length: 5") + b"hello", 413),
    "Content-Length 05": (fields(b"Content-Length: 05") + b"hello", 413),
    "Content-Length abc": (fields(b"Content-Length: abc"), 400),
    "Content-Length +0": (fields(b"Content-Length: +0"), 400),
    "Content-Lengths 0 and 5": (fields(b"Content-Length: 0", b"Content-Length: 5"), 400),
    "chunked": (fields(b"Transfer-Encoding: chunked") + b"0\r\n\r\n", 413),
    "chunked in HTTP/1.0": (fields(b"Transfer-Encoding: chunked", request_line=b"GET /a HTTP/1.0\r\n"), 413),
    "gzip coding": (fields(b"Transfer-Encoding: gzip"), 413),
    "two codings": (fields(b"Transfer-Encoding: gzip, chunked"), 413),
    "identity coding": (fields(b"Transfer-Encoding: identity"), 413),
    "CL and TE": (fields(b"Content-Length: 0", b"Transfer-Encoding: chunked"), 413),
    "Expect": (fields(b"Expect: 100-continue"), ("GET", (OWN, (b"expect", b"100-continue")))),
    "pipelined": (fields() + fields(request_line=b"POST /b HTTP/1.1\r\n"), GOOD),
    "trailing garbage": (fields() + b"\x00\xff\r\n" * 40, GOOD),
}


def feed(chunks: Iterable[bytes]) -> tuple[object, bytes | None]:
    """Pass chunks to a connection. Return its result, and the bytes of a refusal."""
    connection = CallbackConnection()
    for chunk in chunks:
        out = connection.receive(chunk)
        if isinstance(out, Request):
            assert out.target.startswith((b"/", b"*"))
            return (out.method.decode(), out.headers), None
        if out is not None:
            return out.status, connection.answer(out)
    return None, None


def pairwise(data: bytes, cut: int) -> list[bytes]:
    return [part for part in (data[:cut], data[cut:]) if part]


@pytest.mark.parametrize("name", CASES)
def test_the_split_of_bytes_changes_nothing(name: str) -> None:
    data, expected = CASES[name]
    whole = feed([data])
    assert whole[0] == expected
    assert feed(data[n : n + 1] for n in range(len(data))) == whole
    step = max(1, len(data) // 400)
    edges = range(max(0, len(data) - 12), len(data) + 1)
    for cut in {*range(0, len(data) + 1, step), *edges, *range(8190, min(8212, len(data)))}:
        assert feed(pairwise(data, cut)) == whole


@pytest.mark.parametrize("data", [b"G", b"GET", b"GET /a HTTP/1.1", GET + HOST, GET + HOST + b"\r"])
def test_an_incomplete_head_needs_more_bytes(data: bytes) -> None:
    assert feed([data]) == (None, None)


def test_a_request_keeps_its_raw_target() -> None:
    request = CallbackConnection().receive(b"GET /%61//b/../c?d=%zz&d HTTP/1.1\r\n" + HOST + b"\r\n")
    assert isinstance(request, Request)
    assert request.target == b"/%61//b/../c?d=%zz&d"


POLICY = (
    b"Connection: close\r\n"
    b"Cache-Control: no-store\r\n"
    b"Referrer-Policy: no-referrer\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
    b"X-Frame-Options: DENY\r\n"
    b"Cross-Origin-Resource-Policy: same-origin\r\n"
    b"Cross-Origin-Opener-Policy: same-origin\r\n"
)


def test_an_answer_byte_for_byte() -> None:
    connection = CallbackConnection()
    connection.receive(fields())
    data = connection.answer(Response(status=404, headers=((b"Content-Length", b"5"), (b"X-A", b"b")), body=b"hello"))
    assert data == b"HTTP/1.1 404 \r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"


def test_a_refusal_byte_for_byte() -> None:
    connection = CallbackConnection()
    answer = connection.receive(b"\x16\x03\x01")
    assert isinstance(answer, Response)
    before, policy, after = connection.answer(answer).partition(POLICY)
    assert before == b"HTTP/1.1 400 \r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 13\r\n"
    assert policy
    assert after.startswith(b"Content-Security-Policy: default-src 'none'; style-src 'sha256-")
    assert after.endswith(b"\r\n\r\nBad request.\n")


def test_a_redirect_has_no_body() -> None:
    connection = CallbackConnection()
    connection.receive(fields())
    data = connection.answer(redirect_to_success(SECRETS))
    assert b"\r\nLocation: /success/key\r\n" in data
    assert data.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"HEAD /a HTTP/1.1\r\n" + HOST + b"\r\n", 405),
        (b"HEAD /a HTTP/2.0\r\n" + HOST + b"\r\n", 505),
        (b"HEAD /a\x00 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"HEAD /" + b"t" * 9000, 414),
        (b"HEAD / HTTP/1.1\r\nX: " + b"t" * 17_000, 431),
        (b"HEAD /a HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\n", 413),
    ],
)
def test_answers_to_head_carry_no_body(data: bytes, status: int) -> None:
    connection = CallbackConnection()
    out = connection.receive(data)
    answer = connection.answer(out if isinstance(out, Response) else refusal(405))
    assert answer.startswith(b"HTTP/1.1 %d " % status)
    assert answer.index(b"\r\n\r\n") == len(answer) - 4


REQUEST_LIKE = st.lists(
    st.sampled_from(
        [b"GET ", b"/", b" HTTP/1.1", b"\r\n", b"\n", b"Host: a", b":", b" ", b"\x00", b"Content-Length: 1"]
    )
    | st.binary(max_size=8),
    max_size=30,
).map(b"".join)


@settings(max_examples=300)
@given(data=st.binary(max_size=400) | REQUEST_LIKE, cuts=st.lists(st.integers(0, 400), max_size=5))
def test_garbage_never_raises_and_its_split_changes_nothing(data: bytes, cuts: list[int]) -> None:
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    chunks = [data[start:end] for start, end in itertools.pairwise(edges)]
    assert feed(chunks) == feed([data] if data else [])


@pytest.mark.parametrize(
    "data",
    [
        b"GET /auth/callback?code=canary HTTP/1.1\r\nBad Header: canary\r\n\r\n",
        b"GET /auth/callback?code=canary\x00 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /auth/callback?code=canary HTTP/2.0\r\n" + HOST + b"\r\n",
        b"GET /auth/callback?code=canary" + b"y" * 9000 + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_no_text_of_a_request_is_in_an_answer(data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    connection = CallbackConnection()
    out = connection.receive(data)
    assert isinstance(out, Response)
    assert b"canary" not in connection.answer(out)
    assert "canary" not in caplog.text + repr(out) + repr(connection)


def test_a_request_does_not_show_its_target_or_headers() -> None:
    request = CallbackConnection().receive(b"GET /?code=canary HTTP/1.1\r\nHost: h\r\nCookie: canary\r\n\r\n")
    assert repr(request) == "Request(method=b'GET')"
