"""HTTP messages as values."""

from __future__ import annotations

import pytest

from loginmachine.sansio.base.http import Encoding, HttpRequest, HttpResponse, header_values


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
