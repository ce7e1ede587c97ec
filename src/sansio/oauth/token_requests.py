"""The requests to the token endpoint."""

from __future__ import annotations

from ..base.http import HttpRequest
from .authorization import redirect_uri
from .client_authentication import authenticated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..base.secret import Secret
    from ..model.options import LoginOptions, LoginSecrets
    from ..model.provider import Provider

TOKEN_EXCHANGE_TIMEOUT: Final = 30.0
"""Time limit of the exchange of an authorization code, in seconds."""
API_KEY_EXCHANGE_TIMEOUT: Final = 10.0
"""Time limit of the exchange of an id token for an API key, in seconds."""
REFRESH_TIMEOUT: Final = 60.0
"""Time limit of a refresh, in seconds."""


def code_exchange(options: LoginOptions, secrets: LoginSecrets, port: int, code: str) -> HttpRequest:
    """Return the token request for an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5).

    Args:
        options: The provider, and the host of the redirect URI.
        secrets: The code verifier.
        port: The callback port, as in the authorization request.
        code: The authorization code of the callback.
    """
    request = HttpRequest(
        url=options.provider.token_endpoint,
        form=(
            ("grant_type", "authorization_code"),
            ("client_id", options.provider.client_id),
            ("code", code),
            ("redirect_uri", redirect_uri(options, port)),
            ("code_verifier", secrets.code_verifier),
            *(("resource", resource) for resource in options.requested_resources),
        ),
        timeout=TOKEN_EXCHANGE_TIMEOUT,
    )
    return authenticated(request, options.provider)


def api_key_exchange(provider: Provider, id_token: Secret) -> HttpRequest:
    """Return the token exchange of an id token for an API key (RFC 8693 section 2.1)."""
    return HttpRequest(
        url=provider.token_endpoint,
        form=(
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("client_id", provider.client_id),
            ("requested_token", "openai-api-key"),
            ("subject_token", id_token.reveal()),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
        ),
        timeout=API_KEY_EXCHANGE_TIMEOUT,
    )


def refresh_request(provider: Provider, refresh_token: Secret, resource: tuple[str, ...] = ()) -> HttpRequest:
    """Return the token request for new tokens (RFC 6749 section 6).

    Args:
        provider: The provider. Its dialect says how the parameters are written.
        refresh_token: The refresh token.
        resource: The resources that the tokens are for (RFC 8707 section 2.2).
    """
    request = HttpRequest(
        url=provider.token_endpoint,
        form=(
            ("client_id", provider.client_id),
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token.reveal()),
            *(("resource", each) for each in resource),
        ),
        encoding=provider.dialect.encoding,
        timeout=REFRESH_TIMEOUT,
    )
    return authenticated(request, provider)
