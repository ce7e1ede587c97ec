"""Responses of the provider's endpoints: which is a success, which a refusal, and which cannot be used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.http import PROVIDER_TROUBLE, header_values
from ..base.records import Record
from ..base.strict_json import JsonError, JsonObject, loads_object
from ..base.text import clean_text

if TYPE_CHECKING:
    from typing import Final

    from ..base.http import Headers, HttpResponse

MAX_TOKEN_RESPONSE: Final = 1024 * 1024
"""The most bytes of a response's body."""

WEB_PAGE: Final = "a web page instead of an answer"
TOO_MANY_REQUESTS: Final = 429
"""RFC 6585 section 4."""
_NETWORK_SIGN_IN: Final = 511
"""The status of a network that wants a sign-in of its own (RFC 6585 section 6). It is not the provider's response."""


class Rejected(Record):
    """The endpoint refused the request."""

    message: str


class Malformed(Record):
    """The response cannot be used."""

    message: str


TOO_LARGE: Final = Malformed(message="the answer is larger than 1 MiB")
_NOT_JSON: Final = Malformed(message="the answer cannot be read: not JSON")
NETWORK_PAGE: Final = Malformed(message=f"{WEB_PAGE}: a sign-in page of the network?")
"""The result of `read_object` for HTML."""
_NO_ERROR: Final = (None, "")
"""A member without a value is as absent (RFC 6749 section 3.2)."""


def judge(
    response: HttpResponse, body: JsonObject | Malformed, hide: tuple[str, ...]
) -> JsonObject | Rejected | Malformed:
    """Decide whether a response is a success, a refusal, or unusable.

    Args:
        response: With any status.
        body: The result of `read_object`.
        hide: Secrets that were sent. An error description may echo them.

    Returns:
        The members of a success, which has status 200 (RFC 6749 section 5.1). Otherwise why there are none
        (section 5.2).
    """
    status = response.status
    if 300 <= status < 400:
        # To follow it would send code and verifier to another server. The location may hold secrets and is not shown.
        return Malformed(message=f"the endpoint answered with a redirect ({status}), which is never followed")
    readable = {} if isinstance(body, Malformed) else body
    if not 200 <= status < 300 or readable.get("error") not in _NO_ERROR:
        reason = plain_text(response.headers, response.body) if body == _NOT_JSON else _error_text(readable)
        return _rejection(response, reason, hide)
    if status != 200:
        # A part of the response (206), a copy that a proxy has changed (203), or a request that is not finished (202).
        return Malformed(message=f"the endpoint answered with status {status}, and tokens come with 200")
    return body


def read_object(response: HttpResponse) -> JsonObject | Malformed:
    """Read the body of a response with any status as a JSON object."""
    if len(response.body) > MAX_TOKEN_RESPONSE:
        return TOO_LARGE
    codings = {value.strip().lower() for value in header_values(response.headers, b"content-encoding")}
    if codings - {b"", b"identity"}:
        return Malformed(message="the answer has a content coding that was not asked for")
    try:
        return loads_object(response.body)
    except JsonError as error:
        if _is_html(response):
            return NETWORK_PAGE
        return Malformed(message=f"the answer cannot be read: {error}")


def is_overloaded(status: int) -> bool:
    """Return whether a status says that the endpoint is overloaded or in trouble. Then the body decides nothing."""
    return status == TOO_MANY_REQUESTS or status >= 500


def is_web_page(body: bytes) -> bool:
    """Return whether a body is HTML. A network that wants a sign-in answers every request with such a page."""
    return body[:256].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


def _is_html(response: HttpResponse) -> bool:
    types = header_values(response.headers, b"content-type")
    return is_web_page(response.body) or any(b"html" in value.lower() for value in types)


def _rejection(response: HttpResponse, reason: str, hide: tuple[str, ...]) -> Rejected:
    """Return a refusal with its description as clean text: the status, the error, and when to try again."""
    words = f"status {response.status}"
    if response.status == _NETWORK_SIGN_IN:
        words = f"{words}, the network wants you to sign in to it"
    elif 500 <= response.status < 600:
        words = f"{words}, {PROVIDER_TROUBLE}"
    if not reason and 400 <= response.status < 500 and _is_html(response):
        words = f"{words}, {WEB_PAGE}"
    if reason:
        words = f"{words}: {clean_text(reason, hide=hide)}"
    retry_after = header_values(response.headers, b"retry-after")
    if retry_after and is_overloaded(response.status):
        words = f"{words} (retry after: {clean_text(retry_after[0].decode('latin-1'), hide=hide, limit=40)})"
    return Rejected(message=words)


def _error_text(answer: JsonObject) -> str:
    """Return the description of an error.

    It is in the members of RFC 6749 section 5.2, in ``{"error": {"code", "message"}}``, or in a code alone. The rest
    of a JSON body is never shown.
    """
    error = answer.get("error")
    if isinstance(error, dict):
        parts = [error.get("code"), error.get("message")]
    elif error not in _NO_ERROR:
        parts = [error, answer.get("error_description")]
    else:
        parts = [answer.get("code")]
    return ": ".join(part for part in parts if isinstance(part, str) and part)


def plain_text(headers: Headers, body: bytes) -> str:
    """Return a body that is text for people; empty if it is said to be something else, or looks like it.

    Args:
        headers: The header fields. Only ``text/plain`` is text.
        body: A body in UTF-8 that is not JSON.
    """
    kinds = [value.partition(b";")[0].strip().lower() for value in header_values(headers, b"content-type")]
    body = body.strip()
    is_text = kinds == [b"text/plain"] and not body.startswith((b"<", b"{"))
    return body.decode("utf-8") if is_text else ""


def error_code(answer: JsonObject | Malformed) -> str:
    """Return the code of an error, in any form that `_error_text` reads; empty if there is none.

    The code may only be compared, not shown.
    """
    if isinstance(answer, Malformed):
        return ""
    error = answer.get("error")
    code = error.get("code") if isinstance(error, dict) else answer.get("code") if error in _NO_ERROR else error
    return code if isinstance(code, str) else ""
