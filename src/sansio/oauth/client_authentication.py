"""Authenticate the client at an endpoint (RFC 6749 section 2.3)."""

from __future__ import annotations

from base64 import b64encode
from urllib.parse import quote_plus

from ..base.secret import Secret
from ..server.endpoints import ClientAuthentication

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..base.http import HttpRequest
    from ..model.provider import Provider


def authenticated(request: HttpRequest, provider: Provider, *, keeps_client_id: bool = False) -> HttpRequest:
    """Return a request to the token, device authorization or revocation endpoint that authenticates the client.

    Args:
        request: The request of a public client. Its parameters name the client.
        provider: The client, its secret, and how it authenticates. Without a method, it is ``client_secret_basic``,
            which every server must support (RFC 6749 section 2.3.1).
        keeps_client_id: The client id is a parameter of its own, as in a pushed request (RFC 9126 section 2.1).
    """
    secret = provider.client_secret
    if secret is None:
        return request
    if provider.token_endpoint_auth_method is ClientAuthentication.CLIENT_SECRET_POST:
        return request.__replace__(form=(*request.form, ("client_secret", secret.reveal())))
    # Both parts are form-encoded first (RFC 6749 section 2.3.1), so that a colon in the client id is none.
    pair = f"{quote_plus(provider.client_id)}:{quote_plus(secret.reveal())}"
    authorization = Secret(f"Basic {b64encode(pair.encode('ascii')).decode('ascii')}")
    form = tuple(parameter for parameter in request.form if keeps_client_id or parameter[0] != "client_id")
    return request.__replace__(form=form, authorization=authorization)
