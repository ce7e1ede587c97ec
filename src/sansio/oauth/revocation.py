"""Token revocation (RFC 7009): which token to revoke, and what the response means.

Tokens are revoked after a sign-out, and after a login for the tokens that it replaced. A failed revocation changes
nothing else.
"""

from __future__ import annotations

from ..base.http import HttpRequest, HttpRequestFailed, TransportProblem
from ..base.text import safe_url
from ..model.credentials import AuthMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..base.http import HttpResponse
    from ..model.credentials import Credentials
    from ..model.provider import Provider

REVOCATION_TIMEOUT: Final = 5.0
"""Seconds for a revocation request."""
NOT_AWAITED: Final = HttpRequestFailed(kind=TransportProblem.TIMEOUT, message="the program did not wait for the answer")
"""The result of a revocation request that the driver abandoned."""
_LOGIN_MODES: Final = (None, AuthMode.CHATGPT, AuthMode.API_KEY)
"""The modes whose tokens come from a login. In other modes another program may own the tokens and still use them."""
_CONFIRMED: Final = 200


def revocation(provider: Provider, old: Credentials | None, new: Credentials | None = None) -> HttpRequest | None:
    """Return the request that revokes the tokens of old credentials.

    It names the refresh token. With that, the server also revokes the access tokens based on the same grant (RFC 7009
    section 2.1). Without a refresh token, the request names the access token.

    Args:
        provider: The provider that issued the tokens.
        old: The credentials that are no longer stored.
        new: The credentials that are stored instead.

    Returns:
        The request. None if there is no token to revoke, if the token is still in use, or if the provider has no
        revocation endpoint.
    """
    if provider.revocation_endpoint is None or old is None or old.tokens is None or old.auth_mode not in _LOGIN_MODES:
        return None
    for name in ("refresh_token", "access_token"):
        token = getattr(old.tokens, name)
        if token is None or not token.reveal():
            continue
        if new is not None and new.tokens is not None and getattr(new.tokens, name) == token:
            return None
        form = (("token", token.reveal()), ("token_type_hint", name), ("client_id", provider.client_id))
        return HttpRequest(
            url=provider.revocation_endpoint,
            form=form,
            encoding=provider.revocation_encoding,
            timeout=REVOCATION_TIMEOUT,
        )
    return None


def read_revocation(request: HttpRequest, answer: HttpResponse | HttpRequestFailed) -> str:
    """Read the result of a revocation request.

    Only status 200 confirms the revocation, also of a token that was invalid before (RFC 7009 section 2.2).

    Args:
        request: The revocation request.
        answer: The response of the endpoint, or why there was none.

    Returns:
        Why the revocation is not confirmed, as clean text. Empty if the token is revoked.
    """
    if isinstance(answer, HttpRequestFailed):
        return f"{safe_url(request.url)}: {answer.message}"
    return "" if answer.status == _CONFIRMED else f"{safe_url(request.url)}: status {answer.status}"
