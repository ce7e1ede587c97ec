"""The metadata of an authorization server: where it is, and how it is read.

Two specifications describe the same document: OpenID Connect Discovery 1.0 and RFC 8414. They differ in its address.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..base.records import Record
from ..base.text import clean_text
from ..base.urls import check_endpoint, check_provider_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

    from ..base.strict_json import JsonObject

LONGEST_ENDPOINT: Final = 2048
"""The most characters of the URL of an endpoint."""
_OPENID: Final = "/.well-known/openid-configuration"
_OAUTH: Final = "/.well-known/oauth-authorization-server"
_REQUIRED: Final = ("authorization_endpoint", "token_endpoint")
_ENDPOINTS: Final = (
    *("device_authorization_endpoint", "revocation_endpoint", "jwks_uri", "registration_endpoint"),
    "pushed_authorization_request_endpoint",
)
_FLAGS: Final = ("require_pushed_authorization_requests", "authorization_response_iss_parameter_supported")
_LISTS: Final = (
    *("token_endpoint_auth_methods_supported", "id_token_signing_alg_values_supported", "scopes_supported"),
    *("code_challenge_methods_supported", "grant_types_supported"),
)
_TENANT: Final = re.compile(r"\{tenantid\}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What stands for the tenant in the issuers of Microsoft's provider: the template, or the tenant's number."""


class MetadataError(ValueError):
    """The metadata cannot be used. The message names the member and the rule."""


