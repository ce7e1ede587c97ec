"""What OpenAI's documentation allows in an authorization request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..shared.messages import OAuthError
from .switches import BOOTSTRAP, RESOURCE, SCOPES

if TYPE_CHECKING:
    from ..shared.messages import Parameters
    from .state import Registration, State

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}")
_REDIRECT_URI: Final = re.compile(r"http://127\.0\.0\.1:([1-9][0-9]{0,4})/auth/callback")
_HOST_ID: Final = re.compile(
    r"urn:ietf:params:oauth:jwk-thumbprint:[a-z0-9-]+:[A-Za-z0-9_-]{43,}"  # RFC 9278
    r"|urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    r"|did:key:z[1-9A-HJ-NP-Za-km-z]+"
)
_LONGEST_NAME: Final = 120
_SHORTEST_STATE: Final = 16

_ALWAYS: Final = frozenset(
    {
        *("client_id", "ext_agent_host_id", "response_type", "redirect_uri", "scope", "resource"),
        *("state", "nonce", "code_challenge", "code_challenge_method"),
    }
)
_FIRST: Final = _ALWAYS | {"agent_name_hint"}
_LATER: Final = _ALWAYS | {"id_token_hint", "login_hint", "prompt"}


class UnusableError(Exception):
    """A request that must not be answered at its redirect URI. The browser stays on a page of the provider.

    Args:
        error: The error code.
        text: What is wrong, for the person.
    """

    def __init__(self, error: str, text: str) -> None:
        super().__init__(f"{error}: {text}")
        self.error = error
        self.text = text


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizationRequest:
    """An authorization request that a documented client may send."""

    registration: Registration | None
    """None at a first sign-in."""
    redirect_uri: str
    state: str
    nonce: str
    code_challenge: str
    host_id: str
    agent_name: str
    """Empty at a later sign-in."""
    consent: bool
    """The person is asked for the permissions again."""
    hinted: bool
    """The request has an ``id_token_hint``, so that the person need not select the account."""


def check_client(state: State, parameters: Parameters) -> tuple[Registration | None, str]:
    """Return the client, None at a first sign-in, and the redirect URI.

    Raises:
        UnusableError: One of them is wrong.
    """
    try:
        client_id, redirect_uri = parameters.need("client_id"), parameters.need("redirect_uri")
    except OAuthError as error:
        state.violations.add("authorization", error.description)
        raise UnusableError(error.error, error.description) from None
    registration = None
    if client_id != BOOTSTRAP:
        registration = state.check_client_id("authorization", client_id)
        if registration is None:
            raise UnusableError("invalid_client", "The program is unknown.")
    match = _REDIRECT_URI.fullmatch(redirect_uri)
    if match is None or int(match[1]) > 65535:
        state.violations.add("authorization", "The redirect_uri is http://127.0.0.1:PORT/auth/callback.")
        raise UnusableError("invalid_redirect_uri", "The program gave an address that is not accepted.")
    return registration, redirect_uri


def check_request(
    state: State, parameters: Parameters, registration: Registration | None, redirect_uri: str
) -> AuthorizationRequest:
    """Return the request, all of which is checked.

    Raises:
        OAuthError: A documented client does not send it.
    """
    for name, _ in parameters.pairs:
        if name not in (_FIRST if registration is None else _LATER):
            at = "first" if registration is None else "later"
            raise OAuthError("invalid_request", f"A {at} sign-in has no such parameter: {_shown(name)}.")
        parameters.get(name)  # it occurs once
    _check_constants(parameters)
    host_id, code_challenge = parameters.need("ext_agent_host_id"), parameters.need("code_challenge")
    if not _HOST_ID.fullmatch(host_id):
        raise OAuthError("invalid_request", "The ext_agent_host_id has none of the three forms.")
    if not _CHALLENGE.fullmatch(code_challenge):
        raise OAuthError("invalid_request", "The code_challenge is not a SHA-256 hash in base64url.")
    request_state, nonce = parameters.need("state"), parameters.need("nonce")
    if min(len(request_state), len(nonce)) < _SHORTEST_STATE or request_state == nonce:
        raise OAuthError("invalid_request", "The state and nonce are long and random.")
    agent_name = "" if registration is not None else parameters.need("agent_name_hint")
    if len(agent_name) > _LONGEST_NAME or not agent_name.isprintable():
        raise OAuthError("invalid_request", "The agent_name_hint is a short text.")
    if parameters.get("prompt") not in (None, "consent"):
        raise OAuthError("invalid_request", "The prompt is consent or absent.")
    return AuthorizationRequest(
        registration=registration,
        redirect_uri=redirect_uri,
        state=request_state,
        nonce=nonce,
        code_challenge=code_challenge,
        host_id=host_id,
        agent_name=agent_name,
        consent=parameters.get("prompt") == "consent",
        hinted=registration is not None and _check_hints(state, parameters, registration),
    )


def _check_constants(parameters: Parameters) -> None:
    if parameters.need("response_type") != "code":
        raise OAuthError("unsupported_response_type", "The response_type is code.")
    if parameters.need("code_challenge_method") != "S256":
        raise OAuthError("invalid_request", "The code_challenge_method is S256.")
    if parameters.need("resource") != RESOURCE:
        raise OAuthError("invalid_target", f"The resource is {RESOURCE}.")
    if sorted(parameters.need("scope").split(" ")) != sorted(SCOPES):
        raise OAuthError("invalid_scope", f"The scope is complete: {' '.join(SCOPES)}.")


def _check_hints(state: State, parameters: Parameters, registration: Registration) -> bool:
    """Return whether there is an ``id_token_hint``.

    Raises:
        OAuthError: A hint belongs to another account, or to a sign-in that has ended.
    """
    login_hint, id_token_hint = parameters.get("login_hint"), parameters.get("id_token_hint")
    if login_hint not in (None, registration.person.email):
        raise OAuthError("invalid_request", "The login_hint belongs to another account.")
    if id_token_hint is None:
        return False
    grant = state.hints.get(id_token_hint)
    if grant is None or grant.client_id != registration.client_id:
        raise OAuthError("invalid_request", "The id_token_hint belongs to another account.")
    if not grant.active and registration.connected:
        raise OAuthError("invalid_request", "The id_token_hint is left out after a sign-out.")
    return True


def _shown(name: str) -> str:
    return name if re.fullmatch(r"[a-z_]{1,40}", name) else "(unprintable)"
