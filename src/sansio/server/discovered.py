"""What the metadata of an authorization server says about it, as fields of a `Provider`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .endpoints import ClientAuthentication, DeviceCodeEndpoints

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final

    from .metadata import ServerMetadata

_ENDPOINTS: Final = (
    *("authorization_endpoint", "token_endpoint", "revocation_endpoint", "jwks_uri", "registration_endpoint"),
    "pushed_authorization_request_endpoint",
)
_DEFAULT_ALGORITHM: Final = "RS256"
OFFLINE_ACCESS: Final = "offline_access"
"""The scope that asks for a refresh token (OpenID Connect Core section 11)."""
_BASIC: Final = ClientAuthentication.CLIENT_SECRET_BASIC


def discovered(metadata: ServerMetadata, known: Mapping[str, Any], default_scopes: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields that metadata adds to those that are known. An endpoint that is known stays as it is.

    Args:
        metadata: The metadata.
        known: The values of all fields.
        default_scopes: If these are the scopes, those that the metadata does not list are left out.
    """
    found: dict[str, Any] = {name: known[name] or getattr(metadata, name) for name in _ENDPOINTS}
    listed = metadata.id_token_signing_alg_values_supported or (_DEFAULT_ALGORITHM,)
    accepted = known["id_token_signing_alg_values_supported"]
    found["id_token_signing_alg_values_supported"] = tuple(name for name in accepted if name in listed)
    found["promises_iss"] = known["promises_iss"] or metadata.authorization_response_iss_parameter_supported
    found["require_pushed_authorization_requests"] = (
        known["require_pushed_authorization_requests"] or metadata.require_pushed_authorization_requests
    )
    if known["device_code"] is None and metadata.device_authorization_endpoint is not None:
        found["device_code"] = DeviceCodeEndpoints(code_endpoint=metadata.device_authorization_endpoint)
    if metadata.issuer != known["issuer"]:
        # With the text {tenantid} where a token's issuer has its tenant.
        found["id_token_issuer"] = metadata.issuer
    if known["client_secret"] is not None and known["token_endpoint_auth_method"] is None:
        methods = metadata.token_endpoint_auth_methods_supported or (_BASIC,)
        found["token_endpoint_auth_method"] = _BASIC if _BASIC in methods else ClientAuthentication.CLIENT_SECRET_POST
    if known["protected_resource"] is not None:
        found["scopes"] = _with_refresh_tokens(known["scopes"], metadata.scopes_supported or ())
    elif known["scopes"] == default_scopes and metadata.scopes_supported is not None:
        found["scopes"] = tuple(scope for scope in default_scopes if scope in metadata.scopes_supported)
    return found


def _with_refresh_tokens(scopes: tuple[str, ...], listed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the scopes of a resource, and the one that asks for a refresh token if the provider has it."""
    is_wanted = scopes and OFFLINE_ACCESS in listed and OFFLINE_ACCESS not in scopes
    return (*scopes, OFFLINE_ACCESS) if is_wanted else scopes
