"""The OpenID provider as a whole: metadata, keys, recorded requests, scripted answers, start and stop."""

from __future__ import annotations

import json
import threading
import time
from base64 import b64encode
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest
from joserfc.errors import InvalidKeyIdError

from loginmachine.demo.openid.provider import OpenIdProvider
from loginmachine.demo.openid.switches import OpenIdSwitches
from loginmachine.demo.shared.answers import Answer

from ..support import http_client
from .support import Program, error_of

if TYPE_CHECKING:
    from loginmachine.demo.openid.switches import Endpoint
    from loginmachine.demo.shared.signing import Algorithm

OPENID = "/.well-known/openid-configuration"
OAUTH = "/.well-known/oauth-authorization-server"

# Metadata


@pytest.mark.parametrize("path", [OPENID, OAUTH])
def test_both_documents_have_the_metadata(openid: OpenIdProvider, http: httpx.Client, path: str) -> None:
    answer = http.get(openid.issuer + path)
    found = answer.json()
    assert answer.headers["Content-Type"] == "application/json"
    assert found["issuer"] == openid.issuer
    assert found["authorization_endpoint"] == f"{openid.issuer}/account/authorize"
    assert found["token_endpoint"] == f"{openid.issuer}/token"
    assert found["jwks_uri"] == f"{openid.issuer}/jwks"
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["require_pushed_authorization_requests"] is False
    assert {urlsplit(found[name]).netloc for name in found if name.endswith("_endpoint")} == {
        urlsplit(openid.issuer).netloc
    }


def test_every_endpoint_of_the_metadata_exists(openid: OpenIdProvider, http: httpx.Client) -> None:
    found = http.get(openid.issuer + OPENID).json()
    endpoints = [name for name in found if name.endswith("_endpoint")]
    assert len(endpoints) == 7
    for name in endpoints:
        assert http.request("DELETE", found[name]).status_code == 405


@pytest.mark.parametrize(
    ("switch", "gone", "left"),
    [("openid_configuration", OPENID, OAUTH), ("oauth_authorization_server", OAUTH, OPENID)],
)
def test_one_document_can_be_missing(
    openid: OpenIdProvider, http: httpx.Client, switch: str, gone: str, left: str
) -> None:
    setattr(openid.switches, switch, False)
    assert http.get(openid.issuer + gone).status_code == 404
    assert http.get(openid.issuer + left).status_code == 200


def test_the_documents_of_an_issuer_with_a_path(http: httpx.Client) -> None:
    with OpenIdProvider(path="/realms/demo") as provider:
        origin = provider.issuer.removesuffix("/realms/demo")
        assert http.get(f"{provider.issuer}{OPENID}").json()["issuer"] == provider.issuer
        assert http.get(f"{origin}{OAUTH}/realms/demo").json()["issuer"] == provider.issuer
        assert http.get(f"{origin}{OPENID}").status_code == 404
        assert http.get(f"{provider.issuer}{OAUTH}").status_code == 404
        assert Program(provider, http).tokens()["token_type"] == "Bearer"


def test_members_of_the_metadata_can_be_replaced_and_removed(openid: OpenIdProvider, http: httpx.Client) -> None:
    openid.switches.metadata = {"issuer": "https://other.example", "revocation_endpoint": None}
    found = http.get(openid.issuer + OPENID).json()
    assert found["issuer"] == "https://other.example"
    assert "revocation_endpoint" not in found
    assert "token_endpoint" in found


def test_an_issuer_on_localhost(http: httpx.Client) -> None:
    with OpenIdProvider(host="localhost") as provider:
        assert provider.issuer.startswith("http://localhost:")
        address = provider.issuer.replace("localhost", "127.0.0.1")
        assert http.get(address + OPENID).status_code == 400
        answer = http.get(address + OPENID, headers={"Host": urlsplit(provider.issuer).netloc})
        assert answer.json()["token_endpoint"] == f"{provider.issuer}/token"


# Keys


@pytest.mark.parametrize(
    ("algorithm", "members"),
    [
        ("RS256", {"kty", "n", "e", "kid", "use"}),
        ("PS256", {"kty", "n", "e", "kid", "use"}),
        ("ES256", {"kty", "crv", "x", "y", "kid", "use"}),
        ("EdDSA", {"kty", "crv", "x", "kid", "use"}),
    ],
)
def test_the_published_keys_are_public(program: Program, algorithm: Algorithm, members: set[str]) -> None:
    program.provider.switches.signing_algorithm = algorithm
    (key,) = program.http.get(program.url("jwks_uri")).json()["keys"]
    assert set(key) == members


