"""The demo provider over real HTTP on loopback: a whole login, discovery, start and stop."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import socket
import sys
import threading
import time
from urllib.parse import urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from loginmachine.demo.server import DemoProvider
from loginmachine.demo.shared import loopback

from .support import (
    ACCOUNT,
    CLIENT,
    EMAIL,
    REQUEST,
    STATE,
    TOKEN_EXCHANGE,
    Person,
    callback,
    claims,
    client_of,
)


def test_issuer_is_loopback_without_a_trailing_slash(provider: DemoProvider) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", provider.issuer)


def test_the_callback_carries_code_state_and_issuer(person: Person, provider: DemoProvider) -> None:
    answer = callback(person.decide(person.ask()))
    assert answer == {"code": answer["code"], "state": STATE, "iss": provider.issuer}
    assert len(answer["code"]) >= 32


@pytest.mark.parametrize(
    "uri",
    [
        "http://127.0.0.1:1455/auth/callback",
        "http://127.0.0.1:1/auth/callback",
        "http://127.0.0.1:65535/auth/callback",
        "http://localhost:1457/auth/callback",
    ],
)
def test_any_loopback_port_is_a_callback(person: Person, uri: str) -> None:
    code = callback(person.decide(person.ask(redirect_uri=uri)), uri)["code"]
    assert person.redeem(code, redirect_uri=uri).status_code == 200


def test_token_response(person: Person) -> None:
    answer = person.redeem(person.code())
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    content = answer.json()
    assert content["token_type"] == "Bearer"
    assert content["expires_in"] == 3600
    assert content["scope"] == REQUEST["scope"]
    assert len({content["id_token"], content["access_token"], content["refresh_token"]}) == 3


def test_id_token_verifies_and_has_the_claims(person: Person, provider: DemoProvider) -> None:
    before = int(time.time())
    tokens = person.tokens()
    keys = person.client.get("/oauth/jwks").json()
    token = jwt.decode(tokens["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"])
    assert token.header == {"typ": "JWT", "alg": "RS256", "kid": keys["keys"][0]["kid"]}
    assert token.claims["iss"] == provider.issuer
    assert token.claims["aud"] == [CLIENT]
    assert token.claims["email"] == EMAIL
    assert token.claims["sub"].startswith("user-")
    assert before <= token.claims["iat"] <= time.time()
    assert token.claims["exp"] == token.claims["iat"] + 3600
    assert "nonce" not in token.claims
    account = token.claims[ACCOUNT]
    assert set(account) == {
        *("chatgpt_account_id", "chatgpt_plan_type", "chatgpt_user_id", "organization_id", "project_id"),
        *("completed_platform_onboarding", "is_org_owner"),
    }
    assert account["chatgpt_user_id"] == token.claims["sub"]
    assert account["chatgpt_plan_type"] == "plus"
    assert account["completed_platform_onboarding"] is True
    assert account["is_org_owner"] is False


def test_access_token_is_a_jwt_with_expiry_and_plan(person: Person, provider: DemoProvider) -> None:
    tokens = person.tokens()
    keys = KeySet.import_key_set(person.client.get("/oauth/jwks").json())
    token = jwt.decode(tokens["access_token"], keys, algorithms=["RS256"])
    assert token.header["typ"] == "at+jwt"
    assert token.claims["aud"] == [provider.issuer]
    assert token.claims["exp"] == token.claims["iat"] + 3600
    assert token.claims[ACCOUNT]["chatgpt_plan_type"] == "plus"


def test_the_nonce_comes_back_in_the_id_token(person: Person) -> None:
    answer = person.redeem(person.code(nonce="n-0S6_WzA2Mj"))
    assert claims(answer.json()["id_token"])["nonce"] == "n-0S6_WzA2Mj"


def test_account_ids_are_the_same_in_every_run(person: Person) -> None:
    first = claims(person.tokens()["id_token"])
    with DemoProvider() as other, client_of(other) as client:
        second = claims(Person(client).tokens()["id_token"])
    assert (first["sub"], first[ACCOUNT]) == (second["sub"], second[ACCOUNT])


def test_another_client_id() -> None:
    with DemoProvider(client_id="my-app") as other, client_of(other) as client:
        person = Person(client)
        assert person.ask().status_code == 400
        assert person.ask(client_id="my-app").status_code == 200


# Discovery and HTTP


def test_discovery_document(person: Person, provider: DemoProvider) -> None:
    found = person.client.get("/.well-known/openid-configuration").json()
    assert found["issuer"] == provider.issuer
    assert found["authorization_endpoint"] == f"{provider.issuer}/oauth/authorize"
    assert found["token_endpoint"] == f"{provider.issuer}/oauth/token"
    assert found["revocation_endpoint"] == f"{provider.issuer}/oauth/revoke"
    assert found["revocation_endpoint_auth_methods_supported"] == ["none"]
    assert found["jwks_uri"] == f"{provider.issuer}/oauth/jwks"
    assert found["response_types_supported"] == ["code"]
    assert found["grant_types_supported"] == ["authorization_code", "refresh_token", TOKEN_EXCHANGE]
    assert found["code_challenge_methods_supported"] == ["S256"]
    assert found["token_endpoint_auth_methods_supported"] == ["none"]
    assert found["authorization_response_iss_parameter_supported"] is True
    assert found["request_uri_parameter_supported"] is False
    assert set(found["scopes_supported"]) == set(REQUEST["scope"].split())
    issued = claims(person.redeem(person.code(nonce="n")).json()["id_token"])
    assert set(found["claims_supported"]) <= set(issued)


def test_the_published_key_is_public(person: Person) -> None:
    (key,) = person.client.get("/oauth/jwks").json()["keys"]
    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}


@pytest.mark.parametrize("path", ["/oauth/authorize", "/oauth/token", "/oauth/jwks"])
@pytest.mark.parametrize("host", ["rebound.example", "rebound.example:80", "127.0.0.1.example.com"])
def test_a_foreign_host_is_refused(person: Person, path: str, host: str) -> None:
    method = "POST" if path.endswith("token") else "GET"
    assert person.client.request(method, path, headers={"Host": host}).status_code == 400


# Start and stop


def test_no_thread_or_port_is_left_after_exit(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is left open would hold up the exit for so long.
    monkeypatch.setattr(loopback._Handler, "timeout", 60.0)
    threads, environment = set(threading.enumerate()), dict(os.environ)
    with contextlib.ExitStack() as stack:
        with DemoProvider() as provider:
            port = urlsplit(provider.issuer).port
            assert port is not None
            # A silent connection, an unfinished request, and a complete one.
            for sent in (b"", b"POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nx"):
                connection = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                connection.sendall(sent)
            assert httpx.get(f"{provider.issuer}/oauth/jwks", trust_env=False).status_code == 200
            started = time.monotonic()
        assert time.monotonic() - started < 30
        assert set(threading.enumerate()) <= threads  # threads of the other provider may be ending
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    assert dict(os.environ) == environment


def test_no_thread_is_left_after_an_exception() -> None:
    threads = set(threading.enumerate())
    with pytest.raises(KeyError), DemoProvider():
        raise KeyError
    assert set(threading.enumerate()) <= threads  # threads of the other provider may be ending


@pytest.mark.parametrize("name", ["authlib", "flask"])
def test_a_missing_dependency_is_explained(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for module in ("server", "grants", "accounts"):
        monkeypatch.delitem(sys.modules, f"loginmachine.demo.{module}")
    for module in [module for module in sys.modules if module.split(".")[0] == name]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"needs {name}, .* pip install 'loginmachine\[demo\]'"):
        importlib.import_module("loginmachine.demo.server")
