"""Best-effort revocation of replaced or removed tokens, as the last step of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..sansio.oauth.revocation import revocation

if TYPE_CHECKING:
    from ..sansio.base.http import HttpRequest
    from ..sansio.model.credentials import Credentials
    from ..sansio.model.provider import Provider
    from ..sansio.sign_out.events import RevocationEnded


def revoke_old(provider: Provider | None, old: Credentials | None, new: Credentials) -> str | None:
    """Revoke the tokens of credentials that were replaced.

    Args:
        provider: The provider that issued them; None if it is not known.
        old: The credentials that were stored before.
        new: The credentials that are stored now.

    Returns:
        Why the revocation could not be confirmed, without secrets; empty if the tokens are revoked; None if there was
        nothing to revoke.
    """
    request = None if provider is None else revocation(provider, old, new)
    return None if request is None else revoke_now(request).problem


def revoke_now(request: HttpRequest) -> RevocationEnded:
    """Send a revocation request. Ctrl-C stops the wait, and has no other effect.

    Args:
        request: The request. That of a sign-out may have a pause before it.

    Returns:
        The result, without secrets.
    """
    from ..drivers.threaded.revocation import revoke  # noqa: PLC0415 - httpx is slow to load
    from ..sansio.sign_out.actions import RevokeTokens  # noqa: PLC0415
    from ..sansio.sign_out.events import RevocationEnded  # noqa: PLC0415

    try:
        return revoke(request, request.pause if isinstance(request, RevokeTokens) else 0.0)
    except KeyboardInterrupt:
        return RevocationEnded(problem="it was interrupted")