@pytest.mark.parametrize(("keep_old", "number"), [(True, 2), (False, 1)])
def test_keys_rotate(program: Program, *, keep_old: bool, number: int) -> None:
    program.provider.switches.signing_algorithm = "ES256"
    before = program.tokens()["id_token"]
    (old,) = program.keys().keys
    program.provider.rotate_keys(keep_old=keep_old)
    after = program.tokens()["id_token"]
    kids = [key.kid for key in program.keys().keys]
    assert (len(kids), old.kid in kids) == (number, keep_old)
    assert program.verified(after, "ES256")["sub"]
    if keep_old:
        assert program.verified(before, "ES256")["sub"]
    else:
        with pytest.raises(InvalidKeyIdError):
            program.verified(before, "ES256")


def test_rsa_keys_rotate_too(program: Program) -> None:
    (old,) = program.keys().keys
    program.provider.rotate_keys(keep_old=False)
    (new,) = program.keys().keys
    assert old.kid != new.kid
    assert program.verified(program.tokens()["id_token"])["sub"]


# Recorded requests


def test_every_request_is_recorded(openid: OpenIdProvider, http: httpx.Client) -> None:
    http.get(f"{openid.issuer}/nowhere", params={"a": "1"}, headers={"X-Test": "2"})
    http.post(f"{openid.issuer}/token", data={"grant_type": "x"})
    http.post(f"{openid.issuer}/register", json={"client_name": "Me", "redirect_uris": []})
    first, second, third = openid.requests
    assert (first.method, first.path, first.endpoint, first.parameters) == ("GET", "/nowhere", None, {"a": "1"})
    assert first.headers["x-test"] == "2"
    assert (second.method, second.endpoint, second.parameters) == ("POST", "token", {"grant_type": "x"})
    assert third.parameters == {"client_name": "Me"}
    assert third.json() == {"client_name": "Me", "redirect_uris": []}
    assert openid.requests_to("token") == (second,)


SECRET = "s3cr/t+ &="
BASIC = b64encode(b"id:s3cr%2Ft%2B+%26%3D").decode()


@pytest.mark.parametrize(
    "request_",
    [
        {"params": {"a": SECRET}},
        {"data": {"a": SECRET}},
        {"data": [("a", SECRET), ("a", "other")]},
        {"json": {"a": SECRET}},
        {"json": {"a": [SECRET]}},
        {"content": f"x{SECRET}x"},
        {"headers": {"X-Any": f"x {SECRET}"}},
        {"headers": {"Authorization": f"Basic {BASIC}"}},
    ],
)
def test_a_secret_is_found_in_a_request(openid: OpenIdProvider, http: httpx.Client, request_: dict[str, Any]) -> None:
    if isinstance(request_.get("data"), list):
        fields = httpx.QueryParams(request_["data"])
        request_ = {"content": str(fields), "headers": {"Content-Type": "application/x-www-form-urlencoded"}}
    http.post(f"{openid.issuer}/token", **request_)
    (received,) = openid.requests
    assert received.contains(SECRET)
    assert not received.contains("another secret")
    assert SECRET not in repr(received)
    assert repr(received) == "<POST /token>"


def test_no_secret_is_in_a_repr(openid: OpenIdProvider) -> None:
    assert openid.confidential_client.client_secret
    assert openid.confidential_client.client_secret not in repr(openid.confidential_client)
    assert "token-1" not in repr(OpenIdSwitches(initial_access_token="token-1"))


# Other answers


def test_an_endpoint_answers_otherwise_until_it_is_put_right(program: Program) -> None:
    program.provider.switches.answers["jwks"] = Answer.error("server_error", status=500)
    for _ in range(2):
        assert error_of(program.http.get(f"{program.provider.issuer}/jwks")) == (500, "server_error")
    del program.provider.switches.answers["jwks"]
    assert program.keys().keys


