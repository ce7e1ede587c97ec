"""Endpoints with rules of their own: those for device codes, and how a client authenticates at the token endpoint."""

from __future__ import annotations

from enum import StrEnum

from ..base.records import Record
from ..base.urls import check_endpoint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..base.secret import Secret


class ClientAuthentication(StrEnum):
    """How the client authenticates at the token endpoint (RFC 6749 section 2.3, OpenID Connect Core section 9)."""

    NONE = "none"
    """A public client sends its client id only."""
    CLIENT_SECRET_BASIC = "client_secret_basic"
    """The client id and the secret are in the ``Authorization`` header field."""
    CLIENT_SECRET_POST = "client_secret_post"
    """The client id and the secret are parameters of the request."""


def check_client_secret(secret: Secret | None, method: ClientAuthentication | None) -> None:
    """Check that a client secret and the way in which the client authenticates fit together.

    Args:
        secret: The secret; None if the client has none.
        method: None for what the provider's metadata lists.

    Raises:
        ValueError: They do not.
    """
    is_public = method is ClientAuthentication.NONE
    if is_public and secret is not None:
        raise ValueError("the client has a secret, but its authentication is none")
    if secret is None and not is_public and method is not None:
        raise ValueError(f"the authentication {method} needs a client secret")


class IdTokenPolicy(StrEnum):
    """What to do if an id token lacks a claim that OpenID Connect requires."""

    STRICT = "strict"
    """Refuse the token."""
    COMPAT = "compat"
    """Accept the token. The claims that it has are checked."""


class DeviceCodeDialect(StrEnum):
    """The protocol of a provider for device codes."""

    RFC8628 = "rfc8628"
    """The OAuth 2.0 device authorization grant. The response to the last poll has the tokens."""
    CODEX = "codex"
    """JSON bodies. The response to the last poll has an authorization code with its verifier."""


class DeviceCodeEndpoints(Record):
    """The endpoints for device codes.

    Raises:
        ValueError: `check_endpoint` refuses an endpoint, or one that the dialect needs is missing.
    """

    dialect: DeviceCodeDialect = DeviceCodeDialect.RFC8628
    code_endpoint: str
    """The endpoint that issues codes, ``device_authorization_endpoint`` in RFC 8628 section 4."""
    poll_endpoint: str | None = None
    """The endpoint that is polled; None for the provider's token endpoint (RFC 8628 section 3.4)."""
    verification_url: str | None = None
    """The page where the person enters the code; None if the provider sends its URL with the code."""
    redirect_uri: str | None = None
    """The redirect URI of the authorization code in the response to the last poll, in Codex's dialect."""

    def _check(self) -> None:
        others = (self.poll_endpoint, self.verification_url, self.redirect_uri)
        for url in (self.code_endpoint, *others):
            if url is not None:
                check_endpoint(url)
        if self.dialect is DeviceCodeDialect.CODEX and None in others:
            raise ValueError("this dialect needs a poll endpoint, a verification URL and a redirect URI")


def codex_device_code(base: str) -> DeviceCodeEndpoints:
    """Return the endpoints of OpenAI's provider, in Codex's dialect, below a base URL."""
    return DeviceCodeEndpoints(
        dialect=DeviceCodeDialect.CODEX,
        code_endpoint=f"{base}/api/accounts/deviceauth/usercode",
        poll_endpoint=f"{base}/api/accounts/deviceauth/token",
        verification_url=f"{base}/codex/device",
        redirect_uri=f"{base}/deviceauth/callback",
    )
