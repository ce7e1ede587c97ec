"""A strict OpenID provider on loopback, for `loginmachine demo` and for tests. Needs the extra ``loginmachine[demo]``.

It follows OpenID Connect Core and Discovery and RFC 6749 with PKCE, 7009, 7591, 8252, 8414, 8628, 8707, 9126 and 9207.
It refuses what they do not allow. It accepts any email address and any password, and records every request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args
from urllib.parse import urlsplit

from ..shared.site import Site  # first: it explains a missing extra

# isort: split

from werkzeug.wrappers import Response

from ..shared.messages import OAuthError, json_response
from ..shared.signing import Algorithm, Keys
from ..shared.tickets import Clock, Tickets
from .authorization import PROMPTS, SCOPES, AuthorizationEndpoint
from .clients import AUTH_METHODS, GRANT_TYPES, Client, Clients, new_secret
from .interaction import FOLDER, DeviceCodes, LoginForms
from .state import State
from .switches import OpenIdSwitches
from .tokens import TokenEndpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ..shared.messages import ReceivedRequest
    from .switches import Endpoint

    _Handler = Callable[[ReceivedRequest], Response]

_PATHS: Final[Mapping[Endpoint, str]] = {
    "jwks": "/jwks",
    "authorization": f"{FOLDER}/authorize",
    "pushed_authorization_request": "/par",
    "token": "/token",
    "revocation": "/revoke",
    "userinfo": "/userinfo",
    "device_authorization": "/device_authorization",
    "device": f"{FOLDER}/device",
    "registration": "/register",
}
"""Paths below the issuer. Those of the metadata are in `_Endpoints`."""
_GET: Final[frozenset[Endpoint]] = frozenset({"openid_configuration", "oauth_authorization_server", "jwks"})
_GET_OR_POST: Final[frozenset[Endpoint]] = frozenset({"authorization", "userinfo", "device"})
"""All other endpoints accept POST only."""


class OpenIdProvider(Site["Endpoint"]):
    """A strict OpenID provider, a context manager that runs the server in a thread.

    Example::

        with OpenIdProvider() as provider:
            provider.switches.refresh_tokens = "never"
            ...  # sign in at provider.issuer with provider.client.client_id
            assert not any(request.contains(secret) for request in provider.requests)

    Args:
        path: The path of the issuer, such as ``/realms/demo``. It has no slash at the end.
        host: The host of the issuer. The server listens on 127.0.0.1 in any case.
        clients: More clients than those that are attributes.
        switches: How the provider behaves.
    """

    client: Client
    """A public client."""
    confidential_client: Client
    """A client with a secret that it sends with ``client_secret_basic``."""
    post_client: Client
    """A client with a secret that it sends with ``client_secret_post``."""

    def __init__(
        self,
        *,
        path: str = "",
        host: Literal["127.0.0.1", "localhost"] = "127.0.0.1",
        clients: Iterable[Client] = (),
        switches: OpenIdSwitches | None = None,
    ) -> None:
        switches = switches or OpenIdSwitches()
        super().__init__(switches, path=path, host=host)
        self.client = Client(client_id="native")
        self.confidential_client = _confidential("native-basic", "client_secret_basic")
        self.post_client = _confidential("native-post", "client_secret_post")
        clock = Clock()
        self._state = State(
            switches=switches,
            clients=Clients((self.client, self.confidential_client, self.post_client, *clients)),
            clock=clock,
            keys=Keys(),
            tickets=Tickets(clock),
        )

    @property
    def switches(self) -> OpenIdSwitches:
        """How the provider behaves. Fields can be changed at any time."""
        return self._state.switches

    def advance(self, seconds: float) -> None:
        """Let codes, tokens, device codes and sign-ins become older, without waiting.

        Claims with times, such as ``exp``, follow the clock of the computer all the same.
        """
        self._state.clock.advance(seconds)

    def is_active(self, token: str) -> bool:
        """Return whether a token was issued here, is not used up, not expired, and not revoked."""
        return self._state.tickets.find(token) is not None

    def rotate_keys(self, *, keep_old: bool = True) -> None:
        """Sign with a new key, which has a ``kid`` of its own, from now on.

        Args:
            keep_old: Go on publishing the older keys.
        """
        self._state.keys.rotate(keep_old=keep_old)

    def _endpoints(self) -> _Endpoints:
        self._state.issuer = self.issuer
        return _Endpoints(self._state)


class _Endpoints:
    """The endpoints with their paths."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._switches = state.switches
        path = urlsplit(state.issuer).path
        self._names: dict[str, Endpoint] = {f"{path}{below}": name for name, below in _PATHS.items()}
        # One is appended to the issuer, the other put before its path (RFC 8414 section 3.1).
        self._names[f"{path}/.well-known/openid-configuration"] = "openid_configuration"
        self._names[f"/.well-known/oauth-authorization-server{path}"] = "oauth_authorization_server"
        forms = LoginForms(state)
        device_codes = DeviceCodes(state, forms)
        authorization = AuthorizationEndpoint(state, forms)
        tokens = TokenEndpoints(state, device_codes)
        self._handlers: dict[Endpoint, _Handler] = {
            "openid_configuration": self._metadata,
            "oauth_authorization_server": self._metadata,
            "jwks": self._jwks,
            "authorization": authorization.authorize,
            "pushed_authorization_request": authorization.push,
            "token": tokens.token,
            "revocation": tokens.revoke,
            "userinfo": tokens.userinfo,
            "device_authorization": tokens.authorize_device,
            "device": device_codes.page,
            "registration": self._register,
        }

    def at(self, path: str) -> Endpoint | None:
        """Return the endpoint at a path, if there is one."""
        endpoint = self._names.get(path)
        switches = self._switches
        absent = {
            "openid_configuration": not switches.openid_configuration,
            "oauth_authorization_server": not switches.oauth_authorization_server,
            "registration": not switches.registration,
        }
        return None if endpoint is None or absent.get(endpoint, False) else endpoint

    def respond(self, endpoint: Endpoint, received: ReceivedRequest) -> Response:
        """Answer a request to an endpoint."""
        methods = ("GET",) if endpoint in _GET else ("GET", "POST") if endpoint in _GET_OR_POST else ("POST",)
        if received.method not in methods:
            return Response(status=405, headers={"Allow": ", ".join(methods)})
        try:
            return self._handlers[endpoint](received)
        except OAuthError as error:
            return error.response()

    def _url(self, endpoint: Endpoint, query: str = "") -> str:
        return f"{self._state.issuer}{_PATHS[endpoint]}{query and f'?{query}'}"

    def _metadata(self, _received: ReceivedRequest) -> Response:
        """Return the metadata (OpenID Connect Discovery 1.0 section 3, RFC 8414 section 2)."""
        switches, query = self._switches, self._switches.endpoint_query
        document: dict[str, object] = {
            "issuer": self._state.issuer,
            "authorization_endpoint": self._url("authorization", query),
            "pushed_authorization_request_endpoint": self._url("pushed_authorization_request"),
            "require_pushed_authorization_requests": switches.require_pushed_authorization_requests,
            "token_endpoint": self._url("token", query),
            "revocation_endpoint": self._url("revocation", query),
            "device_authorization_endpoint": self._url("device_authorization", query),
            "userinfo_endpoint": self._url("userinfo"),
            "registration_endpoint": self._url("registration") if switches.registration else None,
            "jwks_uri": self._url("jwks"),
            **_CAPABILITIES,
            "authorization_response_iss_parameter_supported": switches.callback_issuer != "none",
            **switches.metadata,
        }
        return json_response({name: value for name, value in document.items() if value is not None})

    def _jwks(self, _received: ReceivedRequest) -> Response:
        return json_response(self._state.keys.jwks(self._switches.signing_algorithm))

    def _register(self, received: ReceivedRequest) -> Response:
        return json_response(self._state.clients.register(received, self._switches.initial_access_token), status=201)


_CAPABILITIES: Final[Mapping[str, object]] = {
    "scopes_supported": SCOPES,
    "response_types_supported": ["code"],
    "response_modes_supported": ["query"],
    "grant_types_supported": GRANT_TYPES,
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": get_args(Algorithm),
    "token_endpoint_auth_methods_supported": AUTH_METHODS,
    "revocation_endpoint_auth_methods_supported": AUTH_METHODS,
    "code_challenge_methods_supported": ["S256"],
    "prompt_values_supported": PROMPTS,
    "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "email", "email_verified", "name"],
    "request_parameter_supported": False,
    "request_uri_parameter_supported": False,  # only those of pushed requests (RFC 9126 section 5)
}


def _confidential(client_id: str, method: Literal["client_secret_basic", "client_secret_post"]) -> Client:
    return Client(client_id=client_id, client_secret=new_secret(), token_endpoint_auth_method=method)