def test_the_next_answers_are_sent_once_and_change_nothing(program: Program) -> None:
    tokens = program.tokens()
    program.provider.answer_next("token", Answer(status=503), Answer(status=401))
    assert program.refresh(tokens["refresh_token"]).status_code == 503
    refused = program.refresh(tokens["refresh_token"])
    assert (refused.status_code, refused.content) == (401, b"")
    assert program.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answer.error("invalid_client", status=401), (401, "application/json", 27)),
        (Answer.error("invalid_grant", status=200), (200, "application/json", 26)),
        (Answer.html(), (200, "text/html; charset=utf-8", 35)),
        (Answer.large(), (200, "application/json", 2 * 1024 * 1024)),
        (Answer.redirect("http://127.0.0.1:1/"), (302, "application/json", 0)),
        (Answer.json({"a": 1}), (200, "application/json", 8)),
    ],
)
@pytest.mark.parametrize("endpoint", ["openid_configuration", "token"])
def test_answers_of_all_kinds(
    program: Program, endpoint: Endpoint, answer: Answer, expected: tuple[int, str, int]
) -> None:
    path, method = {"openid_configuration": (OPENID, "GET"), "token": ("/token", "POST")}[endpoint]
    program.provider.answer_next(endpoint, answer)
    found = program.http.request(method, program.provider.issuer + path)
    assert (found.status_code, found.headers["Content-Type"], len(found.content)) == expected
    if expected[1] == "application/json" and found.content:
        assert isinstance(json.loads(found.content), dict)


def test_a_slow_endpoint_answers_late(program: Program) -> None:
    program.provider.switches.delays["jwks"] = 0.2
    url = program.url("jwks_uri")
    started = time.monotonic()
    assert program.http.get(url).status_code == 200
    assert time.monotonic() - started >= 0.2


def test_a_slow_endpoint_does_not_hold_up_the_end() -> None:
    with OpenIdProvider() as provider:
        provider.switches.delays["jwks"] = 3600.0
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{provider.issuer}/jwks", trust_env=False, timeout=0.05)
        started = time.monotonic()
    assert time.monotonic() - started < 30


def test_a_switch_that_does_not_exist_is_refused(openid: OpenIdProvider) -> None:
    with pytest.raises(AttributeError):
        openid.switches.refresh_token = False  # type: ignore[attr-defined]
    with pytest.raises(AttributeError):
        openid.switches = OpenIdSwitches()  # type: ignore[misc]


# HTTP


@pytest.mark.parametrize("host", ["rebound.example", "127.0.0.1", "localhost", "127.0.0.1:1"])
def test_a_foreign_host_is_refused(openid: OpenIdProvider, http: httpx.Client, host: str) -> None:
    assert http.get(openid.issuer + OPENID, headers={"Host": host}).status_code == 400


def test_a_large_body_is_refused(openid: OpenIdProvider, http: httpx.Client) -> None:
    assert http.post(f"{openid.issuer}/token", content=b"x" * (64 * 1024 + 1)).status_code == 413


@pytest.mark.parametrize(("path", "allowed"), [("/token", "POST"), ("/jwks", "GET"), (OPENID, "GET")])
def test_other_methods_are_refused(openid: OpenIdProvider, http: httpx.Client, path: str, allowed: str) -> None:
    answer = http.request("POST" if allowed == "GET" else "GET", openid.issuer + path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


def test_pages_are_protected(program: Program) -> None:
    headers = program.ask().headers
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Content-Security-Policy"].endswith("form-action 'self' http:")
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


# Start and stop


def test_many_providers_run_at_once_and_share_nothing(http: httpx.Client) -> None:
    threads = set(threading.enumerate())
    with OpenIdProvider() as first, OpenIdProvider() as second, http_client() as other:
        tokens = Program(first, http).tokens()
        assert first.issuer != second.issuer
        assert first.confidential_client.client_secret != second.confidential_client.client_secret
        assert error_of(Program(second, other).refresh(tokens["refresh_token"])) == (400, "invalid_grant")
        assert first.is_active(tokens["refresh_token"])
        assert not second.is_active(tokens["refresh_token"])
        assert [request.endpoint for request in second.requests] == ["openid_configuration", "token"]
    assert set(threading.enumerate()) <= threads


def test_a_provider_keeps_its_state_when_it_is_started_again(http: httpx.Client) -> None:
    provider = OpenIdProvider()
    with provider:
        before = len(provider.requests)
        Program(provider, http).keys()
    with provider:
        assert http.get(provider.issuer + OPENID).json()["issuer"] == provider.issuer
    assert len(provider.requests) == before + 3
