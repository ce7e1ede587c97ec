"""Giving tokens back (RFC 7009): after a logout, and after a login for those that it replaced. Best effort, always."""

from __future__ import annotations

from ..base.http import TransportProblem
from ..base.text import safe_url
from ..login.actions import RevokeToken, SendTokenRequest
from ..login.events import TokenRequestFailed
from ..model.credentials import AuthMode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..login.events import TokenResponseReceived
    from ..model.credentials import Credentials
    from ..model.provider import Provider

REVOCATION_TIMEOUT: Final = 5.0
NOT_AWAITED: Final = TokenRequestFailed(
    exchange_id=0, kind=TransportProblem.TIMEOUT, message="nobody waited for the answer"
)
"""What is said of one that was given up in a hurry."""
_OURS: Final = (None, AuthMode.CHATGPT, AuthMode.API_KEY)
"""The modes whose tokens come from a login. In others they may belong to somebody else, who goes on using them."""


def revocation(provider: Provider, old: Credentials | None, new: Credentials | None = None) -> RevokeToken | None:
    """The order to revoke what a login left behind.

    The refresh token, with which the server also revokes the access tokens that came of it (RFC 7009 section 2.1); the
    access token if there is no refresh token.

    Args:
        provider: Where it was issued.
        old: The credentials that are no longer stored.
        new: Those that are stored instead.

    Returns:
        None if there is nothing to revoke, if it is still in use, or if the provider cannot revoke.
    """
    if provider.revocation_endpoint is None or old is None or old.tokens is None or old.auth_mode not in _OURS:
        return None
    for name in ("refresh_token", "access_token"):
        token = getattr(old.tokens, name)
        if token is None or not token.reveal():
            continue
        if new is not None and new.tokens is not None and getattr(new.tokens, name) == token:
            return None
        form = (("token", token.reveal()), ("token_type_hint", name), ("client_id", provider.client_id))
        return RevokeToken(
            url=provider.revocation_endpoint,
            form=form,
            encoding=provider.revocation_encoding,
            timeout=REVOCATION_TIMEOUT,
        )
    return None


def token_request(order: RevokeToken) -> SendTokenRequest:
    """The same order for whoever sends token requests."""
    return SendTokenRequest(
        exchange_id=0, url=order.url, form=order.form, encoding=order.encoding, timeout=order.timeout
    )


def read_revocation(order: RevokeToken, answer: TokenResponseReceived | TokenRequestFailed) -> str:
    """Read the answer. Only status 200 confirms it (RFC 7009 section 2.2), also for a token that was invalid already.

    Returns:
        What is wrong, in clean words; empty if the token is revoked.
    """
    if isinstance(answer, TokenRequestFailed):
        return f"{safe_url(order.url)}: {answer.message}"
    return "" if answer.status == 200 else f"{safe_url(order.url)}: status {answer.status}"
