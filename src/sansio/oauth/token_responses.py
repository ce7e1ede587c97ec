"""Read the responses of the token endpoint (RFC 6749 section 5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..base.http import PROVIDER_TROUBLE, header_values
from ..base.records import Record
from ..base.secret import Secret
from ..base.strict_json import JsonError, JsonObject, loads_object
from ..base.text import clean_text, is_printable_ascii
from ..model.tokens import RefreshedTokens, TokenSet

if TYPE_CHECKING:
    from typing import Final, TypeGuard

    from ..base.http import Headers, HttpResponse

MAX_TOKEN_RESPONSE: Final = 1024 * 1024
"""The most bytes of a response's body."""


WEB_PAGE: Final = "a web page instead of an answer"
_NETWORK_SIGN_IN: Final = 511
"""The status of a network that wants a sign-in of its own (RFC 6585 section 6). It is not the provider's response."""


class Rejected(Record):
    """The endpoint refused the request."""

    message: str


class GrantRefused(Rejected):
    """The token endpoint refused the refresh token for good."""


class ClientRefused(Rejected):
    """The token endpoint refused the client: its configuration is wrong, the tokens may be good."""


class Malformed(Record):
    """The response cannot be used."""

    message: str


_NOT_BEARER: Final = Malformed(message="the answer's token_type is not bearer")
_NOT_JSON: Final = Malformed(message="the answer cannot be read: not JSON")
NETWORK_PAGE: Final = Malformed(message=f"{WEB_PAGE}: a sign-in page of the network?")
"""The result of `read_object` for HTML."""
_GRANT_REFUSED: Final = frozenset(
    # RFC 6749 section 5.2, and the provider's own codes.
    (
        *("invalid_grant", "invalid_refresh_token", "token_expired"),
        *("refresh_token_expired", "refresh_token_reused", "refresh_token_invalidated"),
    )
)
_CLIENT_REFUSED: Final = frozenset(("invalid_client", "unauthorized_client"))
_NO_ERROR: Final = (None, "")
"""A member without a value is as absent (RFC 6749 section 3.2)."""
_TOKEN_NAMES: Final = ("id_token", "access_token", "refresh_token")


def read_tokens(response: HttpResponse, hide: tuple[str, ...]) -> TokenSet | Rejected | Malformed:
    """Read the response to a code exchange (RFC 6749 section 5).

    Args:
        response: With any status.
        hide: Secrets that were sent. An error description may echo them.

    Returns:
        The tokens, not checked yet, or why there are none.
    """
    answer = _read_answer(response, hide)
    return token_set(answer) if isinstance(answer, dict) else answer


def token_set(answer: JsonObject) -> TokenSet | Malformed:
    """Return the tokens in the members of a response (RFC 6749 section 5.1)."""
    if not _is_bearer(answer):
        return _NOT_BEARER
    for name in _TOKEN_NAMES:
        if not _is_token(answer.get(name)):
            return Malformed(message=f"no usable {name} in the answer")
    return TokenSet(
        id_token=Secret(answer["id_token"]),
        access_token=Secret(answer["access_token"]),
        refresh_token=Secret(answer["refresh_token"]),
    )


def read_refresh(response: HttpResponse, hide: tuple[str, ...]) -> RefreshedTokens | Rejected | Malformed:
    """Read the response to a refresh (RFC 6749 section 6). In contrast to a code exchange, each token may be missing.

    Only an error code says that a token or the client is refused. A gateway answers with 401 too.

    Args:
        response: With any status.
        hide: Secrets that were sent. An error description may echo them.

    Returns:
        The tokens that were renewed, not checked yet, or why there are none.
    """
    body = read_object(response)
    answer = judge(response, body, hide)
    if isinstance(answer, Rejected):
        return _refusal(error_code(body), answer)
    if isinstance(answer, Malformed):
        return answer
    if not _is_bearer(answer):
        return _NOT_BEARER
    came = {name: answer[name] for name in _TOKEN_NAMES if not _is_absent(name, answer.get(name))}
    for name, token in came.items():
        if not _is_token(token):
            return Malformed(message=f"no usable {name} in the answer")
    return RefreshedTokens(**{name: Secret(token) for name, token in came.items()})


def read_api_key(response: HttpResponse, hide: tuple[str, ...]) -> Secret | Rejected | Malformed:
    """Read the response to an API-key exchange. The key is its ``access_token`` (RFC 8693 section 2.2.1).

    Args:
        response: With any status.
        hide: Secrets that were sent. An error description may echo them.

    Returns:
        The key, or why there is none.
    """
    answer = _read_answer(response, hide)
    if not isinstance(answer, dict):
        return answer
    key = answer.get("access_token")
    if not _is_token(key):
        return Malformed(message="no usable access_token in the answer")
    return Secret(key)


def _refusal(code: str, answer: Rejected) -> Rejected:
    if code in _GRANT_REFUSED:
        return GrantRefused(message=answer.message)
    return ClientRefused(message=answer.message) if code in _CLIENT_REFUSED else answer


def _is_absent(name: str, token: object) -> bool:
    """Return whether a token was not renewed. An empty one says so too, unless it is the access token, which must come.

    Otherwise the other new tokens would be lost.
    """
    return token is None or (token == "" and name != "access_token")


def _read_answer(response: HttpResponse, hide: tuple[str, ...]) -> JsonObject | Rejected | Malformed:
    return judge(response, read_object(response), hide)


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
        return Malformed(message="the answer is larger than 1 MiB")
    codings = {value.strip().lower() for value in header_values(response.headers, b"content-encoding")}
    if codings - {b"", b"identity"}:
        return Malformed(message="the answer has a content coding that was not asked for")
    try:
        return loads_object(response.body)
    except JsonError as error:
        if _is_html(response):
            return NETWORK_PAGE
        return Malformed(message=f"the answer cannot be read: {error}")


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
    if retry_after and (response.status == 429 or response.status >= 500):
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


def _is_bearer(answer: JsonObject) -> bool:
    token_type = answer.get("token_type")
    return token_type is None or (isinstance(token_type, str) and token_type.lower() == "bearer")


def error_code(answer: JsonObject | Malformed) -> str:
    """Return the code of an error, in any form that `_error_text` reads; empty if there is none.

    The code may only be compared, not shown.
    """
    if isinstance(answer, Malformed):
        return ""
    error = answer.get("error")
    code = error.get("code") if isinstance(error, dict) else answer.get("code") if error in _NO_ERROR else error
    return code if isinstance(code, str) else ""


def _is_token(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and is_printable_ascii(value) and value != ""
