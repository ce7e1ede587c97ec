"""Bytes of unknown clients, from the connection to the machine: cut at every offset, damaged, and in sequence."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loginmachine.sansio.login.states import LoginState

from .judge import CODE, GOOD, HOST, STATE, Listener, Visit, judge

CALLBACK = b"/auth/callback?code=" + CODE.encode() + b"&state=" + STATE.encode()
WAITS, ENDS = LoginState.AWAITING_CALLBACK, LoginState.FAILED


def get(target: bytes, *fields: bytes, line: bytes = b"GET %b HTTP/1.1\r\n", host: bytes = HOST) -> bytes:
    return line % target + host + b"".join(field + b"\r\n" for field in fields) + b"\r\n"


def query(text: bytes) -> bytes:
    return get(b"/auth/callback?" + text % {b"state": STATE.encode()})


HARMLESS: dict[str, tuple[bytes, int]] = {
    # The table of docs/design/listener.md, in its order.
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    "SSH": (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", 400),
    "HTTP/0.9": (b"GET " + CALLBACK + b"\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "HTTP/1.2": (get(CALLBACK, line=b"GET %b HTTP/1.2\r\n"), 505),
    "leading line": (b"\r\n" + GOOD, 400),
    "NUL in the target": (get(CALLBACK + b"\x00"), 400),
    "space in the target": (get(CALLBACK + b" x"), 400),
    "8-bit target": (get(CALLBACK + b"\xff"), 400),
    "bare CR": (get(CALLBACK, b"X: a\rHost: evil.example"), 400),
    "long target": (get(CALLBACK + b"&x=" + b"y" * 8192), 414),
    "endless target": (b"GET " + CALLBACK + b"&x=" + b"y" * 8192, 414),
    "many fields": (get(CALLBACK, *[b"X: y"] * 100), 431),
    "large field": (get(CALLBACK, b"X: " + b"y" * 16_384), 431),
    "body": (get(CALLBACK, b"Content-Length: 1") + b"x", 413),
    "chunked": (get(CALLBACK, b"Transfer-Encoding: chunked") + b"0\r\n\r\n", 413),
    "length and chunked": (get(CALLBACK, b"Content-Length: 0", b"Transfer-Encoding: chunked"), 413),
    "no Host": (get(CALLBACK, host=b""), 400),
    "no Host in HTTP/1.0": (get(CALLBACK, line=b"GET %b HTTP/1.0\r\n", host=b""), 400),
    "empty Host": (get(CALLBACK, host=b"Host:\r\n"), 400),
    "two Hosts": (get(CALLBACK, HOST.strip()), 400),
    "rebound Host": (get(CALLBACK, host=b"Host: evil.example:1455\r\n"), 403),
    "Host with our name in front": (get(CALLBACK, host=b"Host: 127.0.0.1:1455.evil.example\r\n"), 403),
    "Host with another port": (get(CALLBACK, host=b"Host: 127.0.0.1:1456\r\n"), 403),
    "Host without port": (get(CALLBACK, host=b"Host: localhost\r\n"), 403),
    "Host with userinfo": (get(CALLBACK, host=b"Host: a@127.0.0.1:1455\r\n"), 403),
    "numeric Host": (get(CALLBACK, host=b"Host: 2130706433:1455\r\n"), 403),
    "short Host": (get(CALLBACK, host=b"Host: 127.1:1455\r\n"), 403),
    "Host in two words": (get(CALLBACK, host=b"Host: 127.0.0.1:1455 evil\r\n"), 403),
    "folded Host": (get(CALLBACK, host=b"Host: 127.0.0.1:1455\r\n .evil.example\r\n"), 403),
    "foreign authority": (get(b"http://evil.example:1455" + CALLBACK), 403),
    "authority with userinfo": (get(b"http://127.0.0.1:1455@evil.example" + CALLBACK), 403),
    "prefetch": (get(CALLBACK, b"Sec-Purpose: prefetch;prerender"), 503),
    "old prefetch": (get(CALLBACK, b"Purpose: prefetch"), 503),
    "older prefetch": (get(CALLBACK, b"X-Moz: Prefetch"), 503),
    "HEAD": (get(CALLBACK, line=b"HEAD %b HTTP/1.1\r\n"), 405),
    "HEAD that is no HTTP": (get(CALLBACK + b" x", line=b"HEAD %b HTTP/1.1\r\n"), 400),
    "long HEAD": (b"HEAD /" + b"x" * 9000, 414),
    "large HEAD": (get(b"/", b"X: " + b"y" * 16_384, line=b"HEAD %b HTTP/1.1\r\n"), 431),
    "POST": (get(CALLBACK, b"Content-Length: 0", line=b"POST %b HTTP/1.1\r\n"), 405),
    "get": (get(CALLBACK, line=b"get %b HTTP/1.1\r\n"), 405),
    "TRACE": (get(CALLBACK, b"Cookie: canary", line=b"TRACE %b HTTP/1.1\r\n"), 405),
    "OPTIONS": (get(b"*", b"Origin: https://evil.example", line=b"OPTIONS %b HTTP/1.1\r\n"), 405),
    "a preflight": (
        get(CALLBACK, b"Access-Control-Request-Private-Network: true", line=b"OPTIONS %b HTTP/1.1\r\n"),
        405,
    ),
    "CONNECT": (get(b"127.0.0.1:1455", line=b"CONNECT %b HTTP/1.1\r\n"), 405),
    "WebSocket": (get(b"/", b"Upgrade: websocket", b"Connection: Upgrade"), 404),
    "favicon": (get(b"/favicon.ico"), 404),
    "two slashes": (get(b"/" + CALLBACK), 404),
    "dots": (get(b"/auth/../auth/callback?code=x&state=" + STATE.encode()), 404),
    "encoded path": (get(CALLBACK.replace(b"/auth", b"/%61uth")), 404),
    "encoded slash": (get(CALLBACK.replace(b"/callback", b"%2Fcallback")), 404),
    "path parameter": (get(CALLBACK.replace(b"?", b";x?")), 404),
    "trailing slash": (get(CALLBACK.replace(b"?", b"/?")), 404),
    "upper-case path": (get(CALLBACK.replace(b"/auth", b"/AUTH")), 404),
    "backslash": (get(CALLBACK.replace(b"/callback", b"\\callback")), 404),
    "early success": (get(b"/success?" + CALLBACK.partition(b"?")[2]), 404),
    "cancel by a page": (get(b"/cancel", b"Sec-Fetch-Mode: no-cors", b"Sec-Fetch-Site: cross-site"), 403),
    "cancel by an old page": (get(b"/cancel", b"Referer: https://evil.example/"), 403),
    "cancel by a rebound page": (get(b"/cancel", host=b"Host: evil.example:1455\r\n"), 403),
    "cancel by POST": (get(b"/cancel", line=b"POST %b HTTP/1.1\r\n"), 405),
    "cancel ahead": (get(b"/cancel", b"Purpose: prefetch"), 503),
    # The callback itself.
    "no parameters": (query(b""), 400),
    "empty state": (query(b"code=x&state="), 400),
    "other state": (query(b"code=x&state=y"), 400),
    "state of the same length": (query(b"code=x&state=" + b"z" * len(STATE)), 400),
    "start of the state": (query(b"code=x&state=" + STATE[:-1].encode()), 400),
    "more than the state": (query(b"code=x&state=%(state)bx"), 400),
    "state in upper case": (query(b"code=x&state=" + STATE.upper().encode()), 400),
    "state that is not ASCII": (query(b"code=x&state=%%C3%%A9"), 400),
    "state that is no UTF-8": (query(b"code=x&state=%%FF"), 400),
    "state with a broken escape": (query(b"code=x&state=%(state)b%%2"), 400),
    "state with NUL": (query(b"code=x&state=%(state)b%%00"), 400),
    "a code with NUL": (query(b"code=%%00&state=%(state)b"), 400),
    "a code that is no UTF-8": (query(b"code=%%FF&state=%(state)b"), 400),
    "a code with a line break": (query(b"code=a%%0Db&state=%(state)b"), 400),
    "a code that is not ASCII": (query(b"code=%%C3%%A9&state=%(state)b"), 400),
    "a code with DEL, and an error": (query(b"code=%%7F&error=x&state=%(state)b"), 400),
    "two states": (query(b"code=x&state=%(state)b&state=%(state)b"), 400),
    "two states, one encoded": (query(b"code=x&state=%(state)b&st%%61te=y"), 400),
    "two codes": (query(b"code=x&code=x&state=%(state)b"), 400),
    "two errors": (query(b"error=x&error=y&state=%(state)b"), 400),
    "two issuers": (query(b"iss=x&iss=y&code=c&state=%(state)b"), 400),
    "two descriptions": (query(b"error_description=&error_description=&error=x&state=%(state)b"), 400),
    "many parameters": (query(b"code=x&state=%(state)b" + b"&x=y" * 49), 400),
    "semicolons": (query(b"code=x;state=%(state)b"), 400),
    "error without state": (query(b"error=access_denied&error_description=%%3Cscript%%3E"), 400),
    "State": (query(b"code=x&State=%(state)b"), 400),
}
ENDINGS: dict[str, tuple[bytes, int, LoginState]] = {
    "good": (GOOD, 0, LoginState.EXCHANGING_CODE),
    "good, and more behind it": (GOOD + b"GET /cancel HTTP/1.1\r\n\r\n\x00", 0, LoginState.EXCHANGING_CODE),
    "good, of a proxy": (get(b"http://LocalHost:1455" + CALLBACK), 0, LoginState.EXCHANGING_CODE),
    "good, by 1.0": (get(CALLBACK, line=b"GET %b HTTP/1.0\r\n"), 0, LoginState.EXCHANGING_CODE),
    "good, with odd company": (query(b"state=%(state)b&x&x&=&code=c&y=%%00"), 0, LoginState.EXCHANGING_CODE),
    "denied": (query(b"error=%%1B[2J%%3Cscript%%3E&state=%(state)b"), 403, ENDS),
    "denied, with a code": (query(b"error=x&code=y&state=%(state)b"), 403, ENDS),
    "an echo of the state": (query(b"error=%(state)b&error_description=%(state)b&state=%(state)b"), 403, ENDS),
    "no code": (query(b"state=%(state)b"), 400, ENDS),
    "good, with spaces in the code": (query(b"code=a+b%%20c&state=%(state)b"), 0, LoginState.EXCHANGING_CODE),
    "good, with an empty error": (query(b"error=&code=c&state=%(state)b"), 0, LoginState.EXCHANGING_CODE),
    "a long code": (query(b"state=%(state)b&code=" + b"c" * 8000), 0, LoginState.EXCHANGING_CODE),
    "another issuer": (query(b"iss=https://evil.example&code=c&state=%(state)b"), 400, ENDS),
    "cancel": (get(b"/cancel", b"Connection: close"), 200, LoginState.CANCELLED),
}
CASES = {**{name: (data, status, WAITS) for name, (data, status) in HARMLESS.items()}, **ENDINGS}


def offsets(data: bytes) -> list[int]:
    """Return the offsets at which to cut: all of them, and only some within long fillers."""
    return [n for n in range(1, len(data)) if n < 400 or n > len(data) - 40 or n % 977 == 0 or 8180 < n < 8240]


@pytest.mark.parametrize("name", CASES)
def test_the_split_of_bytes_changes_nothing(name: str) -> None:
    data, status, state = CASES[name]
    listener = Listener()
    whole = listener.visit([data])
    assert (whole.status, listener.state) == (status, state)
    assert judge(data) is state
    for cut in offsets(data):
        other = Listener()
        assert other.visit([data[:cut], data[cut:]]) == whole
        assert other.state is state


@pytest.mark.parametrize("times", [1, 10])
def test_harmless_requests_before_the_callback(times: int) -> None:
    listener = Listener()
    for data, status in HARMLESS.values():
        assert [listener.visit([data]).status for _ in range(times)] == [status] * times
    assert listener.state is WAITS
    listener.visit([GOOD])
    assert listener.state is LoginState.EXCHANGING_CODE


def test_harmless_requests_while_the_code_is_exchanged() -> None:
    listener = Listener()
    listener.visit([GOOD])
    for data, status in HARMLESS.values():
        assert listener.visit([data]).status == status
    assert listener.visit([GOOD]) == Visit(0, b"")
    assert listener.visit([query(b"code=other&state=%(state)b")]).status == 409
    assert listener.state is LoginState.EXCHANGING_CODE


@pytest.mark.parametrize("end", ["denied", "cancel"])
def test_requests_after_the_end(end: str) -> None:
    listener = Listener()
    listener.visit([ENDINGS[end][0]])
    over = listener.state
    for data, status in HARMLESS.values():
        assert listener.visit([data]).status == status
    for name, (data, _, _) in ENDINGS.items():
        assert listener.visit([data]).status in {409, 410}, name
    assert listener.state is over


PIECES = st.sampled_from(
    [
        *(b"GET ", b"HEAD ", b"POST ", b" HTTP/1.1\r\n", b" HTTP/1.0\r\n", b" HTTP/2\r\n", b"\r\n", b"\n", b"\r"),
        *(HOST, b"Host: evil.example\r\n", b"Host: ", b"localhost:1455", b"http://127.0.0.1:1455", b"\r\n\r\n"),
        *(b"/auth/callback", b"/cancel", b"/success", b"/", b"?", b"&", b"=", b"%", b"%00", b"+", b"\x00", b"\xff"),
        *(b"code=", CODE.encode(), b"state=", STATE.encode(), b"error=", b"error_description=", b"iss=", b"st%61te="),
        *(b"Origin: x\r\n", b"Cookie: a=b\r\n", b"Sec-Purpose: prefetch\r\n", b"Sec-Fetch-Site: none\r\n"),
        *(
            b"Content-Length: 0\r\n",
            b"Content-Length: 9\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Expect: 100-continue\r\n",
        ),
    ]
)
CUTS = st.lists(st.integers(1, 400), max_size=4)


@settings(max_examples=200)
@given(parts=st.lists(PIECES | st.binary(max_size=6), max_size=25), cuts=CUTS)
def test_any_bytes(parts: list[bytes], cuts: list[int]) -> None:
    judge(b"".join(parts), cuts)


@settings(max_examples=200)
@given(
    name=st.sampled_from(sorted(ENDINGS)),
    edits=st.lists(st.tuples(st.integers(0, 200), st.integers(0, 3), PIECES | st.binary(max_size=3)), max_size=4),
    cuts=CUTS,
)
def test_a_request_with_mistakes_in_it(name: str, edits: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
    data = ENDINGS[name][0]
    for start, length, put in edits:
        data = data[:start] + put + data[start + length :]
    judge(data, cuts)


@settings(max_examples=50)
@given(visits=st.lists(st.sampled_from(sorted(CASES)) | st.lists(PIECES, max_size=12).map(b"".join), max_size=12))
def test_visits_one_after_the_other(visits: list[str | bytes]) -> None:
    listener = Listener()
    for visit in visits:
        listener.visit([CASES[visit][0] if isinstance(visit, str) else visit])


@pytest.mark.parametrize("number", [b"1", b"z" * 4096])
def test_the_judge_finds_a_violation(number: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judge reports a listener that accepts any state."""
    monkeypatch.setattr("loginmachine.sansio.callback.requests.same_secret", lambda *_: True)
    with pytest.raises(AssertionError):
        judge(query(b"code=x&state=" + number))
