"""The responses of a provider with which all goes well."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING, Any, Final

from ...sansio.login import actions, events
from ...sansio.server.endpoints import DeviceCodeDialect
from .script import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ...sansio.base.http import Headers
    from ...sansio.model.provider import Provider
    from .script import Owed, Scene

ISSUER: Final = "https://id.example"
"""The played provider, unless the program's options name another one."""
ANY_PORT: Final = 50000
"""The callback port of a login for which any will do."""
LIFETIME: Final = 3600
"""Seconds for which an access token is valid."""
PERSON: Final = "ada@example.org"
CODE: Final = "played-code"
USER_CODE: Final = "PLAY-1234"
DEVICE_LIFETIME: Final = 900
ALGORITHM: Final = "EdDSA"
"""The algorithm of the played provider's signatures."""
_PRIVATE_KEY: Final = b"loginmachine: a played provider."
"""Known to all: it signs for scripts only."""
_PUBLIC_KEY: Final = "Mx6XsxidVz1-xzW5oqdaOWb1sED0GX7x7h32Jch4cV4"
"""The public half of `_PRIVATE_KEY`."""
_KEY_ID: Final = "played-key"
_JSON: Final[Headers] = ((b"Content-Type", b"application/json"),)


def respond(
    scene: Scene, owed: Owed, status: int = 200, body: bytes | None = None, headers: Headers = _JSON
) -> events.TokenResponseReceived:
    """Return a response to a request.

    Args:
        scene: The login.
        owed: The request.
        status: The status.
        body: The body; None for the one with which all goes well.
        headers: The header fields.
    """
    assert isinstance(owed.action, actions.SendTokenRequest)
    return events.TokenResponseReceived(
        exchange_id=owed.action.exchange_id,
        status=status,
        headers=headers,
        body=body_for(scene, owed) if body is None else body,
        received_at=scene.wall_time,
    )


def body_for(scene: Scene, owed: Owed, **changes: object) -> bytes:
    """Return the body of a response with which all goes well.

    Args:
        scene: The login.
        owed: The request.
        changes: Other members. One that is None is left out.
    """
    assert owed.request is not None
    members = {**_MEMBERS[owed.request](scene), **changes}
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


def _resource_metadata(scene: Scene) -> dict[str, Any]:
    """Return the metadata of a protected resource (RFC 9728 section 2)."""
    return {"resource": scene.provider.protected_resource, "authorization_servers": [ISSUER]}


def _metadata(scene: Scene) -> dict[str, Any]:
    """Return the metadata of the issuer (RFC 8414 section 2)."""
    issuer = scene.provider.issuer or ""
    base = issuer.rstrip("/")
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{base}/authorize",
        "token_endpoint": f"{base}/token",
        "device_authorization_endpoint": f"{base}/device_authorization",
        "revocation_endpoint": f"{base}/revoke",
        "registration_endpoint": f"{base}/register",
        "pushed_authorization_request_endpoint": f"{base}/par",
        "jwks_uri": f"{base}/keys",
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "id_token_signing_alg_values_supported": ["RS256", ALGORITHM],
        "authorization_response_iss_parameter_supported": True,
    }


def _registration(_scene: Scene) -> dict[str, Any]:
    return {"client_id": "played-client", "token_endpoint_auth_method": "none"}


def _pushed(_scene: Scene) -> dict[str, Any]:
    return {"request_uri": "urn:ietf:params:oauth:request_uri:played", "expires_in": 60}


