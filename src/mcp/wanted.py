"""The options of a sign-in, from what a resource wants."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ..sansio.model.options import LoginOptions
    from ..sansio.model.provider import Provider
    from ..sansio.server.challenge import BearerChallenge

INSUFFICIENT_SCOPE: Final = "insufficient_scope"
"""The error of a challenge for more scopes than the token has (RFC 6750 section 3.1)."""


def options_for(
    options: LoginOptions, challenge: BearerChallenge, granted: tuple[str, ...] | None
) -> LoginOptions | None:
    """Return the options of the sign-in that a challenge asks for; None if a sign-in would change nothing.

    Scopes that the program has chosen stay. Otherwise those of the challenge count, and without any those of the
    resource's metadata.

    Args:
        options: The options of the program.
        challenge: What the resource wants.
        granted: The scopes of the stored token. None if there is no token.
    """
    provider = _named(options.provider, challenge.resource_metadata)
    chosen = provider.scopes if options.scopes is None else tuple(options.scopes)
    if challenge.error == INSUFFICIENT_SCOPE and granted is not None:
        if granted and set(challenge.scope) <= set(granted):
            return None
        # A sign-in replaces what was granted, so that it asks for all of that too.
        scopes: tuple[str, ...] = tuple(dict.fromkeys((*chosen, *granted, *challenge.scope)))
    else:
        scopes = chosen or challenge.scope
    return options.__replace__(provider=provider.__replace__(scopes=scopes), scopes=None)


def _named(provider: Provider, address: str | None) -> Provider:
    """Return the provider with the address of the metadata that the resource has named."""
    if address is None:
        return provider
    try:
        return provider.__replace__(resource_metadata=address)
    except ValueError:
        # It cannot be used. The metadata may be at the usual addresses.
        return provider
