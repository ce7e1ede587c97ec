"""What is known about some providers: the fields of their `Provider`, without the client."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..base.secret import Secret
from .dialect import Dialect
from .endpoints import ClientAuthentication, DeviceCodeEndpoints, IdTokenPolicy
from .registration import ClientMetadata

if TYPE_CHECKING:
    from typing import Any, Final

GOOGLE_ISSUER: Final = "https://accounts.google.com"
_GOOGLE_TOKEN_ENDPOINTS: Final = ("https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token")
_GOOGLE_ENDPOINTS: Final = {
    "revocation_endpoint": "https://oauth2.googleapis.com/revoke",
    "jwks_uri": "https://www.googleapis.com/oauth2/v3/certs",
    "id_token_signing_alg_values_supported": ("RS256",),
    "device_code": DeviceCodeEndpoints(code_endpoint="https://oauth2.googleapis.com/device/code"),
}
"""What Google's metadata would say, of which the client file has two endpoints only."""
_GOOGLE_SCOPE_NAMES: Final = (
    ("email", "https://www.googleapis.com/auth/userinfo.email"),
    ("profile", "https://www.googleapis.com/auth/userinfo.profile"),
)
_MEMBERS: Final = {"client_id": "client_id", "authorization_endpoint": "auth_uri", "token_endpoint": "token_uri"}


def client_fields(fields: Mapping[str, Any], default_scopes: tuple[str, ...]) -> dict[str, Any]:
    """Return fields as `Provider` has them: scopes as a tuple, and an authentication that fits the secret."""
    read = dict(fields)
    if not isinstance(read.get("scopes", ()), str):
        read["scopes"] = tuple(read["scopes"]) if "scopes" in read else default_scopes
    if isinstance(read.get("client_secret"), str):
        read["client_secret"] = Secret(read["client_secret"])
    if read.get("client_secret") is not None:
        read.setdefault("token_endpoint_auth_method", None)
    return read


def resource(url: str, *, needs_client: bool) -> dict[str, Any]:
    """Return the fields for the provider of a protected resource, without the client.

    Args:
        url: The URL of the resource.
        needs_client: Whether the login registers a client.
    """
    return {
        "name": "resource",
        "issuer": None,
        "authorization_endpoint": "",
        "token_endpoint": "",
        "protected_resource": url,
        "uses_nonce": True,
        "id_token_policy": IdTokenPolicy.COMPAT,
        "registration": ClientMetadata(client_name="loginmachine") if needs_client else None,
    }


def google(client_file: str | bytes | Mapping[str, object]) -> dict[str, Any]:
    """Return the fields for Google, client included.

    Google gives a refresh token only for ``access_type=offline``, and knows no scope ``offline_access``. A client file
    with other endpoints than Google's is that of a test server, which has other keys.

    Args:
        client_file: The contents of the file that Google's console offers for a desktop app, as text or read as JSON.

    Raises:
        ValueError: It is not such a file.
    """
    found = _client(_installed(client_file))
    if found["token_endpoint"] in _GOOGLE_TOKEN_ENDPOINTS:
        found |= _GOOGLE_ENDPOINTS
    return {
        **found,
        "name": "google",
        "issuer": GOOGLE_ISSUER,
        "scopes": ("openid", "profile", "email"),
        "authorization_parameters": (("access_type", "offline"),),
        "dialect": Dialect(scope_names=_GOOGLE_SCOPE_NAMES),
        "callback_path": "",
        "uses_nonce": True,
        "help_url": "https://developers.google.com/identity/protocols/oauth2/native-app",
    }


def _installed(client_file: str | bytes | Mapping[str, object]) -> Mapping[str, object]:
    document: object = client_file
    if isinstance(client_file, (str, bytes)):
        try:
            document = json.loads(client_file)
        except ValueError:
            # The message of the decoder would be about the text, which has a secret.
            document = None
        if document is None:
            raise ValueError("the client file is not JSON")
    installed = document.get("installed") if isinstance(document, Mapping) else None
    if not isinstance(installed, Mapping):
        raise ValueError(  # noqa: TRY004 - a wrong field like any other
            'the client file has no object "installed". Create an OAuth client of the type "Desktop app" in Google\'s'
            " console, and download its file"
        )
    return installed


def _client(installed: Mapping[str, object]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, member in _MEMBERS.items():
        value = installed.get(member)
        if value is not None and not isinstance(value, str):
            raise ValueError(f"the client file: {member} is not a text")
        found[field] = value or ""
    if not found["client_id"]:
        raise ValueError("the client file: client_id is missing")
    if bool(found["authorization_endpoint"]) != bool(found["token_endpoint"]):
        raise ValueError("the client file has one of auth_uri and token_uri, but not the other")
    secret = installed.get("client_secret")
    if secret is not None and not isinstance(secret, str):
        raise ValueError("the client file: client_secret is not a text")
    if secret:
        found["client_secret"] = Secret(secret)
    if secret and found["token_endpoint"]:
        # As Google's documentation describes it. There is no metadata that would say so.
        found["token_endpoint_auth_method"] = ClientAuthentication.CLIENT_SECRET_POST
    return found


def github(host: str, *, has_secret: bool) -> dict[str, Any]:
    """Return the fields for GitHub, which has no id tokens. An OAuth app's access token does not expire.

    Args:
        host: The base URL.
        has_secret: Whether the client has a secret. GitHub's documentation has it among the parameters.
    """
    method = ClientAuthentication.CLIENT_SECRET_POST if has_secret else ClientAuthentication.NONE
    return {
        "token_endpoint_auth_method": method,
        "name": "github",
        "authorization_endpoint": f"{host}/login/oauth/authorize",
        "token_endpoint": f"{host}/login/oauth/access_token",
        "device_code": DeviceCodeEndpoints(code_endpoint=f"{host}/login/device/code"),
        "scope_separator": ",",
        "has_form_answers": True,
        "help_url": "https://docs.github.com/apps/oauth-apps",
    }


def microsoft(tenant: str) -> dict[str, Any]:
    """Return the fields for Microsoft Entra ID. Several tenants share one issuer, which has a template for the tenant.

    Args:
        tenant: The id or domain of the tenant, or ``common``, ``organizations`` or ``consumers``.

    Raises:
        ValueError: It is no such name.
    """
    if not tenant or not all(letter.isascii() and (letter.isalnum() or letter in "-.") for letter in tenant):
        raise ValueError("the tenant is an id, a domain, common, organizations or consumers")
    return {
        "name": "microsoft",
        "issuer": f"https://login.microsoftonline.com/{tenant}/v2.0",
        "issuer_has_tenant": True,
        "callback_path": "",
        "help_url": "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow",
    }


def gitlab(host: str) -> dict[str, Any]:
    """Return the fields for GitLab, at gitlab.com or at another host. Its issuer is the host's base URL."""
    return {
        "name": "gitlab",
        "issuer": host.rstrip("/"),
        "help_url": "https://docs.gitlab.com/integration/oauth_provider/",
    }
