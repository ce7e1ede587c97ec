"""Events and values for the golden traces of logins at a standard provider. Its id tokens are really signed.

A trace holds no real signature and no real key. So the keys may be made anew in each run.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from joserfc.jwk import ECKey
from joserfc.jws import serialize_compact

from loginmachine.sansio import Provider, Secret
from loginmachine.sansio.server.endpoints import ClientAuthentication
from loginmachine.sansio.server.registration import ClientMetadata, Registration

from ..sansio.samples import CODE, NONCE, NOW, STATE, answer, callback, token_json

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import RequestReceived, TokenResponseReceived

ISSUER = "https://id.example"
PORT = 50000
OPENID = Provider.openid(ISSUER, client_id="client-1")
REGISTERING = Provider.openid(
    ISSUER,
    client_id="",
    registration=ClientMetadata(
        client_name="canary name", contacts=("ada@example.org",), client_uri="https://canary@id.example/"
    ),
)
RESOURCE = Provider.for_resource("https://api.example/mcp?tenant=canary", registration=REGISTERING.registration)
RESOURCE_METADATA: dict[str, Any] = {
    "resource": "https://api.example/mcp?tenant=canary",
    "authorization_servers": [ISSUER, "https://other.example/"],
    "scopes_supported": ["files:read", "files:write"],
    "resource_name": "canary",
    "jwks_uri": "https://canary.example/keys",
}
PUSHING = OPENID.__replace__(require_pushed_authorization_requests=True)
CLIENT_SECRET = "canary-client-secret"
BASIC = Provider.openid(ISSUER, client_id="client-1", client_secret=Secret(CLIENT_SECRET))
"""The metadata says how the client authenticates."""
CLIENT_ID = "canary-client"
REGISTRATION = Registration(
    issuer=ISSUER,
    client_id=CLIENT_ID,
    client_secret=Secret(CLIENT_SECRET),
    token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_POST,
    redirect_uri=f"http://127.0.0.1:{PORT}/auth/callback",
    others=Secret('{"registration_access_token": "canary-registration-token"}'),
)
METADATA: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize?key=canary-query",
    "token_endpoint": f"{ISSUER}/token",
    "device_authorization_endpoint": f"{ISSUER}/device_authorization",
    "revocation_endpoint": f"{ISSUER}/revoke",
    "jwks_uri": f"{ISSUER}/keys",
    "registration_endpoint": f"{ISSUER}/register",
    "pushed_authorization_request_endpoint": f"{ISSUER}/par",
    "userinfo_endpoint": "https://canary.example/userinfo",
    "id_token_signing_alg_values_supported": ["RS256", "ES256", "canary"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "private_key_jwt"],
    "code_challenge_methods_supported": ["S256"],
    "scopes_supported": ["openid", "email", "canary-scope"],
    "signed_metadata": "canary.canary.canary",
}
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "client-1",
    "sub": "canary-sub",
    "exp": NOW + 3600,
    "iat": NOW,
    "nonce": NONCE,
    "email": "ada@example.org",
    "name": "Ada",
}
DEVICE_CODE: dict[str, Any] = {
    "device_code": "canary-device-code",
    "user_code": "CNRY-12345",
    "expires_in": "600",
    "interval": 7,
    "verification_uri": f"{ISSUER}/device",
}


@cache
def key(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": f"canary-{name}"})


def id_token(name: str = "key-1", header: dict[str, Any] | None = None, **changes: Any) -> str:
    """Return an id token that a key has signed."""
    protected = {"alg": "ES256", "kid": f"canary-{name}", **(header or {})}
    return serialize_compact(protected, json.dumps({**CLAIMS, **changes}), key(name))


def json_answer(exchange_id: int, content: object, status: int = 200) -> TokenResponseReceived:
    return answer(exchange_id, status, json.dumps(content).encode())


def resource_metadata(exchange_id: int = 1, **changes: Any) -> TokenResponseReceived:
    """Return a response with the metadata of a protected resource. A member that is None means that there is none."""
    return json_answer(exchange_id, {**RESOURCE_METADATA, **changes})


def metadata(exchange_id: int = 1, **changes: Any) -> TokenResponseReceived:
    """Return a response with metadata. A member that is None means that there is none."""
    return json_answer(exchange_id, {**METADATA, **changes})


def keys(exchange_id: int = 2, *names: str) -> TokenResponseReceived:
    listed = [{**key(name).as_dict(private=False), "use": "sig"} for name in names or ("key-1",)]
    return json_answer(exchange_id, {"keys": listed})


def tokens(exchange_id: int = 3, token: str = "", **changes: Any) -> TokenResponseReceived:
    """Return a response with tokens, of which the access token is no JWT."""
    members = {"expires_in": 3600, "token_type": "bearer", "access_token": "canary-access-token", **changes}
    return answer(exchange_id, body=token_json(id_token=token or id_token(), **members))


def registered(exchange_id: int = 2, **changes: Any) -> TokenResponseReceived:
    """Return the response to a registration."""
    members = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "client_secret_expires_at": 0,
        "token_endpoint_auth_method": "client_secret_post",
        "redirect_uris": [f"http://127.0.0.1:{PORT}/auth/callback"],
        "registration_access_token": "canary-registration-token",
        "registration_client_uri": "https://canary.example/clients/1",
        "contacts": ["ada@example.org"],
        **changes,
    }
    return json_answer(exchange_id, members, 201)


def pushed(exchange_id: int = 2, **changes: Any) -> TokenResponseReceived:
    """Return the response to a pushed request."""
    members = {"request_uri": "urn:ietf:params:oauth:request_uri:canary-reference", "expires_in": 60, **changes}
    return json_answer(exchange_id, members, 201)


def came_back(client_id: str = "") -> RequestReceived:
    client = f"&client_id={client_id}" if client_id else ""
    return callback(f"code={CODE}&state={STATE}{client}", request_id=1, port=PORT)
