"""The provenance of tokens: the provider that issued them, and the client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record, hidden
from ..base.text import clean_text

if TYPE_CHECKING:
    from ..base.secret import Secret
    from .provider import Provider


class Provenance(Record):
    """The issuer of tokens, and the client that they were issued to."""

    issuer: str
    """The issuer identifier, compared exactly (RFC 8414 section 3.3); the token endpoint if the provider has none."""
    client_id: str | None
    """The OAuth client. None if it is not known, because the tokens are in an older file and from another issuer."""
    others: Secret | None = hidden(default=None)
    """Members that a newer version has added, as a JSON object."""

    def __str__(self) -> str:
        client = "" if self.client_id is None else f" (client {clean_text(self.client_id)})"
        return f"{clean_text(self.issuer)}{client}"

    def is_same(self, other: Provenance) -> bool:
        """Return whether both name the same issuer and client. A client that is not known may be any."""
        same_client = self.client_id == other.client_id or None in (self.client_id, other.client_id)
        return self.issuer == other.issuer and same_client


def provenance_of_provider(provider: Provider) -> Provenance:
    """Return the provenance of tokens that a provider issues."""
    return Provenance(issuer=provider.origin, client_id=provider.client_id)
