"""The metadata of a protected resource, such as an MCP server: where it is, and how it is read (RFC 9728)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ..base.records import Record
from ..base.text import clean_text
from ..base.urls import check_endpoint
from .metadata import LONGEST_ENDPOINT, MetadataError, check_issuer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class ResourceMetadata(Record):
    """The metadata of a protected resource (RFC 9728 section 2). The fields are the members that are used here."""

    resource: str
    """The identifier of the resource. Tokens are requested for it (RFC 8707)."""
    authorization_servers: tuple[str, ...]
    """The issuers that give tokens for the resource. There is at least one."""
    scopes_supported: tuple[str, ...] = ()
    """The scopes that requests at the resource may need."""


def resource_metadata_urls(resource: str, named: str | None = None) -> tuple[str, ...]:
    """Return where the metadata of a resource may be, in the order in which to try.

    Args:
        resource: The URL of the resource.
        named: The address that a response of the resource has named in its challenge (RFC 9728 section 5.1). It may be
            at another origin, because the resource itself has named it.

    Returns:
        That address, and those of RFC 9728 section 3.1: with the path of the resource after the well-known part, and
        without it.

    Raises:
        MetadataError: A URL is not https (http only on loopback), or has a user name or a fragment.
    """
    check_resource(resource)
    parts = urlsplit(resource)
    base, query = f"{parts.scheme}://{parts.netloc}", f"?{parts.query}" if parts.query else ""
    path = "" if parts.path == "/" else parts.path
    found: tuple[str, ...] = (f"{base}{_WELL_KNOWN}{path}{query}", f"{base}{_WELL_KNOWN}")
    if named is not None:
        _check("resource_metadata", named)
        _check_https("resource_metadata", named, resource)
        found = (named, *found)
    return tuple(dict.fromkeys(found))


def parse_resource_metadata(document: Mapping[str, object], resource: str) -> ResourceMetadata:
    """Read the metadata of a protected resource. Members that are null or that are not fields are ignored.

    Args:
        document: The members of the document.
        resource: The URL of the resource. The document must name this one, or one that contains it: the same origin,
            and a path above. A slash at the end makes no difference. (RFC 9728 section 3.3 demands the same resource.
            A server that has one document for all its paths names the root.)

    Raises:
        MetadataError: A member that is needed is missing, is of the wrong type, or breaks a rule. The message names it.
    """
    named = document.get("resource")
    if not isinstance(named, str):
        raise MetadataError("resource is missing" if named is None else "resource is not a text")
    _check("resource", named)
    if not contains(named, resource):
        raise MetadataError(
            f"resource is {clean_text(named)}, which does not contain {clean_text(resource)} (RFC 9728 section 3.3)"
        )
    servers = _texts("authorization_servers", document.get("authorization_servers"))
    if not servers:
        raise MetadataError("authorization_servers is missing")
    for server in servers:
        check_issuer(server)
        _check_https("authorization_servers", server, resource)
    scopes = tuple(filter(None, _texts("scopes_supported", document.get("scopes_supported"))))
    return ResourceMetadata(resource=named, authorization_servers=servers, scopes_supported=scopes)


def check_resource(resource: str) -> None:
    """Check that the URL of a resource is safe. It may have a query.

    Raises:
        MetadataError: It is not https (http only on loopback), has a user name or a fragment, or is no URL.
    """
    _check("resource", resource)


def contains(outer: str, inner: str) -> bool:
    """Return whether a resource is another one or contains it: it has the same origin, and a path above or the same.

    A path with dot segments is in no other resource, because a server may resolve them (RFC 3986 section 5.2.4), also
    if they are percent-encoded.
    """
    if _origin(outer) != _origin(inner):
        return False
    first, second = urlsplit(outer), urlsplit(inner)
    if first.query:
        return (first.path, first.query) == (second.path, second.query)
    if _has_dot_segment(second.path):
        return first.path == second.path
    return f"{second.path.rstrip('/')}/".startswith(f"{first.path.rstrip('/')}/")


def origin_issuer(resource: str) -> str:
    """Return the issuer of a resource that has no metadata: its origin (MCP authorization of 2025-03-26)."""
    parts = urlsplit(resource)
    return f"{parts.scheme}://{parts.netloc}"


def _has_dot_segment(path: str) -> bool:
    # (Some servers take a backslash for a slash.)
    return any(part in {".", ".."} for part in unquote(path).replace("\\", "/").split("/"))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _check(name: str, url: str) -> None:
    problem = "it is too long" if len(url) > LONGEST_ENDPOINT else ""
    try:
        check_endpoint(url)
    except ValueError as error:
        problem = problem or str(error)
    if problem:
        raise MetadataError(f"{name}: {problem}")


def _check_https(name: str, url: str, resource: str) -> None:
    if urlsplit(resource).scheme == "https" != urlsplit(url).scheme:
        raise MetadataError(f"{name}: it must be https, because the resource is")


def _texts(name: str, value: object) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise MetadataError(f"{name} is not a list of texts")
    return tuple(value)
