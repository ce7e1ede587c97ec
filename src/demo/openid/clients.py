"""Clients of the OpenID provider: their redirect URIs, authentication and registration."""

from __future__ import annotations

import re
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeVar, get_args

from ..shared.messages import OAuthError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..shared.messages import Parameters, ReceivedRequest

_Text = TypeVar("_Text", bound=str)
AuthMethod = Literal["none", "client_secret_basic", "client_secret_post"]
AUTH_METHODS: Final[tuple[AuthMethod, ...]] = get_args(AuthMethod)
DEVICE_CODE: Final = "urn:ietf:params:oauth:grant-type:device_code"
GRANT_TYPES: Final = ("authorization_code", "refresh_token", DEVICE_CODE)
LOOPBACK_URIS: Final = tuple(
    f"http://{host}{path}"
    for host in ("127.0.0.1", "localhost", "[::1]")
    for path in ("/auth/callback", "/callback", "/", "")
)
"""Redirect URIs of a client that names none: usual paths on loopback."""

_LOOPBACK: Final = re.compile(r"(http://)(127\.0\.0\.1|localhost|\[::1\])(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)")
_REGISTERED_URI: Final = re.compile(r"https://[^/?#@\s]+(?:[/?][^#\s]*)?")
_MAX_NAME: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A registered client. Fields have the names of RFC 7591."""

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    token_endpoint_auth_method: AuthMethod = "none"  # noqa: S105 - a name, not a password
    redirect_uris: tuple[str, ...] = LOOPBACK_URIS
    """Loopback addresses match with any port (RFC 8252 section 7.3), all others exactly."""
    grant_types: tuple[str, ...] = GRANT_TYPES
    client_name: str | None = None

    def may_use(self, redirect_uri: str) -> bool:
        """Return whether a redirect URI is one of this client."""
        return any(_matches(registered, redirect_uri) for registered in self.redirect_uris)


def _matches(registered: str, redirect_uri: str) -> bool:
    ours, theirs = _LOOPBACK.fullmatch(registered), _LOOPBACK.fullmatch(redirect_uri)
    if ours is None or theirs is None:
        return registered == redirect_uri
    # The RFC frees the port of addresses only; servers in use do so for localhost if it is registered without one.
    any_port = ours[2] != "localhost" or ours[3] is None
    same_place = (ours[2], ours[4]) == (theirs[2], theirs[4])
    return same_place and int(theirs[3] or 80) <= 65535 and (any_port or ours[3] == theirs[3])


def new_secret() -> str:
    """Return a client secret with characters that a client must encode in a Basic header (RFC 6749 section 2.3.1)."""
    return f"{secrets.token_urlsafe(16)}:+%/{secrets.token_urlsafe(16)}"


class Clients:
    """All clients of a provider.

    Args:
        clients: Those that exist from the beginning.
    """

    def __init__(self, clients: Iterable[Client]) -> None:
        self._lock = threading.Lock()
        self._clients = {client.client_id: client for client in clients}

    def find(self, client_id: str | None) -> Client | None:
        """Return the client with this id, if there is one."""
        with self._lock:
            return self._clients.get(client_id or "")

    def authenticate(self, received: ReceivedRequest, form: Parameters) -> Client:
        """Return the client that sent a request (RFC 6749 section 2.3).

        Raises:
            OAuthError: It is unknown, its secret is wrong, or it used another method than the registered one.
        """
        secret, client_id = form.get("client_secret"), form.get("client_id")
        method: AuthMethod = "none" if secret is None else "client_secret_post"
        if "Authorization" in received.headers:
            if secret is not None:
                raise OAuthError("invalid_request", "The client uses two methods of authentication.")
            name, secret = received.basic or (None, None)
            if client_id not in (None, name):
                raise OAuthError("invalid_request", "The client_id is not that of the Authorization header.")
            method, client_id = "client_secret_basic", name
        client = self.find(client_id)
        if client is None or client.token_endpoint_auth_method != method or not _same(client.client_secret, secret):
            raise OAuthError(
                "invalid_client", "The client is unknown, or its authentication failed.", status=401,
                authenticate='Basic realm="loginmachine-demo"',
            )  # fmt: skip
        return client

    def register(self, received: ReceivedRequest, initial_access_token: str | None) -> dict[str, object]:
        """Register a client (RFC 7591 section 3).

        Args:
            received: The request.
            initial_access_token: The token that it needs; None if it needs none.

        Returns:
            The client information response.

        Raises:
            OAuthError: The token is wrong, or the metadata is not acceptable.
        """
        given = received.headers.get("Authorization")
        if initial_access_token is not None and given != f"Bearer {initial_access_token}":
            challenge = 'Bearer error="invalid_token"'
            raise OAuthError("invalid_token", "The token is not valid.", status=401, authenticate=challenge)
        metadata = received.json() if received.content_type == "application/json" else None
        if not isinstance(metadata, dict):
            raise OAuthError(
                "invalid_client_metadata", "The body must be a JSON object, with the type application/json."
            )
        method: AuthMethod = _one_of(metadata, "token_endpoint_auth_method", AUTH_METHODS, "client_secret_basic")
        client = Client(
            client_id=f"registered-{secrets.token_urlsafe(12)}",
            client_secret=None if method == "none" else new_secret(),
            token_endpoint_auth_method=method,
            redirect_uris=_redirect_uris(metadata),
            grant_types=_some_of(metadata, "grant_types", GRANT_TYPES, ("authorization_code",)),
            client_name=_client_name(metadata),
        )
        _some_of(metadata, "response_types", ("code",), ("code",))
        _one_of(metadata, "application_type", ("native", "web"), "web")
        if "authorization_code" in client.grant_types and not client.redirect_uris:
            raise OAuthError("invalid_redirect_uri", "A redirect URI is missing.")
        with self._lock:
            self._clients[client.client_id] = client
        return _information(client)


def _same(expected: str | None, secret: str | None) -> bool:
    return secrets.compare_digest((expected or "").encode(), (secret or "").encode())


def _information(client: Client) -> dict[str, object]:
    information: dict[str, object] = {
        "client_id": client.client_id,
        "client_id_issued_at": int(time.time()),
        "redirect_uris": client.redirect_uris,
        "token_endpoint_auth_method": client.token_endpoint_auth_method,
        "grant_types": client.grant_types,
        "response_types": ["code"],
    }
    if client.client_name is not None:
        information["client_name"] = client.client_name
    if client.client_secret is not None:
        information |= {"client_secret": client.client_secret, "client_secret_expires_at": 0}
    return information


def _redirect_uris(metadata: Mapping[str, object]) -> tuple[str, ...]:
    uris = metadata.get("redirect_uris", [])
    if not isinstance(uris, list):
        raise OAuthError("invalid_redirect_uri", "The redirect_uris must be a list.")
    for uri in uris:
        loopback = isinstance(uri, str) and _LOOPBACK.fullmatch(uri) and "#" not in uri
        if not loopback and not (isinstance(uri, str) and _REGISTERED_URI.fullmatch(uri)):
            raise OAuthError("invalid_redirect_uri", "A redirect URI is neither on loopback nor https.")
    return tuple(uris)


def _client_name(metadata: Mapping[str, object]) -> str | None:
    name = metadata.get("client_name")
    if name is not None and not (isinstance(name, str) and name.isprintable() and len(name) <= _MAX_NAME):
        raise OAuthError("invalid_client_metadata", "The client_name must be a short text.")
    return name


def _one_of(metadata: Mapping[str, object], member: str, allowed: tuple[_Text, ...], default: _Text) -> _Text:
    value = metadata.get(member, default)
    for known in allowed:
        if value == known:
            return known
    raise OAuthError("invalid_client_metadata", f"The {member} is not supported.")


def _some_of(
    metadata: Mapping[str, object], member: str, allowed: tuple[str, ...], default: tuple[str, ...]
) -> tuple[str, ...]:
    values = metadata.get(member, list(default))
    if not isinstance(values, list) or not all(value in allowed for value in values):
        raise OAuthError("invalid_client_metadata", f"The {member} are not all supported.")
    return tuple(values)
