"""Events and values for logins at a standard provider, which has metadata, keys, registrations and pushed requests.

They are literal, as in `samples`. The id tokens are really signed, with keys that are made once.
"""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from joserfc.jwk import ECKey
from joserfc.jws import serialize_compact

from loginmachine.sansio import LoginMachine, LoginOptions, Provider, Secret
from loginmachine.sansio.login.events import Bound, RegistrationSaved, Started, TokenResponseReceived
from loginmachine.sansio.server.endpoints import ClientAuthentication
from loginmachine.sansio.server.registration import ClientMetadata, Registration

from .samples import (
    CLIENT_SECRET,
    NONCE,
    REFRESH_TOKEN,
    REQUEST_URI,
    SECRETS,
    STARTED_WITH_DEVICE_CODE,
    answer,
    callback,
    drive,
)

if TYPE_CHECKING:
    from loginmachine.sansio.login.events import Event

ISSUER = "https://id.example"
METADATA_URL = "https://id.example/.well-known/openid-configuration"
OTHER_METADATA_URL = "https://id.example/.well-known/oauth-authorization-server"
TOKEN_URL = "https://id.example/token"
KEYS_URL = "https://id.example/keys"
REGISTRATION_URL = "https://id.example/register"
PUSH_URL = "https://id.example/par"
DEVICE_URL = "https://id.example/device"
REDIRECT_URI = "http://127.0.0.1:50000/auth/callback"
ADDRESS = (
    "https://id.example/authorize?response_type=code&client_id=native"
    "&redirect_uri=http%3A%2F%2F127.0.0.1%3A50000%2Fauth%2Fcallback"
    "&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
    "&state=canary-state-Xk3vQ9&scope=openid+profile+email+offline_access&nonce=canary-nonce-7Zp2"
)
PUSHED_ADDRESS = (
    "https://id.example/authorize?client_id=native"
    "&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Acanary-reference"
)
ACCESS_TOKEN = "canary-opaque-access-token"

METADATA: dict[str, Any] = {
    "issuer": ISSUER,
    "authorization_endpoint": "https://id.example/authorize",
    "token_endpoint": TOKEN_URL,
    "jwks_uri": KEYS_URL,
    "registration_endpoint": REGISTRATION_URL,
    "pushed_authorization_request_endpoint": PUSH_URL,
    "device_authorization_endpoint": DEVICE_URL,
    "revocation_endpoint": "https://id.example/revoke",
    "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    "code_challenge_methods_supported": ["S256"],
}
OPENID = LoginOptions(provider=Provider.openid(ISSUER, client_id="native"))
REGISTERING = LoginOptions(
    provider=Provider.openid(ISSUER, client_id="", registration=ClientMetadata(client_name="A program"))
)
PUSHING = LoginOptions(provider=Provider.openid(ISSUER, client_id="native", require_pushed_authorization_requests=True))
RESOURCE_URL = "https://api.example/mcp"
RESOURCE_METADATA_URL = "https://api.example/.well-known/oauth-protected-resource/mcp"
OTHER_RESOURCE_METADATA_URL = "https://api.example/.well-known/oauth-protected-resource"
RESOURCE = LoginOptions(provider=Provider.for_resource(RESOURCE_URL))
RESOURCE_METADATA: dict[str, Any] = {"resource": RESOURCE_URL, "authorization_servers": [ISSUER]}
KNOWN = LoginOptions(
    provider=Provider.from_metadata(
        {
            "issuer": ISSUER,
            "authorization_endpoint": "https://id.example/authorize",
            "token_endpoint": TOKEN_URL,
            "device_authorization_endpoint": "https://id.example/device",
            "registration_endpoint": REGISTRATION_URL,
        },
        issuer=ISSUER,
        client_id="",
        registration=ClientMetadata(client_name="A program"),
    )
)
"""A provider with metadata that the caller has."""
REGISTRATION = Registration(issuer=ISSUER, client_id="native", redirect_uri=REDIRECT_URI)
CONFIDENTIAL = Registration(
    issuer=ISSUER,
    client_id="native",
    client_secret=Secret(CLIENT_SECRET),
    token_endpoint_auth_method=ClientAuthentication.CLIENT_SECRET_BASIC,
    redirect_uri=REDIRECT_URI,
)
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "user-1",
    "aud": "native",
    "exp": 1_795_003_600,
    "iat": 1_794_999_999,
    "nonce": NONCE,
    "email": "ada@example.org",
}


@cache
def key(name: str) -> ECKey:
    """Return a key of a provider. Its name is its ``kid``."""
    return ECKey.generate_key("P-256", {"kid": name})


@cache
def _signed(claims: str, name: str, header: str) -> str:
    protected = {"alg": "ES256", "kid": name, **json.loads(header)}
    return serialize_compact(protected, claims.encode(), key(name))


def signed(name: str = "key-1", header: dict[str, Any] | None = None, **changes: Any) -> str:
    """Return an id token that a key has signed. A claim that is None is left out."""
    claims = {claim: value for claim, value in {**CLAIMS, **changes}.items() if value is not None}
    return _signed(json.dumps(claims), name, json.dumps(header or {}))


