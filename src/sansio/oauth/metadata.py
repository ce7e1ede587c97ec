"""Read the metadata of a server (RFC 8414, OpenID Connect Discovery 1.0), and that of a resource (RFC 9728)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.http import HttpRequest
from ..server.metadata import MetadataError, ServerMetadata, parse_metadata
from ..server.resource import ResourceMetadata, parse_resource_metadata
from .endpoint_responses import DocumentProblem, read_document
from .responses import is_overloaded

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


def read_resource_metadata(response: HttpResponse, resource: str) -> ResourceMetadata | MetadataProblem:
    """Read the response to a request for the metadata of a protected resource.

    A server that has no metadata at an address may answer in many ways, because the address is within its application:
    with a refusal, a redirect or a web page. All of these count as missing metadata. A JSON object, 429 and an error of
    the server (5xx) do not.

    Args:
        response: With any status.
        resource: The URL of the resource.

    Returns:
        The metadata, or why there is none.
    """
    document = read_document(response)
    if isinstance(document, DocumentProblem):
        return MetadataProblem(message=document.message, is_missing=not is_overloaded(response.status))
    try:
        return parse_resource_metadata(document, resource)
    except MetadataError as error:
        return MetadataProblem(message=f"the resource's metadata: {error}")
