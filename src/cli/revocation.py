"""Giving tokens back at the end of a command, when everything else is done and said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sansio.oauth.revocation import revocation

if TYPE_CHECKING:
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider


def revoke_old(provider: Provider, old: Credentials | None, new: Credentials | None = None) -> str | None:
    """Revoke the tokens of credentials that are no longer stored. Ctrl-C ends the waiting, and nothing else.

    Args:
        provider: Who issued them.
        old: What was stored.
        new: What is stored instead.

    Returns:
        What could not be confirmed, in clean words; empty if the tokens are revoked; None if there were none to revoke.
    """
    order = revocation(provider, old, new)
    if order is None:
        return None
    from ...drivers.threaded.revocation import revoke  # noqa: PLC0415 - httpx is slow to load

    try:
        return revoke(order)
    except KeyboardInterrupt:
        return "it was interrupted"
