"""How the imitation of "Sign in with ChatGPT" behaves, and how it can be made to misbehave."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from ..shared.site import SiteSwitches

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ..shared.signing import IdTokenFault

Endpoint = Literal["openid_configuration", "jwks", "authorization", "token", "revocation", "models", "responses"]
ClientIdInCallback = Literal[
    "documented", "issued", "none", "bootstrap", "empty", "twice", "long", "control_characters", "other"
]
"""``documented``: the issued client id at the first sign-in, none later. ``control_characters``: percent-encoded."""

RESOURCE: Final = "https://api.openai.com/v1"
BOOTSTRAP: Final = "dynamic_agent_client"
"""The client id of the first authorization request."""
PLAN_SCOPE: Final = "chatgpt.tokens.use.direct"
IDENTITY_SCOPES: Final = ("openid", "profile", "email")
SCOPES: Final = (*IDENTITY_SCOPES, "offline_access", "resource.invoke", PLAN_SCOPE)
DECLINED_PLAN: Final = ("offline_access", "resource.invoke", PLAN_SCOPE)
"""Everything that a person can decline."""


@dataclass(slots=True, kw_only=True)
class ChatGptSwitches(SiteSwitches[Endpoint]):
    """What can be changed, also while the provider runs. The defaults follow OpenAI's documentation.

    A name that does not exist is refused.
    """

    # Metadata and keys
    metadata: Mapping[str, object] = field(default_factory=dict)
    """Members that replace those of the metadata. None removes one."""
    key_sets_without_current: int = 0
    """How many of the next responses with keys lack the key that signs. It counts down."""

    # The person
    consent: Literal["form", "automatic", "declined"] = "form"
    """Whether a person decides on pages, or every request is approved or declined at once."""
    email: str = "ada@example.com"
    """The person of automatic consent."""
    workspace: str = "Personal"
    """The workspace of automatic consent."""
    declined_scopes: Collection[str] = ()
    """The permissions that automatic consent declines, for example `DECLINED_PLAN`."""
    after_disconnection: Literal["usable", "unknown"] = "usable"
    """What becomes of a client id that the person disconnected: a new sign-in works, or `invalid_client` on a page."""

    # The callback
    authorization_error: str | None = None
    """The error of every authorization response, such as ``server_error``."""
    client_id_in_callback: ClientIdInCallback = "documented"
    scope_in_callback: bool = True
    callback_issuer: Literal["none", "own", "other"] = "none"
    """The ``iss`` of authorization responses (RFC 9207)."""
    callback_parameters: Mapping[str, str] = field(default_factory=dict)
    """More parameters of authorization responses."""
    code_lifetime: float = 60.0
    """Seconds until an authorization code expires."""

    # Token responses
    expires_in: int = 3600
    """The lifetime of access tokens in seconds."""
    access_token_without_plan: bool = True
    """Issue an access token although the plan scope was declined."""
    scope_at_refresh: bool = True
    id_token_at_refresh: bool = True
    refresh_token_at_refresh: bool = True
    """False: a refresh token works again and again, and a refresh returns none."""
    lost_scopes: Collection[str] = ()
    """Scopes that a grant loses at the next refresh."""
    earliest_refresh_at: object = "iso"
    """How the member is written: ``iso``, ``seconds``, ``absent``, or any other JSON value as it is."""
    refresh_pause: float = 3240.0
    """Seconds after a token response in which a refresh is refused, if the client could read the time."""
    extra_members: Mapping[str, object] = field(default_factory=dict)
    """More members of token responses."""

    # ID tokens
    audience: Literal["list", "text"] = "list"
    id_token_claims: Mapping[str, object] = field(default_factory=dict)
    """Claims that replace those of ID tokens, for example a wrong ``aud``. None removes one."""
    id_token_fault: IdTokenFault | None = None
    """A fault of the signature. ``alg_hs256`` signs with the public key."""

    # The interface for models
    models: Sequence[tuple[str, str]] = (("gpt-demo", "list"), ("gpt-demo-mini", "list"), ("gpt-demo-old", "hide"))
    """Names of models with their visibility."""
    stream_failure: str | None = None
    """The error code with which every stream ends, such as ``subscription_sharing_usage_limit_exceeded``."""
    stream_content_type: bool = True
    """Streams have a ``Content-Type``."""
