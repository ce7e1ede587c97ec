"""Best-effort revocation of replaced or removed tokens, as the last step of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..sansio.oauth.revocation import revocation

if TYPE_CHECKING:
    from ..sansio.model.credentials import Credentials
    from ..sansio.model.provider import Provider


def revoke_old(provider: Provider, old: Credentials | None, new: Credentials | None = None) -> str | None:
    """Revoke the tokens of credentials that are no longer stored. Ctrl-C stops the wait, and has no other effect.

    Args:
        provider: The provider that issued them.
        old: The credentials that were stored before.
        new: The credentials that are stored now.

    Returns:
        Why the revocation could not be confirmed, without secrets; empty if the tokens are revoked; None if there was
        nothing to revoke.
    """
    request = revocation(provider, old, new)
    if request is None:
        return None
    from ..drivers.threaded.revocation import revoke  # noqa: PLC0415 - httpx is slow to load

    try:
        return revoke(request)
    except KeyboardInterrupt:
        return "it was interrupted"
