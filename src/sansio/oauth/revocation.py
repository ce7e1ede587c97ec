"""Revoke tokens (RFC 7009): those of a sign-out, and those that a login replaced. Revocation is best effort."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.http import HttpRequest, HttpRequestFailed, TransportProblem
from ..base.text import safe_url
from ..model.credentials import AuthMode
from ..model.issuer import why_not_from
from .client_authentication import authenticated
from .responses import WEB_PAGE, is_web_page

if TYPE_CHECKING:
    from typing import Final

    from ..base.http import HttpResponse
    from ..model.credentials import Credentials
    from ..model.provider import Provider

REVOCATION_TIMEOUT: Final = 5.0
"""Time limit of the request, in seconds."""
NOT_AWAITED: Final = HttpRequestFailed(kind=TransportProblem.TIMEOUT, message="the program did not wait for the answer")
"""The result of a request that was abandoned."""
_OURS: Final = (None, AuthMode.CHATGPT, AuthMode.API_KEY, AuthMode.OAUTH)
"""The modes with tokens from a login. In other modes another program may own the tokens, and still use them."""


def revocation(provider: Provider, old: Credentials | None, new: Credentials | None = None) -> HttpRequest | None:
    """Return the request that revokes the tokens of credentials that are no longer stored.

    It revokes the refresh token, and with it the access tokens that were issued for it (RFC 7009 section 2.1). If there
    is no refresh token, it revokes the access token.

    Args:
        provider: The issuer of the tokens.
        old: The credentials that are no longer stored.
        new: The credentials that are stored instead.

    Returns:
        The request. None if there is nothing to revoke, if the token is still in use, if another provider has issued
        it, or if the provider cannot revoke.
    """
    if provider.revocation_endpoint is None or old is None or old.tokens is None or old.auth_mode not in _OURS:
        return None
    if why_not_from(old, provider):
        return None
    if new is not None and not provider.dialect.revokes_replaced_tokens:
        return None
    # Where refresh tokens work once, those of a refresh that is not verified yet are the valid ones.
    revoked = old.tokens if old.unverified is None or old.unverified.tokens is None else old.unverified.tokens
    for name in ("refresh_token",) if provider.dialect.one_use_refresh_tokens else ("refresh_token", "access_token"):
        token = getattr(revoked, name)
        if token is None or not token.reveal():
            continue
        if new is not None and new.tokens is not None and getattr(new.tokens, name) == token:
            return None
        form = (("token", token.reveal()), ("token_type_hint", name), ("client_id", provider.client_id))
        request = HttpRequest(
            url=provider.revocation_endpoint,
            form=form,
            encoding=provider.dialect.encoding,
            timeout=REVOCATION_TIMEOUT,
        )
        return authenticated(request, provider)
    return None


def may_pass(result: HttpResponse | HttpRequestFailed) -> bool:
    """Return whether another try to revoke a token may succeed: there was no response, or the provider has a problem.

    Args:
        result: The result of the request.
    """
    return isinstance(result, HttpRequestFailed) or result.status >= 500


def read_revocation(request: HttpRequest, result: HttpResponse | HttpRequestFailed) -> str:
    """Read the result of a revocation.

    Only status 200 confirms it (RFC 7009 section 2.2), also for a token that was invalid already. Its body is ignored,
    unless it is a web page: a network that wants a sign-in answers like that.

    Args:
        request: The request.
        result: The response, or why there is none.

    Returns:
        What is wrong, as clean text; empty if the token is revoked.
    """
    if isinstance(result, HttpRequestFailed):
        return f"{safe_url(request.url)}: {result.message}"
    if result.status == 200 and is_web_page(result.body):
        return f"{safe_url(request.url)}: {WEB_PAGE}"
    return "" if result.status == 200 else f"{safe_url(request.url)}: status {result.status}"
