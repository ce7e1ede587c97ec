"""How the OpenID provider behaves, and how it can be made to misbehave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from ..shared.site import SiteSwitches

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from ..shared.signing import Algorithm, IdTokenFault

Endpoint = Literal[
    "openid_configuration",
    "oauth_authorization_server",
    "jwks",
    "authorization",
    "pushed_authorization_request",
    "token",
    "revocation",
    "userinfo",
    "device_authorization",
    "device",
    "registration",
]
"""Names of the endpoints. ``device`` is the page on which a person enters a user code."""


@dataclass(slots=True, kw_only=True)
class OpenIdSwitches(SiteSwitches[Endpoint]):
    """What can be changed, also while the provider runs. The defaults follow the standards.

    A name that does not exist is refused.
    """

    # Any endpoint
    endpoint_query: str = ""
    """The query that the authorization, token, revocation and device authorization endpoints have by themselves."""

    # Metadata
    openid_configuration: bool = True
    """The document of OpenID Connect Discovery exists."""
    oauth_authorization_server: bool = True
    """The document of RFC 8414 exists."""
    metadata: Mapping[str, object] = field(default_factory=dict)
    """Members that replace those of the metadata. None removes one."""

    # Authorization
    consent: Literal["form", "automatic", "refused"] = "form"
    """Whether a person decides in a form, or every request is granted or refused at once."""
    email: str = "ada@example.com"
    """The person of automatic consent, if the request has no ``login_hint``."""
    authorization_error: str | None = None
    """The error of every authorization response, such as ``server_error``."""
    callback_issuer: Literal["own", "other", "none"] = "own"
    """The ``iss`` of authorization responses (RFC 9207)."""
    require_pushed_authorization_requests: bool = False
    """Requests without a ``request_uri`` are refused (RFC 9126)."""
    code_lifetime: float = 60.0
    """Seconds until an authorization code expires."""

    # Token responses
    expires_in: int | str | None = 3600
    """The lifetime of access tokens in seconds, as it is written: a number or a text. None omits it."""
    refresh_tokens: Literal["always", "offline_access", "never"] = "always"
    """When a refresh token is issued. ``offline_access``: only if this scope was granted."""
    rotate_refresh_tokens: bool = True
    """A refresh token works once, and a refresh returns the next one."""
    id_tokens: Literal["openid", "always", "never"] = "openid"
    """When an id token is issued. ``openid``: only if this scope was granted."""
    id_token_at_refresh: bool = True
    access_tokens: Literal["opaque", "jwt"] = "opaque"
    withheld_scopes: Collection[str] = ()
    """Scopes that are never granted."""
    scope_in_answer: bool = True
    """Token responses have a ``scope``, even if it is the requested one."""
    scope_separator: str = " "
    """What separates the scopes of a token response."""
    token_type: str | None = "Bearer"  # noqa: S105 - a name, not a token
    """None omits it."""
    extra_members: Mapping[str, object] = field(default_factory=dict)
    """More members of token responses, such as ``instance_url``."""
    form_encoded_answers: bool = False
    """Token responses are forms instead of JSON."""

    # Id tokens
    signing_algorithm: Algorithm = "RS256"
    id_token_claims: Mapping[str, object] = field(default_factory=dict)
    """Claims that replace those of id tokens, for example a wrong ``aud``. None removes one."""
    id_token_fault: IdTokenFault | None = None
    """A fault of the signature. ``alg_hs256`` signs with the public key; ``no_kid`` is legal with a single key."""

    # Device codes
    device_interval: int | None = 5
    """Seconds between two polls. None omits it, which means 5 (RFC 8628 section 3.2)."""
    device_lifetime: int = 900
    """Seconds until a device code expires."""
    verification_uri_complete: bool = True
    """Device authorization responses have this member."""

    # Registration
    registration: bool = True
    """Clients can register themselves (RFC 7591)."""
    initial_access_token: str | None = field(default=None, repr=False)
    """A token that registrations need (RFC 7591 section 3). None: they need none."""
