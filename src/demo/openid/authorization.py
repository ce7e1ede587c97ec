"""The authorization endpoint of the OpenID provider, and pushed authorization requests (RFC 9126)."""

from __future__ import annotations

import re
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from werkzeug.wrappers import Response

from ..pages import unusable
from ..shared.messages import OAuthError, Parameters, json_response, scopes_in
from ..shared.tickets import Grant
from .interaction import Decision

if TYPE_CHECKING:
    from ..accounts import Person
    from ..shared.messages import ReceivedRequest
    from ..shared.sessions import Session
    from .clients import Client
    from .interaction import LoginForms
    from .state import State

SCOPES: Final = ("openid", "profile", "email", "offline_access", "api.read", "api.write")
PROMPTS: Final = ("none", "login", "consent", "select_account")
REQUEST_URI: Final = "urn:ietf:params:oauth:request_uri:"
PUSHED_LIFETIME: Final = 60
"""Seconds until a ``request_uri`` expires."""

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_AGE: Final = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """A valid authorization request."""

    client: Client
    redirect_uri: str
    code_challenge: str
    scope: tuple[str, ...]
    nonce: str | None
    resources: tuple[str, ...]
    prompt: tuple[str, ...]
    max_age: int | None
    login_hint: str


def check_scope(text: str | None) -> tuple[str, ...]:
    """Return the scopes of a request; ``profile`` if there is none (RFC 6749 section 3.3).

    Raises:
        OAuthError: One is unknown.
    """
    scope = scopes_in(text) or ("profile",)
    if any(name not in SCOPES for name in scope):
        raise OAuthError("invalid_scope", "A scope is unknown.")
    return scope


def check_resources(parameters: Parameters) -> tuple[str, ...]:
    """Return the resources of a request (RFC 8707 section 2).

    Raises:
        OAuthError: One is not an absolute URI without a fragment.
    """
    resources = parameters.all("resource")
    for resource in resources:
        parts = urlsplit(resource)
        if not parts.scheme or not (parts.netloc or parts.path) or "#" in resource:
            raise OAuthError("invalid_target", "A resource is not an absolute URI without a fragment.")
    return resources


