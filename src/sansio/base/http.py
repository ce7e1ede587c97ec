"""HTTP requests and responses as values: what the core asks a driver to send, and what the driver received."""

from __future__ import annotations

from enum import StrEnum

from .records import Record, hidden

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final, TypeAlias

    from .secret import Secret

PROVIDER_TROUBLE: Final = "the provider has a problem"
"""In the message of a response with a status from 500 to 599. The request may have been right."""
_IMF_DATE: Final = rb"[A-Z][a-z]{2}, (\d{2}) ([A-Z][a-z]{2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT"
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]
"""Header fields, in the order in which they were received or are to be sent. Names are in upper or lower case."""

Form: TypeAlias = tuple[tuple[str, str | tuple[str, ...]], ...]
"""The parameters of a request body, in the order to send them. Several values of one name are a tuple."""


class Encoding(StrEnum):
    """How the parameters of a request are written into its body."""

    FORM = "form"
    """``application/x-www-form-urlencoded``, as RFC 6749 requires. A name with several values is repeated."""
    JSON = "json"
    """One JSON object of strings and lists of strings."""


class TransportProblem(StrEnum):
    """Why a request got no response."""

    TIMEOUT = "timeout"
    CONNECT = "connect"
    """There was no connection. This includes name resolution, refusal, TLS and the proxy."""
    REQUEST = "request"
    """The connection broke, or the response was not HTTP."""


class HttpRequest(Record):
    """A request to an endpoint of the provider."""

    url: str
    method: str = "POST"
    """``POST``, or ``GET``, which has no parameters and no body."""
    form: Form = hidden(default=())
    """The parameters of the body. They may hold secrets."""
    encoding: Encoding = Encoding.FORM
    timeout: float
    """Seconds for the whole exchange, from name resolution to the last byte."""
    authorization: Secret | None = hidden(default=None)
    """The value of the ``Authorization`` header field, which authenticates the client; None for no such field."""


class HttpResponse(Record):
    """The response of an endpoint, with any status."""

    status: int
    headers: Headers = hidden()
    body: bytes = hidden()
    """The raw bytes, without decoding any content coding. The driver may stop reading one byte above 1 MiB."""
    received_at: float
    """Wall-clock time, in seconds since 1970-01-01 UTC."""


class HttpRequestFailed(Record):
    """An endpoint sent no response."""

    kind: TransportProblem
    message: str
    """The driver's own words. Never the text of an exception, which may hold the request."""


def header_values(headers: Headers, name: bytes) -> list[bytes]:
    """Return every value of a header field, in order.

    Args:
        headers: The header fields.
        name: The field's name, in lower case.
    """
    return [value for key, value in headers if key.lower() == name]


def read_date(value: bytes) -> float | None:
    """Return a date of a header field (RFC 9110 section 5.6.7), in seconds since 1970; None if it is not one."""
    # The standard parser, email.utils, imports the socket module. This format has one form only.
    import re  # noqa: PLC0415 - not needed before the URL is shown
    from datetime import UTC, datetime  # noqa: PLC0415

    match = re.fullmatch(_IMF_DATE, value.strip())
    if match is None or match[2].decode() not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(match[group]) for group in (1, 3, 4, 5, 6))
    try:
        moment = datetime(year, _MONTHS.index(match[2].decode()) + 1, day, hour, minute, min(second, 59), tzinfo=UTC)
    except ValueError:
        return None
    return moment.timestamp()


def retry_after(response: HttpResponse) -> float | None:
    """Return the seconds after which a client may ask again (RFC 9110 section 10.2.3), at least 0.

    Returns:
        None if the response does not say it, or says it more than once or in another form.
    """
    values = header_values(response.headers, b"retry-after")
    if len(values) != 1:
        return None
    value = values[0].strip()
    if value.isdigit():
        # More digits than this are years.
        return float(value[:12])
    moment = read_date(value)
    return None if moment is None else max(0.0, moment - response.received_at)