def resource_metadata(exchange_id: int = 1, status: int = 200, **changes: Any) -> TokenResponseReceived:
    """Return a response with the metadata of a protected resource. A member that is None is left out."""
    members = {name: value for name, value in {**RESOURCE_METADATA, **changes}.items() if value is not None}
    return answer(exchange_id, status, json.dumps(members).encode())


def metadata(exchange_id: int = 1, status: int = 200, **changes: Any) -> TokenResponseReceived:
    """Return a response with metadata. A member that is None is left out."""
    members = {name: value for name, value in {**METADATA, **changes}.items() if value is not None}
    return answer(exchange_id, status, json.dumps(members).encode())


def keys(exchange_id: int = 2, *names: str) -> TokenResponseReceived:
    """Return a response with keys; with ``key-1`` if no name is given."""
    listed = [{**key(name).as_dict(private=False), "use": "sig"} for name in names or ("key-1",)]
    return answer(exchange_id, body=json.dumps({"keys": listed}).encode())


def other_keys(exchange_id: int = 2) -> TokenResponseReceived:
    """Return a response with keys, of which none has signed anything."""
    return keys(exchange_id, "key-2")


def tokens(exchange_id: int = 3, id_token: str | None = "", **changes: Any) -> TokenResponseReceived:
    """Return a response with tokens: a good id token unless another one is given. A member that is None is left out."""
    good = {"id_token": signed() if id_token == "" else id_token, "access_token": ACCESS_TOKEN}
    members = {**good, "refresh_token": REFRESH_TOKEN, "token_type": "Bearer", "expires_in": 3600, **changes}
    present = {name: value for name, value in members.items() if value is not None}
    return answer(exchange_id, body=json.dumps(present).encode())


def registered(exchange_id: int = 2, status: int = 201, **changes: Any) -> TokenResponseReceived:
    """Return a response with a client that was registered."""
    members = {"client_id": "native", "redirect_uris": [REDIRECT_URI], **changes}
    return answer(exchange_id, status, json.dumps(members).encode())


def pushed(exchange_id: int = 2, status: int = 201, **changes: Any) -> TokenResponseReceived:
    """Return a response to a pushed request."""
    members = {"request_uri": REQUEST_URI, "expires_in": 60, **changes}
    return answer(exchange_id, status, json.dumps(members).encode())


def device_code(exchange_id: int = 2) -> TokenResponseReceived:
    """Return a response with a device code (RFC 8628 section 3.2)."""
    members = {
        "device_code": "canary-device-auth-id",
        "user_code": "CNRY-12345",
        "verification_uri": "https://id.example/activate",
        "expires_in": 900,
    }
    return answer(exchange_id, body=json.dumps(members).encode())


BOUND = Bound(port=50000)
CALLBACK = callback(port=50000)
_TO_CALLBACK: tuple[Event, ...] = (Started(), metadata(), BOUND)
_TO_CODE = (*_TO_CALLBACK, CALLBACK)
SERVER_PATHS: dict[str, tuple[LoginOptions, tuple[Event, ...]]] = {
    "discovering_resource": (RESOURCE, (Started(),)),
    "discovering_resource with a device code": (RESOURCE, (STARTED_WITH_DEVICE_CODE,)),
    "discovering": (OPENID, (Started(),)),
    "registering": (REGISTERING, (Started(), metadata(), BOUND)),
    "saving_registration": (REGISTERING, (Started(), metadata(), BOUND, registered())),
    "pushing_request": (PUSHING, (Started(), metadata(), BOUND)),
    "awaiting_callback": (OPENID, _TO_CALLBACK),
    "exchanging_code": (OPENID, _TO_CODE),
    "fetching_keys": (OPENID, (*_TO_CODE, tokens())),
    "discovering with a device code": (OPENID, (STARTED_WITH_DEVICE_CODE,)),
    "registering with a device code": (REGISTERING, (STARTED_WITH_DEVICE_CODE, metadata())),
    "polling_device_code": (OPENID, (STARTED_WITH_DEVICE_CODE, metadata(), device_code())),
    "awaiting_callback with a pushed request": (PUSHING, (Started(), metadata(), BOUND, pushed())),
    "awaiting_callback of a registered client": (
        REGISTERING,
        (Started(), metadata(), BOUND, registered(), RegistrationSaved()),
    ),
}
"""The options and the events that lead to each state that only such a provider has, and to some others. In
`awaiting_callback` and `exchanging_code` a request is outstanding, and in `fetching_keys` the tokens wait."""


def server_machine(options: LoginOptions = OPENID) -> LoginMachine:
    return LoginMachine(options, SECRETS)


def server_machine_in(state: str, **changes: Any) -> LoginMachine:
    """Return a login in one of these states.

    Args:
        state: A name of `SERVER_PATHS`.
        changes: Other options.
    """
    options, events = SERVER_PATHS[state]
    login = server_machine(options.__replace__(**changes))
    drive(login, *events)
    assert login.state == state.split(maxsplit=1)[0]
    return login
