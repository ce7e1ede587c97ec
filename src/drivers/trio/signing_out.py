"""Signing out, with trio."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, assert_never

import trio

from ...sansio.oauth.revocation import may_pass, read_revocation
from ...sansio.refresh.actions import LoadCredentials
from ...sansio.sign_out import SignOutMachine
from ...sansio.sign_out.actions import EndSignOut, RemoveCredentials, ReportRemoval, RevokeTokens
from ...sansio.sign_out.events import RevocationEnded, SignOutWanted
from ..shared.hosts import TRIO, check_host
from ..shared.overrides import overrides_from_environment
from ..shared.sign_out import SessionSignOutStore, SignOutStore
from .http_client import send
from .threads import in_thread_or_here

if TYPE_CHECKING:
    from ...sansio.model.overrides import EndpointOverrides
    from ...sansio.model.provider import Provider
    from ...sansio.refresh.outcome import RefreshMemory
    from ...sansio.sign_out.actions import SignOutAction
    from ...sansio.sign_out.events import SignOutEvent
    from ...sansio.sign_out.outcome import SignOutResult
    from ..stores.protocols import SessionStore


async def trio_sign_out(
    store: SessionStore, provider: Provider | None = None, *, keep_tokens: bool = False
) -> SignOutResult:
    """Sign a person out: remove the stored credentials, then revoke their tokens.

    The store is used in a worker thread. Revocation (RFC 7009) takes at most 5 seconds and is best effort: if the
    provider cannot be reached or refuses, the credentials are removed all the same, and the result says why. After a
    cancellation the credentials may be removed and their tokens still be valid.

    Args:
        store: Where the credentials are.
        provider: The provider that issued them. By default the one that they record; those of an older ``auth.json``
            are from Codex's provider.
        keep_tokens: Revoke nothing, because another program or machine uses the same tokens.

    Returns:
        What was removed, and whether the provider confirmed that the tokens are revoked.

    Raises:
        StoreError: The credentials cannot be removed. Nothing is revoked then.
        ProviderMismatch: They are from another provider than the named one. Nothing is removed or revoked then.
        EndpointError: The environment names an endpoint that cannot be used. Nothing is removed or revoked then.
        RuntimeError: Trio does not run. Nothing is removed.
    """
    check_host(TRIO, "sign_out")
    machine = SignOutMachine(provider, overrides_from_environment())
    return await _signed_out(machine, SignOutStore(store), keep_tokens=keep_tokens)


async def sign_out_session(
    store: SessionStore, provider: Provider | None, overrides: EndpointOverrides, memory: RefreshMemory
) -> SignOutResult:
    """Sign out as `trio_sign_out` does, for a session, whose arguments these are.

    Raises:
        StoreError: As for `trio_sign_out`.
        ProviderMismatch: As for `trio_sign_out`.
        RuntimeError: Trio does not run. Nothing is removed.
    """
    check_host(TRIO, "session")
    return await _signed_out(SignOutMachine(provider, overrides), SessionSignOutStore(store, memory))


async def _signed_out(machine: SignOutMachine, at_store: SignOutStore, *, keep_tokens: bool = False) -> SignOutResult:
    limiter = trio.CapacityLimiter(math.inf)
    left = machine.handle(SignOutWanted(keeps_tokens=keep_tokens, reads_store=True))
    while left:
        event = await _perform(left.pop(0), at_store, limiter)
        if event is not None:
            left += machine.handle(event)
    return at_store.result_of(machine)


async def _perform(action: SignOutAction, at_store: SignOutStore, limiter: trio.CapacityLimiter) -> SignOutEvent | None:
    match action:
        case LoadCredentials():
            return await in_thread_or_here(limiter, at_store.load)
        case RemoveCredentials():
            return await in_thread_or_here(limiter, at_store.remove)
        case RevokeTokens():
            await trio.sleep(action.pause)
            answer = await send(action, limiter)
            return RevocationEnded(problem=read_revocation(action, answer), may_pass=may_pass(answer))
        case ReportRemoval() | EndSignOut():
            # The caller gets the outcome at the end.
            return None
        case _:
            assert_never(action)
