"""The forms of the requests to the token endpoint."""

from __future__ import annotations

from .authorization import redirect_uri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..base.http import Form
    from ..base.secret import Secret
    from ..model.options import LoginOptions, LoginSecrets
    from ..model.provider import Provider


TOKEN_EXCHANGE_TIMEOUT: Final = 30.0


API_KEY_EXCHANGE_TIMEOUT: Final = 10.0


REFRESH_TIMEOUT: Final = 60.0


def code_exchange(options: LoginOptions, secrets: LoginSecrets, port: int, code: str) -> Form:
    """The token request for an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""
    return (
        ("grant_type", "authorization_code"),
        ("client_id", options.provider.client_id),
        ("code", code),
        ("redirect_uri", redirect_uri(options, port)),
        ("code_verifier", secrets.code_verifier),
    )


def api_key_exchange(provider: Provider, id_token: Secret) -> Form:
    """The token exchange of an id token for an API key (RFC 8693 section 2.1)."""
    return (
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("client_id", provider.client_id),
        ("requested_token", "openai-api-key"),
        ("subject_token", id_token.reveal()),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
    )


def refresh_request(provider: Provider, refresh_token: Secret) -> Form:
    """The token request for new tokens (RFC 6749 section 6)."""
    return (
        ("client_id", provider.client_id),
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token.reveal()),
    )
