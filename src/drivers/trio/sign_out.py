"""Signing out, with trio."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import trio

from ...sansio.oauth.revocation import read_revocation
from ..shared.sign_out import SignOutResult, check_provider, revocation_after_removal
from .http_client import send
from .runs import check_runs_in_trio

if TYPE_CHECKING:
    from ...sansio.model.provider import Provider
    from ..stores.protocols import SessionStore


async def trio_sign_out(store: SessionStore, provider: Provider | None = None) -> SignOutResult:
    """Sign a person out: remove the stored credentials, then revoke their tokens.

    The store is used in a worker thread. Revocation (RFC 7009) takes at most 5 seconds and is best effort: if the
    provider cannot be reached or refuses, the credentials are removed all the same, and the result says why. After a
    cancellation the credentials may be removed and their tokens still be valid.

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
        RuntimeError: Trio does not run. Nothing is removed.
    """
    check_runs_in_trio("trio_sign_out", "sign_out")
    limiter = trio.CapacityLimiter(math.inf)
    await trio.to_thread.run_sync(check_provider, store, provider, limiter=limiter)
    removed = await trio.to_thread.run_sync(store.remove, limiter=limiter)
    request = revocation_after_removal(removed, provider)
    if request is None:
        return SignOutResult(removed=removed)
    if isinstance(request, str):
        return SignOutResult(removed=removed, is_revoked=False, problem=request)
    problem = read_revocation(request, await send(request, limiter))
    return SignOutResult(removed=removed, is_revoked=not problem, problem=problem)
