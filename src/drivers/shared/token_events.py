"""The result of a token request as an event for the machine."""

from __future__ import annotations

from ...sansio.base.http import HttpResponse
from ...sansio.login.events import TokenRequestFailed, TokenResponseReceived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ...sansio.base.http import HttpRequestFailed


def token_event(
    exchange_id: int, answer: HttpResponse | HttpRequestFailed
) -> TokenResponseReceived | TokenRequestFailed:
    """Return the event that tells a machine the result of its token request.

    Args:
        exchange_id: The number of the request.
        answer: What the HTTP client returned for it.
    """
    if isinstance(answer, HttpResponse):
        return TokenResponseReceived(exchange_id=exchange_id, **answer.values())
    return TokenRequestFailed(exchange_id=exchange_id, **answer.values())