class AuthorizationEndpoint:
    """Handles authorization requests, pushed or not."""

    def __init__(self, state: State, forms: LoginForms) -> None:
        self._state = state
        self._switches = state.switches
        self._forms = forms
        self._lock = threading.Lock()
        self._pushed: dict[str, tuple[str, Parameters, float]] = {}
        """Maps request URIs to client id, parameters, and the time when they expire."""

    def push(self, received: ReceivedRequest) -> Response:
        """Take a pushed authorization request (RFC 9126 section 2).

        Raises:
            OAuthError: It is not valid.
        """
        parameters = Parameters.of_form(received, endpoint_query="")
        client = self._state.clients.authenticate(received, parameters)
        if parameters.get("request_uri") is not None:
            raise OAuthError("invalid_request", "A request_uri cannot be pushed.")
        # Clients that authenticate with a header may leave out the parameter.
        if parameters.get("client_id") is None:
            parameters = Parameters((*parameters.pairs, ("client_id", client.client_id)))
        self._check(parameters, *self._check_client(parameters))
        request_uri = REQUEST_URI + secrets.token_urlsafe(32)
        with self._lock:
            self._pushed[request_uri] = client.client_id, parameters, self._state.clock.now() + PUSHED_LIFETIME
        return json_response({"request_uri": request_uri, "expires_in": PUSHED_LIFETIME}, status=201)

    def authorize(self, received: ReceivedRequest) -> Response:
        """Answer an authorization request, or the submitted form (RFC 6749 section 4.1.1)."""
        outer = Parameters(received.query)
        try:
            self._check_endpoint_query(received)
            parameters = self._pulled(outer)
            client, redirect_uri = self._check_client(parameters)
        except OAuthError as error:  # the person must not be sent to an address that is not the client's
            return Response(unusable(error.description), 400, content_type="text/html; charset=utf-8")
        try:
            request = self._check(parameters, client, redirect_uri)
            answer = self._decide(received, request)
        except OAuthError as error:
            answer = {"error": error.error, "error_description": error.description}
        if isinstance(answer, Response):
            return answer
        with self._lock:  # it has been answered, and works once
            self._pushed.pop(outer.get("request_uri") or "", None)
        return self._redirect(redirect_uri, {**answer, "state": parameters.get("state")})

    def _decide(self, received: ReceivedRequest, request: AuthorizationRequest) -> dict[str, str] | Response:
        """Return the authorization response, or a page for the person."""
        switches = self._switches
        if switches.authorization_error is not None:
            raise OAuthError(switches.authorization_error, "The provider was asked to answer so.")
        if switches.consent == "refused":
            raise OAuthError("access_denied", "The person refused.")
        if switches.consent == "automatic":
            return self._granted(request, self._forms.person(request.login_hint or switches.email))
        if request.prompt == ("none",):
            return self._granted(request, self._known_person(self._forms.session(received), request))
        asker = f"{request.client.client_name or request.client.client_id} at {urlsplit(request.redirect_uri).netloc}"
        decision = self._forms.ask(received, asker=asker, email=request.login_hint)
        if not isinstance(decision, Decision):
            return decision
        if decision.person is None:
            raise OAuthError("access_denied", "The person refused.")
        decision.session.add_consent(request.client.client_id, request.scope)
        return self._granted(request, decision.person)

    def _known_person(self, session: Session | None, request: AuthorizationRequest) -> Person:
        """Return the person who is signed in, for a request that must not show a page (OpenID Connect Core 3.1.2.1).

        Raises:
            OAuthError: A page would be needed.
        """
        person = None if session is None else session.person
        if session is None or person is None or request.login_hint not in ("", person.email):
            raise OAuthError("login_required", "The person is not signed in.")
        if request.max_age is not None and self._state.clock.now() - session.signed_in_at > request.max_age:
            raise OAuthError("login_required", "The person signed in too long ago.")
        if not session.has_consent(request.client.client_id, request.scope):
            raise OAuthError("consent_required", "The person did not consent to this.")
        return person

    def _granted(self, request: AuthorizationRequest, person: Person) -> dict[str, str]:
        grant = Grant(
            client_id=request.client.client_id,
            person=person,
            scope=tuple(scope for scope in request.scope if scope not in self._switches.withheld_scopes),
            resources=request.resources,
            redirect_uri=request.redirect_uri,
            code_challenge=request.code_challenge,
            nonce=request.nonce,
        )
        return {"code": self._state.tickets.issue("code", grant, lifetime=self._switches.code_lifetime)}

    def _redirect(self, redirect_uri: str, answer: dict[str, str | None]) -> Response:
        issuers = {"own": self._state.issuer, "other": "https://other.example", "none": None}
        answer["iss"] = issuers[self._switches.callback_issuer]
        query = urlencode({name: value for name, value in answer.items() if value is not None})
        separator = "&" if "?" in redirect_uri else "?"
        return Response(status=302, headers={"Location": f"{redirect_uri}{separator}{query}"})

    def _check_endpoint_query(self, received: ReceivedRequest) -> None:
        """Check that the endpoint's own query was kept (RFC 6749 section 3.1).

        Raises:
            OAuthError: It was not.
        """
        if not set(parse_qsl(self._switches.endpoint_query)) <= set(received.query):
            raise OAuthError("invalid_request", "The query of the authorization endpoint is missing.")

    def _pulled(self, parameters: Parameters) -> Parameters:
        """Return the parameters, those of a pushed request in place of its ``request_uri``.

        Raises:
            OAuthError: The ``request_uri`` is missing but required, or not valid for this client.
        """
        request_uri = parameters.get("request_uri")
        if request_uri is None:
            if self._switches.require_pushed_authorization_requests:
                raise OAuthError("invalid_request", "This provider takes pushed authorization requests only.")
            return parameters
        with self._lock:
            client_id, pushed, end = self._pushed.get(request_uri, ("", parameters, 0.0))
        if parameters.get("client_id") != client_id or self._state.clock.now() >= end:
            raise OAuthError("invalid_request_uri", "The request_uri is unknown, used, expired or another client's.")
        return pushed

    def _check_client(self, parameters: Parameters) -> tuple[Client, str]:
        """Return client and redirect URI.

        Raises:
            OAuthError: One of them is missing, repeated or wrong.
        """
        client = self._state.clients.find(parameters.need("client_id"))
        if client is None:
            raise OAuthError("invalid_client", "The client is unknown.")
        redirect_uri = parameters.need("redirect_uri")
        if not client.may_use(redirect_uri):
            raise OAuthError("invalid_request", "The redirect URI is not one that this client may use.")
        return client, redirect_uri

    def _check(self, parameters: Parameters, client: Client, redirect_uri: str) -> AuthorizationRequest:
        """Return the request, all of which is checked.

        Raises:
            OAuthError: A parameter is missing, repeated or not supported.
        """
        parameters.check_repeated()
        if parameters.need("response_type") != "code":
            raise OAuthError("unsupported_response_type", "The response_type must be code.")
        if "authorization_code" not in client.grant_types:
            raise OAuthError("unauthorized_client", "The client may not use authorization codes.")
        if parameters.get("response_mode") not in (None, "query"):
            raise OAuthError("invalid_request", "The response_mode must be query.")
        if parameters.get("request") is not None:
            raise OAuthError("request_not_supported", "Request objects are not supported.")
        if parameters.get("code_challenge_method") != "S256":
            raise OAuthError("invalid_request", "The code_challenge_method must be S256.")
        code_challenge = parameters.need("code_challenge")
        if not _CHALLENGE.fullmatch(code_challenge):
            raise OAuthError("invalid_request", "The code_challenge is not a SHA-256 hash in base64url.")
        prompt, max_age = scopes_in(parameters.get("prompt")), parameters.get("max_age")
        if any(value not in PROMPTS for value in prompt) or ("none" in prompt and len(prompt) > 1):
            raise OAuthError("invalid_request", "The prompt is not supported.")
        if max_age is not None and not _MAX_AGE.fullmatch(max_age):
            raise OAuthError("invalid_request", "The max_age must be a number of seconds.")
        return AuthorizationRequest(
            client=client,
            redirect_uri=redirect_uri,
            code_challenge=code_challenge,
            scope=check_scope(parameters.get("scope")),
            nonce=parameters.get("nonce"),
            resources=check_resources(parameters),
            prompt=prompt,
            max_age=None if max_age is None else int(max_age),
            login_hint=parameters.get("login_hint") or "",
        )
