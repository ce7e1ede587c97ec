"""Register a client at the provider (RFC 7591)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..base.http import Encoding, HttpRequest
from ..base.secret import Secret
from ..base.text import is_printable_ascii
from ..model.claims import LAST_MOMENT
from ..server.endpoints import ClientAuthentication
from ..server.registration import TEXTS, ClientMetadata, Registration
from .endpoint_responses import read_created
from .responses import Malformed

if TYPE_CHECKING:
    from typing import Final, TypeGuard

    from ..base.http import Form, HttpResponse
    from ..base.strict_json import JsonObject
    from .responses import Rejected

REGISTRATION_TIMEOUT: Final = 30.0
"""Time limit of a registration, in seconds."""
MAX_CLIENT_ID: Final = 2048
"""The most characters of a client id, and of a client secret."""
_CODE_GRANTS: Final = ("authorization_code", "refresh_token")
_DEVICE_GRANTS: Final = ("urn:ietf:params:oauth:grant-type:device_code", "refresh_token")
_OWN: Final = frozenset(("client_id", "client_secret", "client_secret_expires_at", "token_endpoint_auth_method"))


def registration_request(endpoint: str, metadata: ClientMetadata, redirect_uri: str | None) -> HttpRequest:
    """Return the request that registers a client (RFC 7591 section 3.1).

    Args:
        endpoint: The provider's ``registration_endpoint``.
        metadata: What the program tells about itself.
        redirect_uri: The redirect URI of its logins; None for a client that uses device codes only.
    """
    default = _DEVICE_GRANTS if redirect_uri is None else _CODE_GRANTS
    form: Form = (
        *((("redirect_uris", (redirect_uri,)), ("response_types", ("code",))) if redirect_uri is not None else ()),
        ("grant_types", metadata.grant_types or default),
        # OpenID Connect Registration section 2. Without it, some providers refuse a redirect URI on loopback.
        ("application_type", "native"),
        ("token_endpoint_auth_method", metadata.token_endpoint_auth_method),
        *((("contacts", metadata.contacts),) if metadata.contacts else ()),
        *((name, value) for name in TEXTS if (value := getattr(metadata, name)) is not None),
    )
    return HttpRequest(url=endpoint, form=form, encoding=Encoding.JSON, timeout=REGISTRATION_TIMEOUT)


def read_registration(
    response: HttpResponse, hide: tuple[str, ...], *, issuer: str, redirect_uri: str | None
) -> Registration | Rejected | Malformed:
    """Read the response to a registration.

    Args:
        response: With any status. Only 201 and 200 are a success.
        hide: Secrets that were sent. An error description may echo them.
        issuer: The provider.
        redirect_uri: That of the request.

    Returns:
        The registration (RFC 7591 section 3.2.1), or why there is none (section 3.2.2).
    """
    answer = read_created(response, hide)
    if not isinstance(answer, dict):
        return answer
    client_id, secret = answer.get("client_id"), answer.get("client_secret") or None
    if not _is_id(client_id):
        return Malformed(message="no usable client_id in the answer")
    if secret is not None and not _is_id(secret):
        return Malformed(message="no usable client_secret in the answer")
    # RFC 7591 section 2 has the default of a client with a secret.
    method = answer.get("token_endpoint_auth_method") or ("none" if secret is None else "client_secret_basic")
    if method not in tuple(ClientAuthentication):
        return Malformed(message="the client was registered with a token_endpoint_auth_method that is not known here")
    if method != "none" and secret is None:
        return Malformed(message=f"the client was registered for {method}, and no client_secret is in the answer")
    if not is_registered(redirect_uri, answer.get("redirect_uris")):
        return Malformed(message="the client was registered with other redirect_uris than asked for")
    return Registration(
        issuer=issuer,
        client_id=client_id,
        client_secret=None if secret is None else Secret(secret),
        client_secret_expires_at=_moment(answer.get("client_secret_expires_at")),
        token_endpoint_auth_method=ClientAuthentication(method),
        redirect_uri=redirect_uri,
        others=_others(answer),
    )


def _is_id(value: object) -> TypeGuard[str]:
    """Return whether a value can be a client id or a client secret (RFC 6749 appendices A.1 and A.2)."""
    return isinstance(value, str) and 0 < len(value) <= MAX_CLIENT_ID and is_printable_ascii(value)


def is_registered(redirect_uri: str | None, registered: object) -> bool:
    """Return whether the provider has registered a redirect URI. Its port may be any (RFC 8252 section 7.3).

    A provider may replace what was asked for (RFC 7591 section 3.2.1). A person would then see the provider's error
    page, and the login would never hear of it.
    """
    if redirect_uri is None or not isinstance(registered, list) or not registered:
        return True
    return any(isinstance(other, str) and _without_port(other) == _without_port(redirect_uri) for other in registered)


def _without_port(url: str) -> object:
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    return parts.scheme, parts.hostname, parts.path, parts.query


def _moment(value: object) -> float | None:
    """Return when a secret expires; None for never, which is written as 0 (RFC 7591 section 3.2.1)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < LAST_MOMENT:
        return None
    return float(value)


def _others(answer: JsonObject) -> Secret | None:
    import json  # noqa: PLC0415 - not needed before the URL is shown

    others = {name: value for name, value in answer.items() if name not in _OWN}
    return Secret(json.dumps(others)) if others else None