class ServerMetadata(Record):
    """The metadata of an authorization server (RFC 8414 section 2). The fields are the members that are used here.

    A list that is empty is None, because such a list means the same as an absent one (RFC 8414 section 3.2).
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    device_authorization_endpoint: str | None = None
    """RFC 8628 section 4."""
    revocation_endpoint: str | None = None
    """RFC 7009."""
    jwks_uri: str | None = None
    """The address of the keys that verify id tokens."""
    registration_endpoint: str | None = None
    """RFC 7591."""
    pushed_authorization_request_endpoint: str | None = None
    """RFC 9126 section 5."""
    require_pushed_authorization_requests: bool = False
    """The server accepts no other authorization requests (RFC 9126 section 5)."""
    authorization_response_iss_parameter_supported: bool = False
    """Each callback has an ``iss`` (RFC 9207 section 3)."""
    token_endpoint_auth_methods_supported: tuple[str, ...] | None = None
    """None means ``client_secret_basic``."""
    id_token_signing_alg_values_supported: tuple[str, ...] | None = None
    code_challenge_methods_supported: tuple[str, ...] | None = None
    scopes_supported: tuple[str, ...] | None = None
    grant_types_supported: tuple[str, ...] | None = None
    """None means ``authorization_code`` and ``implicit``."""


def metadata_urls(issuer: str) -> tuple[str, ...]:
    """Return where the metadata of an issuer may be. Each address is for servers that have none at those before.

    Args:
        issuer: The issuer identifier. A slash at its end is no part of the addresses.

    Returns:
        The address of OpenID Connect Discovery 1.0 section 4.1, which is below the issuer, and that of RFC 8414 section
        3.1, in which the well-known part stands between host and path. For an issuer with a path, the document of
        OpenID Connect is also looked for like that (RFC 8414 section 5; MCP's clients must).

    Raises:
        MetadataError: `check_issuer` refuses the issuer.
    """
    check_issuer(issuer)
    base = issuer.rstrip("/")
    path = urlsplit(base).path
    host = base.removesuffix(path)
    between = (f"{host}{_OAUTH}{path}", f"{host}{_OPENID}{path}")
    return f"{base}{_OPENID}", *(between if path else between[:1])


def parse_metadata(document: Mapping[str, object], issuer: str, *, tenant_template: bool = False) -> ServerMetadata:
    """Read the metadata of an authorization server.

    Members that are null, and those that are not fields of `ServerMetadata`, are ignored. So is ``signed_metadata``.

    Args:
        document: The members of the document.
        issuer: The issuer that was asked for. The document must name exactly this one (RFC 8414 section 3.3).
        tenant_template: Accept an issuer that has ``{tenantid}`` or the tenant's number where the issuer that was asked
            for has the tenant. Only Microsoft's provider names its issuer like that.

    Raises:
        MetadataError: A member that is needed is missing, is of the wrong type, or breaks a rule.
    """
    check_issuer(issuer)
    found: JsonObject = {"issuer": _issuer(document, issuer, tenant_template=tenant_template)}
    for name in _REQUIRED:
        if document.get(name) in (None, ""):
            raise MetadataError(f"{name} is missing")
    for name in (*_REQUIRED, *_ENDPOINTS):
        if document.get(name) not in (None, ""):
            found[name] = _endpoint(name, document[name], issuer)
    for name in _FLAGS:
        value = document.get(name)
        if value is not None and not isinstance(value, bool):
            raise MetadataError(f"{name} is neither true nor false")
        found[name] = value is True
    for name in _LISTS:
        found[name] = _texts(name, document.get(name))
    metadata = ServerMetadata(**found)
    methods = metadata.code_challenge_methods_supported
    if methods is not None and "S256" not in methods:
        # A list that is absent would mean that the server has no PKCE. Many servers have it and do not say so.
        raise MetadataError("code_challenge_methods_supported has no S256, without which no login is begun (RFC 7636)")
    return metadata


def endpoint_elsewhere(metadata: ServerMetadata) -> str:
    """Return the name of an endpoint that has not the scheme, host and port of the issuer; empty if all have."""
    names = (*_REQUIRED, *_ENDPOINTS)
    urls = {name: getattr(metadata, name) for name in names}
    ours = _origin_of(metadata.issuer)
    return next((name for name, url in urls.items() if url is not None and _origin_of(url) != ours), "")


def _origin_of(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"https": 443, "http": 80}.get(parts.scheme)


def check_issuer(issuer: str) -> None:
    """Check that an issuer identifier is a URL of the right form (RFC 8414 section 2).

    Raises:
        MetadataError: It is not https (http only on loopback), has a user name, a query or a fragment, or is no URL.
    """
    problem = "it is too long" if len(issuer) > LONGEST_ENDPOINT else ""
    try:
        check_provider_url(issuer)
    except ValueError as error:
        problem = str(error)
    if problem:
        raise MetadataError(f"issuer: {problem}")


def _issuer(document: Mapping[str, object], issuer: str, *, tenant_template: bool) -> str:
    named = document.get("issuer")
    if named is None:
        raise MetadataError("issuer is missing")
    if not isinstance(named, str):
        raise MetadataError("issuer is not a text")
    if named == issuer or (tenant_template and _is_same_but_for_tenant(named, issuer)):
        return named
    raise MetadataError(
        f"issuer is {clean_text(named)}, and {clean_text(issuer)} was asked for. Both must be the same, each character"
        " and a slash at the end included (RFC 8414 section 3.3)"
    )


def _is_same_but_for_tenant(named: str, issuer: str) -> bool:
    """Return whether two issuers are the same except for one part of the path, which is a tenant in the first one."""
    theirs, ours = named.split("/"), issuer.split("/")
    if len(theirs) != len(ours) or theirs[:3] != ours[:3]:
        return False
    other = [part for part, asked in zip(theirs, ours, strict=True) if part != asked]
    return len(other) == 1 and _TENANT.fullmatch(other[0]) is not None


def _endpoint(name: str, value: object, issuer: str) -> str:
    if not isinstance(value, str):
        raise MetadataError(f"{name} is not a text")
    problem = "it is too long" if len(value) > LONGEST_ENDPOINT else ""
    try:
        check_endpoint(value)
    except ValueError as error:
        problem = str(error)
    if not problem and urlsplit(issuer).scheme == "https" != urlsplit(value).scheme:
        problem = "it must be https, because the issuer is"
    if problem:
        raise MetadataError(f"{name}: {problem}")
    return value


def _texts(name: str, value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, str) for item in value):
        raise MetadataError(f"{name} is not a list of texts")
    return tuple(value) or None
