"""A strict imitation of "Sign in with ChatGPT" on loopback, for `loginmachine demo` and for tests.

It needs the extra ``loginmachine[demo]``. It plays what OpenAI documents for open-source and local programs: a first
sign-in registers a client for one person in one workspace, later ones use it. It refuses what a documented client does
not send, and records it in `violations`. It accepts any email address and any password, and records every request.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..shared.site import Site  # first: it explains a missing extra

# isort: split

from werkzeug.wrappers import Response

from ..shared.answers import Answer
from ..shared.messages import OAuthError, json_response
from ..shared.signing import Keys
from ..shared.tickets import Clock, Tickets
from .api import ModelEndpoints
from .authorization import AuthorizationEndpoint
from .interaction import FOLDER
from .state import State
from .switches import ChatGptSwitches
from .tokens import ALGORITHM, TokenEndpoints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..shared.messages import ReceivedRequest
    from .state import Registration, Violation
    from .switches import Endpoint

    _Handler = Callable[[ReceivedRequest], Response]

_API: Final = "/v1"
_PATHS: Final[Mapping[str, Endpoint]] = {
    "/.well-known/openid-configuration": "openid_configuration",
    "/.well-known/jwks.json": "jwks",
    f"{FOLDER}/authorize": "authorization",
    f"{FOLDER}/oauth/token": "token",
    f"{FOLDER}/oauth/revoke": "revocation",
    f"{_API}/models": "models",
    f"{_API}/responses": "responses",
}
_METHODS: Final[Mapping[Endpoint, tuple[str, ...]]] = {
    "openid_configuration": ("GET",),
    "jwks": ("GET",),
    "authorization": ("GET", "POST"),
    "token": ("POST",),
    "revocation": ("POST",),
    "models": ("GET",),
    "responses": ("POST",),
}
_MISTAKES: Final = frozenset({"invalid_request", "invalid_scope", "invalid_target", "unsupported_grant_type"})
"""Error codes that only a client which does not follow the documentation receives."""


class ChatGptProvider(Site["Endpoint"]):
    """A strict imitation of "Sign in with ChatGPT", a context manager that runs the server in a thread.

    Example::

        with ChatGptProvider() as provider:
            provider.switches.consent = "automatic"
            ...  # sign in at provider.issuer
            assert provider.violations == ()

    Args:
        switches: How the provider behaves.
    """

    def __init__(self, *, switches: ChatGptSwitches | None = None) -> None:
        switches = switches or ChatGptSwitches()
        super().__init__(switches)
        clock = Clock()
        self._state = State(switches=switches, clock=clock, keys=Keys(standby=1), tickets=Tickets(clock))

    @property
    def switches(self) -> ChatGptSwitches:
        """How the provider behaves. Fields can be changed at any time."""
        return self._state.switches

    @property
    def api(self) -> str:
        """The address of the stand-in for the interface of the models, without a slash at the end."""
        return f"{self.issuer}{_API}"

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Everything that clients did against the documentation."""
        return self._state.violations.all()

    @property
    def registrations(self) -> tuple[Registration, ...]:
        """All registered clients, in the order of their registration."""
        return self._state.registrations.all()

    @property
    def tokens(self) -> tuple[str, ...]:
        """Everything secret that was issued: codes, access tokens, refresh tokens, and ID tokens."""
        return (*self._state.tickets.all(), *self._state.hints)

    def advance(self, seconds: float) -> None:
        """Let codes and tokens become older, without waiting.

        Claims with times, and ``earliest_refresh_at`` as it is written, follow the clock of the computer all the same.
        """
        self._state.clock.advance(seconds)

    def is_active(self, token: str) -> bool:
        """Return whether a token was issued here, is not used up, not expired, and not revoked."""
        return self._state.tickets.find(token) is not None

    def disconnect(self, client_id: str) -> None:
        """Do what happens when the person disconnects a program in the settings: its tokens work no more.

        Raises:
            KeyError: The client does not exist.
        """
        registration = self._state.registrations.find(client_id)
        if registration is None:
            raise KeyError(client_id)
        registration.connected = False
        for grant in registration.grants:
            grant.active = False

    def rotate_keys(self) -> None:
        """Sign with the other key, which has a ``kid`` of its own, from now on, and publish a new one."""
        self._state.keys.rotate()

    def _endpoints(self) -> _Endpoints:
        self._state.issuer = self.issuer
        return _Endpoints(self._state)

    def _response_lost(self, received: ReceivedRequest) -> None:
        token = dict(received.form).get("refresh_token")
        if token is not None:
            self._state.lost_tokens.add(token)


class _Endpoints:
    """The endpoints with their paths."""

    def __init__(self, state: State) -> None:
        self._state = state
        tokens, models = TokenEndpoints(state), ModelEndpoints(state)
        self._handlers: dict[Endpoint, _Handler] = {
            "openid_configuration": self._metadata,
            "jwks": self._jwks,
            "authorization": AuthorizationEndpoint(state).authorize,
            "token": tokens.token,
            "revocation": tokens.revoke,
            "models": models.models,
            "responses": models.responses,
        }

    def at(self, path: str) -> Endpoint | None:
        """Return the endpoint at a path, if there is one."""
        return _PATHS.get(path)

    def respond(self, endpoint: Endpoint, received: ReceivedRequest) -> Response:
        """Answer a request to an endpoint."""
        if received.method not in _METHODS[endpoint]:
            self._state.violations.add(endpoint, f"The method is {' or '.join(_METHODS[endpoint])}.")
            if endpoint in ("models", "responses"):
                return Answer.error_object("subscription_sharing_route_not_supported", status=403).response()
            return Response(status=405, headers={"Allow": ", ".join(_METHODS[endpoint])})
        try:
            return self._handlers[endpoint](received)
        except OAuthError as error:
            if error.error in _MISTAKES:
                self._state.violations.add(endpoint, error.description)
            return error.response()

    def _metadata(self, _received: ReceivedRequest) -> Response:
        """Return the metadata, with the members of the real document."""
        issuer = self._state.issuer
        document: dict[str, object] = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}{FOLDER}/authorize",
            "token_endpoint": f"{issuer}{FOLDER}/oauth/token",
            "revocation_endpoint": f"{issuer}{FOLDER}/oauth/revoke",
            "userinfo_endpoint": f"{issuer}{FOLDER}/oauth/userinfo",
            "jwks_uri": f"{issuer}/.well-known/jwks.json",
            "scopes_supported": ["openid", "profile", "email", "phone"],
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
            "code_challenge_methods_supported": ["S256"],
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
            **self._state.switches.metadata,
        }
        return json_response({name: value for name, value in document.items() if value is not None})

    def _jwks(self, _received: ReceivedRequest) -> Response:
        switches = self._state.switches
        hidden = switches.key_sets_without_current > 0
        if hidden:
            switches.key_sets_without_current -= 1
        return json_response(self._state.keys.jwks(ALGORITHM, current=not hidden))
