"""Pushed authorization requests."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loginmachine.sansio.base.http import Encoding, HttpRequest
from loginmachine.sansio.oauth.pushed_request import PushedRequest, authorization_url_for, push_request, read_pushed
from loginmachine.sansio.oauth.responses import Malformed, Rejected

from ..samples import answer

PARAMETERS = (("response_type", "code"), ("client_id", "c-1"), ("state", "canary-state"), ("scope", "openid email"))
REFERENCE = "urn:ietf:params:oauth:request_uri:6esc_11ACC5bwc014ltc14eY22c"


def read(body: dict[str, Any] | bytes, status: int = 201) -> PushedRequest | Rejected | Malformed:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_pushed(answer(1, status, raw), ("canary-state",))


def test_the_request() -> None:
    request = push_request("https://id.example/par?p=1", iter(PARAMETERS))
    assert request == HttpRequest(
        url="https://id.example/par?p=1", form=PARAMETERS, encoding=Encoding.FORM, timeout=15.0
    )
    assert "canary" not in repr(request)


def test_a_reference_is_never_pushed() -> None:
    with pytest.raises(AssertionError):
        push_request("https://id.example/par", (*PARAMETERS, ("request_uri", REFERENCE)))


@pytest.mark.parametrize("status", [200, 201])
def test_the_example_of_rfc_9126(status: int) -> None:
    result = read({"request_uri": REFERENCE, "expires_in": 60}, status)
    assert result == PushedRequest(request_uri=REFERENCE, expires_in=60.0)
    assert REFERENCE not in repr(result)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *((60, 60.0), ("90", 90.0), (0.5, 0.5), (10**400, 3600.0), (7200, 3600.0)),
        *((0, None), (-5, None), ("0", None), ("60s", None), ("9999999999", None), ("\u0665", None), ("", None)),
        *((None, None), (True, None), ([60], None)),
    ],
)
def test_the_lifetime(value: object, seconds: float | None) -> None:
    result = read({"request_uri": REFERENCE, "expires_in": value})
    assert result == PushedRequest(request_uri=REFERENCE, expires_in=seconds)


@pytest.mark.parametrize("value", [None, "", 5, True, ["urn:x"], {}, "urn:x y", "urn:\u00e9", "urn:\n", "u" * 2049])
def test_a_reference_that_cannot_be_used(value: object) -> None:
    assert read({"request_uri": value, "expires_in": 60}) == Malformed(message="no usable request_uri in the answer")


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (
            400,
            b'{"error": "invalid_request", "error_description": "canary-state"}',
            Rejected(message="status 400: invalid_request: [redacted]"),
        ),
        (401, b'{"error": "invalid_client"}', Rejected(message="status 401: invalid_client")),
        (405, b"", Rejected(message="status 405")),
        (413, b"", Rejected(message="status 413")),
        (429, b"", Rejected(message="status 429")),
        (204, b"", Malformed(message="the endpoint answered with status 204, and a success has 201")),
        (303, b"", Malformed(message="the endpoint answered with a redirect (303), which is never followed")),
        (201, b"[]", Malformed(message="the answer cannot be read: not a JSON object")),
    ],
)
def test_no_reference(status: int, body: bytes, result: Rejected | Malformed) -> None:
    assert read(body, status) == result


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("https://id.example/a", "https://id.example/a?client_id=c+1%26&request_uri=urn%3Ax%3A1"),
        ("https://id.example/a?p=1", "https://id.example/a?p=1&client_id=c+1%26&request_uri=urn%3Ax%3A1"),
    ],
)
def test_the_url_for_the_browser(endpoint: str, url: str) -> None:
    assert authorization_url_for(endpoint, "c 1&", "urn:x:1") == url


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=200, deadline=None)
@given(st.integers(200, 599), st.dictionaries(st.sampled_from(["request_uri", "expires_in", "error"]), JSON))
def test_any_response_is_read(status: int, body: dict[str, Any]) -> None:
    for changed in (body, {**body, "request_uri": REFERENCE}):
        result = read(changed, status)
        assert isinstance(result, PushedRequest | Rejected | Malformed)
        assert not isinstance(result, PushedRequest) or status in (200, 201)
