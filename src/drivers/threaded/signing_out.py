"""Signing out, with threads."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from ...sansio.refresh.actions import LoadCredentials
from ...sansio.sign_out import SignOutMachine
from ...sansio.sign_out.actions import EndSignOut, RemoveCredentials, ReportRemoval, RevokeTokens
from ...sansio.sign_out.events import RevocationEnded, SignOutWanted
from ..errors import NO_THREAD
from ..shared.overrides import overrides_from_environment
from ..shared.sign_out import SessionSignOutStore, SignOutStore
from .revocation import revoke

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...sansio.model.overrides import EndpointOverrides
    from ...sansio.model.provider import Provider
    from ...sansio.refresh.outcome import RefreshMemory
    from ...sansio.sign_out.events import SignOutEvent
    from ...sansio.sign_out.outcome import SignOutResult
    from ..stores.protocols import SessionStore


def sign_out(store: SessionStore, provider: Provider | None = None, *, keep_tokens: bool = False) -> SignOutResult:
    """Sign a person out: remove the stored credentials, then revoke their tokens.

    Blocks, for at most 5 seconds after the credentials are removed. Revocation (RFC 7009) is best effort: if the
    provider cannot be reached or refuses, the credentials are removed all the same, and the result says why.

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
    """
    machine = SignOutMachine(provider, overrides_from_environment())
    return _signed_out(machine, SignOutStore(store), keep_tokens=keep_tokens)


def sign_out_session(
    store: SessionStore, provider: Provider | None, overrides: EndpointOverrides, memory: RefreshMemory
) -> SignOutResult:
    """Sign out as `sign_out` does, for a session, whose arguments these are.

    Raises:
        StoreError: As for `sign_out`.
        ProviderMismatch: As for `sign_out`.
    """
    return _signed_out(SignOutMachine(provider, overrides), SessionSignOutStore(store, memory))


def _signed_out(machine: SignOutMachine, at_store: SignOutStore, *, keep_tokens: bool = False) -> SignOutResult:
    run_sign_out(machine, at_store, keep_tokens=keep_tokens)
    return at_store.result_of(machine)


def run_sign_out(
    machine: SignOutMachine,
    store: SignOutStore,
    *,
    on_removal: Callable[[ReportRemoval], object] = lambda _: None,
    send: Callable[[RevokeTokens], RevocationEnded] | None = None,
    keep_tokens: bool = False,
) -> None:
    """Run a sign-out to its end.

    Args:
        machine: The machine.
        store: The store.
        on_removal: Called when nothing is stored any more, before the revocation.
        send: Sends the revocation request, and returns the result. By default it is sent in a thread of its own.
        keep_tokens: Revoke nothing.
    """
    left = machine.handle(SignOutWanted(keeps_tokens=keep_tokens, reads_store=True))
    while left:
        event: SignOutEvent | None = None
        match left.pop(0):
            case LoadCredentials():
                event = store.load()
            case RemoveCredentials():
                event = store.remove()
            case RevokeTokens() as request:
                event = (send or _revoke)(request)
            case ReportRemoval() as report:
                on_removal(report)
            case EndSignOut():
                # The last action. The machine has the outcome.
                pass
            case action:
                assert_never(action)
        if event is not None:
            left += machine.handle(event)


def _revoke(request: RevokeTokens) -> RevocationEnded:
    try:
        return revoke(request, request.pause)
    except RuntimeError:
        # The request is sent in a thread of its own.
        return RevocationEnded(problem=NO_THREAD)
