"""Best-effort revocation of replaced or removed tokens, as the last step of a command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..drivers.shared.sign_out import revocation_after_removal
from ..sansio.oauth.revocation import revocation

if TYPE_CHECKING:
    from ..sansio.model.credentials import Credentials
    from ..sansio.model.provider import Provider


def revoke_old(provider: Provider | None, old: Credentials | None, new: Credentials | None = None) -> str | None:
    """Revoke the tokens of credentials that are no longer stored. Ctrl-C stops the wait, and has no other effect.

    Args:
        provider: The provider that issued them; None for the one that they record.
        old: The credentials that were stored before.
        new: The credentials that are stored now.

    Returns:
        Why the revocation could not be confirmed, without secrets; empty if the tokens are revoked; None if there was
        nothing to revoke.
    """
    if new is None:
        request = revocation_after_removal(old, provider)
    else:
        request = None if provider is None else revocation(provider, old, new)
    if request is None or isinstance(request, str):
        return request
    from ..drivers.threaded.revocation import revoke  # noqa: PLC0415 - httpx is slow to load

    try:
        return revoke(request)
    except KeyboardInterrupt:
        return "it was interrupted"
