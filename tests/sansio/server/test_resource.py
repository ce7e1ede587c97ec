"""The metadata of a protected resource (RFC 9728)."""

from __future__ import annotations

from typing import Any

import pytest

from loginmachine.sansio.server.metadata import MetadataError
from loginmachine.sansio.server.resource import (
    ResourceMetadata,
    check_resource,
    contains,
    origin_issuer,
    parse_resource_metadata,
    resource_metadata_urls,
)

RESOURCE = "https://api.example/mcp"
ISSUER = "https://id.example"
LEAST: dict[str, Any] = {"resource": RESOURCE, "authorization_servers": [ISSUER]}


def problem(document: dict[str, Any], resource: str = RESOURCE) -> str:
    """Return what is wrong with a document; empty if it can be used."""
    try:
        parse_resource_metadata(document, resource)
    except MetadataError as error:
        return str(error)
    return ""


# Addresses


@pytest.mark.parametrize(
    ("resource", "addresses"),
    [
        # The examples of RFC 9728 section 3.1.
        ("https://resource.example.com", ("https://resource.example.com/.well-known/oauth-protected-resource",)),
        (
            "https://resource.example.com/resource1",
            (
                "https://resource.example.com/.well-known/oauth-protected-resource/resource1",
                "https://resource.example.com/.well-known/oauth-protected-resource",
            ),
        ),
        ("https://api.example/", ("https://api.example/.well-known/oauth-protected-resource",)),
        (
            "http://127.0.0.1:8000/a/b/?tenant=1",
            (
                "http://127.0.0.1:8000/.well-known/oauth-protected-resource/a/b/?tenant=1",
                "http://127.0.0.1:8000/.well-known/oauth-protected-resource",
            ),
        ),
    ],
)
def test_the_addresses_of_the_metadata(resource: str, addresses: tuple[str, ...]) -> None:
    assert resource_metadata_urls(resource) == addresses


def test_an_address_that_the_resource_names_comes_first() -> None:
    root = "https://api.example/.well-known/oauth-protected-resource"
    assert resource_metadata_urls(RESOURCE, "https://docs.example/resource.json") == (
        "https://docs.example/resource.json",
        f"{root}/mcp",
        root,
    )
    assert resource_metadata_urls(RESOURCE, root) == (root, f"{root}/mcp")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ("http://127.0.0.1/resource", "resource_metadata: it must be https, because the resource is"),
        ("http://api.example/resource", "resource_metadata: the provider's URL must be https (http only on loopback)"),
        ("/resource", "resource_metadata: the provider's URL has no valid host"),
        (f"https://api.example/{'a' * 2048}", "resource_metadata: it is too long"),
    ],
)
def test_an_address_that_is_not_safe(named: str, said: str) -> None:
    with pytest.raises(MetadataError) as caught:
        resource_metadata_urls(RESOURCE, named)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    "resource", ["", "api.example", "http://api.example/mcp", "https://u:p@api.example/mcp", f"{RESOURCE}#part"]
)
def test_a_resource_that_is_not_safe(resource: str) -> None:
    with pytest.raises(MetadataError, match=r"^resource: the provider's URL"):
        check_resource(resource)
    with pytest.raises(MetadataError, match=r"^resource: the provider's URL"):
        resource_metadata_urls(resource)


# The document


def test_a_document() -> None:
    document = {
        **LEAST,
        "authorization_servers": [ISSUER, "https://other.example"],
        "scopes_supported": ["files:read", "", "files:write"],
        "bearer_methods_supported": ["header"],
        "resource_name": "Files",
        "jwks_uri": None,
    }
    assert parse_resource_metadata(document, RESOURCE) == ResourceMetadata(
        resource=RESOURCE,
        authorization_servers=(ISSUER, "https://other.example"),
        scopes_supported=("files:read", "files:write"),
    )
    assert parse_resource_metadata(LEAST, RESOURCE).scopes_supported == ()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"resource": None}, "resource is missing"),
        ({"resource": 1}, "resource is not a text"),
        ({"resource": "https://api.example:1x"}, "resource: the provider's URL has no valid host"),
        (
            {"resource": "https://evil.example/mcp"},
            (
                "resource is https://evil.example/mcp, which does not contain https://api.example/mcp"
                " (RFC 9728 section 3.3)"
            ),
        ),
        ({"authorization_servers": None}, "authorization_servers is missing"),
        ({"authorization_servers": []}, "authorization_servers is missing"),
        ({"authorization_servers": ISSUER}, "authorization_servers is not a list of texts"),
        ({"authorization_servers": [1]}, "authorization_servers is not a list of texts"),
        (
            {"authorization_servers": [""]},
            "issuer: the provider's URL is empty or holds a character that is not allowed in it",
        ),
        (
            {"authorization_servers": ["http://127.0.0.1"]},
            "authorization_servers: it must be https, because the resource is",
        ),
        ({"authorization_servers": ["id.example"]}, "issuer: the provider's URL has no valid host"),
        ({"scopes_supported": "a b"}, "scopes_supported is not a list of texts"),
    ],
)
def test_a_document_that_cannot_be_used(change: dict[str, Any], said: str) -> None:
    assert problem({**LEAST, **change}) == said


def test_a_server_on_this_machine_needs_no_tls() -> None:
    document = {"resource": "http://127.0.0.1:8000", "authorization_servers": ["http://localhost:9000/"]}
    assert problem(document, "http://127.0.0.1:8000/mcp") == ""


# A resource in another one


@pytest.mark.parametrize(
    ("outer", "inner", "expected"),
    [
        ("https://api.example/mcp", "https://api.example/mcp", True),
        ("https://api.example/mcp/", "https://api.example/mcp", True),
        ("https://api.example/mcp", "https://api.example/mcp/", True),
        ("https://api.example", "https://api.example/mcp", True),
        ("https://api.example/", "https://api.example", True),
        ("https://API.example:443/", "https://api.example/mcp", True),
        ("https://api.example/mcp", "https://api.example/mcp?tenant=1", True),
        ("https://api.example/mcp?tenant=1", "https://api.example/mcp?tenant=1", True),
        ("https://api.example/mcp?tenant=1", "https://api.example/mcp?tenant=2", False),
        ("https://api.example/mcp?tenant=1", "https://api.example/mcp", False),
        ("https://api.example/mcp", "https://api.example/mcp2", False),
        ("https://api.example/mcp/a", "https://api.example/mcp", False),
        ("https://api.example:8443", "https://api.example/mcp", False),
        ("http://api.example", "https://api.example/mcp", False),
        ("https://example", "https://api.example/mcp", False),
        ("https://api.example/mcp", "https://api.example/mcp/..", False),
        ("https://api.example/mcp", "https://api.example/mcp/%2E%2e/other", False),
        ("https://api.example/mcp", "https://api.example/mcp/..%2fother", False),
        ("https://api.example/mcp", "https://api.example/mcp/%5c..%5cother", False),
        ("https://api.example/mcp/../other", "https://api.example/mcp/../other", True),
        ("https://api.example/mcp", "https://api.example/mcp/a..b/.c", True),
    ],
)
def test_which_resource_contains_another(outer: str, inner: str, *, expected: bool) -> None:
    assert contains(outer, inner) is expected


def test_the_issuer_of_a_resource_without_metadata() -> None:
    assert origin_issuer("https://api.example:8443/mcp?a=b") == "https://api.example:8443"
