"""Read the responses of endpoints that issue no tokens: public documents, registrations and pushed requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.records import Record
from .responses import Malformed, Rejected, judge, read_object

if TYPE_CHECKING:
    from typing import Final

    from ..base.http import HttpResponse
    from ..base.strict_json import JsonObject

_CREATED: Final = (200, 201)


class DocumentProblem(Record):
    """A document of the provider cannot be used."""

    message: str
    """What is wrong, as clean text."""
    is_missing: bool = False
    """The provider has no document at this address (status 404). It may have one at another address."""


def read_document(response: HttpResponse) -> JsonObject | DocumentProblem:
    """Read a public document: the provider's metadata or its keys.

    Args:
        response: With any status. Only a JSON object with status 200 is a document (RFC 8414 section 3.2).

    Returns:
        The members of the document, or why there is none.
    """
    status = response.status
    if 200 < status < 300:
        return DocumentProblem(message=f"the provider answered with status {status}, and a document comes with 200")
    answer = judge(response, read_object(response), ())
    if isinstance(answer, dict):
        return answer
    return DocumentProblem(message=answer.message, is_missing=status == 404)


def read_created(response: HttpResponse, hide: tuple[str, ...]) -> JsonObject | Rejected | Malformed:
    """Read the response to a request that creates something: a client, or a pushed request.

    Args:
        response: With any status. 201 is a success (RFC 7591 section 3.2.1, RFC 9126 section 2.2). Several servers send
            200 instead.
        hide: Secrets that were sent. An error description may echo them.

    Returns:
        The members of the response, or why there are none.
    """
    status = response.status
    if 200 <= status < 300 and status not in _CREATED:
        return Malformed(message=f"the endpoint answered with status {status}, and a success has 201")
    body = read_object(response)
    answer = judge(response, body, hide)
    # `judge` refuses 201, because tokens come with 200.
    return body if status == 201 and isinstance(answer, Malformed) else answer
