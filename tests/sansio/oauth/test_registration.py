"""How a client is registered, and how the response is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loginmachine.sansio.base.http import Encoding, HttpRequest
from loginmachine.sansio.base.secret import Secret
from loginmachine.sansio.oauth.registration import read_registration, registration_request
from loginmachine.sansio.oauth.responses import Malformed, Rejected
from loginmachine.sansio.server.endpoints import ClientAuthentication
from loginmachine.sansio.server.registration import ClientMetadata, Registration

from ..samples import answer

ENDPOINT = "https://id.example/register"
ISSUER = "https://id.example"
REDIRECT_URI = "http://127.0.0.1:1455/callback"
NAME = ClientMetadata(client_name="My program")
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def read(
    body: dict[str, Any] | bytes, status: int = 201, redirect_uri: str | None = REDIRECT_URI
) -> Registration | Rejected | Malformed:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_registration(answer(1, status, raw), ("canary",), issuer=ISSUER, redirect_uri=redirect_uri)


def registration(body: dict[str, Any]) -> Registration:
    result = read({"client_id": "c-1", **body})
    assert isinstance(result, Registration)
    return result


# The request


def test_the_request_for_a_login_with_a_browser() -> None:
    assert registration_request(ENDPOINT, NAME, REDIRECT_URI) == HttpRequest(
        url=ENDPOINT,
        form=(
            ("redirect_uris", ("http://127.0.0.1:1455/callback",)),
            ("response_types", ("code",)),
            ("grant_types", ("authorization_code", "refresh_token")),
            ("application_type", "native"),
            ("token_endpoint_auth_method", "none"),
            ("client_name", "My program"),
        ),
        encoding=Encoding.JSON,
        timeout=30.0,
    )


def test_the_request_for_device_codes() -> None:
    assert registration_request(ENDPOINT, NAME, None).form == (
        ("grant_types", (DEVICE_GRANT, "refresh_token")),
        ("application_type", "native"),
        ("token_endpoint_auth_method", "none"),
        ("client_name", "My program"),
    )


def test_a_request_with_everything() -> None:
    metadata = ClientMetadata(
        client_name="Caf\u00e9",
        client_uri="https://program.example",
        logo_uri="https://program.example/logo.png",
        contacts=("ada@example.org", "bob@example.org"),
        scope="openid email",
        software_id="4NRB1-0XZABZI9E6-5SM3R",
        software_version="2.2",
        token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_POST,
        grant_types=("authorization_code", DEVICE_GRANT),
    )
    assert registration_request(ENDPOINT, metadata, REDIRECT_URI).form == (
        ("redirect_uris", ("http://127.0.0.1:1455/callback",)),
        ("response_types", ("code",)),
        ("grant_types", ("authorization_code", DEVICE_GRANT)),
        ("application_type", "native"),
        ("token_endpoint_auth_method", "client_secret_post"),
        ("contacts", ("ada@example.org", "bob@example.org")),
        ("client_name", "Caf\u00e9"),
        ("client_uri", "https://program.example"),
        ("logo_uri", "https://program.example/logo.png"),
        ("scope", "openid email"),
        ("software_id", "4NRB1-0XZABZI9E6-5SM3R"),
        ("software_version", "2.2"),
    )


@pytest.mark.parametrize("value", ["", "a\n", " a", "\x1b[2J", "\u202ea", "\ud800", "a" * 2049, 5])
@pytest.mark.parametrize("name", ["client_name", "client_uri", "logo_uri", "scope", "software_id", "software_version"])
def test_a_text_that_cannot_be_shown(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name} is not a text that can be shown, of at most 2048 characters$"):
        ClientMetadata(**{"client_name": "My program", name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["ada@example.org", ("",), (5,)])
@pytest.mark.parametrize("name", ["contacts", "grant_types"])
def test_a_tuple_that_is_none(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"^{name} is not a tuple of texts$"):
        ClientMetadata(**{"client_name": "My program", name: value})  # type: ignore[arg-type]


def test_an_unknown_way_to_authenticate() -> None:
    message = "^token_endpoint_auth_method is none of none, client_secret_basic, client_secret_post$"
    with pytest.raises(ValueError, match=message):
        ClientMetadata(client_name="My program", token_endpoint_auth_method="private_key_jwt")  # type: ignore[arg-type]


# The response


@pytest.mark.parametrize("status", [200, 201])
def test_a_public_client(status: int) -> None:
    assert read({"client_id": "c-1"}, status) == Registration(
        issuer=ISSUER,
        client_id="c-1",
        client_secret=None,
        client_secret_expires_at=None,
        token_endpoint_auth_method=ClientAuthentication.NONE,
        redirect_uri=REDIRECT_URI,
        others=None,
    )


def test_the_example_of_rfc_7591() -> None:
    body = {
        "client_id": "s6BhdRkqt3",
        "client_secret": "cf136dc3c1fc93f31185e5885805d",
        "client_id_issued_at": 2893256800,
        "client_secret_expires_at": 2893276800,
        "redirect_uris": ["https://client.example.org/callback", "http://127.0.0.1:1455/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "client_secret_basic",
    }
    assert read(body) == Registration(
        issuer=ISSUER,
        client_id="s6BhdRkqt3",
        client_secret=Secret("cf136dc3c1fc93f31185e5885805d"),
        client_secret_expires_at=2893276800.0,
        token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_BASIC,
        redirect_uri=REDIRECT_URI,
        others=Secret(
            '{"client_id_issued_at": 2893256800, "redirect_uris": ["https://client.example.org/callback",'
            ' "http://127.0.0.1:1455/callback"], "grant_types": ["authorization_code", "refresh_token"]}'
        ),
    )


def test_a_client_for_device_codes() -> None:
    result = read({"client_id": "c-1", "redirect_uris": ["https://elsewhere.example"]}, redirect_uri=None)
    assert isinstance(result, Registration)
    assert result.redirect_uri is None


def test_no_secret_is_shown() -> None:
    result = registration({"client_secret": "canary-secret", "registration_access_token": "canary-token"})
    assert "canary" not in repr(result)
    assert result.others == Secret('{"registration_access_token": "canary-token"}')


@pytest.mark.parametrize(
    ("body", "method"),
    [
        ({}, "none"),
        ({"client_secret": None}, "none"),
        ({"client_secret": ""}, "none"),
        ({"client_secret": "s"}, "client_secret_basic"),
        ({"client_secret": "s", "token_endpoint_auth_method": None}, "client_secret_basic"),
        ({"client_secret": "s", "token_endpoint_auth_method": "client_secret_post"}, "client_secret_post"),
        ({"client_secret": "s", "token_endpoint_auth_method": "none"}, "none"),
    ],
)
def test_how_the_client_is_authenticated(body: dict[str, Any], method: str) -> None:
    assert registration(body).token_endpoint_auth_method == method


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        (0, None),
        (None, None),
        (-1, None),
        (1e12, None),
        (10**400, None),
        (True, None),
        ("9", None),
        (5, 5.0),
        (2.5, 2.5),
    ],
)
def test_when_the_secret_expires(value: object, moment: float | None) -> None:
    assert registration({"client_secret": "s", "client_secret_expires_at": value}).client_secret_expires_at == moment


@pytest.mark.parametrize(
    "registered",
    [
        None,
        [],
        "http://127.0.0.1:9/other",
        ["http://127.0.0.1:1455/callback"],
        ["http://127.0.0.1/callback"],
        [5, "http://[", "http://127.0.0.1:9/callback"],
    ],
)
def test_the_redirect_uri_was_registered(registered: object) -> None:
    assert registration({"redirect_uris": registered}).redirect_uri == REDIRECT_URI


@pytest.mark.parametrize(
    "registered",
    ["http://localhost:1455/callback", "http://127.0.0.1:1455/", "https://127.0.0.1:1455/callback", "http://[", 5],
)
def test_another_redirect_uri_was_registered(registered: object) -> None:
    assert read({"client_id": "c-1", "redirect_uris": [registered]}) == Malformed(
        message="the client was registered with other redirect_uris than asked for"
    )


@pytest.mark.parametrize("value", [None, "", 5, True, ["c"], {}, "a\n", "\u00e9", "a" * 2049])
def test_a_client_id_that_cannot_be_sent(value: object) -> None:
    assert read({"client_id": value}) == Malformed(message="no usable client_id in the answer")


@pytest.mark.parametrize("value", [5, True, ["canary"], {"canary": 1}, "canary\n", "canary\u00e9", "a" * 2049])
def test_a_secret_that_cannot_be_sent(value: object) -> None:
    result = read({"client_id": "c-1", "client_secret": value})
    assert result == Malformed(message="no usable client_secret in the answer")


@pytest.mark.parametrize("method", ["private_key_jwt", "canary", 5, ["none"], {"none": 1}, True])
def test_a_way_to_authenticate_that_is_not_known(method: object) -> None:
    result = read({"client_id": "c-1", "client_secret": "s", "token_endpoint_auth_method": method})
    message = "the client was registered with a token_endpoint_auth_method that is not known here"
    assert result == Malformed(message=message)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_secret_that_is_missing(method: str) -> None:
    message = f"the client was registered for {method}, and no client_secret is in the answer"
    assert read({"client_id": "c-1", "token_endpoint_auth_method": method}) == Malformed(message=message)


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (
            400,
            b'{"error": "invalid_redirect_uri", "error_description": "not http:// but canary"}',
            Rejected(message="status 400: invalid_redirect_uri: not http:// but [redacted]"),
        ),
        (401, b"", Rejected(message="status 401")),
        (403, b"<html>", Rejected(message="status 403, a web page instead of an answer")),
        (200, b'{"error": "invalid_client_metadata"}', Rejected(message="status 200: invalid_client_metadata")),
        (202, b"{}", Malformed(message="the endpoint answered with status 202, and a success has 201")),
        (
            307,
            b"",
            Malformed(message="the endpoint answered with a redirect (307), which is never followed"),
        ),
        (201, b'{"a": 1, "a": 2}', Malformed(message="the answer cannot be read: a duplicate member")),
    ],
)
def test_no_registration(status: int, body: bytes, result: Rejected | Malformed) -> None:
    assert read(body, status) == result


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["client_secret", "client_secret_expires_at", "token_endpoint_auth_method", "redirect_uris", "error"]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([200, 201]), st.dictionaries(st.sampled_from([*NAMES, "client_id", "x"]), JSON))
def test_any_response_is_read(status: int, body: dict[str, Any]) -> None:
    for changed in (body, {"client_id": "c-1", **body}):
        result = read(changed, status)
        assert isinstance(result, Registration | Rejected | Malformed)
        if isinstance(result, Registration):
            assert result.client_id == changed["client_id"]
