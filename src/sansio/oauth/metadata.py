"""Read the metadata of an authorization server (RFC 8414, OpenID Connect Discovery 1.0)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.http import HttpRequest
from ..server.metadata import MetadataError, ServerMetadata, parse_metadata
from .endpoint_responses import DocumentProblem, read_document

if TYPE_CHECKING:
    from typing import Final

    from ..base.http import HttpResponse

METADATA_TIMEOUT: Final = 15.0
"""Time limit of a request for metadata, in seconds."""


class MetadataProblem(DocumentProblem):
    """There is no usable metadata at an address."""


def metadata_request(url: str) -> HttpRequest:
    """Return the request for the metadata at one of the addresses (RFC 8414 section 3.1)."""
    return HttpRequest(url=url, method="GET", timeout=METADATA_TIMEOUT)


def read_metadata(
    response: HttpResponse, issuer: str, *, tenant_template: bool = False
) -> ServerMetadata | MetadataProblem:
    """Read the response to a request for metadata.

    Args:
        response: With any status.
        issuer: The issuer that was asked for.
        tenant_template: As for `parse_metadata`.

    Returns:
        The metadata, or why there is none.
    """
    document = read_document(response)
    if isinstance(document, DocumentProblem):
        return MetadataProblem(**document.values())
    try:
        return parse_metadata(document, issuer, tenant_template=tenant_template)
    except MetadataError as error:
        return MetadataProblem(message=f"the provider's metadata: {error}")
