"""HTTP messages as values."""

from __future__ import annotations

import pytest

from loginmachine.sansio.base.http import (
    Encoding,
    HttpRequest,
    HttpResponse,
    header_values,
    read_date,
    retry_after,
)


@pytest.mark.parametrize(
    ("name", "values"),
    [(b"host", [b"a"]), (b"set-cookie", [b"x=1", b"y=2"]), (b"date", []), (b"Host", [])],
)
def test_the_values_of_a_header_field(name: bytes, values: list[bytes]) -> None:
    headers = ((b"Set-Cookie", b"x=1"), (b"HOST", b"a"), (b"set-cookie", b"y=2"))
    assert header_values(headers, name) == values


def test_messages_show_no_parameter_header_or_body() -> None:
    request = HttpRequest(url="https://id.example/token", form=(("code", "canary"),), timeout=30.0)
    response = HttpResponse(status=200, headers=((b"Set-Cookie", b"canary"),), body=b"canary", received_at=1.0)
    assert "canary" not in f"{request!r} {response!r}"
    assert request.encoding is Encoding.FORM


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (b"Thu, 01 Jan 1970 00:01:00 GMT", 60.0),
        (b" Thu, 01 Jan 1970 00:01:60 GMT ", 119.0),
        (b"Thu, 01 Jan 1970 00:01:00 UTC", None),
        (b"Thu, 31 Feb 1970 00:01:00 GMT", None),
        (b"Thu, 01 Foo 1970 00:01:00 GMT", None),
        (b"Thursday, 01-Jan-70 00:01:00 GMT", None),
        (b"60", None),
        (b"", None),
    ],
)
def test_a_date_of_a_header_field(value: bytes, moment: float | None) -> None:
    """RFC 9110 section 5.6.7: the form that must be sent."""
    assert read_date(value) == moment


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ([b"30"], 30.0),
        ([b" 0 "], 0.0),
        ([b"9" * 400], 999_999_999_999.0),
        ([b"Thu, 01 Jan 1970 00:01:00 GMT"], 50.0),
        ([b"Thu, 01 Jan 1970 00:00:05 GMT"], 0.0),
        ([], None),
        ([b"30", b"60"], None),
        ([b"soon"], None),
        ([b"-5"], None),
        ([b"1.5"], None),
        ([b"\xb2"], None),
    ],
)
def test_when_to_ask_again(values: list[bytes], seconds: float | None) -> None:
    """RFC 9110 section 10.2.3. The response came ten seconds after the beginning of 1970."""
    headers = tuple((b"Retry-After", value) for value in values)
    assert retry_after(HttpResponse(status=429, headers=headers, body=b"", received_at=10.0)) == seconds
