"""Where the metadata of an authorization server is, and how it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loginmachine.sansio.base.http import HttpRequest
from loginmachine.sansio.oauth.metadata import MetadataProblem, metadata_request, read_metadata
from loginmachine.sansio.server.metadata import (
    MetadataError,
    ServerMetadata,
    check_issuer,
    metadata_urls,
    parse_metadata,
)

from ..samples import answer

ISSUER = "https://id.example"
LEAST = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://id.example/authorize",
    "token_endpoint": "https://id.example/token",
}
TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad"
ENDPOINTS = [
    *("authorization_endpoint", "token_endpoint", "device_authorization_endpoint", "revocation_endpoint", "jwks_uri"),
    *("registration_endpoint", "pushed_authorization_request_endpoint"),
]
FLAGS = ["require_pushed_authorization_requests", "authorization_response_iss_parameter_supported"]
LISTS = [
    *("token_endpoint_auth_methods_supported", "id_token_signing_alg_values_supported", "scopes_supported"),
    *("code_challenge_methods_supported", "grant_types_supported"),
]


def problem(document: dict[str, Any], issuer: str = ISSUER, *, tenant_template: bool = False) -> str:
    """Return what is wrong with a document; empty if it can be used."""
    try:
        parse_metadata(document, issuer, tenant_template=tenant_template)
    except MetadataError as error:
        return str(error)
    return ""


# Addresses


@pytest.mark.parametrize(
    ("issuer", "addresses"),
    [
        # The examples of OpenID Connect Discovery 1.0 section 4.1 and RFC 8414 section 3.1, and others.
        (
            "https://example.com",
            (
                "https://example.com/.well-known/openid-configuration",
                "https://example.com/.well-known/oauth-authorization-server",
            ),
        ),
        (
            "https://example.com/issuer1",
            (
                "https://example.com/issuer1/.well-known/openid-configuration",
                "https://example.com/.well-known/oauth-authorization-server/issuer1",
                "https://example.com/.well-known/openid-configuration/issuer1",
            ),
        ),
        (
            "https://example.com/",
            (
                "https://example.com/.well-known/openid-configuration",
                "https://example.com/.well-known/oauth-authorization-server",
            ),
        ),
        (
            "https://example.com:8443/realms/a%20b/",
            (
                "https://example.com:8443/realms/a%20b/.well-known/openid-configuration",
                "https://example.com:8443/.well-known/oauth-authorization-server/realms/a%20b",
                "https://example.com:8443/.well-known/openid-configuration/realms/a%20b",
            ),
        ),
        (
            "http://[::1]:9000/o",
            (
                "http://[::1]:9000/o/.well-known/openid-configuration",
                "http://[::1]:9000/.well-known/oauth-authorization-server/o",
                "http://[::1]:9000/.well-known/openid-configuration/o",
            ),
        ),
        (
            "http://localhost:8080/realms/dev",
            (
                "http://localhost:8080/realms/dev/.well-known/openid-configuration",
                "http://localhost:8080/.well-known/oauth-authorization-server/realms/dev",
                "http://localhost:8080/.well-known/openid-configuration/realms/dev",
            ),
        ),
    ],
)
def test_the_addresses(issuer: str, addresses: tuple[str, ...]) -> None:
    assert metadata_urls(issuer) == addresses


BAD_ISSUERS = [
    *("", "id.example", "http://id.example", "https://", "https://id.example?a=b", "https://id.example#a"),
    *("https://u:canary@id.example", "https://id.example/\x1b", "https://id.example/\u00e9", "https://id.example:x"),
    *("javascript:canary", "file:///canary", "https://id.example/" + "a" * 2048, "https://id.example/\\a"),
]


@pytest.mark.parametrize("issuer", BAD_ISSUERS)
def test_an_issuer_that_is_no_usable_url(issuer: str) -> None:
    for use in (check_issuer, metadata_urls, lambda issuer: parse_metadata(LEAST, issuer)):
        with pytest.raises(MetadataError, match=r"^issuer: ") as caught:
            use(issuer)
        assert "canary" not in str(caught.value)


def test_the_request() -> None:
    url = "https://id.example/.well-known/openid-configuration"
    assert metadata_request(url) == HttpRequest(url=url, method="GET", timeout=15.0)


# The document


def test_the_least_document() -> None:
    assert parse_metadata(LEAST, ISSUER) == ServerMetadata(
        issuer=ISSUER,
        authorization_endpoint="https://id.example/authorize",
        token_endpoint="https://id.example/token",
        device_authorization_endpoint=None,
        revocation_endpoint=None,
        jwks_uri=None,
        registration_endpoint=None,
        pushed_authorization_request_endpoint=None,
        require_pushed_authorization_requests=False,
        authorization_response_iss_parameter_supported=False,
        token_endpoint_auth_methods_supported=None,
        id_token_signing_alg_values_supported=None,
        code_challenge_methods_supported=None,
        scopes_supported=None,
        grant_types_supported=None,
    )


def test_a_document_with_everything() -> None:
    document = {
        **LEAST,
        "device_authorization_endpoint": "https://id.example/device",
        "revocation_endpoint": "https://id.example/revoke",
        "jwks_uri": "https://keys.example/jwks.json",
        "registration_endpoint": "https://id.example/register",
        "pushed_authorization_request_endpoint": "https://id.example/par",
        "require_pushed_authorization_requests": True,
        "authorization_response_iss_parameter_supported": True,
        "token_endpoint_auth_methods_supported": ["none", "client_secret_post"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        "code_challenge_methods_supported": ["plain", "S256"],
        "scopes_supported": ["openid"],
        "grant_types_supported": ["authorization_code"],
        "response_types_supported": ["code"],
        "signed_metadata": "canary",
        "userinfo_endpoint": {"not": ["read"]},
        "huge": 10**400,
    }
    assert parse_metadata(document, ISSUER) == ServerMetadata(
        issuer=ISSUER,
        authorization_endpoint="https://id.example/authorize",
        token_endpoint="https://id.example/token",
        device_authorization_endpoint="https://id.example/device",
        revocation_endpoint="https://id.example/revoke",
        jwks_uri="https://keys.example/jwks.json",
        registration_endpoint="https://id.example/register",
        pushed_authorization_request_endpoint="https://id.example/par",
        require_pushed_authorization_requests=True,
        authorization_response_iss_parameter_supported=True,
        token_endpoint_auth_methods_supported=("none", "client_secret_post"),
        id_token_signing_alg_values_supported=("RS256", "ES256"),
        code_challenge_methods_supported=("plain", "S256"),
        scopes_supported=("openid",),
        grant_types_supported=("authorization_code",),
    )


@pytest.mark.parametrize("name", ["issuer", "authorization_endpoint", "token_endpoint"])
def test_a_member_that_is_missing(name: str) -> None:
    assert problem({key: value for key, value in LEAST.items() if key != name}) == f"{name} is missing"
    assert problem({**LEAST, name: None}) == f"{name} is missing"


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("name", ENDPOINTS[2:])
def test_an_endpoint_without_a_value_is_as_absent(name: str, value: object) -> None:
    assert getattr(parse_metadata({**LEAST, name: value}, ISSUER), name) is None


@pytest.mark.parametrize("value", [None, []])
@pytest.mark.parametrize("name", LISTS)
def test_an_empty_list_is_as_absent(name: str, value: object) -> None:
    assert getattr(parse_metadata({**LEAST, name: value}, ISSUER), name) is None


@pytest.mark.parametrize("value", [5, True, [], ["https://id.example"], {"a": 1}, 10**400])
@pytest.mark.parametrize("name", ["issuer", *ENDPOINTS])
def test_a_value_that_is_no_text(name: str, value: object) -> None:
    assert problem({**LEAST, name: value}) == f"{name} is not a text"


@pytest.mark.parametrize("value", [0, 1, "true", "", [], {}, [True]])
@pytest.mark.parametrize("name", FLAGS)
def test_a_flag_that_is_none(name: str, value: object) -> None:
    assert problem({**LEAST, name: value}) == f"{name} is neither true nor false"


@pytest.mark.parametrize("value", ["S256", 5, True, {"S256": 1}, ["S256", 5], [["S256"]], [None]])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_is_none(name: str, value: object) -> None:
    assert problem({**LEAST, name: value}) == f"{name} is not a list of texts"


@pytest.mark.parametrize("methods", [["plain"], ["s256"]])
def test_a_server_that_says_it_has_no_s256(methods: list[str]) -> None:
    message = "code_challenge_methods_supported has no S256, without which no login is begun (RFC 7636)"
    assert problem({**LEAST, "code_challenge_methods_supported": methods}) == message


# The issuer


@pytest.mark.parametrize(
    "named",
    ["https://id.example/", "https://ID.example", "https://id.example:443", "https://evil.example", "", "\ud800"],
)
def test_another_issuer(named: str) -> None:
    message = problem({**LEAST, "issuer": named})
    assert message.startswith("issuer is ")
    assert "https://id.example was asked for" in message
    assert message.endswith("(RFC 8414 section 3.3)")


MICROSOFT = "https://login.microsoftonline.com"


def microsoft(tenant: str) -> dict[str, str]:
    return {
        "issuer": f"{MICROSOFT}/{tenant}/v2.0",
        "authorization_endpoint": f"{MICROSOFT}/common/oauth2/v2.0/authorize",
        "token_endpoint": f"{MICROSOFT}/common/oauth2/v2.0/token",
    }


@pytest.mark.parametrize("tenant", ["{tenantid}", TENANT])
@pytest.mark.parametrize("asked", ["common", "organizations", "contoso.onmicrosoft.com"])
def test_an_issuer_with_a_tenant(tenant: str, asked: str) -> None:
    document, issuer = microsoft(tenant), f"{MICROSOFT}/{asked}/v2.0"
    assert parse_metadata(document, issuer, tenant_template=True).issuer == f"{MICROSOFT}/{tenant}/v2.0"
    assert problem(document, issuer).startswith(f"issuer is {MICROSOFT}/")


@pytest.mark.parametrize(
    "named",
    [
        "https://evil.example/{tenantid}/v2.0",
        "http://login.microsoftonline.com/{tenantid}/v2.0",
        f"{MICROSOFT}/{{tenantid}}/v1.0",
        f"{MICROSOFT}/{{tenantid}}/v2.0/",
        f"{MICROSOFT}/x{{tenantid}}/v2.0",
        f"{MICROSOFT}/{{tenantid}}\n/v2.0",
        f"{MICROSOFT}/other/v2.0",
        f"{MICROSOFT}/{TENANT.upper()}/v2.0",
        "https://{tenantid}/common/v2.0",
        f"https://{TENANT}/common/v2.0",
        "{tenantid}",
    ],
)
def test_an_issuer_with_a_tenant_elsewhere(named: str) -> None:
    document = {**microsoft("x"), "issuer": named}
    assert problem(document, f"{MICROSOFT}/common/v2.0", tenant_template=True).startswith("issuer is ")


# Endpoints


@pytest.mark.parametrize("url", ["https://id.example/t?p=B2C_1", "https://other.example/t", "https://id.example:444"])
@pytest.mark.parametrize("name", ENDPOINTS)
def test_endpoints_that_are_accepted(name: str, url: str) -> None:
    assert getattr(parse_metadata({**LEAST, name: url}, ISSUER), name) == url


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://id.example/t", "must be https (http only on loopback)"),
        ("http://127.0.0.1/t", "it must be https, because the issuer is"),
        ("http://localhost/t", "it must be https, because the issuer is"),
        ("javascript:canary()", "has no valid host"),
        ("ftp://id.example/t", "must be https"),
        ("/token", "has no valid host"),
        ("//id.example/t", "must be https"),
        ("https:///t", "has no valid host"),
        ("https://[::1/t", "has no valid host"),
        ("https://id.example:99999/t", "has no valid host"),
        ("https://u:canary@id.example/t", "must not have a user name or a fragment"),
        ("https://id.example/t#", "must not have a user name or a fragment"),
        ("https://id.example/t t", "holds a character that is not allowed"),
        ("https://id.example/t\n", "holds a character that is not allowed"),
        ("https://id.example/\u00e9", "holds a character that is not allowed"),
        ("https://id.example/'|canary", "holds a character that is not allowed"),
        ("https://id.example/" + "a" * 2048, "it is too long"),
    ],
)
@pytest.mark.parametrize("name", ENDPOINTS)
def test_endpoints_that_are_refused(name: str, url: str, rule: str) -> None:
    message = problem({**LEAST, name: url})
    assert message.startswith(f"{name}: ")
    assert rule in message
    assert "canary" not in message


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_a_provider_on_loopback(host: str) -> None:
    issuer = f"http://{host}:8080/realms/dev"
    document = {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": "https://keys.example/jwks",
    }
    assert parse_metadata(document, issuer).token_endpoint == f"{issuer}/token"
    assert "must be https" in problem({**document, "token_endpoint": "http://id.example/token"}, issuer)


# Responses


def read(body: dict[str, Any] | bytes, status: int = 200) -> ServerMetadata | MetadataProblem:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_metadata(answer(1, status, raw), ISSUER)


def test_a_response_with_metadata() -> None:
    assert read(LEAST) == parse_metadata(LEAST, ISSUER)


def test_a_response_with_the_metadata_of_a_tenant() -> None:
    response = answer(1, 200, json.dumps(microsoft("{tenantid}")).encode())
    result = read_metadata(response, f"{MICROSOFT}/common/v2.0", tenant_template=True)
    assert isinstance(result, ServerMetadata)


@pytest.mark.parametrize(
    ("status", "body", "message", "is_missing"),
    [
        (404, b"<html>", "status 404, a web page instead of an answer", True),
        (200, b"<html>", "a web page instead of an answer: a sign-in page of the network?", False),
        (302, b"", "the endpoint answered with a redirect (302), which is never followed", False),
        (500, b"", "status 500, the provider has a problem", False),
        (200, b"{}", "the provider's metadata: issuer is missing", False),
        (200, b'{"issuer": 1, "issuer": 2}', "the answer cannot be read: a duplicate member", False),
    ],
)
def test_a_response_without_metadata(status: int, body: bytes, message: str, is_missing: bool) -> None:  # noqa: FBT001
    assert read(body, status) == MetadataProblem(message=message, is_missing=is_missing)


# Anything

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
URLS = st.sampled_from(["https://id.example/x", "http://localhost", "https://a@b", "https://[", "\ud800"]) | st.text()


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(["issuer", *ENDPOINTS, *FLAGS, *LISTS]), JSON | URLS), st.booleans())
def test_any_document_is_read_or_refused(document: dict[str, Any], tenant_template: bool) -> None:  # noqa: FBT001
    for changed in (document, {**LEAST, **document}, {**document, **LEAST}):
        message = problem(changed, tenant_template=tenant_template)
        name = message.partition(" ")[0].rstrip(":")
        assert not message or name in ["issuer", *ENDPOINTS, *FLAGS, *LISTS]


@settings(max_examples=200, deadline=None)
@given(st.text() | URLS)
def test_any_issuer_is_accepted_or_refused(issuer: str) -> None:
    try:
        urls = metadata_urls(issuer)
    except MetadataError:
        return
    assert all(url.startswith(("https://", "http://")) for url in urls)


@settings(max_examples=100, deadline=None)
@given(st.integers(200, 599), st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_response_is_read(status: int, body: bytes) -> None:
    assert isinstance(read(body, status), MetadataProblem)
