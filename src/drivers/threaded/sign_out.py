"""Signing out, with threads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import NO_THREAD
from ..shared.sign_out import SignOutResult, check_provider, revocation_after_removal
from .revocation import revoke

if TYPE_CHECKING:
    from ...sansio.model.provider import Provider
    from ..stores.protocols import SessionStore


def sign_out(store: SessionStore, provider: Provider | None = None) -> SignOutResult:
    """Sign a person out: remove the stored credentials, then revoke their tokens.

    Blocks, for at most 5 seconds after the credentials are removed. Revocation (RFC 7009) is best effort: if the
    provider cannot be reached or refuses, the credentials are removed all the same, and the result says why.

    Args:
        store: Where the credentials are.
        provider: The provider that issued them. By default the one that they record; those of an older ``auth.json``
            are from ChatGPT.

    Returns:
        What was removed, and whether the provider confirmed that the tokens are revoked.

    Raises:
        StoreError: The credentials cannot be removed. Nothing is revoked then.
        ProviderMismatch: They are from another provider than the named one. Nothing is removed or revoked then.
        EndpointError: The environment names an endpoint that cannot be used. Nothing is removed or revoked then.
    """
    check_provider(store, provider)
    removed = store.remove()
    request = revocation_after_removal(removed, provider)
    if request is None:
        return SignOutResult(removed=removed)
    if isinstance(request, str):
        return SignOutResult(removed=removed, is_revoked=False, problem=request)
    try:
        problem = revoke(request)
    except RuntimeError:
        # The request is sent in a thread of its own.
        problem = NO_THREAD
    return SignOutResult(removed=removed, is_revoked=not problem, problem=problem)
