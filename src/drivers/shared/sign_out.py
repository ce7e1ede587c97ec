"""What signing out checks and returns: the same with threads and with trio."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...sansio.base.records import Record
from ...sansio.model.issuer import provider_of, why_not_from
from ...sansio.oauth.revocation import revocation
from ..errors import ProviderMismatch, StoreError
from .overrides import overrides_from_environment

if TYPE_CHECKING:
    from typing import Final

    from ...sansio.base.http import HttpRequest
    from ...sansio.model.credentials import Credentials
    from ...sansio.model.provider import Provider
    from ..stores.protocols import SessionStore

UNKNOWN_PROVIDER: Final = "the provider that issued the tokens is not known"


def check_provider(store: SessionStore, provider: Provider | None) -> None:
    """Check the environment, and that stored tokens are from the named provider, before they are removed. May block.

    Args:
        store: Where the credentials are.
        provider: The provider; None for the one that the tokens record.

    Raises:
        ProviderMismatch: The tokens were issued by another provider, or to another client.
        EndpointError: The environment names an endpoint that cannot be used.
    """
    overrides_from_environment()
    if provider is None:
        return
    try:
        stored = store.load()
    except StoreError:
        # What cannot be read is removed, and never sent.
        return
    problem = why_not_from(stored.tokens, provider) if stored is not None and stored.tokens is not None else ""
    if problem:
        raise ProviderMismatch(f"the credentials are kept, because {problem}")


def revocation_after_removal(removed: Credentials | None, provider: Provider | None) -> HttpRequest | str | None:
    """Return the request that revokes removed tokens, at the provider that issued them.

    Returns:
        The request; why there is none, although there are tokens; or None if there is nothing to revoke.

    Raises:
        EndpointError: The environment names an endpoint that cannot be used.
    """
    if removed is None or removed.tokens is None:
        return None
    provider = provider or provider_of(removed.tokens)
    if provider is None:
        return UNKNOWN_PROVIDER
    return revocation(overrides_from_environment().for_tokens(provider), removed)


class SignOutResult(Record):
    """What a sign-out did."""

    removed: Credentials | None = None
    """The credentials that were stored, without what could not be read; None if nothing was stored."""
    is_revoked: bool | None = None
    """Whether the provider confirmed that it has revoked the tokens; None if there was nothing to revoke."""
    problem: str = ""
    """Why the provider did not confirm it, in words for a person; empty if it did, or if there was nothing to revoke.
    It never has a token in it."""
