"""Ask a provider for its metadata, outside a login."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...drivers.threaded.http_client import send
from ...sansio.base.http import HttpRequestFailed
from ...sansio.base.text import safe_url
from ...sansio.oauth.metadata import MetadataProblem, metadata_request, read_metadata
from ...sansio.server.metadata import metadata_urls

if TYPE_CHECKING:
    from ...sansio.base.http import HttpResponse
    from ...sansio.model.provider import Provider


class Metadata(NamedTuple):
    """What came of a request for metadata."""

    provider: Provider
    """The provider, with the endpoints of its metadata if they came."""
    url: str
    """The address that was asked last, without a query."""
    response: HttpResponse | None = None
    """The response from there; None if there was none."""
    problem: str = ""
    """Why the metadata cannot be used; empty if it can."""


def fetch_metadata(provider: Provider) -> Metadata:
    """Ask a provider for its metadata, at each of its addresses until one has it.

    Args:
        provider: A provider with an issuer.
    """
    issuer = provider.issuer or ""
    for url in metadata_urls(issuer):
        shown, answer = safe_url(url), send(metadata_request(url))
        if isinstance(answer, HttpRequestFailed):
            return Metadata(provider, shown, None, answer.message)
        found = read_metadata(answer, issuer, tenant_template=provider.issuer_has_tenant)
        if not isinstance(found, MetadataProblem):
            return Metadata(provider.completed(found), shown, answer)
        result = Metadata(provider, shown, answer, found.message)
        if not found.is_missing:
            break
    return result