def _keys(_scene: Scene) -> dict[str, Any]:
    return {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": _PUBLIC_KEY, "kid": _KEY_ID, "use": "sig"}]}


def tokens(scene: Scene, claims: Mapping[str, object] | None = None, account_id: str = "") -> dict[str, Any]:
    """Return the members of a token response.

    Args:
        scene: The login.
        claims: Other claims of the id token. One that is None is left out.
        account_id: The id of the account; empty for one that may sign in.
    """
    provider = scene.provider
    account = {"chatgpt_account_id": account_id or _account_id(scene), "chatgpt_plan_type": "plus"}
    namespace = provider.dialect.claims_namespace
    nested: dict[str, Any] = account if namespace is None else {namespace: account}
    access = {"exp": int(scene.wall_time) + LIFETIME, **nested}
    return {
        "access_token": unsigned(access),
        "token_type": "bearer",
        "expires_in": LIFETIME,
        "refresh_token": "played-refresh-token",
        "id_token": id_token(scene, {**nested, **(claims or {})}) if scene.options.wants_id_token else None,
    }


def id_token(scene: Scene, claims: Mapping[str, object]) -> str:
    """Return an id token, signed if the provider's signatures are verified."""
    provider, now = scene.provider, int(scene.wall_time)
    has_request = scene.device_code is None
    payload = {
        "iss": (provider.id_token_issuer or provider.issuer or "").replace("{tenantid}", "played-tenant"),
        "aud": provider.client_id,
        "sub": "played-person",
        "exp": now + LIFETIME,
        "iat": now,
        "auth_time": now,
        "email": PERSON,
        "nonce": scene.secrets.nonce if provider.uses_nonce and has_request else None,
        "tid": "played-tenant" if provider.issuer_has_tenant else None,
        **claims,
    }
    present = {name: value for name, value in payload.items() if value is not None}
    return unsigned(present) if provider.jwks_uri is None else _signed(present)


def issued_client(provider: Provider) -> str | None:
    """Return the client that the provider issues in the callback of the first login; None if it issues none."""
    is_first = provider.dialect.issues_clients and not provider.client_id
    return f"{provider.dialect.issued_prefix}played" if is_first else None


def unsigned(claims: Mapping[str, object]) -> str:
    """Return a JWT without a signature."""
    return f"{_encoded({'alg': 'none'})}.{_encoded(claims)}."


def _signed(claims: Mapping[str, object]) -> str:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415 - takes 50 ms

    message = f"{_encoded({'alg': ALGORITHM, 'kid': _KEY_ID})}.{_encoded(claims)}"
    signature = Ed25519PrivateKey.from_private_bytes(_PRIVATE_KEY).sign(message.encode("ascii"))
    return f"{message}.{_base64(signature)}"


def _account_id(scene: Scene) -> str:
    allowed = scene.options.allowed_workspaces
    return allowed[0] if allowed else "played-account"


def _device_code(scene: Scene) -> dict[str, Any]:
    if _is_codex(scene):
        return {"device_auth_id": "played-device", "user_code": USER_CODE, "interval": "5"}
    page = f"{(scene.provider.origin).rstrip('/')}/device"
    return {
        "device_code": "played-device",
        "user_code": USER_CODE,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={USER_CODE}",
        "expires_in": DEVICE_LIFETIME,
        "interval": 5,
    }


def _poll(scene: Scene) -> dict[str, Any]:
    if not _is_codex(scene):
        return tokens(scene)
    return {
        "authorization_code": CODE,
        "code_challenge": "played-challenge",
        "code_verifier": "played-verifier-of-a-device-code-which-is-long-enough",
    }


def is_pending(scene: Scene) -> tuple[int, bytes]:
    """Return the status and the body of a poll before the person has entered the code (RFC 8628 section 3.5)."""
    return (403, b"{}") if _is_codex(scene) else (400, b'{"error": "authorization_pending"}')


def _is_codex(scene: Scene) -> bool:
    device_code = scene.provider.device_code
    return device_code is not None and device_code.dialect is DeviceCodeDialect.CODEX


def _encoded(content: Mapping[str, object]) -> str:
    return _base64(json.dumps(content).encode())


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


_MEMBERS: Final[Mapping[Request, Callable[[Scene], dict[str, Any]]]] = {
    Request.RESOURCE_METADATA: _resource_metadata,
    Request.METADATA: _metadata,
    Request.REGISTRATION: _registration,
    Request.PUSHED_REQUEST: _pushed,
    Request.KEYS: _keys,
    Request.DEVICE_CODE: _device_code,
    Request.POLL: _poll,
    Request.TOKENS: tokens,
    Request.API_KEY: lambda _: {"access_token": "played-api-key"},
}
_CREATED: Final = (Request.REGISTRATION, Request.PUSHED_REQUEST)


def good_answer(scene: Scene, owed: Owed) -> events.Event:
    """Return the answer to an action with which all goes well."""
    match owed.action:
        case actions.Bind(port=port):
            return events.Bound(port=port or ANY_PORT)
        case actions.CancelPrevious():
            return events.PreviousCancelled(accepted=True)
        case actions.OpenBrowser():
            return events.BrowserOpened()
        case actions.Respond(request_id=request_id):
            return events.ResponseSent(request_id=request_id)
        case actions.SaveCredentials():
            return events.CredentialsSaved()
        case actions.SaveRegistration():
            return events.RegistrationSaved()
    return respond(scene, owed, 201 if owed.request in _CREATED else 200)


def visit(scene: Scene, target: str, *, method: str = "GET", **changes: Any) -> events.RequestReceived:  # noqa: ANN401 - fields
    """Return a request to the callback port.

    Args:
        scene: The login.
        target: The path and the query.
        method: The method.
        changes: Other fields of the event.
    """
    host = f"{scene.options.redirect_host}:{scene.port}".encode()
    request = events.RequestReceived(
        request_id=scene.next_request_id(), method=method.encode(), target=target.encode(), headers=((b"Host", host),)
    )
    return request.__replace__(**{**changes, "headers": (*request.headers, *changes.get("headers", ()))})
