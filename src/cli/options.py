"""The provider that the options of a command name."""

from __future__ import annotations

from ..sansio.model.provider import DEFAULT_ORIGINATOR, Provider

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


def provider_from(arguments: argparse.Namespace) -> Provider:
    """Make it; ends the process with a usage error if the issuer cannot be one."""
    originator = getattr(arguments, "originator", DEFAULT_ORIGINATOR)
    try:
        return Provider.chatgpt(issuer=arguments.issuer, client_id=arguments.client_id, originator=originator)
    except ValueError as error:
        arguments.usage_error(f"--issuer: {error}. One looks like https://auth.example.com")
        raise
