"""Reading the claims of a JWT."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from loginmachine.sansio import Secret
from loginmachine.sansio.model.claims import ClaimError, read_claims

from ..samples import jwt


def read(token: str) -> dict[str, Any]:
    return read_claims(Secret(token))


def unreadable(token: str) -> str:
    with pytest.raises(ClaimError) as caught:
        read(token)
    return str(caught.value)


def test_the_payload_of_a_jwt() -> None:
    assert read(jwt({"sub": "user-1"})) == {"sub": "user-1"}
    assert read(".e30.") == {}


@pytest.mark.parametrize("payload", [b"{}", b'{"a":1}', b'{"a":12}', b'{"a":"\xc3\xbf\xc3\xbe?>"}'])
def test_padding_is_optional(payload: bytes) -> None:
    padded = urlsafe_b64encode(payload).decode()
    assert read(f"h.{padded}.s") == read(f"h.{padded.rstrip('=')}.s") == json.loads(payload)


@pytest.mark.parametrize("token", ["", "opaque", "a.b", "a.b.c.d", "a.b.c.d.e"])
def test_texts_that_are_not_a_jwt(token: str) -> None:
    assert unreadable(token) == "it is not a JWT of a usable size"


@pytest.mark.parametrize("payload", ["", "=", "a", "a+/b", "a b", "a\nb", "e30=e30", "\u00e9"])
def test_a_payload_that_is_not_base64url(payload: str) -> None:
    assert unreadable(f"h.{payload}.s") == "its payload is not base64url"


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"[]", "not a JSON object"),
        (b"x", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b'{"iss": 1, "iss": 2}', "a duplicate member"),
        (b'{"exp": NaN}', "a number that JSON does not know"),
        (b"[" * 40_000, "nested too deeply"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_a_payload_that_is_no_strict_json_object(payload: bytes, problem: str) -> None:
    assert unreadable(jwt(payload)) == f"its payload cannot be read: {problem}"


def test_a_payload_of_at_most_64_kib() -> None:
    assert read(jwt(b'{"a":1}'.ljust(65_536))) == {"a": 1}
    assert unreadable(jwt(b'{"a":1}'.ljust(65_537))) == "it is not a JWT of a usable size"
