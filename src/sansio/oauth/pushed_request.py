"""Pushed authorization requests (RFC 9126).

The parameters are sent to the provider before the browser opens, and the browser's URL has a reference to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ..base.http import HttpRequest
from ..base.records import Record, hidden
from ..base.text import is_visible_ascii
from .endpoint_responses import read_created
from .responses import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from ..base.http import HttpResponse
    from .responses import Rejected

PUSH_TIMEOUT: Final = 15.0
"""Time limit of the request, in seconds."""
MAX_REQUEST_URI: Final = 2048
"""The most characters of a reference. It becomes a part of the URL that the browser opens."""
LONGEST_LIFETIME: Final = 3600.0
"""The greatest number of seconds for which a reference counts as valid, whatever the provider names."""


class PushedRequest(Record):
    """A reference to an authorization request that the provider holds (RFC 9126 section 2.2)."""

    request_uri: str = hidden()
    """The reference. It can be used once."""
    expires_in: float | None = None
    """Seconds for which it is valid; None if the provider named no usable number."""


def push_request(endpoint: str, parameters: Iterable[tuple[str, str]]) -> HttpRequest:
    """Return the request that pushes an authorization request (RFC 9126 section 2.1).

    The client is authenticated as at the token endpoint (section 2). That is added by the caller.

    Args:
        endpoint: The provider's ``pushed_authorization_request_endpoint``.
        parameters: All parameters of the authorization request, ``client_id`` included. A ``request_uri`` is never
            among them.
    """
    form = tuple(parameters)
    assert "request_uri" not in dict(form)
    return HttpRequest(url=endpoint, form=form, timeout=PUSH_TIMEOUT)


def read_pushed(response: HttpResponse, hide: tuple[str, ...]) -> PushedRequest | Rejected | Malformed:
    """Read the response to a pushed request.

    Args:
        response: With any status. 201 is a success, and so is 200, which several servers send.
        hide: Secrets that were sent. An error description may echo them.

    Returns:
        The reference (RFC 9126 section 2.2), or why there is none (section 2.3).
    """
    answer = read_created(response, hide)
    if not isinstance(answer, dict):
        return answer
    reference = answer.get("request_uri")
    if not isinstance(reference, str) or len(reference) > MAX_REQUEST_URI or not is_visible_ascii(reference):
        return Malformed(message="no usable request_uri in the answer")
    return PushedRequest(request_uri=reference, expires_in=_lifetime(answer.get("expires_in")))


def authorization_url_for(endpoint: str, client_id: str, request_uri: str) -> str:
    """Return the URL for the browser (RFC 9126 section 4).

    Args:
        endpoint: The authorization endpoint. The parameters of its own query are kept (RFC 6749 section 3.1).
        client_id: The client. It is repeated because RFC 9101 section 5 requires it.
        request_uri: The reference.
    """
    query = urlencode({"client_id": client_id, "request_uri": request_uri})
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{query}"


def _lifetime(value: object) -> float | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        return None
    return float(min(value, LONGEST_LIFETIME))
