"""Best-effort revocation of replaced or removed tokens, as the last step of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..sansio.oauth.revocation import revocation

if TYPE_CHECKING:
    from ..sansio.base.http import HttpRequest
    from ..sansio.model.credentials import Credentials
    from ..sansio.model.provider import Provider


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
    return None if request is None else revoke_now(request)


def revoke_now(request: HttpRequest) -> str:
    """Send a revocation request. Ctrl-C stops the wait, and has no other effect.

    Returns:
        Why the revocation could not be confirmed, without secrets; empty if the tokens are revoked.
    """
    from ..drivers.threaded.revocation import revoke  # noqa: PLC0415 - httpx is slow to load

    try:
        return revoke(request)
    except KeyboardInterrupt:
        return "it was interrupted"
